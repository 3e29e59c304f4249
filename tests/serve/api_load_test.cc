// The whole API over connections, with more models than its memory holds and clients of every kind at once: streams read and
// dropped, grammars, several answers, embeddings, models loaded and unloaded. Nothing is lost, and ThreadSanitizer, under which
// `./check --long` runs this, finds who touches what without asking.
#include <gtest/gtest.h>

#include <map>

#include "serve/api_tools.h"
#include "serve/http_client.h"
#include "serve/scaled.h"

namespace malssi {
namespace {

constexpr int64_t kClients = 6;

enum class Visit { stream, drop, schema, tools, choices, embeddings, look, load, unload };
constexpr int64_t kVisits = 9;

// One client: asks this and that, each time on a connection of its own, and keeps how often each kind came to a good end.
class Visitor {
 public:
  Visitor(int64_t port, uint64_t seed) : port_(port), rng_(seed) {}

  void visit(int64_t rounds) {
    for (int64_t i = 0; i < rounds; ++i) visit();
  }
  const std::map<Visit, int64_t>& good() const { return good_; }

 private:
  const char* model() {
    static const char* const names[] = {"a", "a:style", "b", "c"};
    return names[rng_.below(4)];
  }

  void visit() {
    const auto kind = static_cast<Visit>(rng_.below(kVisits));
    Client client(port_);
    ask(client, kind);
    if (kind == Visit::drop) {
      const auto wanted = static_cast<size_t>(rng_.below(1500));
      while (client.received().size() < wanted && client.receive(rng_.uniform() * 0.05)) continue;
      if (rng_.chance(0.5)) client.reset();
      ++good_[kind];
      return;
    }
    const SeenReply reply = client.reply();
    EXPECT_TRUE(is_expected(kind, reply))
        << static_cast<int>(kind) << ": " << reply.status << " " << reply.body;
    if (reply.status == 200) ++good_[kind];
  }

  // A server that is full, or lacks the memory, says so.
  static bool is_expected(Visit kind, const SeenReply& reply) {
    if (reply.status == 200)
      return kind != Visit::stream || reply.body.ends_with("data: [DONE]\n\n");
    const bool is_refusal = reply.status == 429 || reply.status == 503;
    return (is_refusal && contains(reply.body, "\"code\"")) ||
           (kind == Visit::unload && reply.status == 409);
  }

  void ask(Client& client, Visit kind) {
    Json body = chat_body(model(), 30);
    body["seed"] = rng_.below(1000);
    const auto post = [&](const char* path) { client.ask("POST", path, dump_json(body)); };
    switch (kind) {
      case Visit::stream:
      case Visit::drop:
        body["stream"] = true;
        body["n"] = 1 + rng_.below(2);
        return post("/v1/chat/completions");
      case Visit::schema:
        body["response_format"] = parse_json(
            R"({"type": "json_schema", "json_schema": {"name": "s", "schema": {"enum": ["yes", "no"]}}})",
            "format");
        return post("/v1/chat/completions");
      case Visit::tools:
        body["tools"] = parse_json(R"([{"type": "function", "function": {"name": "f"}}])", "tools");
        body["tool_choice"] = "required";
        return post("/v1/chat/completions");
      case Visit::choices:
        body["prompt"] = {"Mina", "Juno"};
        body["n"] = 2;
        return post("/v1/completions");
      case Visit::embeddings:
        body["input"] = {"tea", "rain", "차"};
        return post("/v1/embeddings");
      case Visit::look: {
        const char* const paths[] = {"/health", "/metrics", "/v1/models", "/v1/models/b"};
        return client.ask("GET", paths[rng_.below(4)]);
      }
      case Visit::load:
        return post("/v1/models/load");
      case Visit::unload:
        return post("/v1/models/unload");
    }
  }

  int64_t port_;
  Rng rng_;
  std::map<Visit, int64_t> good_;
};

// Three models, one with an adapter, in memory for two and a half.
HubOptions three_models(const fs::path& folder) {
  write_tiny_model(folder / "a");
  write_tiny_model(folder / "b", qwen_like_template());
  write_tiny_model(folder / "c");
  write_tiny_adapter(folder / "style", 1);
  const ServedModel one({"a", folder / "a"}, {}, {.slots = 4});
  return {.models = {{"a", folder / "a"}, {"b", folder / "b"}, {"c", folder / "c"}},
          .adapters = {{"style", folder / "style", "a"}},
          .slots = 4,
          .queue = 16,
          .memory_limit = 5 * one.bytes() / 2};
}

class ApiLoad : public testing::Test {
 protected:
  ServerOptions options() {
    return {.io_threads = 2, .metrics = [this] { return prometheus_text(api.hub->statistics()); }};
  }
  std::vector<std::jthread> begin_visits(std::vector<Visitor>& visitors, int64_t rounds) const {
    for (int64_t i = 0; i < kClients; ++i)
      visitors.emplace_back(server.port(), static_cast<uint64_t>(i));
    std::vector<std::jthread> threads;
    for (Visitor& visitor : visitors)
      threads.emplace_back([&visitor, rounds] { visitor.visit(rounds); });
    return threads;
  }
  bool can_unload(const char* name) const {
    return server.ask("POST", "/v1/models/unload", dump_json(Json{{"model", name}})).status == 200;
  }

  const ScratchFolder folder;
  TinyApi api{three_models(folder.path())};
  const RunningServer server{options(), api.routes};
};

TEST_F(ApiLoad, LosesNothing) {
  std::vector<Visitor> visitors;
  begin_visits(visitors, scaled(300)).clear();
  std::map<Visit, int64_t> good;
  for (const Visitor& visitor : visitors)
    for (const auto& [kind, count] : visitor.good()) good[kind] += count;
  EXPECT_EQ(std::ssize(good), kVisits) << "a kind of request never came to a good end";
  EXPECT_TRUE(happens_within(20, [&] {
    const HubStatistics all = api.hub->statistics();
    return all.running == 0 && all.waiting == 0;
  }));
  const auto all_places_are_free = [&] {
    return error_of([&] { api.hub->admit(api.hub->most_answers()); }).empty();
  };
  EXPECT_TRUE(happens_within(20, all_places_are_free));
  for (const char* name : {"a", "b", "c"})
    EXPECT_TRUE(happens_within(20, [&] { return can_unload(name); })) << name << " is held";
}

TEST_F(ApiLoad, StopsInTheMidstOfIt) {
  std::vector<Visitor> visitors;
  const std::vector<std::jthread> threads = begin_visits(visitors, scaled(100));
  EXPECT_TRUE(happens_within(20, [&] { return api.hub->statistics().finished > 5; }));
  api.hub->stop(0);
  EXPECT_EQ(api.hub->statistics().running, 0);
  const SeenReply refused = server.ask("POST", "/v1/chat/completions", dump_json(chat_body("a")));
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(contains(refused.body, "shutting_down"));
}

}  // namespace
}  // namespace malssi
