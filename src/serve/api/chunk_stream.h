// What answers of chat and completions have in common: their head, and the stream of chunks that each hold one choice, with the
// usage in a last one where it is asked for.
#pragma once

#include <memory>
#include <string>

#include "serve/api/answer_run.h"
#include "serve/api/event_stream.h"
#include "serve/api/fields.h"

namespace malssi {

// What every answer of the API begins with.
struct AnswerHead {
  std::string id, model;
  int64_t created = 0;
  std::string fingerprint = {};
};
// {"id", "object", "created", "model", "system_fingerprint"}.
Json head_json(const AnswerHead& head, std::string_view object);

// Whether a stream ends with the usage: "stream_options".
bool read_include_usage(const Fields& request, bool streams);

class ChunkStream {
 public:
  // head: of every chunk. tells_usage: at the stream's end.
  ChunkStream(std::shared_ptr<Exchange> exchange, Json head, bool tells_usage)
      : stream_(std::move(exchange)), head_(std::move(head)), tells_usage_(tells_usage) {}

  void begin() { stream_.begin(); }
  void send(Json choice);
  void end(const Usage& usage);
  void fail(const std::exception& error) { stream_.fail(error); }

 private:
  EventStream stream_;
  Json head_;
  bool tells_usage_;
};

}  // namespace malssi
