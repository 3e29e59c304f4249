// What `malssi serve` can be told, by flags, MALSSI_* variables or a TOML file. Keys are no part of it, since command lines and
// configurations are seen by others: they come from a file or from MALSSI_API_KEYS.
#pragma once

#include "base/config.h"
#include "serve/http/limits.h"
#include "serve/http/server.h"
#include "serve/hub/hub_options.h"

namespace malssi {

struct ServeConfig {
  std::vector<std::string> model, adapter;
  std::string dtype = "auto", cache_type = "auto";
  std::string load = "at-start";
  int64_t slots = 8, context = 0, queue = 64;
  double memory = 0;  // GiB
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  int64_t io_threads = 1;
  std::string api_key_file;
  std::vector<std::string> allowed_host, allowed_origin;
  bool unsafe_open = false;
  std::string tls_certificate, tls_key;
  std::string log = "-";
  std::string runs, votes;
  HttpLimits limits;

  template <class V>
  void visit(V& v);
  void check() const;  // rules that span fields
};

template <class V>
void ServeConfig::visit(V& v) {
  v("model", model,
    "model folder, run or .gguf file, as PATH or NAME=PATH; the first is the default");
  v("adapter", adapter, "LoRA adapter, as PATH, NAME=PATH or MODEL:NAME=PATH");
  v("load", load, "when models are loaded", one_of({"at-start", "on-request"}));
  v("memory", memory, "GiB that loaded models may take; 0: no limit", at_least(0));
  v("slots", slots, "answers of a model that are made at once", between(1, 1024));
  v("queue", queue, "requests that may wait beside those", between(0, 65536));
  v("context", context, "tokens of a prompt and its answer; 0: the model's, up to 8192",
    at_least(0));
  v("dtype", dtype, "precision of computing", one_of({"auto", "f32", "bf16"}));
  v("cache_type", cache_type, "numbers of the KV cache",
    one_of({"auto", "f32", "bf16", "f16", "q8_0"}));
  v("host", host, "address to listen on; 0.0.0.0: every one of this machine");
  v("port", port, "port; 0: any that is free", between(0, 65535));
  v("io_threads", io_threads, "threads that carry bytes", between(1, 16));
  v("api_key_file", api_key_file, "file with an API key, or NAME KEY, a line");
  v("allowed_host", allowed_host, "name besides localhost that clients may call this server by");
  v("allowed_origin", allowed_origin, "origin whose pages may use this server (CORS)");
  v("unsafe_open", unsafe_open, "listen beyond this machine without API keys");
  v("tls_certificate", tls_certificate, "certificate chain (PEM)");
  v("tls_key", tls_key, "the certificate's private key (PEM)");
  v("log", log, "file for the log, a JSON line for each request; -: standard error; none: no log");
  v("runs", runs, "folder of training runs that the page shows");
  v("votes", votes, "file that the page's votes are appended to");
  v("limits.header_bytes", limits.header_bytes, "of a request's header", between(256, 1 << 20));
  v("limits.header_fields", limits.header_fields, "headers of a request", between(4, 10000));
  v("limits.body_bytes", limits.body_bytes, "of a request's body", between(1024, 1 << 30));
  v("limits.body_memory", limits.body_memory, "bytes of all bodies at a time", at_least(1 << 20));
  v("limits.connections", limits.connections, "open at a time", between(1, 1000000));
  v("limits.requests", limits.requests, "answered at a time", between(1, 1000000));
  v("limits.stream_bytes", limits.stream_bytes, "made but unread, before a client is given up",
    at_least(4096));
  v("limits.header_seconds", limits.header_seconds, "for a request's header", above(0));
  v("limits.body_seconds", limits.body_seconds, "for a request's body", above(0));
  v("limits.idle_seconds", limits.idle_seconds, "between requests of a connection", above(0));
  v("limits.write_seconds", limits.write_seconds, "in which a client reads nothing", above(0));
  v("limits.answer_seconds", limits.answer_seconds, "for a whole answer", above(0));
  v("limits.grace_seconds", limits.grace_seconds, "for answers under way at the end", at_least(0));
}

HubOptions hub_options(const ServeConfig& config);
// With the keys of the file and of MALSSI_API_KEYS. Throws Error for an address that others can reach without keys.
ServerOptions server_options(const ServeConfig& config);

}  // namespace malssi
