#include "data/batches.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/permutation.h"

namespace malssi {
namespace {

// Inputs begin .. begin + context - 1 of the data; those in scored_begin .. scored_end - 1 count.
struct Window {
  int64_t begin = 0;
  int64_t scored_begin = 0, scored_end = 0;
};

Batch empty_batch(int64_t tokens) {
  Batch batch;
  batch.ids.reserve(static_cast<size_t>(tokens));
  batch.targets.reserve(static_cast<size_t>(tokens));
  batch.weights.reserve(static_cast<size_t>(tokens));
  return batch;
}

// Sequence begins inside the window, and targets that belong to the next document.
void separate_documents(const TokenShards& shards, const Window& window, int64_t context,
                        int64_t row, Batch& batch) {
  int64_t last = window.begin;
  for (int64_t i = shards.document_from(window.begin + 1); i < shards.document_count(); ++i) {
    const int64_t at = shards.document_begin(i);
    REQUIRE(at > last, "token shards: document ", i, " begins at ", at, ", the one before at ",
            last, ": damaged: remove their folder so that they are made again");
    if (at > window.begin + context) break;
    last = at;
    const int64_t place = row + at - window.begin;
    if (!shards.end_begins_next()) batch.weights[static_cast<size_t>(place - 1)] = 0;
    if (at < window.begin + context) batch.starts.push_back(static_cast<int32_t>(place));
  }
}

void add_window(const TokenShards& shards, const Window& window, int64_t context,
                bool cross_documents, Batch& batch) {
  const int64_t row = batch.tokens();
  const size_t end = static_cast<size_t>(row + context), count = static_cast<size_t>(context);
  batch.ids.resize(end);
  batch.targets.resize(end);
  batch.weights.resize(end, 0.f);
  shards.copy(window.begin, std::span(batch.ids).last(count));
  shards.copy(window.begin + 1, std::span(batch.targets).last(count));
  std::fill(batch.weights.begin() + row + (window.scored_begin - window.begin),
            batch.weights.begin() + row + (window.scored_end - window.begin), 1.f);
  batch.starts.push_back(static_cast<int32_t>(row));
  if (!cross_documents) separate_documents(shards, window, context, row, batch);
}

// Inputs 0 .. inputs - 1 cut every `context`, first at `phase`: the cell of that number, and the
// full window around it. The first and the last cell may be short; their windows then overlap a
// neighbour's, without counting twice.
Window cell(int64_t number, int64_t inputs, int64_t context, int64_t phase) {
  const int64_t begin = number * context + (phase > 0 ? phase - context : 0);
  Window window;
  window.scored_begin = std::max<int64_t>(begin, 0);
  window.scored_end = std::min(begin + context, inputs);
  window.begin = std::min(window.scored_begin, inputs - context);
  return window;
}

int64_t cell_count(int64_t inputs, int64_t context, int64_t phase) {
  return (phase > 0) + (inputs - phase + context - 1) / context;
}

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

double Batch::scored() const { return std::accumulate(weights.begin(), weights.end(), 0.0); }

PackedBatches::PackedBatches(const TokenShards& shards, const BatchOptions& options)
    : shards_(shards), options_(options) {
  REQUIRE(options.context >= 1 && options.rows >= 1, "batches: context ", options.context,
          " and rows ", options.rows, ", expected at least 1 of each");
  REQUIRE(options.rows <= (int64_t{1} << 30) / options.context, "batches: ", options.rows,
          " rows of ", options.context, " tokens are too many: use fewer rows");
  REQUIRE(options.mode == "random" || options.mode == "epoch", "batches: mode \"", options.mode,
          "\", expected \"random\" or \"epoch\"");
  REQUIRE(shards.token_count() > options.context, "the data has ", shards.token_count(),
          " tokens, but a context of ", options.context, " needs at least ", options.context + 1,
          ": add text or use a smaller context");
}

int64_t PackedBatches::phase(int64_t epoch) const {
  return Rng(options_.seed, static_cast<uint64_t>(epoch) * 2).below(options_.context);
}

int64_t PackedBatches::windows_in(int64_t epoch) const {
  return cell_count(shards_.token_count() - 1, options_.context, phase(epoch));
}

Batch PackedBatches::next() {
  Batch batch = empty_batch(options_.rows * options_.context);
  for (int64_t row = 0; row < options_.rows; ++row) {
    if (options_.mode == "random")
      add_random(batch);
    else
      add_shuffled(batch);
  }
  batch.starts.push_back(static_cast<int32_t>(batch.tokens()));
  return batch;
}

void PackedBatches::add_random(Batch& batch) {
  const int64_t begin = Rng(options_.seed, static_cast<uint64_t>(position_))
                            .below(shards_.token_count() - options_.context);
  add_window(shards_, {begin, begin, begin + options_.context}, options_.context,
             options_.cross_documents, batch);
  ++position_;
}

void PackedBatches::add_shuffled(Batch& batch) {
  if (position_ >= windows_in(epoch_)) {
    ++epoch_;
    position_ = 0;
  }
  const Permutation order(windows_in(epoch_),
                          Rng(options_.seed, static_cast<uint64_t>(epoch_) * 2 + 1).next());
  const Window window =
      cell(order(position_), shards_.token_count() - 1, options_.context, phase(epoch_));
  add_window(shards_, window, options_.context, options_.cross_documents, batch);
  ++position_;
}

double PackedBatches::epochs() const {
  const double position = static_cast<double>(position_);
  if (options_.mode == "random")
    return position * static_cast<double>(options_.context) /
           static_cast<double>(shards_.token_count() - 1);
  return static_cast<double>(epoch_) + position / static_cast<double>(windows_in(epoch_));
}

int64_t PackedBatches::batches_per_epoch() const {
  return divide_up(shards_.token_count() - 1, options_.rows * options_.context);
}

Json PackedBatches::state() const {
  return {{"tokens", shards_.token_count()},
          {"context", options_.context},
          {"seed", options_.seed},
          {"cross_documents", options_.cross_documents},
          {"mode", options_.mode},
          {"epoch", epoch_},
          {"position", position_}};
}

void PackedBatches::restore(const Json& state) {
  const std::string where = "data position";
  const Json here = this->state();
  for (const std::string key : {"tokens", "context", "seed", "cross_documents", "mode"}) {
    const Json then = get<Json>(state, key, where);
    REQUIRE(then == here[key], where, ": \"", key, "\" was ", dump_json(then), " and is ",
            dump_json(here[key]), ": continue with the same data and options");
  }
  const int64_t epoch = get<int64_t>(state, "epoch", where);
  const int64_t position = get<int64_t>(state, "position", where);
  REQUIRE(epoch >= 0 && position >= 0, where, ": epoch ", epoch, ", position ", position,
          ": damaged");
  epoch_ = epoch;
  position_ = position;
}

EvaluationBatches::EvaluationBatches(const TokenShards& shards, const EvaluationOptions& options)
    : shards_(shards), options_(options) {
  REQUIRE(options.context >= 1 && options.rows >= 1 && options.max_rows >= 0,
          "evaluation: context ", options.context, ", rows ", options.rows, ", at most ",
          options.max_rows, " rows: expected positive numbers");
  REQUIRE(shards.token_count() >= 2, "the validation data has ", shards.token_count(),
          " tokens, expected at least 2: add text or hold out more");
  options_.context = std::min(options.context, shards.token_count() - 1);
  windows_ = cell_count(shards.token_count() - 1, options_.context, 0);
  used_ = options.max_rows > 0 ? std::min(options.max_rows, windows_) : windows_;
}

int64_t EvaluationBatches::size() const { return divide_up(used_, options_.rows); }

Batch EvaluationBatches::at(int64_t i) const {
  CHECK(i >= 0 && i < size(), "evaluation batch ", i, " of ", size());
  const int64_t first = i * options_.rows, last = std::min(first + options_.rows, used_);
  Batch batch = empty_batch((last - first) * options_.context);
  for (int64_t row = first; row < last; ++row) {
    const int64_t number = static_cast<int64_t>(static_cast<__int128>(row) * windows_ / used_);
    add_window(shards_, cell(number, shards_.token_count() - 1, options_.context, 0),
               options_.context, options_.cross_documents, batch);
  }
  batch.starts.push_back(static_cast<int32_t>(batch.tokens()));
  return batch;
}

}  // namespace malssi
