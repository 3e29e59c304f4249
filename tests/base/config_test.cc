#include "base/config.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace malssi {
namespace {

struct Inner {
  int64_t layers = 4;
  int64_t heads = 2;
  template <class V>
  void visit(V& v) {
    v("layers", layers, "number of blocks", at_least(1), at_most(100));
    v("heads", heads, "attention heads", at_least(1));
  }
};

struct Config {
  Inner model;
  std::string name = "run";
  double lr = 1e-3;
  std::string schedule = "cosine";
  bool tied = true;
  std::vector<std::string> paths;
  int64_t seed = 1;
  template <class V>
  void visit(V& v) {
    v("name", name, "what to call it", not_empty());
    v("model", model);
    v("optim.lr", lr, "learning rate", above(0));
    v("optim.schedule", schedule, "learning-rate curve", one_of({"cosine", "linear"}));
    v("model.tied", tied, "share the output layer");
    v("data.paths", paths, "text files");
    v("train.seed", seed, "random seed");
  }
  void check() const { REQUIRE(model.layers % model.heads == 0, "heads do not divide layers"); }
};

// The message of the E that action throws; "" when it throws none.
template <class E, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

TEST(Config, LoadsNestedTablesAndDottedKeys) {
  Config config;
  ConfigSchema schema(config);
  schema.load_toml_text(
      "name = 'a'\nmodel.layers = 8\n[optim]\nlr = 1\n[data]\npaths = ['x', 'y']\n", "r.toml");
  EXPECT_EQ(config.name, "a");
  EXPECT_EQ(config.model.layers, 8);
  EXPECT_EQ(config.lr, 1.0);
  EXPECT_EQ(config.paths, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(schema.is_set("optim.lr"));
  EXPECT_FALSE(schema.is_set("optim.schedule"));
}

TEST(Config, TakesWholeNumbersWrittenAsFloats) {
  Config config;
  ConfigSchema(config).load_toml_text("[model]\nlayers = 1e1\n", "r.toml");
  EXPECT_EQ(config.model.layers, 10);
}

TEST(Config, UnknownKeyNamesTheNearestKnownOneAndItsLine) {
  Config config;
  ConfigSchema schema(config);
  EXPECT_EQ(
      message_of<Error>([&] { schema.load_toml_text("[optim]\nshedule = 'linear'\n", "r.toml"); }),
      "r.toml:2: unknown key 'optim.shedule'; did you mean 'optim.schedule'?");
  EXPECT_EQ(message_of<Error>([&] { schema.load_toml_text("[train]\nlayers = 3\n", "r.toml"); }),
            "r.toml:2: unknown key 'train.layers'; did you mean 'model.layers'?");
  EXPECT_NE(message_of<Error>([&] {
              schema.load_toml_text("[zebra]\n", "r.toml");
            }).find("the known keys are name,"),
            std::string::npos);
}

TEST(Config, WrongTypeSaysWhatWasFoundAndExpected) {
  Config config;
  ConfigSchema schema(config);
  const auto load = [&](std::string_view text) {
    return message_of<Error>([&] { schema.load_toml_text(text, "r.toml"); });
  };
  EXPECT_EQ(load("[model]\nlayers = 'four'"),
            "r.toml:2: 'model.layers' is 'four' but must be a whole number");
  EXPECT_EQ(load("[model]\nlayers = 2.5"),
            "r.toml:2: 'model.layers' is 2.5 but must be a whole number");
  EXPECT_EQ(load("optim.lr = true"), "r.toml:1: 'optim.lr' is true but must be a number");
  EXPECT_EQ(load("data.paths = [1]"),
            "r.toml:1: 'data.paths' is a list but must be a list of strings");
  EXPECT_EQ(load("model.tied = 'yes'"),
            "r.toml:1: 'model.tied' is 'yes' but must be true or false");
}

TEST(Config, BadSyntaxNamesThePlace) {
  Config config;
  ConfigSchema schema(config);
  const std::string message =
      message_of<Error>([&] { schema.load_toml_text("a = 1\nb == 2\n", "r.toml"); });
  EXPECT_EQ(message.find("r.toml:2:"), 0u) << message;
  EXPECT_NE(message_of<Error>([&] { schema.load_toml("/nowhere/r.toml"); }).find("/nowhere/r.toml"),
            std::string::npos);
}

TEST(Config, EveryTruncationOfAFileIsAnErrorOrAPrefix) {
  Config config;
  const std::string text = ConfigSchema(config).to_toml();
  for (size_t length = 0; length < text.size(); ++length) {
    Config other;
    ConfigSchema schema(other);
    try {
      schema.load_toml_text(text.substr(0, length), "r.toml");
    } catch (const Error&) {
    }
  }
}

TEST(Config, SetTakesTextFromTheCommandLine) {
  Config config;
  ConfigSchema schema(config);
  for (const char* pair :
       {"model.layers=1_000", "optim.lr=3e-4", "model.tied=off", "data.paths=a,b", "name=x=y"})
    schema.set(pair);
  EXPECT_EQ(config.model.layers, 1000);
  EXPECT_EQ(config.lr, 3e-4);
  EXPECT_FALSE(config.tied);
  EXPECT_EQ(config.paths, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.name, "x=y");
  schema.set("data.paths=[\"a,b\", 'c']");
  EXPECT_EQ(config.paths, (std::vector<std::string>{"a,b", "c"}));
  schema.set("train.seed=9223372036854775807");
  EXPECT_EQ(config.seed, INT64_MAX);
  schema.set("train.seed=1e6");
  EXPECT_EQ(config.seed, 1000000);
}

TEST(Config, SetRefusesWhatDoesNotFit) {
  Config config;
  ConfigSchema schema(config);
  for (const char* pair :
       {"", "layers", "=3", "model.layers=", "model.layers=four", "model.layers=1.5",
        "model.layers=99999999999999999999", "model.layers=1__0", "optim.lr=1x", "model.tied=maybe",
        "data.paths=[1]", "data.paths=[", "data.paths=['a']\nb=1"})
    EXPECT_THROW(schema.set(pair), UsageError) << pair;
  EXPECT_EQ(message_of<UsageError>([&] { schema.set("optim.rl=1"); }),
            "--set: unknown key 'optim.rl'; did you mean 'optim.lr'?");
}

TEST(Config, FlagsOverrideEnvironmentOverridesFileWhateverTheOrder) {
  Config config;
  ConfigSchema schema(config);
  schema.set("model.layers=1");
  setenv("MALSSI_MODEL_LAYERS", "2", 1);
  setenv("MALSSI_OPTIM_LR", "0.5", 1);
  schema.load_environment();
  unsetenv("MALSSI_MODEL_LAYERS");
  unsetenv("MALSSI_OPTIM_LR");
  schema.load_toml_text("name = 'file'\n[model]\nlayers = 3\n[optim]\nlr = 0.1\n", "r.toml");
  EXPECT_EQ(config.model.layers, 1);
  EXPECT_EQ(config.lr, 0.5);
  EXPECT_EQ(config.name, "file");
}

TEST(Config, BadEnvironmentNamesTheVariable) {
  Config config;
  ConfigSchema schema(config);
  setenv("MALSSI_OPTIM_LR", "fast", 1);
  EXPECT_EQ(message_of<Error>([&] { schema.load_environment(); }),
            "MALSSI_OPTIM_LR: 'optim.lr' is 'fast' but must be a number");
  unsetenv("MALSSI_OPTIM_LR");
}

TEST(Config, ChecksNameTheKeyItsOriginAndTheRule) {
  Config config;
  ConfigSchema schema(config);
  EXPECT_NO_THROW(schema.check());
  schema.load_toml_text("\n[model]\nlayers = 0\n", "r.toml");
  EXPECT_EQ(message_of<Error>([&] { schema.check(); }),
            "r.toml:3: 'model.layers' is 0 but must be at least 1");
  schema.set("model.layers=2");
  schema.set("optim.schedule=cosin");
  EXPECT_EQ(message_of<UsageError>([&] { schema.check(); }),
            "--set: 'optim.schedule' is \"cosin\" but must be one of cosine, linear; did you mean "
            "'cosine'?");
  schema.set("optim.schedule=linear");
  schema.set("optim.lr=inf");
  EXPECT_THROW(schema.check(), UsageError);
  schema.set("optim.lr=0");
  EXPECT_THROW(schema.check(), UsageError);
}

TEST(Config, ChecksRunTheConfigsOwnRules) {
  Config config;
  ConfigSchema schema(config);
  schema.set("model.layers=3");
  EXPECT_EQ(message_of<Error>([&] { schema.check(); }), "heads do not divide layers");
}

TEST(Config, TomlRoundTripsEveryValue) {
  Config config;
  config.name = "quote \" back \\ line\n tab\t bell\a 한국어";
  config.lr = 0.1 + 0.2;
  config.seed = INT64_MIN;
  config.tied = false;
  config.paths = {"a b", "", "c\"d"};
  Config copy;
  ConfigSchema(copy).load_toml_text(ConfigSchema(config).to_toml(), "copy.toml");
  EXPECT_EQ(copy.name, config.name);
  EXPECT_EQ(copy.lr, config.lr);
  EXPECT_EQ(copy.seed, config.seed);
  EXPECT_EQ(copy.tied, config.tied);
  EXPECT_EQ(copy.paths, config.paths);
}

TEST(Config, JsonIsNested) {
  Config config;
  EXPECT_EQ(ConfigSchema(config).to_json().dump(),
            R"({"name":"run","model":{"layers":4,"heads":2,"tied":true},)"
            R"("optim":{"lr":0.001,"schedule":"cosine"},"data":{"paths":[]},"train":{"seed":1}})");
}

TEST(Config, HelpShowsMeaningRuleAndDefault) {
  Config config;
  const std::string help = ConfigSchema(config).help();
  EXPECT_NE(
      help.find(
          "optim.schedule  learning-rate curve; one of cosine, linear (default \"cosine\")\n"),
      std::string::npos)
      << help;
}

struct Flags {
  Config config;
  ConfigSchema schema{config};
  CLI::App app;
  std::string recipe;
  Flags() {
    app.add_option("recipe", recipe);
    schema.add_flags(app);
  }
  void parse(std::string line) { app.parse(line); }
};

TEST(ConfigFlags, SetFieldsByTheLastPartOfTheirKeys) {
  Flags flags;
  flags.parse(
      "r.toml --layers 6 --lr=0.5 --no-tied --paths a --paths b --set optim.schedule=linear --set "
      "name=n");
  EXPECT_EQ(flags.recipe, "r.toml");
  EXPECT_EQ(flags.config.model.layers, 6);
  EXPECT_EQ(flags.config.lr, 0.5);
  EXPECT_FALSE(flags.config.tied);
  EXPECT_EQ(flags.config.paths, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(flags.config.schedule, "linear");
  EXPECT_EQ(flags.config.name, "n");
}

TEST(ConfigFlags, DoNotSwallowWhatFollowsThem) {
  Flags flags;
  flags.parse("--paths a r.toml");
  EXPECT_EQ(flags.config.paths, (std::vector<std::string>{"a"}));
  EXPECT_EQ(flags.recipe, "r.toml");
}

TEST(ConfigFlags, BadValueNamesTheFlag) {
  Flags flags;
  EXPECT_EQ(message_of<UsageError>([&] { flags.parse("--layers many"); }),
            "--layers: 'model.layers' is 'many' but must be a whole number");
}

struct Alike {
  double encoder = 1, decoder = 2;
  template <class V>
  void visit(V& v) {
    v("encoder.rate", encoder, "rate");
    v("decoder.rate", decoder, "rate");
  }
};

TEST(ConfigFlags, UseTheWholeKeyWhereTwoEndAlikeOrTheNameIsTaken) {
  Alike alike;
  ConfigSchema schema(alike);
  CLI::App app;
  schema.add_flags(app);
  app.parse("--encoder-rate 5 --decoder-rate 6");
  EXPECT_EQ(alike.encoder, 5);
  EXPECT_EQ(alike.decoder, 6);

  Config config;
  ConfigSchema other(config);
  CLI::App taken;
  int64_t layers = 0;
  taken.add_option("--layers", layers);
  other.add_flags(taken);
  taken.parse("--layers 7 --model-layers 8");
  EXPECT_EQ(layers, 7);
  EXPECT_EQ(config.model.layers, 8);
}

}  // namespace
}  // namespace malssi
