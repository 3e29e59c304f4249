// Batches for training and measuring a language model. All tokens of a batch lie in one axis N;
// attention and positions begin anew at each sequence begin, so nothing leaks from one document
// into the next.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/shards.h"

namespace malssi {

struct Batch {
  std::vector<int32_t> ids;      // [N]
  std::vector<int32_t> targets;  // [N]: the next token; a valid id even where it is not scored
  std::vector<float> weights;    // [N]: 1 = scored, 0 = not
  std::vector<int32_t> starts;   // begins of the sequences, then N: 0, .., N

  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  // Sum of the weights: what the loss is divided by.
  double scored() const;
};

// An endless, deterministic supply of training batches, all with the same N. The k-th batch depends
// on data, options and k.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual Batch next() = 0;
  // How often the data has been gone through so far (in random mode: as many tokens as the data
  // has).
  virtual double epochs() const = 0;
  // Batches in one epoch (rounded up).
  virtual int64_t batches_per_epoch() const = 0;
  // The position, exactly: a source of the same data and options continues with the same batches
  // after restore().
  virtual Json state() const = 0;
  // Throws Error when the state is of other data or options.
  virtual void restore(const Json& state) = 0;
};

// A finite list of batches to measure on: together they score every target once.
class BatchList {
 public:
  virtual ~BatchList() = default;
  virtual int64_t size() const = 0;
  virtual Batch at(int64_t i) const = 0;
};

struct BatchOptions {
  int64_t context = 256;  // tokens in a window
  int64_t rows = 8;       // windows in a batch: N = rows * context
  uint64_t seed = 1;
  bool cross_documents = false;  // let attention and targets cross from document to document
  std::string mode = "random";   // "random": windows at random places, with replacement (nanoGPT's)
                                 // "epoch": every target once an epoch, windows shuffled, cut at
                                 // other places each epoch
};

// Windows of `context` tokens out of token shards, which must outlive it. Throws Error when there
// are fewer than context + 1 tokens.
class PackedBatches : public BatchSource {
 public:
  PackedBatches(const TokenShards& shards, const BatchOptions& options);

  Batch next() override;
  double epochs() const override;
  int64_t batches_per_epoch() const override;
  Json state() const override;
  void restore(const Json& state) override;

 private:
  int64_t phase(int64_t epoch) const;  // inputs before the first cut
  int64_t windows_in(int64_t epoch) const;
  void add_random(Batch& batch);
  void add_shuffled(Batch& batch);

  const TokenShards& shards_;
  BatchOptions options_;
  int64_t epoch_ = 0;
  int64_t position_ = 0;  // windows handed out so far (epoch mode: in this epoch)
};

struct EvaluationOptions {
  int64_t context = 256;
  int64_t rows = 8;
  bool cross_documents = false;
  int64_t max_rows = 0;  // 0 = all windows; otherwise so many, evenly spread
};

// Consecutive windows over all of the shards, which must outlive it, in order. The last batch may
// have fewer rows. The context shrinks to the data where that is shorter. Throws Error with fewer
// than 2 tokens.
class EvaluationBatches : public BatchList {
 public:
  EvaluationBatches(const TokenShards& shards, const EvaluationOptions& options);
  int64_t size() const override;
  Batch at(int64_t i) const override;

 private:
  const TokenShards& shards_;
  EvaluationOptions options_;
  int64_t windows_ = 0;  // in the data
  int64_t used_ = 0;     // of them
};

}  // namespace malssi
