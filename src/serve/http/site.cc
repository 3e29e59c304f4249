#include "serve/http/site.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "serve/api_error.h"
#include "serve/http/process_figures.h"
#include "serve/http/request_target.h"

namespace malssi {
namespace {

std::string new_id() {
  static std::atomic<uint64_t> next = 0;
  static const auto start =
      static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  char text[24];
  std::snprintf(text, sizeof(text), "req-%016llx",
                static_cast<unsigned long long>(splitmix64(start + ++next)));
  return text;
}

// The id that a proxy in front gave, where it can stand in a log; else a new one.
std::string request_id(const RequestHead& head) {
  const std::string_view given = head.header("x-request-id");
  const bool good =
      !given.empty() && given.size() <= 64 && std::all_of(given.begin(), given.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
      });
  return good ? std::string(given) : new_id();
}

void check_content_type(const RequestHead& head) {
  const std::string_view type = head.header("content-type");
  std::string media(type.substr(0, type.find(';')));
  while (media.ends_with(' ')) media.pop_back();
  std::transform(media.begin(), media.end(), media.begin(), ::tolower);
  if (media != "application/json")
    throw ApiError(415,
                   "the body must be JSON and say so: send the header 'Content-Type: "
                   "application/json'",
                   {}, "unsupported_media_type");
}

std::string time_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = milliseconds / 1000;
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof(text) - size, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return text;
}

std::vector<Route> joined(std::vector<Route> routes, std::vector<Route> more) {
  for (Route& route : more) routes.push_back(std::move(route));
  return routes;
}

}  // namespace

std::string log_line(const LogEntry& entry) {
  constexpr size_t kLongestPath = 200;
  Json line;
  line["time"] = time_now();
  line["id"] = entry.id;
  line["client"] = entry.client;
  line["owner"] = entry.owner;
  line["method"] = entry.method.substr(0, 16);
  line["path"] = entry.path.substr(0, kLongestPath);
  line["status"] = entry.status;
  line["bytes"] = entry.bytes;
  line["seconds"] = std::round(entry.seconds * 1e6) / 1e6;
  line["end"] = entry.end;
  return dump_json(line);
}

Site::Site(ServerOptions options, std::vector<Route> routes)
    : options_(std::move(options)),
      api_routes_(routes.size()),
      guard_(options_.guard),
      router_(joined(
          joined(std::move(routes),
                 {{"GET", "/health", [this](auto exchange) { exchange->reply(health()); },
                   Access::open},
                  {"GET", "/metrics", [this](auto exchange) { exchange->reply(metrics()); }}}),
          options_.page)) {}

bool Site::is_light(const Route& route) const {
  return &route - router_.routes().data() >= static_cast<std::ptrdiff_t>(api_routes_);
}

Site::Admission Site::admit(const RequestHead& head) {
  Admission admission;
  admission.request = {
      .method = head.method, .path = head.target, .headers = head.headers, .id = request_id(head)};
  try {
    decide(head, admission);
  } catch (const ApiError& error) {
    admission.refusal = error_reply(error);
    if (error.status == 401) admission.refusal->headers.emplace_back("www-authenticate", "Bearer");
    if (error.status == 405)
      admission.refusal->headers.emplace_back("allow", router_.methods(admission.request.path));
  }
  return admission;
}

void Site::decide(const RequestHead& head, Admission& admission) {
  guard_.check_host(head);
  const bool everything = head.method == "OPTIONS" && head.target == "*";
  RequestTarget target = everything ? RequestTarget{.path = "*"} : parse_target(head.target);
  admission.request.path = std::move(target.path);
  admission.request.query = std::move(target.query);
  const std::string& path = admission.request.path;
  if (head.method == "OPTIONS") {
    const std::string methods = everything ? "GET, HEAD, POST, OPTIONS" : router_.methods(path);
    if (methods.empty()) throw ApiError(404, "there is nothing at this address", {}, "not_found");
    admission.refusal = {.status = 204, .headers = guard_.preflight(head, methods)};
    return;
  }
  const Route& route = router_.find(head.method, path);
  admission.headers = guard_.check_origin(head);
  if (route.access == Access::key) admission.request.owner = guard_.check_key(head);
  if (head.has_body) check_content_type(head);
  admission.is_light = is_light(route);
  if (!admission.is_light && options_.readiness && options_.readiness() != Readiness::ready)
    throw ApiError(503, "the model is being loaded; ask again in a moment", {}, "loading");
  admission.route = &route;
}

void Site::handle(const Handler& handler, const std::shared_ptr<Exchange>& exchange) {
  try {
    handler(exchange);
  } catch (const std::exception& error) {
    exchange->reply(error_reply(error));
  }
}

HttpReply Site::health() const {
  const Readiness readiness = options_.readiness ? options_.readiness() : Readiness::ready;
  const char* word = stopping                          ? "stopping"
                     : readiness == Readiness::ready   ? "ok"
                     : readiness == Readiness::loading ? "loading"
                                                       : "failed";
  const bool good = !stopping && readiness == Readiness::ready;
  HttpReply reply = {.status = good ? 200 : 503, .body = dump_json(Json{{"status", word}})};
  if (!good) reply.headers.emplace_back("retry-after", "1");
  return reply;
}

HttpReply Site::metrics() const {
  std::ostringstream out;
  const auto figure = [&](const char* name, const char* type, const char* help, int64_t value) {
    out << "# HELP malssi_http_" << name << ' ' << help << "\n# TYPE malssi_http_" << name << ' '
        << type << "\nmalssi_http_" << name << ' ' << value << '\n';
  };
  figure("connections", "gauge", "open connections", load_->connections);
  figure("requests_running", "gauge", "requests being answered", load_->requests);
  figure("body_bytes", "gauge", "bytes of requests' bodies in memory", load_->body_bytes);
  figure("connections_total", "counter", "connections accepted", load_->accepted);
  figure("refused_total", "counter", "connections and requests beyond a limit", load_->refused);
  figure("left_total", "counter", "clients that left before the end of an answer", load_->left);
  figure("given_up_total", "counter", "clients given up: too slow", load_->given_up);
  figure("received_bytes_total", "counter", "bytes received", load_->bytes_in);
  figure("sent_bytes_total", "counter", "bytes sent", load_->bytes_out);
  figure("unlogged_total", "counter", "requests that could not be written to the log",
         load_->unlogged);
  out << "# HELP malssi_http_replies_total replies by class of status\n"
         "# TYPE malssi_http_replies_total counter\n";
  for (size_t c = 1; c < load_->replies.size(); ++c)
    out << "malssi_http_replies_total{status=\"" << c << "xx\"} " << load_->replies[c] << '\n';
  out << process_figures();
  if (options_.metrics) out << options_.metrics();
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = out.str()};
}

void Site::log(const LogEntry& entry) {
  if (!options_.log) return;
  try {
    options_.log(log_line(entry));
  } catch (const std::exception&) {  // a full disk must not end the service
    ++load_->unlogged;
  }
}

void Site::count_reply(int status) {
  const auto c = static_cast<size_t>(status / 100);
  if (c < load_->replies.size()) ++load_->replies[c];
}

}  // namespace malssi
