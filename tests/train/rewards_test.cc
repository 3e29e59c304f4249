#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "scratch.h"
#include "train/rl/rewards/command.h"
#include "train/rl/rewards/exact.h"
#include "train/rl/rewards/make_rewards.h"
#include "train/rl/rewards/rules.h"

namespace malssi {
namespace {

RlPrompt prompt(const std::string& record = R"({"answer": "42"})") {
  Message ask;
  ask.role = "user";
  ask.content = "How many?";
  return {.messages = {ask}, .record = parse_json(record, "test"), .where = "file line 7"};
}

double score(Reward& reward, const std::string& text, const RlPrompt& of = prompt(),
             int64_t tokens = 1) {
  const JudgedAnswer answer{.prompt = of, .text = text, .tokens = tokens};
  return reward.scores({&answer, 1})[0];
}

TEST(ExactReward, ReadsNumbersHoweverTheyAreWritten) {
  EXPECT_EQ(normalised_number(" $1,234.50 "), "1234.5");
  EXPECT_EQ(normalised_number("-0.0"), "0");
  EXPECT_EQ(normalised_number("007."), "7");
  EXPECT_EQ(normalised_number("+.5"), "0.5");
  EXPECT_EQ(normalised_number("95%"), "95");
  EXPECT_EQ(normalised_number("**12**"), "12");
  EXPECT_EQ(normalised_number("12345678901234567890123"), "12345678901234567890123");
  for (const char* none : {"", "-", "1e5", "1,23", "twelve", "3 4", "1..2"})
    EXPECT_FALSE(normalised_number(none)) << none;
  EXPECT_EQ(final_number("3-4"), "4");
  EXPECT_EQ(final_number("it is -4."), "-4");
  EXPECT_EQ(final_number("1,000 or 2,000.5, say"), "2000.5");
  EXPECT_EQ(final_number("1, 2,3"), "3");
  EXPECT_FALSE(final_number("none at all."));
}

TEST(ExactReward, ComparesResults) {
  const auto exact = [](std::string_view text, const char* expected, std::string_view marker = "") {
    return is_exact(text, parse_json(expected, "test"), marker, "test");
  };
  EXPECT_TRUE(exact("17+25 is 42.", R"("42")"));
  EXPECT_TRUE(exact("17+25 is 42.0", "42"));
  EXPECT_FALSE(exact("42 or 43", R"("42")"));
  EXPECT_FALSE(exact("", R"("42")"));
  EXPECT_TRUE(exact("7 it is", R"([1, "7"])"));
  EXPECT_TRUE(exact("so it is\n#### 1,000", R"("many words\n#### 1000")", "####"));
  EXPECT_FALSE(exact("so it is 1000", R"("#### 1000")", "####"));
  EXPECT_TRUE(exact("thus \\boxed{7}, which", "7", "\\boxed{"));
  EXPECT_TRUE(exact("thus \\boxed{f{7}}", R"("F{7}")", "\\boxed{"));
  EXPECT_FALSE(exact("thus \\boxed{7", "7", "\\boxed{"));
  EXPECT_TRUE(exact("Paris.", R"("paris")"));
  EXPECT_FALSE(exact("It is Paris.", R"("paris")"));
  EXPECT_TRUE(exact("<think>41? 43?</think> 42", "42"));
  EXPECT_FALSE(exact("<think>42</think> unsure", "42"));
  EXPECT_TRUE(contains(error_of([&] { exact("1", "{}"); }), "expected a text, a number or a list"));
}

TEST(ExactReward, NamesTheRecordWithoutAnAnswer) {
  const auto reward = exact_reward("");
  const std::string error = error_of([&] { score(*reward, "42", prompt("{}")); });
  EXPECT_TRUE(contains(error, "file line 7: \"answer\" is missing")) << error;
}

TEST(RuleRewards, LookAtTheForm) {
  EXPECT_TRUE(thinks_first("<think>a</think>b"));
  EXPECT_TRUE(thinks_first(" \n<think>\na\n</think>\nb"));
  for (const char* bad : {"", "b", "<think>a</think>", "<think></think>b", "a<think>b</think>c",
                          "<think>a", "</think><think>b", "<think>a<think>b</think>c",
                          "<think>a</think>b</think>c", "<think>a</think> \n"})
    EXPECT_FALSE(thinks_first(bad)) << bad;
  EXPECT_EQ(overlong_penalty(60, 100, 40), 0);
  EXPECT_EQ(overlong_penalty(80, 100, 40), -0.5);
  EXPECT_EQ(overlong_penalty(100, 100, 40), -1);
  const auto regex = regex_reward("\\A\\d+ apples?\\z");
  EXPECT_EQ(score(*regex, "3 apples"), 1);
  EXPECT_EQ(score(*regex, "3 apples, or 4"), 0);
  const auto greedy = regex_reward("(a+)+$");
  EXPECT_EQ(score(*greedy, std::string(200, 'a') + "b"), 0);
  const auto schema = schema_reward(parse_json(
      R"({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})",
      "test"));
  EXPECT_EQ(score(*schema, "{\"n\":\n  3}"), 1);
  EXPECT_EQ(score(*schema, "{\"n\": \"3\"}"), 0);
  EXPECT_EQ(score(*schema, "{\"n\": 3"), 0);
}

class CommandRewards : public testing::Test {
 protected:
  double verdict(const std::string& command, const std::string& text = "x") {
    return run(command, text, CommandSays::verdict);
  }
  double number(const std::string& command, const std::string& text = "x") {
    return run(command, text, CommandSays::number);
  }
  double run(const std::string& command, const std::string& text, CommandSays says) {
    warnings_.clear();
    const auto reward = command_reward(
        {.name = "tests",
         .command = command,
         .says = says,
         .failed = -2,
         .limits = {.seconds = 1.5, .memory_bytes = 512 << 20, .file_bytes = 1 << 20},
         .warn = [this](std::string_view line) { warnings_ += line; }});
    return score(*reward, text);
  }
  std::string warnings_;
};

TEST_F(CommandRewards, SayWhatTheirCommandSays) {
  EXPECT_EQ(verdict("grep -q 42", "it is 42"), 1);
  EXPECT_EQ(verdict("grep -q 42", "it is 41"), 0);
  EXPECT_EQ(verdict("test \"$(cat code.txt)\" = 'f(1)'", "Here:\n```python\nf(1)\n```\nDone."), 1);
  EXPECT_EQ(verdict("grep -q answer record.json && grep -q many prompt.txt"), 1);
  EXPECT_EQ(number("echo thinking; wc -c < answer.txt; echo 0.25", "abc"), 0.25);
  EXPECT_EQ(number("wc -c", "abc"), 3);
  EXPECT_EQ(warnings_, "");
}

TEST_F(CommandRewards, ThatFailEarnWhatIsStatedAndSayWhy) {
  EXPECT_EQ(number("echo good"), -2);
  EXPECT_TRUE(contains(warnings_, "printed no number")) << warnings_;
  EXPECT_TRUE(is_one_line(warnings_));
  EXPECT_EQ(number("true"), -2);
  EXPECT_EQ(number("echo nan"), -2);
  EXPECT_EQ(number("echo 3; exit 4"), -2);
  EXPECT_TRUE(contains(warnings_, "exited with status 4"));
  EXPECT_EQ(verdict("kill -9 $$; sleep 0.1; kill -SEGV $$; sleep 9"), -2);
  EXPECT_EQ(number("/no/such/program"), -2);
  EXPECT_TRUE(contains(warnings_, "status 127"));
}

TEST_F(CommandRewards, ThatHangEndWithAllTheyBegan) {
  const auto begin = std::chrono::steady_clock::now();
  const ScratchFolder scratch;
  const std::string mark = (scratch / "mark").string();
  EXPECT_EQ(
      verdict("(sleep 3; echo late > " + mark + ") & setsid sleep 30 & cat /dev/zero > /dev/null"),
      -2);
  EXPECT_TRUE(contains(warnings_, "took more than 1.5 s")) << warnings_;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(taken.count(), 8);
  EXPECT_EQ(verdict("sleep 1000 & true"), 1);  // what stays behind is ended, too
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_FALSE(fs::exists(mark));
}

TEST_F(CommandRewards, WriteNowhereButInTheirFolder) {
  if (!sandbox_isolates()) GTEST_SKIP() << "this system permits no namespaces";
  const ScratchFolder scratch;
  overwrite(scratch / "kept.txt", "before");
  const std::string outside = scratch.path().string();
  EXPECT_EQ(verdict("echo inside > new.txt && test \"$(cat new.txt)\" = inside"), 1);
  EXPECT_EQ(verdict("mkdir -p a/b && mv answer.txt a/b && echo > /dev/null"), 1);
  for (const char* attempt : {"echo x > kept.txt", "echo x > new.txt", "rm kept.txt", "mkdir there",
                              "chmod 777 kept.txt", "ln kept.txt other"})
    EXPECT_EQ(verdict(concat("cd ", outside, " && ", attempt)), 0) << attempt;
  EXPECT_EQ(verdict("echo x > ../outside.txt"), 0);
  EXPECT_EQ(verdict("mount -o remount,rw / && echo x > " + outside + "/new.txt"), 0);
  EXPECT_EQ(read_file(scratch / "kept.txt"), "before");
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator()), 1);
}

// A server that listens here, whom the same command reaches outside the sandbox.
TEST_F(CommandRewards, HaveNoNetwork) {
  if (!sandbox_isolates()) GTEST_SKIP() << "this system permits no namespaces";
  if (!fs::exists("/bin/bash")) GTEST_SKIP() << "no /bin/bash to connect with";
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(server, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(server, 8), 0);
  ASSERT_EQ(::getsockname(server, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string connect =
      concat("/bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/", ntohs(address.sin_port), "'");
  EXPECT_EQ(std::system((connect + " 2> /dev/null").c_str()), 0);
  EXPECT_EQ(verdict(connect), 0);
  ::close(server);
}

TEST_F(CommandRewards, HaveLimits) {
  EXPECT_EQ(verdict("head -c 100000000 /dev/zero > big; test $(wc -c < big) -le 1048576"), 1);
  EXPECT_EQ(verdict("yes | head -c 50000000"), 1);  // output that nobody keeps
  EXPECT_NE(verdict("/usr/bin/python3 -c 'x = bytearray(1 << 30)' || exit 1"), 1);
  EXPECT_EQ(verdict("test -z \"$SECRET$LD_PRELOAD\" && test \"$HOME\" = \"$PWD\""), 1);
}

TEST(MakeRewards, NamesWhatIsWrong) {
  const auto error = [](const RewardSettings& settings) {
    return error_of([&] { make_rewards(settings, 100, DType::f32, {}); });
  };
  RewardSettings settings;
  settings.use = {"exact,length=0.5"};
  const auto both = make_rewards(settings, 100, DType::f32, {});
  EXPECT_EQ(both[1].name, "length");
  EXPECT_EQ(both[1].weight, 0.5);
  EXPECT_EQ(score(*both[1].reward, "", prompt(), 100), -1);
  settings.use = {"exakt"};
  EXPECT_TRUE(contains(error(settings), "\"exakt\" is no reward; there are: exact"));
  settings.use = {"exact=much"};
  EXPECT_TRUE(contains(error(settings), "the weight is not a number"));
  settings.use = {"exact", "exact=2"};
  EXPECT_TRUE(contains(error(settings), "stands there twice"));
  settings.use = {"tests"};
  EXPECT_TRUE(contains(error(settings), "give --test-command"));
}

TEST(RlPrompts, AreReadAndCheckedRecordByRecord) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "prompts.jsonl";
  const auto load = [&](const std::string& text) {
    overwrite(file, text);
    return load_rl_prompts(file);
  };
  const auto read = load(
      "{\"prompt\": \"1+1?\", \"answer\": 2, \"more\": [1]}\n"
      "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"},"
      " {\"role\": \"user\", \"content\": \"2+2?\"},"
      " {\"role\": \"assistant\", \"content\": \"4\"}]}\n");
  ASSERT_EQ(read.prompts.size(), 2u);
  EXPECT_EQ(read.prompts[0].messages[0].content, "1+1?");
  EXPECT_EQ(read.prompts[0].record["more"][0], 1);
  EXPECT_EQ(read.prompts[1].messages.size(), 2u);
  EXPECT_EQ(read.prompts[1].record["answer"], "4");
  const auto error = [&](const std::string& text) { return error_of([&] { load(text); }); };
  EXPECT_TRUE(contains(error("{\"question\": 1}"), "line 1: there is no prompt"));
  EXPECT_TRUE(contains(error("{\"prompt\": 3}"), "expected a text or a list of messages"));
  EXPECT_TRUE(contains(error("{\"prompt\": \" \"}"), "its content is empty"));
  EXPECT_TRUE(contains(error("{\"prompt\": []}"), "there is no prompt"));
  EXPECT_TRUE(contains(error("{\"prompt\": \"a\"}\n{\"prompt\""), "line 2"));
  EXPECT_TRUE(contains(error("[3]"), "expected {"));
  EXPECT_TRUE(contains(error(""), "the file is empty"));
}

}  // namespace
}  // namespace malssi
