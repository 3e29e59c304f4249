// Many clients, slow clients, clients that leave: the others notice nothing, and nothing is lost.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <deque>

#include "base/format.h"
#include "base/random.h"
#include "serve/http/process_figures.h"
#include "serve/http/server.h"
#include "serve/http_client.h"
#include "serve/http_ticker.h"
#include "serve/scaled.h"

namespace malssi {
namespace {

// Sanitizers keep what was freed, and notes about it.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kMemoryIsOurs = false;
#else
constexpr bool kMemoryIsOurs = true;
#endif

double percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<size_t>(part * static_cast<double>(values.size() - 1)));
}

class HttpLoad : public testing::Test {
 protected:
  std::vector<Route> routes() {
    return {{"GET", "/tick", ticker.handler()},
            {"POST", "/take", [](auto exchange) { exchange->reply({.body = "{}"}); }}};
  }
  int64_t figure(const std::string& name) const {
    const std::string metrics = server.get("/metrics").body;
    const size_t at = metrics.find("\n" + name + " ");
    CHECK(at != std::string::npos, "no metric ", name);
    return std::stol(metrics.substr(at + name.size() + 2));
  }
  // Seconds of each of so many answers of ten tokens, by so many clients at a time.
  std::vector<double> answer_times(int64_t clients, int64_t rounds) const {
    std::vector<std::vector<double>> times(static_cast<size_t>(clients));
    std::vector<std::jthread> threads;
    for (auto& own : times)
      threads.emplace_back([&own, rounds, this] {
        for (int64_t i = 0; i < rounds; ++i) {
          const int64_t began = Ticker::now();
          const SeenReply reply = server.get("/tick?tokens=10");
          if (reply.body.ends_with("data: [DONE]\n\n"))
            own.push_back(static_cast<double>(Ticker::now() - began) * 1e-6);
        }
      });
    threads.clear();
    std::vector<double> all;
    for (const auto& own : times) all.insert(all.end(), own.begin(), own.end());
    return all;
  }

  Ticker ticker{25};  // with hundreds of streams more tokens than an engine makes
  const RunningServer server{{.io_threads = 2, .limits = {.idle_seconds = 3600}}, routes()};
};

// Clients of three kinds, in turn: a header that never ends, a body that never ends, an answer hardly read.
class SlowClients {
 public:
  SlowClients(int64_t port, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      clients_.push_back(std::make_unique<Client>(port, 2048));
      Client& client = *clients_.back();
      if (i % 3 == 0) client.send("GET /tick HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
      if (i % 3 == 1)
        client.send(
            "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 100000\r\n\r\n");
      if (i % 3 == 2) client.ask("GET", "/tick?bytes=100");
    }
    thread_ = std::jthread([this](const std::stop_token& stop) {
      for (size_t i = 0; !stop.stop_requested(); ++i) {
        char byte;
        const size_t at = i % clients_.size();
        if (at % 3 == 2)
          ::recv(clients_[at]->descriptor(), &byte, 1, MSG_DONTWAIT);
        else
          ::send(clients_[at]->descriptor(), "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (at % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
  }

 private:
  std::vector<std::unique_ptr<Client>> clients_;
  std::jthread thread_;  // ends first
};

TEST_F(HttpLoad, SlowClientsDoNotSlowTheOthers) {
  const int64_t normal = scaled(50), rounds = 8;
  const std::vector<double> alone = answer_times(normal, rounds);
  const SlowClients slow(server.port(), scaled(1000));
  const std::vector<double> beside = answer_times(normal, rounds);
  ASSERT_EQ(beside.size(), static_cast<size_t>(normal * rounds));
  RecordProperty("p99_times_as_long",
                 std::to_string(percentile(beside, 0.99) / percentile(alone, 0.99)));
  EXPECT_LE(percentile(beside, 0.99), 2 * percentile(alone, 0.99));
}

TEST_F(HttpLoad, HoldsIdleConnectionsAndAnswersHealthAtOnce) {
  for (int i = 0; i < 2; ++i) ASSERT_EQ(server.get("/health").status, 200);  // each thread is up
  const int64_t before = open_descriptors(), count = scaled(5000);
  {
    std::deque<Client> idle;
    for (int64_t i = 0; i < count; ++i) {
      idle.emplace_back(server.port());
      ASSERT_TRUE(idle.back().is_connected()) << i;
      if (i % 2 == 0) continue;  // half of them have asked once
      idle.back().ask("GET", "/health");
      ASSERT_EQ(idle.back().reply().status, 200);
    }
    EXPECT_TRUE(happens_within(5, [&] { return figure("malssi_http_connections") == count + 1; }));
    std::deque<Client> busy;
    for (int64_t i = 0; i < scaled(500); ++i) {
      busy.emplace_back(server.port());
      busy.back().ask("GET", "/tick");
    }
    std::vector<double> times;
    for (int i = 0; i < 100; ++i) {
      const int64_t began = Ticker::now();
      EXPECT_EQ(server.get("/health").status, 200);
      times.push_back(static_cast<double>(Ticker::now() - began) * 1e-6);
    }
    EXPECT_LE(percentile(times, 0.95), 0.05);
    for (Client& client : idle) {
      client.ask("GET", "/health");
      ASSERT_EQ(client.reply().status, 200);
    }
  }
  EXPECT_TRUE(happens_within(10, [&] { return open_descriptors() <= before; }))
      << open_descriptors() << " open, before " << before;
}

// Streams that end at any byte: before the request's end, in the head, between tokens, in one.
TEST_F(HttpLoad, DroppedStreamsLeaveNothingBehind) {
  Rng rng(1);
  const auto drop = [&](int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      Client client(server.port());
      const std::string request = "GET /tick HTTP/1.1\r\nHost: localhost\r\n\r\n";
      client.send(std::string_view(request).substr(0, rng.chance(0.2) ? rng.below(43) : 43));
      const auto wanted = static_cast<size_t>(rng.below(600));
      while (client.received().size() < wanted && client.receive(rng.uniform() * 0.01)) continue;
      if (rng.chance(0.5)) client.reset();
    }
    EXPECT_TRUE(happens_within(10, [&] { return ticker.open() == 0; }));
  };
  drop(scaled(1000));  // what the first of them leave is the allocator's
  ::malloc_trim(0);
  const int64_t descriptors = open_descriptors(), memory = process_memory_bytes();
  drop(scaled(10000));
  EXPECT_TRUE(happens_within(10, [&] { return open_descriptors() <= descriptors; }));
  // Asking is a connection too, and the one before may still be closing.
  const auto becomes = [&](const char* name, double value) {
    return happens_within(10, [&] { return figure(name) == value; });
  };
  EXPECT_TRUE(becomes("malssi_http_requests_running", 0));
  EXPECT_TRUE(becomes("malssi_http_connections", 1));
  EXPECT_TRUE(becomes("malssi_http_body_bytes", 0));
  ::malloc_trim(0);
  if (kMemoryIsOurs) {
    EXPECT_LE(process_memory_bytes(), memory + (int64_t{2} << 20));
  }
}

TEST(HttpStream, EndsWithinTwoTokensOfItsClient) {
  Ticker ticker{40};  // as a model on a laptop
  const RunningServer server({}, {{"GET", "/tick", ticker.handler()}});
  for (int64_t i = 0; i < scaled(200); ++i) {
    Client client(server.port());
    client.ask("GET", "/tick");
    ASSERT_TRUE(client.wait_for("data: "));
    const int64_t then = ticker.ticks();
    client.reset();
    ASSERT_TRUE(happens_within(5, [&] { return ticker.open() == 0; }));
    EXPECT_LE(ticker.ticks() - then, 3);  // the first was under way
  }
}

// From the moment a token is made to the moment a client has it.
TEST_F(HttpLoad, TokensAreNotHeldBack) {
  std::vector<double> delays;
  std::mutex mutex;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      Client client(server.port());
      client.ask("GET", "/tick?tokens=120");
      std::vector<double> own;
      while (client.wait_for("\n\n") && client.received().find("[DONE]") == std::string::npos) {
        const int64_t now = Ticker::now();
        const size_t at = client.received().rfind("data: ");
        const int64_t made = std::stol(client.received().substr(at + 6));
        client.received().clear();
        own.push_back(static_cast<double>(now - made) * 1e-3);
      }
      const std::lock_guard lock(mutex);
      delays.insert(delays.end(), own.begin() + 1, own.end());
    });
  threads.clear();
  ASSERT_GT(delays.size(), 400u);
  RecordProperty("p99_milliseconds", std::to_string(percentile(delays, 0.99)));
  EXPECT_LE(percentile(delays, 0.5), 5.0);  // Nagle's algorithm would make it 40
  if (std::getenv("MALSSI_LONG")) {         // elsewhere the machine may be busy with other tests
    EXPECT_LE(percentile(delays, 0.99), 1.0);
  }
}

}  // namespace
}  // namespace malssi
