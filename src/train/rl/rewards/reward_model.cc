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

// The base of an adapter, under a value head.
Student load_base(const AdapterFile& adapter, DType compute) {
  REQUIRE(adapter.labels() == 1, adapter.where(),
          ": is an adapter of a language model, which gives no scores: name a reward model (malssi "
          "align reward)");
  REQUIRE(path_exists(adapter.base), adapter.where(), ": its base model \"", adapter.base,
          "\" is not there: put it back, or train the reward model without --lora");
  Student student = load_frozen(adapter.base, {.compute = compute});
  student.model = with_value_head(std::move(student.model));
  return student;
}

}  // namespace

RewardModel::RewardModel(const fs::path& path, const RewardModelOptions& options)
    : where_(path.string()), options_(options) {
  const DType compute = options.compute;
  const fs::path adapter = find_adapter(path);
  if (is_adapter(adapter)) {
    const AdapterFile file = open_adapter(adapter);
    student_ = load_base(file, compute);
    if (auto chat = load_chat_template(adapter)) student_.chat = *chat;
    adapters_ = {{.adapter = student_.model->attach(fit_adapter(file, *student_.model))}};
  } else {
    student_ = load_frozen(path, {.compute = compute});
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
  std::vector<EncodedChat> encoded = encode_chats(chats, *student_.tokenizer, student_.chat);
  const int64_t context = student_.model->config().context;
  judged_ += std::ssize(answers);
  std::vector<double> all(answers.size(), options_.too_long.value_or(0));
  Packed packed;
  for (size_t i = 0; i < encoded.size(); ++i) {
    std::vector<int32_t>& ids = encoded[i].ids;
    if (std::ssize(ids) > context) {
      if (options_.too_long) continue;
      ids.resize(static_cast<size_t>(context));
      ++cut_;
    }
    if (std::ssize(packed.ids) + std::ssize(ids) > options_.piece_tokens)
      score(std::exchange(packed, {}), all);
    packed.ids.insert(packed.ids.end(), ids.begin(), ids.end());
    packed.starts.push_back(static_cast<int32_t>(packed.ids.size()));
    packed.answers.push_back(i);
  }
  score(packed, all);
  return all;
}

bool RewardModel::leaves_room(const Conversation& prompt, int64_t answer_tokens) const {
  Conversation whole = prompt;
  whole.push_back({.role = "assistant", .content = ""});
  const auto around = encode_chat(*student_.tokenizer, student_.chat, whole, false).ids.size();
  return static_cast<int64_t>(around) + answer_tokens <= student_.model->config().context;
}

void RewardModel::score(const Packed& packed, std::vector<double>& all) const {
  if (packed.answers.empty()) return;
  const NoTape untaped;
  CausalBatch context(packed.starts);
  context.set_adapters({std::ssize(packed.ids), adapters_});
  const Tensor scores =
      sequence_scores(student_.model->hidden(packed.ids, context), head_, packed.starts);
  for (size_t i = 0; i < packed.answers.size(); ++i) all[packed.answers[i]] = scores.f32()[i];
}

bool same_tokens(const Tokenizer& a, const Tokenizer& b) {
  if (a.vocab_size() != b.vocab_size()) return false;
  for (int32_t id = 0; id < a.vocab_size(); ++id)
    if (a.token_bytes(id) != b.token_bytes(id)) return false;
  return true;
}

}  // namespace malssi
