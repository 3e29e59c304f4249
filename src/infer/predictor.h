// What generation asks of a model: sequences in numbered slots, tokens in, logits of the next token
// out. The seam between decoding (sampling, beams, batches) and the model with its KV cache; tests
// put a table in the model's place.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "nn/low_rank.h"

namespace malssi {

class Predictor {
 public:
  struct Piece {
    int64_t slot = 0;
    std::span<const int32_t> ids;  // appended to the slot's sequence; not empty
    int64_t logits = 1;            // wanted after so many of its last tokens
  };

  virtual ~Predictor() = default;
  virtual int64_t vocab() const = 0;
  virtual int64_t slots() const = 0;
  // Tokens that a slot can hold.
  virtual int64_t capacity() const = 0;
  virtual int64_t length(int64_t slot) const = 0;
  // Forgets all tokens after the first length ones.
  virtual void truncate(int64_t slot, int64_t length) = 0;
  // Makes slot `to` an independent copy of slot `from`, adapters included.
  virtual void copy(int64_t from, int64_t to) = 0;
  // Adapters that mixes may name, by their numbers 0 .. adapters() - 1.
  virtual int64_t adapters() const { return 0; }
  // Error: adapters that cannot act together.
  virtual void check_adapters(const AdapterMix& /*mix*/) const {}
  // From now on the slot's tokens are computed with this mix, as checked_mix() gives it; at first with none. A slot that holds
  // tokens keeps the mix that they were computed with.
  virtual void set_adapters(int64_t slot, const AdapterMix& mix);
  // One pass over all pieces, of different slots. Returns the logits that were wanted, a row of V for each, in their
  // order, valid until the next call. Throws Error when a slot is full.
  virtual std::span<const float> feed(std::span<const Piece> pieces) = 0;
};

// Feeds a long sequence to one slot in fixed chunks; returns the logits [V] after its last token.
// ids must not be empty. cancelled, asked before each chunk, may end it: then nothing is returned.
std::span<const float> prefill(Predictor& predictor, int64_t slot, std::span<const int32_t> ids,
                               const std::function<bool()>& cancelled = {});

}  // namespace malssi
