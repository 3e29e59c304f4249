#include "serve/http/connection.h"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.h"
#include "serve/api_error.h"
#include "serve/http/reply_text.h"

namespace malssi {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
template <class T = void>
using Task = asio::awaitable<T>;

constexpr size_t kReadAhead = 64 << 10;     // of later requests, while one is answered
constexpr size_t kWholeWrite = 64 << 10;    // a body up to this size goes with its header
constexpr int64_t kMaxDiscarded = 1 << 20;  // of what a client sends on after a refusal
constexpr double kLingerSeconds = 2;        // for a client to read a refusal before it is cut off

class Connection final : public Supervised, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<Transport> transport, std::string client, Site& site, Reactor& reactor,
             Hold place)
      : transport_(std::move(transport)),
        client_(std::move(client)),
        site_(site),
        reactor_(reactor),
        place_(std::move(place)),
        signal_(reactor.context, Clock::time_point::max()),
        room_(reactor.context, Clock::time_point::max()) {}

  Task<> run(std::shared_ptr<Connection> self);
  void check_time(Clock::time_point now) override;
  void end_soon() override;
  void end_now() override;

 private:
  enum class Expiry { wake, cut };
  // One request on its way through the connection.
  struct Turn {
    explicit Turn(const HttpLimits& limits, const std::shared_ptr<Load>& load)
        : parser(limits), body(load, &Load::body_bytes), request(load, &Load::requests) {}
    RequestParser parser;
    std::optional<Site::Admission> admission = {};
    Hold body, request;
    LogEntry entry = {};
    Clock::time_point began = {};
  };

  Task<> read_all(std::shared_ptr<Connection> self);
  Task<bool> serve_one();
  Task<bool> receive(Turn& turn);
  Task<> take_input(Turn& turn);
  Task<bool> refuse(Turn& turn, HttpReply reply, After after);
  Task<bool> answer(Turn& turn);
  Task<> send_answer(Turn& turn, Answer& answer, After& after);
  Task<bool> send_taken(Turn& turn, Answer::Taken& taken, After& after);
  Task<bool> send(std::string_view bytes);
  Task<> linger();
  Task<> wait();
  void wake();
  void look_at_answer();
  void set_deadline(double seconds, Expiry expiry);
  void finish(Turn& turn);

  const std::unique_ptr<Transport> transport_;
  const std::string client_;
  Site& site_;
  Reactor& reactor_;
  const Hold place_;
  asio::steady_timer signal_, room_;  // never expire; cancelling one wakes who waits for it
  std::string input_;                 // received, not yet taken
  bool woken_ = false;
  bool ended_ = false;    // nothing more will be received
  bool begun_ = false;    // a request's first byte has come
  bool closing_ = false;  // what comes is thrown away
  bool expired_ = false, cut_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();
  Expiry expiry_ = Expiry::cut;
  std::shared_ptr<Answer> current_;
  Framing framing_ = Framing::length;
};

Task<> Connection::run(std::shared_ptr<Connection> self) {
  reactor_.connections.insert(this);
  set_deadline(site_.limits().header_seconds, Expiry::cut);
  try {
    if (co_await transport_->handshake()) {
      asio::co_spawn(reactor_.context, read_all(self), asio::detached);
      while (co_await serve_one()) continue;
    }
  } catch (const std::exception&) {  // out of memory: this client is dropped, the others stay
    transport_->abort();
  }
  deadline_ = Clock::time_point::max();
  reactor_.connections.erase(this);
  error_code ignored;
  transport_->socket().close(ignored);
  ended_ = true;
  room_.cancel();
}

Task<> Connection::read_all(std::shared_ptr<Connection>) {  // kept until its end
  std::array<char, 4096> buffer;
  int64_t discarded = 0;
  while (!ended_ && discarded <= kMaxDiscarded) {
    error_code ignored;
    while (input_.size() >= kReadAhead && !closing_ && !ended_)
      co_await room_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const size_t count = co_await transport_->read(buffer);
    if (count == 0) break;
    site_.load()->bytes_in += static_cast<int64_t>(count);
    if (closing_)
      discarded += static_cast<int64_t>(count);
    else
      input_.append(buffer.data(), count);
    wake();
  }
  ended_ = true;
  if (current_) current_->leave();
  wake();
}

// Whether another request may follow.
Task<bool> Connection::serve_one() {
  Turn turn(site_.limits(), site_.load());
  std::optional<HttpReply> refusal;
  try {
    if (!co_await receive(turn)) co_return false;
  } catch (const ApiError& error) {
    refusal = error_reply(error);
  }
  const RequestHead& head = turn.parser.head();
  const bool whole = !refusal && turn.parser.is_done();
  const After after = whole && head.keep_alive && !site_.stopping ? After::keep : After::close;
  if (!refusal && turn.admission->refusal) refusal = std::move(turn.admission->refusal);
  if (!refusal && !turn.admission->is_light && !turn.request.take(1, site_.limits().requests)) {
    ++site_.load()->refused;
    refusal = error_reply(ApiError(429, "too many requests are being answered; ask again later", {},
                                   "too_many_requests"));
  }
  if (refusal) co_return co_await refuse(turn, std::move(*refusal), after);
  co_return co_await answer(turn);
}

// Reads one request; its body only where its header was admitted. False when there is none to answer.
Task<bool> Connection::receive(Turn& turn) {
  begun_ = false;
  if (input_.empty()) std::string().swap(input_);  // an idle connection holds next to nothing
  set_deadline(site_.limits().idle_seconds, Expiry::wake);
  while (!turn.parser.is_done()) {
    if (!input_.empty()) {
      co_await take_input(turn);
      if (turn.admission && turn.admission->refusal) co_return true;
      continue;
    }
    if (ended_ || (!begun_ && (expired_ || site_.stopping))) co_return false;
    if (expired_)
      throw ApiError(408, turn.admission ? "the body took too long" : "the header took too long");
    co_await wait();
  }
  co_return true;
}

Task<> Connection::take_input(Turn& turn) {
  const HttpLimits& limits = site_.limits();
  if (!begun_) {
    begun_ = true;
    turn.began = Clock::now();
    set_deadline(limits.header_seconds, Expiry::wake);
  }
  const int64_t body = turn.parser.body_bytes();
  const auto taken = static_cast<size_t>(turn.parser.feed(input_));
  input_.erase(0, taken);
  room_.cancel();
  if (!turn.body.take(turn.parser.body_bytes() - body, limits.body_memory))
    throw ApiError(503, "the server holds too many requests; ask again later", {}, "out_of_memory");
  if (turn.parser.has_head() && !turn.admission) {
    turn.admission = site_.admit(turn.parser.head());
    set_deadline(limits.body_seconds, Expiry::wake);
    if (turn.parser.head().expects_continue && !turn.parser.is_done() && !turn.admission->refusal)
      co_await send(kContinue);
    set_deadline(limits.body_seconds, Expiry::wake);
  }
}

// Tells the client no. Without a whole request nobody knows where the next begins, so the connection ends.
Task<bool> Connection::refuse(Turn& turn, HttpReply reply, After after) {
  turn.body = Hold();
  if (turn.parser.has_head()) turn.parser.take_body();
  HeadStyle style = {.after = after};
  if (turn.admission) {
    style.request_id = turn.admission->request.id;
    style.extra = &turn.admission->headers;
  }
  turn.entry.status = reply.status;
  std::string bytes = head_text(reply, style);
  if (turn.parser.head().method != "HEAD") bytes += reply.body;
  const bool sent = co_await send(bytes);
  turn.entry.bytes = static_cast<int64_t>(bytes.size());
  if (!sent) turn.entry.end = cut_ ? "slow" : "left";
  finish(turn);
  if (sent && after == After::close) co_await linger();
  co_return sent&& after == After::keep;
}

Task<bool> Connection::answer(Turn& turn) {
  HttpRequest request = std::move(turn.admission->request);
  request.body = turn.parser.take_body();
  const Handler& handler = turn.admission->route->handler;
  const bool is_light = turn.admission->is_light;
  Answer::Options options = {.max_unread = site_.limits().stream_bytes,
                             .request = std::move(turn.request),
                             .body = std::move(turn.body)};
  options.wake = [weak = weak_from_this(), executor = reactor_.context.get_executor()] {
    asio::post(executor, [weak] {
      if (const auto connection = weak.lock()) connection->look_at_answer();
    });
  };
  const auto answer = std::make_shared<Answer>(std::move(request), std::move(options));
  struct Detach {
    Connection& connection;
    ~Detach() {
      connection.current_->leave();
      connection.current_->detach();
      connection.current_.reset();
    }
  };
  current_ = answer;
  const Detach detach{*this};
  auto exchange = Answer::exchange(answer);
  if (is_light)
    Site::handle(handler, exchange);
  else
    site_.run_elsewhere([&handler, exchange] { Site::handle(handler, exchange); });
  exchange.reset();
  After after = After::close;
  co_await send_answer(turn, *answer, after);
  finish(turn);
  if (turn.entry.end != "done") {
    transport_->abort();
    co_return false;
  }
  if (after == After::close) co_await linger();
  co_return after == After::keep;
}

Task<> Connection::send_answer(Turn& turn, Answer& answer, After& after) {
  const auto last = turn.began + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(site_.limits().answer_seconds));
  for (;;) {
    if (ended_) answer.leave();
    Answer::Taken taken = answer.take();
    if (taken.state == Answer::State::broken) {
      turn.entry.end = answer.was_given_up() ? "slow" : "broken";
      co_return;
    }
    const bool sent = co_await send_taken(turn, taken, after);
    if (sent && taken.state == Answer::State::ended) co_return;
    if (!sent || ended_) {
      turn.entry.end = cut_ ? "slow" : site_.stopping ? "stopped" : "left";
      co_return;
    }
    set_deadline(std::chrono::duration<double>(last - Clock::now()).count(), Expiry::wake);
    if (last <= Clock::now()) {
      turn.entry.end = "late";
      co_return;
    }
    co_await wait();
  }
}

// Sends what the handler has given since the last time. False when the client does not take it.
Task<bool> Connection::send_taken(Turn& turn, Answer::Taken& taken, After& after) {
  const RequestHead& head = turn.parser.head();
  const bool wants_body = head.method != "HEAD";
  std::string bytes, rest;
  if (taken.head) {
    framing_ = !taken.in_pieces ? Framing::length
               : head.is_1_1    ? Framing::chunked
                                : Framing::until_end;
    const bool keep = head.keep_alive && framing_ != Framing::until_end && !site_.stopping;
    after = keep ? After::keep : After::close;
    const HeadStyle style = {.framing = framing_,
                             .after = after,
                             .request_id = current_->request().id,
                             .extra = &turn.admission->headers};
    turn.entry.status = taken.head->status;
    bytes = head_text(*taken.head, style);
    if (wants_body && !taken.in_pieces) rest = std::move(taken.head->body);
  }
  if (wants_body && framing_ == Framing::chunked) {
    append_chunk(bytes, taken.bytes);
    if (taken.state == Answer::State::ended) bytes += kLastChunk;
  } else if (wants_body) {
    bytes += taken.bytes;
  }
  if (rest.size() <= kWholeWrite) bytes += std::exchange(rest, {});
  turn.entry.bytes += static_cast<int64_t>(bytes.size() + rest.size());
  if (!co_await send(bytes)) co_return false;
  co_return co_await send(rest);
}

Task<bool> Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    set_deadline(site_.limits().write_seconds, Expiry::cut);
    const size_t count = co_await transport_->write(bytes);
    if (count == 0) co_return false;
    site_.load()->bytes_out += static_cast<int64_t>(count);
    bytes.remove_prefix(count);
  }
  deadline_ = Clock::time_point::max();
  co_return true;
}

// A socket closed with bytes unread is reset, and the client might lose the reply: first let it read and go.
Task<> Connection::linger() {
  closing_ = true;
  input_.clear();
  room_.cancel();
  transport_->end_sending();
  set_deadline(kLingerSeconds, Expiry::wake);
  while (!ended_ && !expired_) co_await wait();
}

Task<> Connection::wait() {
  error_code ignored;
  if (!woken_) co_await signal_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  woken_ = false;
}

void Connection::wake() {
  woken_ = true;
  signal_.cancel();
}

// A client that was given up may never let the write under way end.
void Connection::look_at_answer() {
  if (current_ && current_->was_given_up()) {
    cut_ = true;
    end_now();
  }
  wake();
}

void Connection::set_deadline(double seconds, Expiry expiry) {
  deadline_ = Clock::now() +
              std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  expiry_ = expiry;
  expired_ = false;
}

void Connection::finish(Turn& turn) {
  LogEntry& entry = turn.entry;
  entry.client = client_;
  entry.method = turn.parser.head().method;
  if (turn.admission) {
    const HttpRequest& request = current_ ? current_->request() : turn.admission->request;
    entry.id = request.id;
    entry.owner = request.owner;
    entry.path = request.path.substr(0, request.path.find('?'));
  }
  entry.seconds = std::chrono::duration<double>(Clock::now() - turn.began).count();
  site_.count_reply(entry.status);
  if (entry.end == "left") ++site_.load()->left;
  if (entry.end == "slow" || entry.end == "late") ++site_.load()->given_up;
  site_.log(entry);
}

void Connection::check_time(Clock::time_point now) {
  if (now < deadline_) return;
  deadline_ = Clock::time_point::max();
  if (expiry_ == Expiry::wake) {
    expired_ = true;
    wake();
  } else {
    cut_ = true;
    end_now();
  }
}

void Connection::end_soon() { wake(); }

void Connection::end_now() {
  ended_ = true;
  if (current_) current_->leave();
  transport_->abort();
  room_.cancel();
  wake();
}

}  // namespace

void start_connection(std::unique_ptr<Transport> transport, std::string client, Site& site,
                      Reactor& reactor, Hold place) {
  const auto connection = std::make_shared<Connection>(std::move(transport), std::move(client),
                                                       site, reactor, std::move(place));
  asio::co_spawn(reactor.context, connection->run(connection), asio::detached);
}

}  // namespace malssi
