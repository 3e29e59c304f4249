#include "data/encode_chats.h"

#include <algorithm>
#include <exception>

#include "base/parallel.h"

namespace malssi {

std::vector<EncodedChat> encode_chats(const std::vector<std::vector<Message>>& conversations,
                                      const Tokenizer& tokenizer, const ChatTemplate& chat) {
  std::vector<EncodedChat> encoded(conversations.size());
  std::vector<std::exception_ptr> errors(conversations.size());  // they wait until the loop is over
  constexpr int64_t kChunk = 64;
  const int64_t count = static_cast<int64_t>(conversations.size());
  parallel_each((count + kChunk - 1) / kChunk, [&](int64_t chunk) {
    for (int64_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i) {
      const size_t at = static_cast<size_t>(i);
      try {
        encoded[at] = encode_chat(tokenizer, chat, conversations[at], false);
      } catch (...) {
        errors[at] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  return encoded;
}

}  // namespace malssi
