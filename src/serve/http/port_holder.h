// Who listens on a port of this machine.
#pragma once

#include <cstdint>
#include <string>

namespace malssi {

// "process 1234 (nginx)"; empty where the system does not tell.
std::string port_holder(int64_t port);

}  // namespace malssi
