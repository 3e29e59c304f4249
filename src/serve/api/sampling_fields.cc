#include "serve/api/sampling_fields.h"

#include <charconv>
#include <cmath>
#include <random>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr double kHottest = 10;
constexpr int64_t kMostStops = 16, kLongestStop = 1024, kMostChoices = 128, kMostAdapters = 64;
constexpr int64_t kMostTokens = int64_t{1} << 31;

// {"token id": bias}.
void read_bias(const Fields& request, int64_t vocab, SamplingOptions& sampling) {
  const Json* given = request.object("logit_bias");
  if (!given) return;
  for (const auto& [key, value] : given->get_ref<const Json::object_t&>()) {
    const std::string field = request.name("logit_bias") + "." + key;
    LogitBias bias;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), bias.id);
    if (error != std::errc() || end != key.data() + key.size() || bias.id < 0 || bias.id >= vocab)
      throw ApiError(400, concat(field, ": its key is no token, expected 0 to ", vocab - 1), field,
                     "invalid_value");
    if (!value.is_number() || !(std::abs(value.get<double>()) <= 100))
      refuse_field(field, value, "a number from -100 to 100");
    bias.bias = value.get<double>();
    sampling.bias.push_back(bias);
  }
}

void read_stops(const Fields& request, std::vector<std::string>& stops) {
  const auto add = [&](const std::string& field, const Json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty() ||
        std::ssize(value.get_ref<const std::string&>()) > kLongestStop)
      refuse_field(field, value, concat("a string of 1 to ", kLongestStop, " bytes"));
    stops.push_back(value.get<std::string>());
  };
  const Json* given = request.find("stop");
  if (!given) return;
  if (!given->is_array()) return add(request.name("stop"), *given);
  request.list("stop", kMostStops);
  for (size_t i = 0; i < given->size(); ++i)
    add(concat(request.name("stop"), "[", i, "]"), (*given)[i]);
}

// {"name": weight} or a list of names, of the model's adapters.
void read_adapters(const Fields& request, const ModelUse& use, AdapterMix& mix) {
  const Json* given = request.find("adapters");
  mix = use.adapters;
  if (!given) return;
  const std::vector<std::string>& known = use.model->adapters();
  const auto add = [&](const std::string& name, double weight) {
    for (size_t i = 0; i < known.size(); ++i)
      if (known[i] == name)
        return mix.push_back({static_cast<int64_t>(i), static_cast<float>(weight)});
    throw ApiError(404, concat("the model has no adapter '", message_line(name), "'"),
                   request.name("adapters"), "adapter_not_found");
  };
  mix.clear();
  if (given->is_array()) {
    request.list("adapters", kMostAdapters);
    for (const Json& name : *given) {
      if (!name.is_string()) request.refuse("adapters", "a list of names");
      add(name.get<std::string>(), 1);
    }
  } else if (given->is_object()) {
    const Fields weights(*given, request.name("adapters"));
    for (const auto& [name, weight] : given->get_ref<const Json::object_t&>())
      add(name, weights.number(name, -100, 100).value_or(0));
  } else {
    request.refuse("adapters", "an object of names and weights, or a list of names");
  }
}

void read_penalties(const Fields& request, PenaltyOptions& penalty) {
  penalty.presence = request.number("presence_penalty", -2, 2).value_or(penalty.presence);
  penalty.frequency = request.number("frequency_penalty", -2, 2).value_or(penalty.frequency);
  penalty.repetition = request.number("repetition_penalty", 0.01, 10).value_or(penalty.repetition);
}

}  // namespace

GenerateOptions generate_options(const Fields& request, const ModelUse& use,
                                 ServedModel::Use defaults) {
  if (!use.model->writes())
    throw ApiError(400, concat("the model '", use.model->name(), "' embeds and does not write"),
                   "model", "wrong_model");
  GenerateOptions options = use.model->defaults(defaults);
  SamplingOptions& sampling = options.sampling;
  sampling.temperature = request.number("temperature", 0, kHottest).value_or(sampling.temperature);
  sampling.top_p = request.number("top_p", 0, 1).value_or(sampling.top_p);
  if (sampling.top_p == 0) {  // OpenAI's clients mean the likeliest token alone
    sampling.top_p = 1;
    sampling.temperature = 0;
  }
  // -1 is vLLM's way to say all.
  sampling.top_k =
      std::max<int64_t>(0, request.integer("top_k", -1, kMostTokens).value_or(sampling.top_k));
  sampling.min_p = request.number("min_p", 0, 1).value_or(sampling.min_p);
  sampling.typical_p = request.number("typical_p", 1e-6, 1).value_or(sampling.typical_p);
  read_penalties(request, sampling.penalty);
  const auto seed = request.integer("seed", std::numeric_limits<int64_t>::min(),
                                    std::numeric_limits<int64_t>::max());
  sampling.seed = seed ? static_cast<uint64_t>(*seed)
                       : (uint64_t{std::random_device{}()} << 32 | std::random_device{}());
  read_bias(request, use.model->tokenizer().vocab_size(), sampling);
  read_stops(request, options.stop_strings);
  read_adapters(request, use, options.adapters);
  return options;
}

void read_max_tokens(const Fields& request, std::initializer_list<std::string_view> keys,
                     GenerateOptions& options, const ServedModel& model) {
  options.max_tokens = model.capacity();
  bool is_given = false;
  for (const std::string_view key : keys) {
    const auto most = request.integer(key, 1, kMostTokens);
    if (most && !is_given) options.max_tokens = *most;
    is_given = is_given || most;
  }
}

int64_t read_choices(const Fields& request, int64_t most) {
  return request.integer("n", 1, std::min(most, kMostChoices)).value_or(1);
}

}  // namespace malssi
