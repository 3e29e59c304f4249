#include "serve/api/completions.h"

#include <utility>

#include "base/error.h"
#include "infer/generate.h"
#include "serve/api/answer_run.h"
#include "serve/api/chat_prompt.h"
#include "serve/api/chunk_stream.h"
#include "serve/api/logprobs.h"
#include "serve/api/response_format.h"
#include "serve/api/sampling_fields.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr int64_t kMostPrompts = 2048;

struct TextAnswers {
  AnswerHead head;
  int64_t count = 1;
  bool tells_logprobs = false, tells_usage = false;
  std::shared_ptr<const ServedModel> model;
};

class TextWriter : public AnswerWriter {
 public:
  explicit TextWriter(const TextAnswers& answers)
      : answers_(answers), offsets_(static_cast<size_t>(answers.count)) {}

 protected:
  Json choice(int64_t answer, std::string_view text, std::span<const GeneratedToken> tokens,
              std::string_view finish) {
    Json json;
    json["index"] = answer;
    json["text"] = text;
    json["logprobs"] = nullptr;
    if (answers_.tells_logprobs)
      json["logprobs"] = completion_logprobs(answers_.model->tokenizer(), tokens,
                                             offsets_[static_cast<size_t>(answer)]);
    json["finish_reason"] = finish.empty() ? Json() : Json(finish);
    return json;
  }
  TextAnswers answers_;

 private:
  std::vector<int64_t> offsets_;
};

class TextReply : public TextWriter {
 public:
  TextReply(const TextAnswers& answers, std::shared_ptr<Exchange> exchange)
      : TextWriter(answers),
        exchange_(std::move(exchange)),
        choices_(static_cast<size_t>(answers.count)),
        tokens_(static_cast<size_t>(answers.count)) {}

  void begin() override {}
  void text(int64_t answer, std::string_view, std::span<const GeneratedToken> tokens) override {
    keep(answer, tokens);
  }
  void done(int64_t answer, const Generation& whole,
            std::span<const GeneratedToken> tokens) override {
    keep(answer, tokens);
    const auto at = static_cast<size_t>(answer);
    choices_[at] = choice(answer, whole.text, tokens_[at], openai_finish(whole.reason));
  }
  void end(const Usage& usage) override {
    Json body = head_json(answers_.head, "text_completion");
    body["choices"] = choices_;
    body["usage"] = usage_json(usage);
    exchange_->reply(json_reply(body));
  }
  void fail(const std::exception& error) override { exchange_->reply(error_reply(error)); }

 private:
  void keep(int64_t answer, std::span<const GeneratedToken> tokens) {
    auto& kept = tokens_[static_cast<size_t>(answer)];
    kept.insert(kept.end(), tokens.begin(), tokens.end());
  }

  std::shared_ptr<Exchange> exchange_;
  std::vector<Json> choices_;
  std::vector<std::vector<GeneratedToken>> tokens_;
};

class TextStream : public TextWriter {
 public:
  TextStream(const TextAnswers& answers, std::shared_ptr<Exchange> exchange)
      : TextWriter(answers),
        stream_(std::move(exchange), head_json(answers.head, "text_completion"),
                answers.tells_usage) {}

  void begin() override { stream_.begin(); }
  void text(int64_t answer, std::string_view text,
            std::span<const GeneratedToken> tokens) override {
    stream_.send(choice(answer, text, tokens, ""));
  }
  void done(int64_t answer, const Generation& whole,
            std::span<const GeneratedToken> tokens) override {
    stream_.send(choice(answer, "", tokens, openai_finish(whole.reason)));
  }
  void end(const Usage& usage) override { stream_.end(usage); }
  void fail(const std::exception& error) override { stream_.fail(error); }

 private:
  ChunkStream stream_;
};

void refuse_what_is_missing(const Fields& request) {
  if (request.boolean("echo").value_or(false))
    request.refuse("echo", "false: the prompt is not given back");
  if (!request.text("suffix").value_or("").empty())
    request.refuse("suffix", "none: text is not filled in between");
  const auto best_of = request.integer("best_of", 1, 128);
  if (best_of && *best_of != request.integer("n", 1, 128).value_or(1))
    request.refuse("best_of", "n: all answers that are drawn are given back");
}

std::vector<int32_t> read_ids(const std::string& field, const Json& list,
                              const ServedModel& model) {
  check_prompt_fits(model, std::ssize(list), field);
  std::vector<int32_t> ids;
  for (const Json& id : list) {
    const int64_t most = model.tokenizer().vocab_size() - 1;
    if (!id.is_number_integer() || id.get<double>() < 0 ||
        id.get<double>() > static_cast<double>(most))
      refuse_field(field, id, concat("tokens from 0 to ", most));
    ids.push_back(id.get<int32_t>());
  }
  if (ids.empty()) refuse_field(field, list, "at least one token");
  return ids;
}

std::vector<int32_t> read_prompt(const std::string& field, const Json& given,
                                 const ServedModel& model) {
  if (given.is_array()) return read_ids(field, given, model);
  if (!given.is_string()) refuse_field(field, given, "a text or a list of tokens");
  const auto& text = given.get_ref<const std::string&>();
  check_text_fits(model, std::ssize(text), field);
  try {
    return encode_prompt(model.tokenizer(), text);
  } catch (const Error& error) {
    throw ApiError(400, concat(field, ": ", error.what()), field, "invalid_value");
  }
}

}  // namespace

std::vector<std::vector<int32_t>> read_prompts(const Fields& request, std::string_view key,
                                               const ServedModel& model) {
  const Json& given = request.need(key);
  const bool is_list = given.is_array() && !given.empty() && !given[0].is_number();
  if (!is_list) return {read_prompt(request.name(key), given, model)};
  request.list(key, kMostPrompts);
  std::vector<std::vector<int32_t>> prompts;
  for (size_t i = 0; i < given.size(); ++i)
    prompts.push_back(read_prompt(concat(request.name(key), "[", i, "]"), given[i], model));
  return prompts;
}

void answer_completion(Hub& hub, Call call) {
  const Fields request(call.body);
  const ServedModel& model = *call.use.model;
  refuse_what_is_missing(request);
  AnswerJob job{.options = generate_options(request, call.use, ServedModel::Use::text)};
  job.options.place = Place::inside;
  job.options.logprobs = read_completion_logprobs(request);
  job.answers_each = read_choices(request, hub.most_answers());
  read_max_tokens(request, {"max_tokens", "max_completion_tokens"}, job.options, model);
  request.text("user");
  const bool streams = request.boolean("stream").value_or(false);
  TextAnswers answers{.head = {.id = fresh_id("cmpl-"),
                               .model = request.text("model").value_or(model.name()),
                               .created = now_seconds(),
                               .fingerprint = model.fingerprint()},
                      .tells_logprobs = job.options.logprobs >= 0,
                      .tells_usage = read_include_usage(request, streams),
                      .model = call.use.model};
  if (const auto schema = read_response_format(request, "response_format"))
    job.options.grammar = model.grammar(dump_json(*schema),
                                        [&] { return schema_grammar(*schema, "response_format"); });
  job.prompts = read_prompts(request, "prompt", model);
  for (size_t i = 0; i < job.prompts.size(); ++i)
    check_prompt_fits(model, std::ssize(job.prompts[i]), "prompt");
  answers.count = std::ssize(job.prompts) * job.answers_each;
  if (streams)
    job.writer = std::make_shared<TextStream>(answers, call.exchange);
  else
    job.writer = std::make_shared<TextReply>(answers, call.exchange);
  run_answers(hub, std::move(call), std::move(job));
}

}  // namespace malssi
