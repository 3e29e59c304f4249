#include "train/tune/adapter_run.h"

#include "base/error.h"
#include "base/json.h"
#include "io/weights_digest.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

bool has_quantised(Model& model) {
  bool found = false;
  model.visit([&](const Parameter& p) {
    if (p.held == nullptr) return;
    for (const Tensor& part : *p.held) found |= is_block_format(part.dtype());
  });
  return found;
}

// Quantised weights stay so; dense ones are converted to what the machine multiplies.
LoadedModel load_base(const AdapterRun& run) {
  const DType compute = compute_type(run.train);
  LoadedModel base = load_model(run.data.model, compute, ImportMode::hold);
  if (has_quantised(*base.model)) return base;
  base = {};  // before the second, so that memory holds one
  return load_model(run.data.model, compute);
}

// The base cannot get new tokens: their embeddings would have to be trained.
void check_tokens(const ChatTemplate& chat, const Tokenizer& tokenizer, const std::string& model) {
  for (const std::string& token : chat.special_tokens())
    REQUIRE(tokenizer.token_id(token), model, ": its tokenizer lacks \"", token,
            "\" of the chat template \"", chat.style(),
            "\", and an adapter brings no tokens: choose another (--chat-template alpaca) or tune "
            "all weights first (malssi tune sft)");
}

ChatTemplate chat_of(const ConversationSettings& data, const LoadedModel& base) {
  if (data.chat_template.empty() && base.chat) return *base.chat;
  const Tokenizer& tokenizer = *base.tokenizer;
  const std::string style = data.chat_template.empty() ? "malssi" : data.chat_template;
  const ChatTemplate chat =
      tokenizer.eos_id() < 0
          ? ChatTemplate::named(style)
          : ChatTemplate::named(style, tokenizer.token_bytes(tokenizer.eos_id()));
  check_tokens(chat, tokenizer, data.model);
  return chat;
}

fs::path base_json(const AdapterRun& run) { return fs::path(run.train.out) / "base.json"; }

// Where the run goes on: it must be beside the weights that it began with.
void check_base(const AdapterRun& run, const std::string& digest) {
  const fs::path file = base_json(run);
  if (!path_exists(file)) return;
  const auto began = get<std::string>(load_json(file), "weights", file.string());
  REQUIRE(began == digest, run.data.model, ": its weights are not those that the run in ",
          run.train.out, " began with (their hash is ", digest, ", it was ", began,
          "): put them back, or begin a new run");
}

void note_base(const AdapterRun& run, const std::string& digest) {
  const Json json = {{"model", run.data.model}, {"weights", digest}};
  write_file(base_json(run), dump_json(json, 2) + "\n");
}

// Virtual tokens take part of the model's context.
void make_room(const AdapterRun& run, const Model& model, int64_t tokens) {
  if (tokens == 0) return;
  const int64_t most = model.config().context - tokens;
  const int64_t context = student_context(model, run.data.context, "sft.context");
  REQUIRE(run.data.context <= most, "sft.context = ", context, " and ", tokens,
          " virtual tokens are more than the model takes: at most ", most, " beside them");
  run.data.context = std::min(context, most);
}

}  // namespace

RunResult train_adapter_run(const AdapterRun& run, const std::function<void()>& begin,
                            Console& console) {
  const LoadedModel base = load_base(run);
  Model& model = *base.model;
  const ChatTemplate chat = chat_of(run.data, base);
  PeftSettings settings = run.peft;
  settings.base = run.data.model;
  settings.base_digest = weights_digest(run.data.model);
  check_base(run, settings.base_digest);
  const Adapter fresh = run.make(model, *base.tokenizer);
  freeze(model);
  const int64_t number = model.attach(fresh);
  const VirtualTokens* const tokens = model.virtual_tokens({{.adapter = number, .weight = 1}});
  make_room(run, model, tokens == nullptr ? 0 : tokens->count());
  std::vector<Parameter> parameters = train_adapter(model, number, static_cast<float>(run.dropout));
  const auto begin_beside = [&] {
    begin();
    note_base(run, settings.base_digest);
  };
  return run_chats(
      {.data = run.data,
       .train = run.train,
       .optim = run.optim,
       .log = run.log,
       .schema = run.schema,
       .model = model,
       .tokenizer = *base.tokenizer,
       .chat = chat,
       .trained = trained_adapter(model, *base.tokenizer, chat, std::move(parameters), settings),
       .summary = run.summary},
      begin_beside, console);
}

}  // namespace malssi
