#include "train/rl/ppo_models.h"

#include "base/error.h"
#include "models/value_head.h"
#include "train/run/session.h"
#include "train/tune/lora_student.h"

namespace malssi {
namespace {

void load_policy(const PpoConfig& config, const std::optional<fs::path>& checkpoint,
                 PpoModels& models) {
  const PpoSettings& ppo = config.ppo;
  const DType compute = compute_type(config.train);
  const StudentOptions options{.chat_template = ppo.chat_template, .compute = compute};
  if (ppo.lora) {
    models.policy = load_frozen(
        ppo.model,
        {.chat_template = ppo.chat_template, .compute = compute, .packed = config.lora.packed()});
  } else {
    models.policy = load_student(checkpoint ? *checkpoint : fs::path(ppo.model), options);
    models.reference = std::move(load_student(ppo.model, options).model);
    freeze(*models.reference);
  }
  REQUIRE(!has_value_head(*models.policy.model), ppo.model,
          ": is a reward model, which writes no answers: name a language model");
}

Trained begin_policy(const PpoConfig& config, Student& policy) {
  if (!config.ppo.lora) return whole_model(*policy.model, *policy.tokenizer, &policy.chat);
  return begin_lora(policy, config.lora, static_cast<uint64_t>(config.train.seed),
                    config.ppo.model);
}

// A head of zeros on the policy.
void begin_shared_critic(PpoModels& models) {
  Model& model = *models.policy.model;
  models.value_head = Tensor::zeros({1, model.config().width}).to(model.dtype());
  models.value_head.want_grad();
  models.critic = {.model = &model, .adapters = models.trained.adapters, .head = models.value_head};
  models.trained.companions = {{.name = "critic.score", .value = &models.value_head, .parts = {}}};
}

// An adapter on all linear layers of the reward model, and its head.
void begin_own_critic(const PpoConfig& config, PpoModels& models) {
  RewardModel& reward = *models.reward;
  REQUIRE(same_tokens(*models.policy.tokenizer, reward.tokenizer()), config.ppo.reward,
          ": its tokenizer is not the policy's, so that it cannot value the policy's tokens one by "
          "one: take --critic policy");
  LoraSettings lora = config.lora;
  lora.targets = "all-linear";
  lora.init = "zero";
  const Adapter fresh =
      make_lora(reward.model(), lora, static_cast<uint64_t>(config.train.seed) + 1);
  std::vector<Parameter> parameters =
      begin_adapter(reward.model(), fresh, lora.start(), 0).parameters;
  parameters.push_back(trained_value_head(reward.model()));
  for (Parameter& each : parameters) each.name = "critic." + each.name;
  AdapterMix adapters = reward.adapters();
  adapters.push_back({.adapter = reward.model().adapters() - 1});
  models.critic = {.model = &reward.model(), .adapters = adapters, .head = reward.model().head()};
  models.trained.companions = std::move(parameters);
}

// Beside the policy's own steps: a critic's, and, once for all inner epochs, five forward passes over each answer: it is drawn,
// its log-probabilities are asked of policy and reference, it is valued and scored.
double extra_work(const PpoSettings& ppo) {
  const double critic = ppo.critic == "reward" ? 2.0 / 3 : 0;
  return critic + 5.0 / 3 / static_cast<double>(ppo.inner_epochs);
}

}  // namespace

std::unique_ptr<PpoModels> load_ppo_models(const PpoConfig& config,
                                           const std::optional<fs::path>& checkpoint) {
  auto models = std::make_unique<PpoModels>();
  load_policy(config, checkpoint, *models);
  models->reward = std::make_unique<RewardModel>(
      config.ppo.reward, RewardModelOptions{.compute = compute_type(config.train)});
  models->trained = begin_policy(config, models->policy);
  if (config.ppo.critic == "policy")
    begin_shared_critic(*models);
  else
    begin_own_critic(config, *models);
  models->trained.work += extra_work(config.ppo);
  return models;
}

}  // namespace malssi
