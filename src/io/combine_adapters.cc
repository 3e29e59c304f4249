#include "io/combine_adapters.h"

#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "io/adapter_formats.h"
#include "io/safetensors.h"
#include "models/model.h"

namespace malssi {
namespace {

struct Opened {
  AdapterFile file;
  Json config;
  std::unique_ptr<TensorFile> weights;
  double weight = 1;
};

Opened open(const WeighedAdapter& adapter) {
  Opened opened{.file = open_adapter(adapter.path), .config = {}, .weights = {}};
  REQUIRE(opened.file.format == AdapterFormat::peft, opened.file.where(),
          ": a GGUF adapter; PEFT folders are combined");
  opened.config = load_json(opened.file.path / kPeftConfig);
  opened.weights = open_tensor_file(peft_weights(opened.file.path));
  opened.weight = adapter.weight;
  return opened;
}

void check_alike(const Opened& first, const Opened& other) {
  REQUIRE(first.file.kind == other.file.kind, other.file.where(), ": of the kind ",
          peft_kind(other.file.kind), ", but ", first.file.where(), " is ",
          peft_kind(first.file.kind), ": only adapters of one kind are combined");
}

std::vector<NamedTensor> averaged(const std::vector<Opened>& all) {
  double total = 0;
  for (const Opened& each : all) total += each.weight;
  REQUIRE(std::isfinite(total) && total != 0, "combine: the adapters' weights sum to ", total,
          "; expected another sum than 0");
  std::vector<NamedTensor> tensors;
  for (const Entry& entry : all.front().weights->entries()) {
    const Tensor sum = Tensor::zeros(all.front().weights->load(entry.name).shape());
    for (const Opened& each : all) {
      const std::string where = each.weights->path().string();
      REQUIRE(each.weights->find(entry.name) != nullptr, where, ": has no \"", entry.name,
              "\", which ", all.front().file.where(),
              " adapts: adapters with other targets are stacked, not averaged (--by stack)");
      const Tensor own = each.weights->load(entry.name).to(DType::f32);
      REQUIRE(own.shape() == sum.shape(), where, ": \"", entry.name, "\" is ", own.shape(),
              ", the first adapter's ", sum.shape(),
              ": adapters of other ranks are stacked, not averaged (--by stack)");
      const auto factor = static_cast<float>(each.weight / total);
      for (int64_t i = 0; i < sum.size(); ++i) sum.f32()[i] += factor * own.f32()[i];
    }
    tensors.push_back({entry.name, sum});
  }
  for (const Opened& each : all) {
    REQUIRE(each.weights->entries().size() == tensors.size(), each.file.where(),
            ": adapts more than ", all.front().file.where(),
            ": adapters with other targets are stacked, not averaged (--by stack)");
    for (size_t i = 0; i < each.file.parts.size(); ++i)
      REQUIRE(each.file.parts[i].scale == all.front().file.parts[i].scale, each.file.where(),
              ": its scale (alpha, rank) is not that of ", all.front().file.where(),
              ": stack them (--by stack)");
  }
  return tensors;
}

// Rows `first` on of to [rank, ..] or its columns: A below A, B beside B, times a factor.
void put(const Tensor& to, const Tensor& from, int64_t first, bool beside, float factor) {
  const int64_t rows = from.dim(0), columns = from.dim(1), width = to.dim(1);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      to.f32()[(beside ? r : first + r) * width + (beside ? first + c : c)] =
          factor * from.f32()[r * columns + c];
}

// The parts of one matrix as one of scale 1.
void stack(const std::string& matrix,
           const std::vector<std::pair<const AdapterPart*, double>>& parts, int64_t rank,
           std::vector<NamedTensor>& tensors) {
  const AdapterPart& first = *parts.front().first;
  const Tensor a = Tensor::zeros({rank, first.a.dim(1)}), b = Tensor::zeros({first.b.dim(0), rank});
  int64_t at = 0;
  for (const auto& [part, weight] : parts) {
    REQUIRE(part->a.dim(1) == a.dim(1) && part->b.dim(0) == b.dim(0), "combine: \"", matrix,
            "\" has other shapes in one adapter than in another: they are for different bases");
    put(a, part->a.to(DType::f32), at, false, 1);
    put(b, part->b.to(DType::f32), at, true, static_cast<float>(weight) * part->scale);
    at += part->a.dim(0);
  }
  const std::string name = concat(kPeftPrefix, matrix);
  tensors.push_back({name + ".lora_A.weight", a});
  tensors.push_back({name + ".lora_B.weight", b});
}

std::vector<NamedTensor> stacked(const std::vector<Opened>& all, Json& config) {
  std::map<std::string, std::vector<std::pair<const AdapterPart*, double>>> matrices;
  for (const Opened& each : all) {
    REQUIRE(each.file.kind == AdapterKind::lora, each.file.where(), ": of the kind ",
            peft_kind(each.file.kind), "; only LoRA is stacked");
    REQUIRE(each.file.head.empty(), each.file.where(),
            ": brings a head of its own, of which a stack could keep one: average them instead");
    for (const AdapterPart& part : each.file.parts) {
      REQUIRE(!part.magnitude, each.file.where(),
              ": DoRA's products do not add up: merge it "
              "(malssi tune merge) instead");
      matrices[part.matrix].emplace_back(&part, each.weight);
    }
  }
  int64_t rank = 0;
  for (const auto& [matrix, parts] : matrices) {
    int64_t sum = 0;
    for (const auto& [part, weight] : parts) sum += part->a.dim(0);
    rank = std::max(rank, sum);
  }
  std::vector<NamedTensor> tensors;
  std::set<std::string> names;
  for (const auto& [matrix, parts] : matrices) {
    stack(matrix, parts, rank, tensors);
    names.insert(matrix);
  }
  config["r"] = rank;
  config["lora_alpha"] = rank;
  config["use_rslora"] = false;
  config["rank_pattern"] = Json::object();
  config["alpha_pattern"] = Json::object();
  config["target_modules"] = names;
  return tensors;
}

}  // namespace

void combine_adapters(const std::vector<WeighedAdapter>& adapters, CombineBy by,
                      const fs::path& folder) {
  REQUIRE(adapters.size() >= 2, "combine: ", adapters.size(),
          " adapter given; expected two or more");
  std::vector<Opened> all;
  for (const WeighedAdapter& each : adapters) {
    all.push_back(open(each));
    check_alike(all.front(), all.back());
  }
  Json config = all.front().config;
  const std::vector<NamedTensor> tensors =
      by == CombineBy::averaging ? averaged(all) : stacked(all, config);
  AtomicFolder whole(folder);
  write_safetensors(whole.staging() / kPeftWeights, tensors, {{"format", "pt"}}, Durability::later);
  write_file(whole.staging() / kPeftConfig, dump_json(config, 2) + "\n", Durability::later);
  whole.commit();
}

}  // namespace malssi
