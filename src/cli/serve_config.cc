#include "cli/serve_config.h"

#include <cstdlib>

#include "base/error.h"
#include "cli/generation_flags.h"
#include "kernels/paged.h"

namespace malssi {
namespace {

std::optional<DType> cache_dtype(const std::string& name) {
  for (const DType dtype : kCacheDtypes)
    if (dtype_name(dtype) == name) return dtype;
  return std::nullopt;  // auto
}

bool is_of_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

void ServeConfig::check() const {
  REQUIRE(!model.empty(), "nothing to serve: give --model PATH, a model folder or .gguf file");
  REQUIRE(tls_certificate.empty() == tls_key.empty(),
          "TLS needs both a certificate and its key: give --tls-certificate and --tls-key");
}

HubOptions hub_options(const ServeConfig& config) {
  HubOptions options = {
      .slots = config.slots,
      .context = config.context,
      .queue = config.queue,
      .memory_limit = static_cast<int64_t>(config.memory * 0x1p30),
      .time_limit = config.limits.answer_seconds,
      .compute = compute_dtype(config.dtype),
      .cache = cache_dtype(config.cache_type),
      .loading = config.load == "on-request" ? Loading::on_request : Loading::at_start};
  for (const std::string& text : config.model) options.models.push_back(parse_model_spec(text));
  for (const std::string& text : config.adapter)
    options.adapters.push_back(parse_adapter_spec(text));
  return options;
}

ServerOptions server_options(const ServeConfig& config) {
  ServerOptions options = {
      .host = config.host,
      .port = config.port,
      .io_threads = config.io_threads,
      .limits = config.limits,
      .guard = {.allowed_hosts = config.allowed_host, .allowed_origins = config.allowed_origin},
      .tls_certificate = config.tls_certificate,
      .tls_key = config.tls_key};
  ApiKeys& keys = options.guard.keys;
  if (!config.api_key_file.empty()) keys.add_file(config.api_key_file);
  if (const char* list = std::getenv("MALSSI_API_KEYS")) keys.add_list(list, "MALSSI_API_KEYS");
  REQUIRE(!keys.empty() || config.unsafe_open || is_of_this_machine(config.host), "on ",
          config.host,
          " anyone who reaches this machine could use the server: give --api-key-file FILE, or "
          "MALSSI_API_KEYS, or --unsafe-open where the network is yours alone");
  return options;
}

}  // namespace malssi
