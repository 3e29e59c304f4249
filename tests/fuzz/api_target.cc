// A client's JSON through every endpoint that needs a model, to the answer; and answers of models, taken apart.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "fuzz/seeds.h"
#include "io/model_folder.h"
#include "serve/api/answer_parser.h"
#include "serve/api/chat.h"
#include "serve/api/completions.h"
#include "serve/api/embeddings.h"
#include "serve/api/responses.h"
#include "serve/api/tokens.h"
#include "serve/api_error.h"
#include "text/utf8.h"

namespace malssi::fuzz {
namespace {

// Keeps an answer, and checks its form.
class Kept : public Exchange {
 public:
  explicit Kept(HttpRequest request) : request_(std::move(request)) {}
  const HttpRequest& request() const override { return request_; }
  void reply(HttpReply reply) override {
    const std::lock_guard lock(mutex_);
    CHECK(!begun_ && !over_, "a second answer");
    CHECK(reply.status != 500, "an error of ours: ", reply.body);
    parse_json(reply.body, "reply", 128);
    end_now();
  }
  void begin(HttpReply) override {
    const std::lock_guard lock(mutex_);
    CHECK(!begun_ && !over_, "a second answer");
    begun_ = true;
  }
  void write(std::string piece) override {
    const std::lock_guard lock(mutex_);
    CHECK(begun_ && !over_ && piece.ends_with("\n\n") && is_valid_utf8(piece), piece);
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    CHECK(begun_ && !over_, "an end without a beginning");
    end_now();
  }
  bool gone() const override { return false; }
  void wait() {
    std::unique_lock lock(mutex_);
    CHECK(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return over_; }), "no answer");
  }

 private:
  void end_now() {
    over_ = true;
    changed_.notify_all();
  }

  HttpRequest request_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool begun_ = false, over_ = false;
};

// A model of 96 tokens' context, with a template that knows tools and thoughts.
fs::path written_model() {
  std::string name = (fs::temp_directory_path() / "malssi-fuzz-XXXXXX").string();
  CHECK(::mkdtemp(name.data()) != nullptr);
  const auto tokenizer =
      make_byte_tokenizer({"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"});
  ModelConfig config;
  config.vocab = tokenizer->vocab_size();
  config.width = 8;
  config.layers = 1;
  config.heads = 2;
  config.context = 96;
  config.eos_id = 256;
  const auto model = make_model(config, DType::f32, 3);
  const ChatTemplate chat = ChatTemplate::from_jinja(
      "{{ tools | length if tools else '' }}{% for m in messages %}{{ m.role[0] }}"
      "{% if m.tool_calls %}<tool_call></tool_call>{% endif %}{{ m.content }}<|im_end|>"
      "{% endfor %}{% if think %}<think>{% else %}{% endif %}{# </think> #}",
      "template");
  const fs::path folder = fs::path(name) / "model";
  save_model(folder, *model, *tokenizer, &chat);
  return folder;
}

struct Inside {
  Inside() : folder(written_model()), hub(options(folder)) { hub.start(); }
  ~Inside() {
    hub.stop(0);
    std::error_code ignored;
    fs::remove_all(folder.parent_path(), ignored);
  }
  static HubOptions options(const fs::path& folder) {
    return {.models = {{"m", folder}}, .slots = 2, .queue = 2, .loading = Loading::on_request};
  }
  fs::path folder;
  Hub hub;
};

using Answer = void (*)(Hub&, Call);
Answer endpoint(char letter) {
  switch (letter) {
    case 't':
      return answer_completion;
    case 'e':
      return answer_embeddings;
    case 'r':
      return answer_response;
    case 'k':
      return answer_tokenize;
    case 'd':
      return answer_detokenize;
    default:
      return answer_chat;
  }
}

std::shared_ptr<const std::vector<Tool>> one_function() {
  static const auto functions = std::make_shared<const std::vector<Tool>>(std::vector<Tool>{
      {.name = "f",
       .parameters = parse_json(
           R"({"properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"$ref": "#/$defs/b"}}})",
           "schema")}});
  return functions;
}

std::string told(const AnswerForm& form, std::string_view text, size_t step) {
  AnswerParser parser(form);
  std::string all;
  std::optional<AnswerPart::Kind> last;
  const auto take = [&](const std::vector<AnswerPart>& parts) {
    for (const AnswerPart& part : parts) {
      const bool goes_on = last == part.kind && part.kind != AnswerPart::Kind::call;
      if (!goes_on) all += concat("\n", static_cast<int>(part.kind), " ", part.call, " ");
      all += part.text;
      last = part.kind;
    }
  };
  for (size_t at = 0; at < text.size(); at += step) take(parser.push(text.substr(at, step)));
  take(parser.finish());
  CHECK(all.size() <= 24 * text.size() + 64, "more came out than went in");
  return all;
}

}  // namespace

void run_request(std::string_view input) {
  static Inside inside;
  if (input.empty()) return;
  const auto exchange =
      std::make_shared<Kept>(HttpRequest{.method = "POST",
                                         .path = "/",
                                         .headers = {{"content-type", "application/json"}},
                                         .body = std::string(input.substr(1))});
  try {
    model_handler(inside.hub, endpoint(input[0]))(exchange);
  } catch (const std::exception& error) {
    exchange->reply(error_reply(error));
  }
  exchange->wait();
}

Seeds request_seeds() {
  const std::string message = R"("messages":[{"role":"user","content":"hi"}])";
  const std::string tool =
      R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",)"
      R"("properties":{"a":{"$ref":"#/$defs/x"}},"required":["a"],"$defs":{"x":{"enum":[1,"b"]}}}}}])";
  return {
      {"good", "c{\"model\":\"m\"," + message + ",\"max_tokens\":8,\"logprobs\":true}"},
      {"stream", "c{" + message + ",\"stream\":true,\"n\":3,\"stop\":[\"a\",\"b\"]}"},
      {"tools", "c{" + message + "," + tool + ",\"tool_choice\":\"required\"}"},
      {"tools_auto", "c{" + message + "," + tool + ",\"logit_bias\":{\"259\":100}}"},
      {"schema", "c{" + message +
                     ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
                     "\"x\",\"schema\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":"
                     "\"number\"}}}}}"},
      {"object", "c{" + message + "," + tool + ",\"response_format\":{\"type\":\"json_object\"}}"},
      {"thoughts", "c{" + message + ",\"chat_template_kwargs\":{\"think\":1},\"max_tokens\":9}"},
      {"history",
       R"(c{"messages":[{"role":"developer","content":[{"type":"text","text":"x"}]},)"
       R"({"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",)"
       R"("function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1",)"
       R"("content":"7"},{"role":"assistant","content":"so"}],"continue_final_message":true})"},
      {"completion", R"(t{"prompt":["a",[1,2]],"max_tokens":4,"logprobs":2,"temperature":0})"},
      {"tokens", R"(t{"prompt":[[1,2],[3]],"n":2,"seed":-1,"top_p":0,"min_p":0.1,"top_k":-1})"},
      {"embeddings", R"(e{"input":["a","b"],"encoding_format":"base64","dimensions":3})"},
      {"response", R"(r{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]}],)"
                   R"("instructions":"b","stream":true,"max_output_tokens":5})"},
      {"response_tools",
       R"(r{"input":[{"role":"user","content":"a"},{"type":"function_call","call_id":"1","name":)"
       R"("f","arguments":"{}"},{"type":"function_call_output","call_id":"1","output":"7"}],)"
       R"("tools":[{"type":"function","name":"f","parameters":{"properties":{"a":{"enum":["b"]}}}}],)"
       R"("tool_choice":{"type":"function","name":"f"}})"},
      {"tokenize", R"(k{"prompt":"a<|im_end|>","parse_special":true,"return_token_strs":true})"},
      {"detokenize", R"(d{"tokens":[104,105,257,255]})"},
      {"deep", "c" + repeated("{\"a\":", 10000)},
      {"no_text", "c{\"model\":\"\xff\"}"},
  };
}

void run_answer(std::string_view input) {
  if (input.empty()) return;
  const auto bits = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  AnswerForm form{.may_think = (bits & 1) != 0, .is_thinking = (bits & 3) == 3};
  constexpr int kFormats = 5;
  if (const int format = bits >> 2 & 7; format >= 1 && format <= kFormats)
    form.tools = static_cast<ToolFormat>(format - 1);
  form.is_calling = form.tools && !form.may_think && (bits & 32) != 0;
  if ((bits & 64) == 0) form.functions = one_function();
  const std::string whole = told(form, input, std::max<size_t>(input.size(), 1));
  for (const size_t step : {1, 2, 7})
    CHECK(told(form, input, step) == whole, "cut into ", step, " it reads otherwise");
}

Seeds answer_seeds() {
  const std::string call = R"({"name": "f", "arguments": {"a": [1, "}\""]}})";
  return {
      {"good", "@hello <think> <tool_call>"},
      {"thoughts", "A<think>\nso <\n</think>\n\nyes"},
      {"inside", "Cso</think>yes"},
      {"mistral_args", "PSo [TOOL_CALLS]f[ARGS]{\"a\": [\"}\"]}[TOOL_CALLS]g[CALL_ID]1[ARGS]{}"},
      {"qwen_coder",
       "\x14I look <tool_call>\n<function=f>\n<parameter=a>\n\n<\"\n</parameter>\n"
       "<parameter=b>\nTrue\n</parameter>\n</function>\n</tool_call><tool_call><function=g>\n"
       "</function></tool_call>"},
      {"hermes", "DI look <tool_call>\n" + call + "\n</tool_call>\n<tool_call>" + call},
      {"llama3", "H {\"name\": \"f\", \"parameters\": {}}"},
      {"mistral", "L[TOOL_CALLS][" + call + ", " + call + "]"},
      {"calling", "d" + call + "</tool_call>"},
      {"as_text", R"(D<tool_call>{"arguments": "{\"a\": 1}", "id": 7, "name": "f"}</tool_call>)"},
      {"broken", "D<tool_call>{\"name\": \"\\ud800\"} x</tool_call>"},
  };
}

}  // namespace malssi::fuzz
