#include "serve/api/answer_run.h"

#include <utility>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

// All but start() is called by the engine's thread.
class AnswerRun : public std::enable_shared_from_this<AnswerRun> {
 public:
  AnswerRun(Hub& hub, Call call, AnswerJob job)
      : hub_(hub), call_(std::move(call)), job_(std::move(job)), pending_(count()) {
    call_.body = nullptr;  // may be large, and is read
    tokens_.resize(static_cast<size_t>(count()));
    has_followers_.resize(job_.prompts.size());
    if (count() > 1) more_ = hub_.admit(count() - 1);
  }

  void start() {
    for (size_t prompt = 0; prompt < job_.prompts.size(); ++prompt) submit(prompt, 0);
  }

 private:
  int64_t count() const { return std::ssize(job_.prompts) * job_.answers_each; }

  void submit(size_t prompt, int64_t number) {
    const int64_t answer = static_cast<int64_t>(prompt) * job_.answers_each + number;
    EngineRequest request{.prompt = job_.prompts[prompt],
                          .options = job_.options,
                          .owner = call_.exchange->request().owner};
    request.options.sampling.seed += static_cast<uint64_t>(number);
    const auto self = shared_from_this();
    request.on_token = [self, prompt, number, answer](const GeneratedToken& token) {
      self->on_token(prompt, number, answer, token);
    };
    request.on_text = [self, answer](std::string_view text) {
      self->job_.writer->text(answer, text, self->tokens(answer));
      self->tokens(answer).clear();
    };
    request.on_done = [self, answer](const Generation& whole) { self->on_done(answer, whole); };
    request.on_error = [self](std::exception_ptr error) { self->on_error(std::move(error)); };
    request.cancelled = [self] { return self->has_failed_ || self->call_.exchange->gone(); };
    hub_.submit({.model = call_.use.model, .request = std::move(request), .on_start = [self] {
                   self->on_start();
                 }});
  }

  std::vector<GeneratedToken>& tokens(int64_t answer) {
    return tokens_[static_cast<size_t>(answer)];
  }

  void on_start() {
    if (!std::exchange(has_begun_, true)) job_.writer->begin();
  }

  void on_token(size_t prompt, int64_t number, int64_t answer, const GeneratedToken& token) {
    if (job_.options.logprobs >= 0) tokens(answer).push_back(token);
    if (number != 0 || std::exchange(has_followers_[prompt], char{1}) != 0) return;
    for (int64_t next = 1; next < job_.answers_each; ++next) submit(prompt, next);
  }

  void on_done(int64_t answer, const Generation& whole) {
    --pending_;
    if (whole.reason == FinishReason::cancelled) {
      if (!has_failed_ && !call_.exchange->gone()) fail(shutting_down());
      return;
    }
    if (has_failed_) return;
    std::vector<GeneratedToken>& left = tokens(answer);
    // What ended the answer is no part of it.
    if (whole.reason == FinishReason::stop_string) left.clear();
    if (whole.reason == FinishReason::stop_token && !left.empty()) left.pop_back();
    usage_.answer_tokens += std::ssize(whole.tokens);
    if (answer % job_.answers_each == 0) {
      usage_.prompt_tokens += whole.prompt_tokens;
      usage_.cached_tokens += whole.reused_tokens;
    }
    job_.writer->done(answer, whole, left);
    if (pending_ == 0) job_.writer->end(usage_);
  }

  void on_error(const std::exception_ptr& error) {
    --pending_;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& known) {
      fail(known);
    }
  }

  void fail(const std::exception& error) {
    if (!std::exchange(has_failed_, true)) job_.writer->fail(error);
  }

  Hub& hub_;
  Call call_;
  AnswerJob job_;
  Hub::Ticket more_;
  int64_t pending_;
  bool has_begun_ = false, has_failed_ = false;
  std::vector<char> has_followers_;                  // each prompt's further answers were begun
  std::vector<std::vector<GeneratedToken>> tokens_;  // of each answer, not told yet
  Usage usage_;
};

}  // namespace

Json usage_json(const Usage& usage) {
  Json json;
  json["prompt_tokens"] = usage.prompt_tokens;
  json["completion_tokens"] = usage.answer_tokens;
  json["total_tokens"] = usage.prompt_tokens + usage.answer_tokens;
  json["prompt_tokens_details"]["cached_tokens"] = usage.cached_tokens;
  return json;
}

std::string_view openai_finish(FinishReason reason) {
  const bool is_cut = reason == FinishReason::max_tokens || reason == FinishReason::context_full;
  return is_cut ? "length" : "stop";
}

void run_answers(Hub& hub, Call call, AnswerJob job) {
  std::make_shared<AnswerRun>(hub, std::move(call), std::move(job))->start();
}

}  // namespace malssi
