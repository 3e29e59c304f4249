// One connection: reads requests, one after another, asks the site, and sends the answers in that order. While an answer is
// made, it goes on reading, so that it knows at once when the client leaves. For the sources of this folder only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <unordered_set>

#include "serve/http/site.h"
#include "serve/http/transport.h"

namespace malssi {

using Clock = std::chrono::steady_clock;

// What a thread of the server does with its connections from time to time. Called on that thread only.
class Supervised {
 public:
  virtual ~Supervised() = default;
  virtual void check_time(Clock::time_point now) = 0;
  // The server stops: at once where no request is under way, after the answer otherwise.
  virtual void end_soon() = 0;
  virtual void end_now() = 0;
};

// One thread's connections.
struct Reactor {
  boost::asio::io_context context{1};
  std::unordered_set<Supervised*> connections;
};

// Starts the coroutines of a connection. Call on the reactor's thread.
void start_connection(std::unique_ptr<Transport> transport, std::string client, Site& site,
                      Reactor& reactor, Hold place);

}  // namespace malssi
