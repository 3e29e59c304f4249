#include "infer/engine.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace malssi {

// A slot: what it holds, and the answer being made in it.
struct Engine::Lane {
  std::vector<int32_t> held;  // tokens in the slot
  std::string owner;          // who may share them
  AdapterMix adapters;        // what they were computed with
  int64_t last_used = 0;

  std::unique_ptr<Reply> reply;  // none: nobody is running here
  EngineRequest request;
  std::vector<int32_t>
      sequence;  // the prompt and the answer so far; what lies behind `held` is still to be fed
  std::vector<int32_t> drafted;  // in the current pass
  int64_t draft_length = 0;      // at most; grows while drafts are right, shrinks when one is not
  int64_t shared = 0;            // of the prompt: was in a slot already

  bool runs() const { return reply != nullptr; }
  // Tokens to feed, without drafted ones; one, unless the prompt is being read.
  int64_t unread() const { return static_cast<int64_t>(sequence.size() - held.size()); }
  // The answer is over; what the slot holds stays.
  void release() {
    reply.reset();
    request = {};
    sequence.clear();
    drafted.clear();
  }
};

Engine::Engine(Predictor& predictor, const Tokenizer& tokenizer, const EngineOptions& options)
    : predictor_(predictor),
      tokenizer_(tokenizer),
      options_(options),
      lanes_(static_cast<size_t>(predictor.slots())) {
  CHECK(options.pass_tokens >= 1 && !lanes_.empty());
}

Engine::~Engine() = default;

int64_t Engine::running() const {
  return std::count_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.runs(); });
}

void Engine::submit(EngineRequest request) {
  check_generate(request.options);
  check_prompt(request.prompt, predictor_.capacity());
  request.options.adapters =
      checked_mix(std::move(request.options.adapters), predictor_.adapters());
  predictor_.check_adapters(request.options.adapters);
  check_bias(request.options.sampling, tokenizer_.vocab_size());
  queue_.push_back(std::move(request));
}

bool Engine::pass() {
  drop_cancelled();
  admit();
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto reads = [](const Lane& lane) { return lane.runs() && lane.unread() > 1; };
  const bool reads_prompt = std::any_of(lanes_.begin(), lanes_.end(), reads);
  const int64_t written = statistics_.answer_tokens;
  if (!compute()) return false;
  const std::chrono::duration<double> taken = Clock::now() - begin;
  (reads_prompt ? statistics_.reading_seconds : statistics_.writing_seconds) += taken.count();
  if (!reads_prompt) statistics_.written_tokens += statistics_.answer_tokens - written;
  return true;
}

bool Engine::compute() {
  std::vector<Predictor::Piece> pieces;
  plan(pieces);
  if (pieces.empty()) return false;
  try {
    const std::span<const float> logits = predictor_.feed(pieces);
    ++statistics_.passes;
    const auto vocab = static_cast<size_t>(predictor_.vocab());
    size_t row = 0;
    for (const Predictor::Piece& piece : pieces) {
      const int64_t rows =
          take(lanes_[static_cast<size_t>(piece.slot)], piece, logits.subspan(row * vocab));
      row += static_cast<size_t>(rows);
    }
  } catch (...) {
    abandon(std::current_exception());
    throw;
  }
  return true;
}

void Engine::abandon(std::exception_ptr error) {
  for (size_t slot = 0; slot < lanes_.size(); ++slot) {
    const auto on_error = std::move(lanes_[slot].request.on_error);
    lanes_[slot] = {};
    predictor_.truncate(static_cast<int64_t>(slot), 0);
    if (on_error) on_error(error);
  }
}

void Engine::fail(Lane& lane, std::exception_ptr error) {
  const auto on_error = std::move(lane.request.on_error);
  lane.release();
  if (!on_error) std::rethrow_exception(error);
  on_error(error);
}

void Engine::drop_cancelled() {
  for (Lane& lane : lanes_)
    if (lane.runs() && lane.request.cancelled && lane.request.cancelled()) {
      lane.reply->cancel();
      finish(lane);
    }
  std::erase_if(queue_, [&](EngineRequest& request) {
    if (!request.cancelled || !request.cancelled()) return false;
    Generation none;
    none.prompt_tokens = static_cast<int64_t>(request.prompt.size());
    if (request.on_done) request.on_done(std::move(none));
    return true;
  });
}

void Engine::admit() {
  const auto is_free = [](const Lane& lane) { return !lane.runs(); };
  while (!queue_.empty() && std::any_of(lanes_.begin(), lanes_.end(), is_free)) {
    EngineRequest next = std::move(queue_.front());
    queue_.pop_front();
    start(std::move(next));
  }
}

// A free slot holding what the request can share, made so by copying where another slot holds more of it.
Engine::Lane& Engine::choose_lane(const EngineRequest& request) {
  const auto shared_with = [&](const Lane& lane) -> int64_t {
    if (lane.owner != request.owner || lane.adapters != request.options.adapters) return 0;
    const auto& held = lane.held;
    return std::mismatch(held.begin(), held.end(), request.prompt.begin(), request.prompt.end())
               .first -
           held.begin();
  };
  Lane* best = &lanes_.front();
  Lane* target = nullptr;
  for (Lane& lane : lanes_) {
    if (shared_with(lane) > shared_with(*best)) best = &lane;
    if (!lane.runs() && (target == nullptr || lane.last_used < target->last_used)) target = &lane;
  }
  // The last token is always fed: its logits are wanted.
  const int64_t shared =
      std::min(shared_with(*best), static_cast<int64_t>(request.prompt.size()) - 1);
  // A sequence that goes on where an earlier one ended takes its slot; one that only begins alike leaves it to others.
  if (!best->runs() && shared > 0 &&
      (shared + 1 >= static_cast<int64_t>(best->held.size()) || lanes_.size() == 1))
    target = best;
  const auto slot_of = [&](const Lane* lane) { return static_cast<int64_t>(lane - lanes_.data()); };
  if (target != best && shared > 0) predictor_.copy(slot_of(best), slot_of(target));
  predictor_.truncate(slot_of(target), shared);
  target->held.assign(request.prompt.begin(), request.prompt.begin() + shared);
  target->shared = shared;
  statistics_.reused_tokens += shared;
  return *target;
}

void Engine::start(EngineRequest request) {
  Lane& lane = choose_lane(request);
  lane.owner = request.owner;
  lane.adapters = request.options.adapters;
  predictor_.set_adapters(&lane - lanes_.data(), lane.adapters);
  lane.last_used = ++clock_;
  lane.sequence = std::move(request.prompt);
  lane.draft_length = request.draft_tokens;
  lane.request = std::move(request);
  try {
    lane.reply = std::make_unique<Reply>(tokenizer_, lane.sequence, lane.request.options,
                                         predictor_.capacity());
  } catch (...) {
    fail(lane, std::current_exception());
  }
}

// Running answers first; prompts share what room is left, the oldest first.
void Engine::plan(std::vector<Predictor::Piece>& pieces) {
  int64_t room = options_.pass_tokens;
  std::vector<Lane*> reading;
  for (Lane& lane : lanes_) {
    if (!lane.runs()) continue;
    if (lane.unread() > 1) {
      reading.push_back(&lane);
      continue;
    }
    lane.drafted.clear();
    const auto size = static_cast<int64_t>(lane.sequence.size());
    if (lane.request.drafter != nullptr) {
      const int64_t most = std::min(lane.draft_length, predictor_.capacity() - size - 1);
      if (most > 0) lane.drafted = lane.request.drafter->draft(lane.sequence, most);
    }
    lane.sequence.insert(lane.sequence.end(), lane.drafted.begin(), lane.drafted.end());
    const std::span<const int32_t> ids = std::span(lane.sequence).subspan(lane.held.size());
    const auto count = static_cast<int64_t>(ids.size());
    pieces.push_back({.slot = &lane - lanes_.data(), .ids = ids, .logits = count});
    room -= count;
  }
  std::sort(reading.begin(), reading.end(),
            [](const Lane* a, const Lane* b) { return a->last_used < b->last_used; });
  for (Lane* lane : reading) {
    if (room <= 0) break;
    const int64_t count = std::min(lane->unread(), room);
    const std::span<const int32_t> ids =
        std::span(lane->sequence).subspan(lane->held.size(), static_cast<size_t>(count));
    pieces.push_back(
        {.slot = lane - lanes_.data(), .ids = ids, .logits = count == lane->unread() ? 1 : 0});
    room -= count;
  }
}

int64_t Engine::take(Lane& lane, const Predictor::Piece& piece, std::span<const float> logits) {
  const auto vocab = static_cast<size_t>(predictor_.vocab());
  const auto drafted = static_cast<int64_t>(lane.drafted.size());
  const bool reads_prompt = lane.unread() > 1 + drafted || piece.logits == 0;
  lane.held.insert(lane.held.end(), piece.ids.begin(), piece.ids.end());
  if (reads_prompt) statistics_.prompt_tokens += static_cast<int64_t>(piece.ids.size());
  if (piece.logits == 0) return 0;
  statistics_.drafted_tokens += drafted;
  lane.sequence.resize(lane.sequence.size() - static_cast<size_t>(drafted));
  for (int64_t row = 0; row <= drafted; ++row) {
    std::optional<int32_t> next;
    try {
      next = lane.reply->advance(logits.subspan(static_cast<size_t>(row) * vocab, vocab));
    } catch (const Error&) {
      fail(lane, std::current_exception());
      return piece.logits;
    }
    ++statistics_.answer_tokens;
    if (lane.request.on_token) lane.request.on_token(lane.reply->last_token());
    show_text(lane);
    if (next) lane.sequence.push_back(*next);
    const bool agrees = next && row < drafted && *next == lane.drafted[static_cast<size_t>(row)];
    statistics_.accepted_tokens += agrees ? 1 : 0;
    if (agrees) continue;
    if (drafted > 0)
      lane.draft_length =
          row == drafted ? std::min(2 * lane.draft_length, lane.request.draft_tokens) : row + 1;
    // What was drafted after this is wrong.
    lane.held.resize(lane.held.size() - static_cast<size_t>(drafted - row));
    predictor_.truncate(piece.slot, static_cast<int64_t>(lane.held.size()));
    if (!next) finish(lane);
    break;
  }
  lane.drafted.clear();
  return piece.logits;
}

void Engine::show_text(Lane& lane) {
  if (!lane.request.on_text) return;
  if (const std::string text = lane.reply->take_text(); !text.empty()) lane.request.on_text(text);
}

void Engine::finish(Lane& lane) {
  show_text(lane);
  const GrammarTimes& grammar = lane.reply->grammar_times();
  statistics_.grammar.tokens += grammar.tokens;
  statistics_.grammar.seconds += grammar.seconds;
  statistics_.grammar.longest = std::max(statistics_.grammar.longest, grammar.longest);
  Generation answer = std::move(*lane.reply).take();
  answer.reused_tokens = lane.shared;
  const auto on_done = std::move(lane.request.on_done);
  lane.release();
  if (on_done) on_done(std::move(answer));
}

}  // namespace malssi
