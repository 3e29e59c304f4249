#include "io/llama2c.h"

#include <array>
#include <cstring>
#include <map>

#include "base/error.h"
#include "io/weight_layout.h"

namespace malssi {
namespace {

constexpr int64_t kHeaderNumbers = 7;

struct Stored {
  int64_t offset = 0;  // in numbers, after the header
  Shape shape;
  int64_t paired_heads = 0;
};

// Where each weight lies, in the order of the file.
class Layout {
 public:
  explicit Layout(const ModelConfig& c) {
    const int64_t D = c.width, H = c.hidden, kv = D / c.heads * c.kv_heads;
    add("model.embed_tokens.weight", {c.vocab, D});
    add_layers(c, "input_layernorm", {D});
    add_layers(c, "self_attn.q_proj", {D, D}, c.heads);
    add_layers(c, "self_attn.k_proj", {kv, D}, c.kv_heads);
    add_layers(c, "self_attn.v_proj", {kv, D});
    add_layers(c, "self_attn.o_proj", {D, D});
    add_layers(c, "post_attention_layernorm", {D});
    add_layers(c, "mlp.gate_proj", {H, D});
    add_layers(c, "mlp.down_proj", {D, H});
    add_layers(c, "mlp.up_proj", {H, D});
    add("model.norm.weight", {D});
    size_ += c.context * (D / c.heads);  // the angles, which are computed anew
    if (!c.tied) add("lm_head.weight", {c.vocab, D});
  }

  int64_t size() const { return size_; }
  const Stored* find(const std::string& name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &found->second;
  }

 private:
  void add(const std::string& name, const Shape& shape, int64_t paired_heads = 0) {
    places_[name] = {size_, shape, paired_heads};
    REQUIRE(!__builtin_add_overflow(size_, shape.size(), &size_), "more weights than can be");
  }
  void add_layers(const ModelConfig& c, const std::string& name, const Shape& shape,
                  int64_t paired_heads = 0) {
    for (int64_t i = 0; i < c.layers; ++i)
      add("model.layers." + std::to_string(i) + "." + name + ".weight", shape, paired_heads);
  }

  std::map<std::string, Stored> places_;
  int64_t size_ = 0;
};

ModelConfig read_config(const MappedFile& file, const std::string& where) {
  std::array<int32_t, kHeaderNumbers> header;
  REQUIRE(file.size() >= static_cast<int64_t>(sizeof(header)), where,
          ": too short: neither a model folder, a GGUF file nor a llama2.c checkpoint");
  std::memcpy(header.data(), file.bytes().data(), sizeof(header));
  ModelConfig c;
  c.family = "llama";
  c.width = header[0];
  c.hidden = header[1];
  c.layers = header[2];
  c.heads = header[3];
  c.kv_heads = header[4];
  c.tied = header[5] > 0;
  c.vocab = std::abs(int64_t{header[5]});
  c.context = header[6];
  c.bos_id = 1;
  c.eos_id = 2;
  const auto plausible = [&](int64_t value) { return value >= 1 && value <= (1 << 24); };
  const bool is_model = plausible(c.width) && plausible(c.hidden) && plausible(c.layers) &&
                        plausible(c.heads) && plausible(c.kv_heads) && plausible(c.vocab) &&
                        plausible(c.context);
  REQUIRE(is_model, where, ": neither a model folder, a GGUF file nor a llama2.c checkpoint");
  try {
    return checked(c);
  } catch (const Error& error) {
    throw Error(concat(where, ": ", error.what()));
  }
}

}  // namespace

ModelSource open_llama2c(const fs::path& path) {
  ModelSource source;
  source.where = path.string();
  const auto file = std::make_shared<const MappedFile>(MappedFile::open(path));
  source.config = read_config(*file, source.where);
  // Before a list of its weights is made.
  REQUIRE(source.config.layers <= file->size(), source.where, ": ", source.config.layers,
          " layers are more than the file can hold");
  const auto layout = std::make_shared<const Layout>(source.config);
  const int64_t held = file->size() / 4 - kHeaderNumbers;
  REQUIRE(file->size() % 4 == 0 && layout->size() == held, source.where, ": holds ", held,
          " numbers, its header asks for ", layout->size(),
          ": it is damaged, or no llama2.c checkpoint of the legacy version");
  source.find = [file, layout](const std::string& name) {
    const Stored* place = layout->find(name);
    if (!place) return Tensor();
    const auto* data = file->bytes().data() + 4 * (kHeaderNumbers + place->offset);
    const Tensor tensor = Tensor::borrowed(file, data, place->shape, DType::f32);
    return place->paired_heads > 0 ? halves_from_pairs(tensor, place->paired_heads) : tensor;
  };
  return source;
}

}  // namespace malssi
