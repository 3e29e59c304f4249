#include "eval/exact.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"

namespace malssi {
namespace {

struct Speaker {
  ChatTemplate chat;
  std::unique_ptr<Tokenizer> tokenizer = make_byte_tokenizer(chat.special_tokens());
  std::unique_ptr<Model> model;

  Speaker() {
    ModelConfig config;
    config.family = "llama";
    config.vocab = tokenizer->vocab_size();
    config.width = 32;
    config.layers = 2;
    config.context = 96;
    model = make_model(config, DType::f32, 5);
  }
};

TEST(AnswerAll, GivesEachQuestionItsGreedyAnswerInOrder) {
  const Speaker speaker;
  std::vector<std::string> questions;
  for (int i = 0; i < 9; ++i) questions.push_back(std::string(static_cast<size_t>(1 + i * 4), 'q'));
  AnswerOptions options{.max_tokens = 12, .slots = 4};
  int64_t told = 0;
  options.on_progress = [&](int64_t answered) { told = answered; };
  const auto answers =
      answer_all(*speaker.model, *speaker.tokenizer, speaker.chat, questions, options);
  ASSERT_EQ(answers.size(), questions.size());
  EXPECT_EQ(told, 9);
  ModelPredictor predictor(*speaker.model, 1);
  Generator generator(predictor, *speaker.tokenizer);
  for (size_t i = 0; i < questions.size(); ++i) {
    const std::vector<Message> messages = {{"user", questions[i]}};
    const auto ids = encode_chat(*speaker.tokenizer, speaker.chat, messages, true).ids;
    const Generation alone =
        generator.run(ids, {.sampling = {.temperature = 0},
                            .max_tokens = 12,
                            .stop_tokens = speaker.chat.stop_ids(*speaker.tokenizer)});
    EXPECT_TRUE(is_exact(answers[i], alone.text)) << answers[i] << " | " << alone.text;
  }
}

TEST(AnswerAll, RefusesAQuestionThatDoesNotFit) {
  const Speaker speaker;
  const std::vector<std::string> questions = {"short", std::string(100, 'q')};
  EXPECT_THROW(answer_all(*speaker.model, *speaker.tokenizer, speaker.chat, questions), Error);
  EXPECT_TRUE(
      answer_all(*speaker.model, *speaker.tokenizer, speaker.chat, std::vector<std::string>{})
          .empty());
}

TEST(Exact, IgnoresSurroundingWhiteSpaceOnly) {
  EXPECT_TRUE(is_exact(" Mina.\n", "Mina."));
  EXPECT_TRUE(is_exact("미나", "미나 "));
  EXPECT_FALSE(is_exact("mina.", "Mina."));
  EXPECT_FALSE(is_exact("Mina. She", "Mina."));
  EXPECT_FALSE(is_exact("", "Mina."));
  EXPECT_TRUE(is_exact("", " "));
}

TEST(FinalAnswer, IsWhatFollowsTheLastMarker) {
  EXPECT_EQ(final_answer("7 + 5 = 12. The answer is 12.", "answer is"), "12");
  EXPECT_EQ(final_answer("answer: 1, no: answer: 2 \n", "answer:"), "2");
  EXPECT_EQ(final_answer(" 42 ", "answer:"), "42");
  EXPECT_EQ(final_answer("", "answer:"), "");
}

TEST(LastNumber, IsTheLastIntegerAsWritten) {
  EXPECT_EQ(last_number("12 + 30 = 42."), "42");
  EXPECT_EQ(last_number("7 apples"), "7");
  EXPECT_EQ(last_number("3 - 8 = -5"), "-5");
  EXPECT_EQ(last_number("it is 9-7"), "7");
  EXPECT_EQ(last_number("-5"), "-5");
  EXPECT_EQ(last_number("none"), "");
}

}  // namespace
}  // namespace malssi
