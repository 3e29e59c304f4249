// One HTTP request and the way to answer it, as a handler sees them; what carries the bytes (http/connection.h) implements
// it, and so does a test. A handler must not block: it answers at once, or keeps the exchange and answers from another thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace malssi {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query: "/v1/models"
  std::map<std::string, std::string> query = {};
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string body = {};                            // whole, within the server's limits
  std::string owner =
      {};  // who asks: a name for the API key, never the key; empty where the server has none
  std::string id = {};  // of this request, for logs and the x-request-id header
};

struct HttpReply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  HttpHeaders headers = {};
};

// Answers with reply(), or with begin(), any number of write(), end(). Every function may be called from any thread, but not
// from two at once; after the client left they do nothing.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const HttpRequest& request() const = 0;
  virtual void reply(HttpReply reply) = 0;
  // A body in pieces (chunked); head.body is not looked at. Each piece is sent as soon as it is written.
  virtual void begin(HttpReply head) = 0;
  virtual void write(std::string piece) = 0;
  virtual void end() = 0;
  // The client left, or reads so slowly that it was given up, or the server is told to end now: nobody needs the answer.
  virtual bool gone() const = 0;
};

using Handler = std::function<void(std::shared_ptr<Exchange>)>;

enum class Access { key, open };  // open: without an API key

struct Route {
  std::string method;
  std::string path;  // "/v1/models/{name}": the last part, in braces, matches one part of a path
  Handler handler;
  Access access = Access::key;
};

}  // namespace malssi
