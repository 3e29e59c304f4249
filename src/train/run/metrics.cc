#include "train/run/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace malssi {
namespace {

struct Field {
  std::string_view name;
  double Metrics::*value;
};

constexpr std::array<Field, 6> kFields = {{{"loss", &Metrics::loss},
                                           {"val_loss", &Metrics::val_loss},
                                           {"lr", &Metrics::lr},
                                           {"grad_norm", &Metrics::grad_norm},
                                           {"tokens_per_second", &Metrics::tokens_per_second},
                                           {"elapsed_seconds", &Metrics::elapsed_seconds}}};

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

double Metrics::figure(std::string_view name) const {
  if (name == "step") return static_cast<double>(step);
  if (name == "tokens") return static_cast<double>(tokens);
  if (name == "memory_bytes") return static_cast<double>(memory_bytes);
  for (const Field& field : kFields)
    if (field.name == name) return this->*field.value;
  for (const auto& [key, value] : more)
    if (key == name) return value;
  return kNone;
}

std::string metrics_line(const Metrics& metrics) {
  Json json;
  json["step"] = metrics.step;
  json["tokens"] = metrics.tokens;
  for (const Field& field : kFields) json[std::string(field.name)] = number(metrics.*field.value);
  json["memory_bytes"] = metrics.memory_bytes;
  for (const auto& [name, value] : metrics.more) json[name] = number(value);
  return dump_json(json);
}

Metrics parse_metrics_line(std::string_view line, std::string_view where) {
  const Json json = parse_json(line, where);
  REQUIRE(json.is_object(), where, ": expected a JSON object with the figures of one step");
  Metrics metrics;
  metrics.step = get<int64_t>(json, "step", where);
  metrics.tokens = get_or<int64_t>(json, "tokens", 0, where);
  metrics.memory_bytes = get_or<int64_t>(json, "memory_bytes", 0, where);
  for (const auto& [key, value] : json.items()) {
    if (key == "step" || key == "tokens" || key == "memory_bytes") continue;
    if (!value.is_number() && !value.is_null()) continue;
    const double figure = value.is_null() ? Metrics::kNone : value.get<double>();
    const auto field =
        std::ranges::find_if(kFields, [&](const Field& known) { return known.name == key; });
    if (field != kFields.end()) {
      metrics.*field->value = figure;
    } else {
      metrics.more.emplace_back(key, figure);
    }
  }
  return metrics;
}

std::vector<Metrics> read_metrics(const fs::path& file) {
  const MappedFile mapped = MappedFile::open(file);
  const std::string_view text = mapped.text();
  std::vector<Metrics> lines;
  for (size_t end = text.find('\n'), begin = 0; end != text.npos;
       begin = end + 1, end = text.find('\n', begin)) {
    const std::string_view line = text.substr(begin, end - begin);
    if (line.empty()) continue;
    lines.push_back(parse_metrics_line(line, concat(file.string(), ", line ", lines.size() + 1)));
  }
  return lines;
}

MetricsWriter::MetricsWriter(const fs::path& file, std::optional<int64_t> resumed_step)
    : MetricsWriter(file, kept_lines(file, resumed_step)) {}

MetricsWriter::MetricsWriter(const fs::path& file, const Kept& kept)
    : last_step_(kept.last_step), file_(file, {.keep_bytes = kept.bytes}) {}

MetricsWriter::Kept MetricsWriter::kept_lines(const fs::path& file,
                                              std::optional<int64_t> resumed_step) {
  Kept kept;
  if (!resumed_step || !fs::exists(file)) return kept;
  const MappedFile mapped = MappedFile::open(file);
  const std::string_view text = mapped.text();
  for (size_t end = text.find('\n'), begin = 0; end != text.npos;
       begin = end + 1, end = text.find('\n', begin)) {
    int64_t step = 0;
    try {
      step = parse_metrics_line(text.substr(begin, end - begin), file.string()).step;
    } catch (const Error&) {
      break;  // damaged: what follows cannot be trusted either
    }
    if (step > *resumed_step || step <= kept.last_step) break;
    kept = {.bytes = static_cast<int64_t>(end + 1), .last_step = step};
  }
  return kept;
}

void MetricsWriter::write(const Metrics& metrics) {
  CHECK(metrics.step > last_step_, "metrics: step ", metrics.step, " after step ", last_step_);
  file_.write(metrics_line(metrics) + "\n");
  last_step_ = metrics.step;
}

}  // namespace malssi
