#include "serve/api/embeddings.h"

#include <cmath>
#include <cstring>

#include "base/base64.h"
#include "base/error.h"
#include "infer/embed.h"
#include "serve/api/chat_prompt.h"
#include "serve/api/completions.h"
#include "serve/api/sampling_fields.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr int64_t kTokensAtOnce = 2048;  // between two passes of the engine

// The texts of one request, a few at a time, so that answers in the making go on between them.
class EmbeddingRun : public std::enable_shared_from_this<EmbeddingRun> {
 public:
  EmbeddingRun(Hub& hub, Call call, std::vector<std::vector<int32_t>> texts, AdapterMix adapters,
               int64_t dimensions)
      : hub_(hub), call_(std::move(call)), texts_(std::move(texts)), dimensions_(dimensions) {
    options_ = call_.use.model->embedding();
    options_.adapters = std::move(adapters);
    const std::string format =
        Fields(call_.body).choice("encoding_format", {"float", "base64"}).value_or("float");
    is_base64_ = format == "base64";
    name_ = Fields(call_.body).text("model").value_or(call_.use.model->name());
    call_.body = nullptr;  // may be large, and is read
  }

  void next() {
    hub_.compute([self = shared_from_this()] {
      answer_or_refuse(*self->call_.exchange, [&] { self->some(); });
    });
  }

 private:
  void some() {
    if (call_.exchange->gone()) return;
    std::vector<std::vector<int32_t>> batch;
    for (int64_t tokens = 0; done_ + batch.size() < texts_.size() && tokens < kTokensAtOnce;) {
      batch.push_back(texts_[done_ + batch.size()]);
      tokens += std::ssize(batch.back());
    }
    const Tensor vectors = embed(call_.use.model->model(), batch, options_);
    for (size_t i = 0; i < batch.size(); ++i)
      add(vectors.f32() + static_cast<int64_t>(i) * vectors.dim(1));
    done_ += batch.size();
    if (done_ < texts_.size()) return next();
    Json body;
    body["object"] = "list";
    body["data"] = std::move(list_);
    body["model"] = name_;
    int64_t tokens = 0;
    for (const auto& text : texts_) tokens += std::ssize(text);
    body["usage"]["prompt_tokens"] = tokens;
    body["usage"]["total_tokens"] = tokens;
    call_.exchange->reply(json_reply(body));
  }

  // OpenAI's vectors have length 1, whole or cut short.
  void add(const float* row) {
    std::vector<float> vector(row, row + dimensions_);
    double squares = 0;
    for (const float x : vector) squares += static_cast<double>(x) * x;
    const double scale = 1 / std::max(std::sqrt(squares), 1e-12);
    for (float& x : vector) x = static_cast<float>(x * scale);
    Json entry;
    entry["object"] = "embedding";
    entry["index"] = list_.size();
    if (is_base64_) {
      std::string bytes(vector.size() * sizeof(float), '\0');
      std::memcpy(bytes.data(), vector.data(), bytes.size());
      entry["embedding"] = to_base64(bytes);
    } else {
      entry["embedding"] = vector;
    }
    list_.push_back(std::move(entry));
  }

  Hub& hub_;
  Call call_;
  std::vector<std::vector<int32_t>> texts_;
  int64_t dimensions_;
  EmbedOptions options_;
  std::string name_;
  bool is_base64_ = false;
  size_t done_ = 0;
  Json list_ = Json::array();
};

// As prompts, but that a text gets what the tokenizer puts around it, and may fill the context.
std::vector<std::vector<int32_t>> read_inputs(const Fields& request, const ServedModel& model) {
  constexpr int64_t kMostInputs = 2048;
  const Json& given = request.need("input");
  const bool is_list = given.is_array() && !given.empty() && given[0].is_string();
  if (!is_list && !given.is_string()) return read_prompts(request, "input", model);
  const Json list = is_list ? given : Json::array({given});
  if (is_list) request.list("input", kMostInputs);
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string field = is_list ? concat("input[", i, "]") : "input";
    if (!list[i].is_string() || list[i].get_ref<const std::string&>().empty())
      refuse_field(field, list[i], "a text that is not empty");
    const auto& text = list[i].get_ref<const std::string&>();
    check_text_fits(model, std::ssize(text), field);
    texts.push_back(embed_ids(model.tokenizer(), text));
    check_prompt_fits(model, std::ssize(texts.back()) - 1, field);
  }
  return texts;
}

}  // namespace

void answer_embeddings(Hub& hub, Call call) {
  const Fields request(call.body);
  const ServedModel& model = *call.use.model;
  const int64_t width = model.config().width;
  const int64_t dimensions = request.integer("dimensions", 1, width).value_or(width);
  request.text("user");
  std::vector<std::vector<int32_t>> texts = read_inputs(request, model);
  AdapterMix adapters = call.use.adapters;
  std::make_shared<EmbeddingRun>(hub, std::move(call), std::move(texts), std::move(adapters),
                                 dimensions)
      ->next();
}

}  // namespace malssi
