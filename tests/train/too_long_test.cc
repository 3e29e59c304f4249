// Examples longer than the context: whatever the method, each is counted and told, in the same words.
#include "train/run/too_long.h"

#include <gtest/gtest.h>

#include "train/align/align.h"
#include "train/rl/grpo.h"
#include "train/rl/ppo.h"
#include "train/rl/prompt_sets.h"
#include "train/rl/rewards/reward_model.h"
#include "train/runs.h"
#include "train/tune/classify.h"
#include "train/tune/sft.h"

namespace malssi {
namespace {

constexpr int kShort = 20;

class TooLongExamples : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new ScratchFolder();
    Listener listener;
    base_ = with_chat(little_base(*shared_, listener.console()), *shared_ / "chat");
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  // kShort short lines, each with its number in place of #, then a line that is too long.
  std::string data(const std::string& name, const std::string& line, const std::string& last) {
    std::string lines;
    for (int i = 0; i < kShort; ++i) {
      std::string one = line;
      one.replace(one.find('#'), 1, std::string(static_cast<size_t>(i % 5 + 1), 's'));
      lines += one + "\n";
    }
    overwrite(scratch_ / name, lines + last + "\n");
    return (scratch_ / name).string();
  }

  template <class Config>
  Config ready(Config config, const std::string& out) const {
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.steps = 1;
    config.train.batch_rows = 2;
    config.train.eval_every = 0;
    config.train.checkpoint_every = 0;
    config.log.samples = 0;
    return config;
  }

  AlignConfig align(const std::string& method) {
    auto config = ready(AlignConfig(method), method);
    config.align.model = base_.string();
    config.align.val_fraction = 0;
    config.align.data = {
        method == "kto"
            ? data("marked.jsonl", R"({"prompt":"Tom #","completion":"tea.","label":true})",
                   concat(R"({"prompt":"Tom","completion":")", kTale, R"(","label":false})"))
            : data("pairs.jsonl", R"({"prompt":"Tom #","chosen":"tea.","rejected":"rain."})",
                   concat(R"({"prompt":"Tom","chosen":"tea.","rejected":")", kTale, R"("})"))};
    return config;
  }

  std::string prompts() {
    return data("prompts.jsonl", R"({"prompt":"Tom #","answer":"e"})",
                concat(R"({"prompt":")", kTale, R"(","answer":"e"})"));
  }

  static ScratchFolder* shared_;
  static fs::path base_;
  const std::string kTale = std::string(80, 'a');
  ScratchFolder scratch_;
  Listener listener_;
};

ScratchFolder* TooLongExamples::shared_ = nullptr;
fs::path TooLongExamples::base_;

TEST_F(TooLongExamples, OfConversationsAreCutAfterAnAnswerOrLeftOut) {
  auto config = ready(SftConfig(), "run");
  config.sft.model = base_.string();
  config.sft.val_fraction = 0;
  const std::string turn = R"({"role":"user","content":"Tom"},{"role":"assistant","content":")";
  config.sft.data = {data(
      "chats.jsonl",
      R"({"messages":[{"role":"user","content":"Tom #"},{"role":"assistant","content":"tea."}]})",
      concat(R"({"messages":[)", turn, "tea.\"},", turn, kTale, "\"}]}\n", R"({"messages":[)", turn,
             kTale, "\"}]}"))};
  run_sft(config, listener_.console());
  EXPECT_TRUE(contains(listener_.text(),
                       "conversations: 1 of 22 cut, 1 of 22 left out: longer than 64 tokens "
                       "(sft.context, sft.too_long)"))
      << listener_.text();
  config.train.out = (scratch_ / "cut").string();
  config.sft.too_long = "truncate";
  run_sft(config, listener_.console());
  EXPECT_TRUE(contains(listener_.text(), "2 of 22 cut (2 in the middle of an answer): longer"));
}

TEST_F(TooLongExamples, OfPreferencesAreLeftOut) {
  for (const char* method : {"dpo", "orpo", "simpo", "kto", "reward"}) {
    Listener listener;
    run_align(align(method), listener.console());
    // KTO compares each answer with that of another record: the long one is beside a short one, too.
    const int gone = std::string_view(method) == "kto" ? 2 : 1;
    EXPECT_TRUE(
        contains(listener.text(), concat("preferences: ", gone, " of 21 left out: longer than 6")))
        << method << ": " << listener.text();
    EXPECT_TRUE(contains(listener.text(), "align.context")) << method;
  }
}

TEST_F(TooLongExamples, OfTextsAreCut) {
  auto config = ready(ClassifyConfig(), "run");
  config.classify.model = base_.string();
  config.classify.val_fraction = 0;
  config.classify.data = {data("texts.jsonl", R"({"text":"Tom #","label":"short"})",
                               concat(R"({"text":")", kTale, R"(","label":"long"})"))};
  run_classify(config, listener_.console());
  EXPECT_TRUE(
      contains(listener_.text(), "texts: 1 of 21 cut: longer than 64 tokens (classify.context)"))
      << listener_.text();
}

TEST_F(TooLongExamples, OfPromptsAreLeftOut) {
  auto grpo = ready(GrpoConfig(), "grpo");
  grpo.grpo.model = base_.string();
  grpo.grpo.val_fraction = 0;
  grpo.grpo.max_tokens = 6;
  grpo.grpo.data = prompts();
  grpo.reward.use = {"length"};
  run_grpo(grpo, listener_.console());
  EXPECT_TRUE(contains(listener_.text(),
                       "prompts: 1 of 21 left out: longer than 58 tokens (a context of 64 less "
                       "grpo.max_tokens)"))
      << listener_.text();
  const fs::path judge = run_align(align("reward"), listener_.console()).model;
  auto ppo = ready(PpoConfig(), "ppo");
  ppo.ppo.model = base_.string();
  ppo.ppo.reward = judge.string();
  ppo.ppo.val_fraction = 0;
  ppo.ppo.max_tokens = 6;
  ppo.ppo.answers = 4;
  ppo.ppo.data = prompts();
  Listener listener;
  run_ppo(ppo, listener.console());
  EXPECT_TRUE(contains(listener.text(),
                       "prompts: 1 of 21 left out: longer than 58 tokens (the reward model's "
                       "context of 64 less ppo.max_tokens)"))
      << listener.text();
  ppo.train.out = (scratch_ / "none").string();
  ppo.ppo.max_tokens = 63;
  const std::string message = error_of([&] { run_ppo(ppo, listener.console()); });
  EXPECT_TRUE(is_one_line(message) && contains(message, "ppo.max_tokens")) << message;
}

TEST_F(TooLongExamples, OfAnswersAreScoredAsFarAsTheRewardModelSees) {
  RewardModel judge(run_align(align("reward"), listener_.console()).model, {});
  const RlPrompt prompt{.messages = {{"user", "Tom"}}, .record = {}, .where = "here"};
  EXPECT_TRUE(judge.leaves_room(prompt.messages, 20));
  EXPECT_FALSE(judge.leaves_room(prompt.messages, 64));
  const std::string longer = kTale + "tea", other = kTale + "rain", text = "tea.";
  std::vector<JudgedAnswer> answers;
  for (const std::string* each : {&longer, &other, &text})
    answers.push_back({.prompt = prompt, .text = *each, .tokens = std::ssize(*each)});
  const std::vector<double> scores = judge.scores(answers);
  EXPECT_EQ(scores[0], scores[1]);
  EXPECT_NE(scores[0], scores[2]);
  EXPECT_EQ(judge.judged(), 3);
  EXPECT_EQ(judge.cut(), 2);
}

TEST_F(TooLongExamples, NoPromptIsBothLearnedFromAndMeasuredOn) {
  std::string lines;
  for (int i = 0; i < 60; ++i)
    lines += concat(R"({"prompt":"Tom )", std::string(static_cast<size_t>(i % 12), 's'),
                    R"(","answer":")", i, "\"}\n");
  overwrite(scratch_ / "prompts.jsonl", lines);
  RlPromptSettings settings;
  settings.data = (scratch_ / "prompts.jsonl").string();
  settings.val_fraction = 0.25;
  const PromptSets sets = load_prompt_sets(settings, {}, listener_.console());
  EXPECT_EQ(sets.validation.size(), 15u);
  for (const RlPrompt& held : sets.validation)
    for (const RlPrompt& learned : sets.train)
      EXPECT_NE(held.messages.front().content, learned.messages.front().content);
  settings.val = settings.data;
  load_prompt_sets(settings, {}, listener_.console());
  EXPECT_TRUE(contains(listener_.text(), "60 of 60 prompts are in")) << listener_.text();
}

}  // namespace
}  // namespace malssi
