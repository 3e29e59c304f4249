#include "serve/api/chunk_stream.h"

#include "serve/api_error.h"

namespace malssi {

Json head_json(const AnswerHead& head, std::string_view object) {
  Json json;
  json["id"] = head.id;
  json["object"] = object;
  json["created"] = head.created;
  json["model"] = head.model;
  json["system_fingerprint"] = head.fingerprint;
  return json;
}

bool read_include_usage(const Fields& request, bool streams) {
  const Json* given = request.object("stream_options");
  if (!given) return false;
  if (!streams)
    throw ApiError(400, "stream_options needs \"stream\": true", "stream_options", "invalid_value");
  return Fields(*given, "stream_options").boolean("include_usage").value_or(false);
}

void ChunkStream::send(Json choice) {
  Json chunk = head_;
  chunk["choices"] = Json::array({std::move(choice)});
  if (tells_usage_) chunk["usage"] = nullptr;
  stream_.data(chunk);
}

void ChunkStream::end(const Usage& usage) {
  if (tells_usage_) {
    Json chunk = head_;
    chunk["choices"] = Json::array();
    chunk["usage"] = usage_json(usage);
    stream_.data(chunk);
  }
  stream_.done();
  stream_.end();
}

}  // namespace malssi
