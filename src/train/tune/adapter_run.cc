#include "train/tune/adapter_run.h"

#include "base/error.h"
#include "base/json.h"
#include "io/weights_digest.h"
#include "train/tune/lora_student.h"

namespace malssi {
namespace {

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
  const Student base = load_frozen(run.data.model, {.chat_template = run.data.chat_template,
                                                    .compute = compute_type(run.train),
                                                    .packed = run.packed});
  Model& model = *base.model;
  PeftSettings settings = run.peft;
  settings.base = run.data.model;
  settings.base_digest = weights_digest(run.data.model);
  check_base(run, settings.base_digest);
  const Adapter fresh = run.make(model, *base.tokenizer);
  const BegunAdapter begun = begin_adapter(model, fresh, run.start, run.dropout);
  const VirtualTokens* const tokens = model.virtual_tokens(begun.mix);
  make_room(run, model, tokens == nullptr ? 0 : tokens->count());
  const auto begin_beside = [&] {
    begin();
    note_base(run, settings.base_digest);
  };
  return run_chats({.data = run.data,
                    .train = run.train,
                    .optim = run.optim,
                    .log = run.log,
                    .schema = run.schema,
                    .model = model,
                    .tokenizer = *base.tokenizer,
                    .chat = base.chat,
                    .trained = trained_adapter(model, *base.tokenizer, base.chat, begun, settings),
                    .summary = run.summary},
                   begin_beside, console);
}

}  // namespace malssi
