// A whole API without a network: tiny models of random weights in a folder, a hub, and exchanges that keep what is answered.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "io/model_folder.h"
#include "io/safetensors.h"
#include "scratch.h"
#include "serve/api/routes.h"
#include "serve/api_error.h"

namespace malssi {

class FakeExchange : public Exchange {
 public:
  // Its client leaves when it has seen so many pieces.
  explicit FakeExchange(HttpRequest request, size_t patience = SIZE_MAX)
      : request_(std::move(request)), patience_(patience) {}

  const HttpRequest& request() const override { return request_; }
  void reply(HttpReply reply) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(over_ || begun_) << "a second answer";
    reply_ = std::move(reply);
    over_ = true;
    changed_.notify_all();
  }
  void begin(HttpReply head) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(over_ || begun_) << "a second answer";
    reply_ = std::move(head);
    begun_ = true;
  }
  void write(std::string piece) override {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(begun_ && !over_);
    pieces_.push_back(std::move(piece));
    if (pieces_.size() >= patience_) leave();
    changed_.notify_all();
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(begun_ && !over_);
    over_ = true;
    changed_.notify_all();
  }
  bool gone() const override { return gone_; }

  void leave() { gone_ = true; }
  // False where the answer is not over in time.
  bool wait(double seconds = 60) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return over_; });
  }
  bool wait_for_pieces(size_t count, double seconds = 60) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                             [&] { return over_ || pieces_.size() >= count; });
  }
  bool is_over() const {
    const std::lock_guard lock(mutex_);
    return over_;
  }
  bool is_stream() const { return begun_; }
  int status() const { return reply_.status; }
  const HttpReply& answer() const { return reply_; }
  Json json() const { return parse_json(reply_.body, "reply"); }
  std::vector<std::string> pieces() const {
    const std::lock_guard lock(mutex_);
    return pieces_;
  }
  // Of a stream: each event's data, without the closing [DONE].
  std::vector<Json> events() const {
    std::vector<Json> all;
    for (const std::string& piece : pieces()) {
      const size_t at = piece.find("data: ");
      EXPECT_NE(at, piece.npos);
      EXPECT_TRUE(piece.ends_with("\n\n"));
      const std::string data = piece.substr(at + 6);
      if (data != "[DONE]\n\n") all.push_back(parse_json(data, "event"));
    }
    return all;
  }

 private:
  HttpRequest request_;
  size_t patience_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  HttpReply reply_;
  std::vector<std::string> pieces_;
  bool begun_ = false, over_ = false;
  std::atomic<bool> gone_ = false;
};

inline const std::vector<std::string>& tiny_specials() {
  static const std::vector<std::string> tokens = {
      "<|endoftext|>", "<|system|>", "<|user|>",    "<|assistant|>", "<|end|>",
      "<|im_start|>",  "<|im_end|>", "<tool_call>", "[TOOL_CALLS]",  "[ARGS]"};
  return tokens;
}

// A model of bytes with random weights; jinja: its chat template in place of our own.
inline void write_tiny_model(const fs::path& folder, const std::string& jinja = {},
                             int64_t context = 2048) {
  const auto tokenizer = make_byte_tokenizer(tiny_specials());
  ModelConfig config;
  config.vocab = tokenizer->vocab_size();
  config.width = 16;
  config.layers = 1;
  config.heads = 2;
  config.context = context;
  config.eos_id = 256;
  const auto model = make_model(config, DType::f32, 3);
  const ChatTemplate chat =
      jinja.empty() ? ChatTemplate() : ChatTemplate::from_jinja(jinja, "template");
  save_model(folder, *model, *tokenizer, &chat);
}

// A LoRA adapter of random weights for it.
inline void write_tiny_adapter(const fs::path& folder, uint64_t seed) {
  fs::create_directories(folder);
  Rng rng(seed);
  const auto random = [&](const Shape& shape) {
    Tensor tensor = Tensor::empty(shape);
    for (int64_t i = 0; i < tensor.size(); ++i) tensor.f32()[i] = static_cast<float>(rng.normal());
    return tensor;
  };
  const std::string matrix = "base_model.model.model.layers.0.self_attn.q_proj";
  write_safetensors(
      folder / "adapter_model.safetensors",
      {{matrix + ".lora_A.weight", random({4, 16})}, {matrix + ".lora_B.weight", random({16, 4})}},
      {{"format", "pt"}});
  overwrite(folder / "adapter_config.json",
            R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]})");
}

// Qwen's way to tell of tools and to think, in short.
inline std::string qwen_like_template() {
  return "{% if tools %}<|im_start|>system\n{% for t in tools %}{{ t | tojson }}\n{% endfor %}"
         "Calls: <tool_call>...</tool_call><|im_end|>\n{% endif %}"
         "{% for m in messages %}<|im_start|>{{ m.role }}\n"
         "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
         "{{ m.content }}{% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>\n"
         "{{ c.function | tojson }}\n</tool_call>{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
         "{% if add_generation_prompt %}<|im_start|>assistant\n"
         "{% if enable_thinking is defined and enable_thinking %}<think>\n{% endif %}{% endif %}";
}

// A server's inside, with the models "tiny" and "qwen".
struct TinyApi {
  explicit TinyApi(HubOptions options = {}, ApiOptions api = {}) {
    write_tiny_model(folder / "tiny");
    write_tiny_model(folder / "qwen", qwen_like_template());
    if (options.models.empty())
      options.models = {{"tiny", folder / "tiny"}, {"qwen", folder / "qwen"}};
    options.loading = Loading::on_request;
    hub.emplace(std::move(options));
    hub->start();
    routes = api_routes(*hub, api);
  }

  // As a server does it: finds the route, and answers with what its handler throws.
  std::shared_ptr<FakeExchange> start(HttpRequest request, size_t patience = SIZE_MAX) {
    request.headers.emplace("content-type", "application/json");
    auto exchange = std::make_shared<FakeExchange>(std::move(request), patience);
    const Handler* handler = find(exchange->request());
    if (!handler) {
      exchange->reply(error_reply(ApiError(404, "no such route")));
      return exchange;
    }
    try {
      (*handler)(exchange);
    } catch (const std::exception& error) {
      exchange->reply(error_reply(error));
    }
    return exchange;
  }
  std::shared_ptr<FakeExchange> start(const std::string& path, const Json& body,
                                      const std::string& owner = {}) {
    return start(
        {.method = "POST", .path = path, .body = dump_json(body), .owner = owner, .id = "1"});
  }
  std::shared_ptr<FakeExchange> ask(const std::string& path, const Json& body,
                                    const std::string& owner = {}) {
    auto exchange = start(path, body, owner);
    EXPECT_TRUE(exchange->wait()) << path << " " << dump_json(body);
    return exchange;
  }
  std::shared_ptr<FakeExchange> get(const std::string& path,
                                    std::map<std::string, std::string> query = {}) {
    return start({.method = "GET", .path = path, .query = std::move(query)});
  }

  ScratchFolder folder;
  std::optional<Hub> hub;
  std::vector<Route> routes;

 private:
  const Handler* find(const HttpRequest& request) const {
    const std::string parent = request.path.substr(0, request.path.rfind('/') + 1) + "{name}";
    for (const std::string& path : {request.path, parent})
      for (const Route& route : routes)
        if (route.method == request.method && route.path == path) return &route.handler;
    return nullptr;
  }
};

// A chat request of one message.
inline Json chat_body(const std::string& model = "tiny", int64_t max_tokens = 12) {
  Json body;
  body["model"] = model;
  body["messages"] = Json::array({Json{{"role", "user"}, {"content", "Who likes tea?"}}});
  body["max_tokens"] = max_tokens;
  body["seed"] = 7;
  return body;
}

}  // namespace malssi
