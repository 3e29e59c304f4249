#include "train/rl/rewards/reward_model.h"

#include "base/error.h"
#include "data/encode_chats.h"
#include "io/adapter_file.h"
#include "models/value_head.h"
#include "ops/sequence_score.h"
#include "tensor/tape.h"
#include "train/tune/lora_student.h"

namespace malssi {
namespace {

// Sequences side by side.
struct Packed {
  std::vector<int32_t> ids;
  std::vector<int32_t> starts = {0};
};

std::vector<double> score(Model& model, const Tensor& head, const AdapterMix& adapters,
                          const Packed& packed) {
  CausalBatch context(packed.starts);
  context.set_adapters({std::ssize(packed.ids), adapters});
  const Tensor scores = sequence_scores(model.hidden(packed.ids, context), head, packed.starts);
  return {scores.f32(), scores.f32() + scores.size()};
}

// The base of an adapter, under a value head.
Student load_base(const AdapterFile& adapter, DType compute) {
  REQUIRE(adapter.score, adapter.where(),
          ": is an adapter of a language model, which gives no scores: name a reward model (malssi "
          "align reward)");
  REQUIRE(path_exists(adapter.base), adapter.where(), ": its base model \"", adapter.base,
          "\" is not there: put it back, or train the reward model without --lora");
  Student student = load_frozen(adapter.base, "", compute);
  student.model = with_value_head(std::move(student.model));
  return student;
}

}  // namespace

RewardModel::RewardModel(const fs::path& path, DType compute, int64_t piece_tokens)
    : where_(path.string()), piece_tokens_(piece_tokens) {
  const fs::path adapter = find_adapter(path);
  if (is_adapter(adapter)) {
    const AdapterFile file = open_adapter(adapter);
    student_ = load_base(file, compute);
    if (auto chat = load_chat_template(adapter)) student_.chat = *chat;
    adapters_ = {{.adapter = student_.model->attach(fit_adapter(file, *student_.model))}};
  } else {
    student_ = load_frozen(path, "", compute);
  }
  REQUIRE(
      has_value_head(*student_.model), where_,
      ": is a language model, which gives no scores: name a reward model (malssi align reward)");
  head_ = student_.model->head().clone();
  freeze(*student_.model);
}

std::vector<double> RewardModel::scores(std::span<const JudgedAnswer> answers) {
  std::vector<Conversation> chats;
  for (const JudgedAnswer& each : answers) {
    chats.push_back(each.prompt.messages);
    chats.back().push_back({.role = "assistant", .content = each.text});
  }
  const NoTape untaped;
  const int64_t context = student_.model->config().context;
  std::vector<double> all;
  Packed packed;
  const auto flush = [&] {
    if (packed.ids.empty()) return;
    for (const double each : score(*student_.model, head_, adapters_, packed)) all.push_back(each);
    packed = {};
  };
  for (const EncodedChat& chat : encode_chats(chats, *student_.tokenizer, student_.chat)) {
    REQUIRE(std::ssize(chat.ids) <= context, where_, ": an answer with its prompt has ",
            chat.ids.size(), " tokens, but the reward model takes ", context,
            ": use shorter answers (--max-tokens) or prompts");
    if (std::ssize(packed.ids) + std::ssize(chat.ids) > piece_tokens_) flush();
    packed.ids.insert(packed.ids.end(), chat.ids.begin(), chat.ids.end());
    packed.starts.push_back(static_cast<int32_t>(packed.ids.size()));
  }
  flush();
  return all;
}

bool same_tokens(const Tokenizer& a, const Tokenizer& b) {
  if (a.vocab_size() != b.vocab_size()) return false;
  for (int32_t id = 0; id < a.vocab_size(); ++id)
    if (a.token_bytes(id) != b.token_bytes(id)) return false;
  return true;
}

}  // namespace malssi
