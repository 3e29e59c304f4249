#include "serve/http/port_holder.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "base/system.h"

namespace malssi {
namespace {

// The inodes of the sockets that listen on the port, from one of the system's tables.
void add_listeners(const char* table, int64_t port, std::set<std::string>& inodes) {
  constexpr const char* kListening = "0A";
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // headings
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, skipped, inode;
    fields >> number >> local >> remote >> state;
    for (int i = 0; i < 5; ++i) fields >> skipped;
    fields >> inode;
    const size_t colon = local.rfind(':');
    if (colon == std::string::npos || state != kListening) continue;
    if (std::strtol(local.c_str() + colon + 1, nullptr, 16) == port)
      inodes.insert("socket:[" + inode + "]");
  }
}

bool has_one_of(const fs::path& process, const std::set<std::string>& inodes) {
  std::error_code code;
  for (fs::directory_iterator at(process / "fd", code), end; !code && at != end;
       at.increment(code)) {
    std::error_code ignored;
    if (inodes.contains(fs::read_symlink(at->path(), ignored).string())) return true;
  }
  return false;
}

}  // namespace

std::string port_holder(int64_t port) {
  std::set<std::string> inodes;
  add_listeners("/proc/net/tcp", port, inodes);
  add_listeners("/proc/net/tcp6", port, inodes);
  std::error_code code;
  for (fs::directory_iterator at("/proc", code), end; !code && at != end; at.increment(code)) {
    const std::string name = at->path().filename();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      continue;
    if (!has_one_of(at->path(), inodes)) continue;
    std::ifstream file(at->path() / "comm");
    std::string program;
    std::getline(file, program);
    return "process " + name + " (" + program + ")";
  }
  return "";
}

}  // namespace malssi
