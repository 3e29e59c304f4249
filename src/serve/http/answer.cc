#include "serve/http/answer.h"

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {

class Answer::Handle final : public Exchange {
 public:
  explicit Handle(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
  ~Handle() override { answer_->abandon(); }
  const HttpRequest& request() const override { return answer_->request_; }
  void reply(HttpReply reply) override { answer_->reply(std::move(reply)); }
  void begin(HttpReply head) override { answer_->begin(std::move(head)); }
  void write(std::string piece) override { answer_->write(std::move(piece)); }
  void end() override { answer_->end(); }
  bool gone() const override { return answer_->gone_; }

 private:
  const std::shared_ptr<Answer> answer_;
};

Answer::Answer(HttpRequest request, Options options)
    : request_(std::move(request)),
      max_unread_(options.max_unread),
      held_request_(std::move(options.request)),
      held_body_(std::move(options.body)),
      wake_(std::move(options.wake)) {}

std::shared_ptr<Exchange> Answer::exchange(const std::shared_ptr<Answer>& answer) {
  return std::make_shared<Handle>(answer);
}

Answer::Taken Answer::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  Taken taken = {.head = std::move(head_),
                 .bytes = std::move(bytes_),
                 .in_pieces = in_pieces_,
                 .state = state_};
  head_.reset();
  bytes_.clear();
  return taken;
}

void Answer::leave() { gone_ = true; }

void Answer::detach() {
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
}

void Answer::reply(HttpReply reply) {
  const std::lock_guard lock(mutex_);
  if (gone_ || begun_) return;
  begun_ = true;
  head_ = std::move(reply);
  state_ = State::ended;
  wake();
}

void Answer::begin(HttpReply head) {
  const std::lock_guard lock(mutex_);
  if (gone_ || begun_) return;
  begun_ = in_pieces_ = true;
  head.body.clear();
  head_ = std::move(head);
  wake();
}

void Answer::write(std::string piece) {
  const std::lock_guard lock(mutex_);
  if (gone_ || state_ != State::open) return;
  CHECK(in_pieces_, "write() before begin()");
  if (static_cast<int64_t>(bytes_.size() + piece.size()) > max_unread_) {
    state_ = State::broken;
    given_up_ = gone_ = true;
    std::string().swap(bytes_);
    woken_ = false;  // the connection may be stuck in a write, and not come to take anything
  } else {
    bytes_ += piece;
  }
  wake();
}

void Answer::end() {
  const std::lock_guard lock(mutex_);
  if (gone_ || state_ != State::open) return;
  CHECK(in_pieces_, "end() before begin()");
  state_ = State::ended;
  wake();
}

void Answer::abandon() {
  const std::lock_guard lock(mutex_);
  const Hold request = std::move(held_request_), body = std::move(held_body_);
  if (state_ != State::open) return;
  if (begun_) {
    state_ = State::broken;
  } else {
    begun_ = true;
    head_ = error_reply(ApiError(500, "the server dropped this request unanswered"));
    state_ = State::ended;
  }
  wake();
}

void Answer::wake() {
  if (woken_ || !wake_) return;
  woken_ = true;
  wake_();
}

}  // namespace malssi
