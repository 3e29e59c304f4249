#include "io/model_folder.h"

#include <gtest/gtest.h>

#include "io/safetensors.h"
#include "io/tiny_model.h"
#include "scratch.h"

namespace malssi {
namespace {

class ModelFolder : public testing::Test {
 protected:
  void save(const ModelConfig& config = tiny_config(), const ChatTemplate* chat = nullptr) {
    const auto model = make_model(config, DType::f32, 1);
    save_model(folder_, *model, *tiny_tokenizer(), chat);
  }
  std::string load_error() {
    const std::string message = error_of([&] { load_model(folder_, DType::f32); });
    EXPECT_TRUE(message.empty() || is_one_line(message)) << message;
    return message;
  }
  std::string load_error_with(std::string_view file, std::string_view content) {
    const std::string before = read_file(folder_ / file);
    overwrite(folder_ / file, content);
    const std::string message = load_error();
    overwrite(folder_ / file, before);
    return message;
  }
  Json config_with(const std::string& key, const Json& value) {
    Json config = load_json(folder_ / "config.json");
    config[key] = value;
    return config;
  }
  // Loads with the file cut at every position; all must fail, except where nothing but spaces is lost.
  void expect_errors_at_every_truncation(std::string_view file) {
    const std::string content = read_file(folder_ / file);
    const size_t end = file.ends_with(".json") ? content.rfind('}') : content.size() - 1;
    for (size_t length = 0; length <= end; ++length) {
      overwrite(folder_ / file, content.substr(0, length));
      const std::string message = load_error();
      EXPECT_TRUE(contains(message, file)) << file << " cut to " << length << ": " << message;
    }
  }
  // The weights as two shards with an index.
  void split_into_shards() {
    const Safetensors whole(folder_ / "model.safetensors");
    std::vector<NamedTensor> shards[2];
    Json names = Json::object();
    for (const Entry& entry : whole.entries()) {
      const size_t shard = names.size() % 2;
      shards[shard].push_back({entry.name, load_tensor(entry, "")});
      names[entry.name] =
          shard == 0 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
    }
    write_safetensors(folder_ / "model-00001-of-00002.safetensors", shards[0]);
    write_safetensors(folder_ / "model-00002-of-00002.safetensors", shards[1]);
    const Json index = {{"metadata", {{"total_size", 1}}}, {"weight_map", names}};
    overwrite(folder_ / "model.safetensors.index.json", dump_json(index));
    fs::remove(folder_ / "model.safetensors");
  }

  ScratchFolder scratch_;
  fs::path folder_ = scratch_ / "model";
};

TEST_F(ModelFolder, ComesBackWithTheSameLogits) {
  for (const char* family : {"gpt2", "llama"}) {
    for (const bool tied : {false, true}) {
      for (const bool bias : {false, true}) {
        for (const DType dtype : {DType::f32, DType::bf16}) {
          ModelConfig config = tiny_config(family);
          config.tied = tied;
          config.bias = bias;
          const auto model = make_model(config, dtype, 3);
          save_model(folder_, *model, *tiny_tokenizer(), nullptr, {.dtype = dtype});
          const LoadedModel loaded = load_model(folder_, dtype);
          EXPECT_EQ(tiny_logits(*loaded.model), tiny_logits(*model)) << family << tied << bias;
          EXPECT_EQ(loaded.tokenizer->encode("a가b"), tiny_tokenizer()->encode("a가b"));
          EXPECT_EQ(loaded.model->config().eos_id, 5);
        }
      }
    }
  }
}

TEST_F(ModelFolder, HoldsWhatOtherProgramsLookFor) {
  const ChatTemplate chat;
  auto tokenizer = tiny_tokenizer();
  for (const std::string& token : chat.special_tokens()) tokenizer->add_special(token);
  ModelConfig config = tiny_config();
  config.vocab = tokenizer->vocab_size();
  const auto model = make_model(config, DType::f32, 1);
  save_model(folder_, *model, *tokenizer, &chat,
             {.generation = {{"temperature", 0.5}},
              .card = {.title = "Tiny", .facts = {{"Data", "none | at all"}}}});
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json",
                           "tokenizer_config.json", "generation_config.json", "README.md"})
    EXPECT_TRUE(fs::is_regular_file(folder_ / file)) << file;
  const Json json = load_json(folder_ / "config.json");
  EXPECT_EQ(json.at("architectures"), Json({"LlamaForCausalLM"}));
  EXPECT_EQ(json.at("torch_dtype"), "float32");
  EXPECT_EQ(Safetensors(folder_ / "model.safetensors").metadata().at("format"), "pt");
  EXPECT_NE(
      Safetensors(folder_ / "model.safetensors").find("model.layers.0.self_attn.q_proj.weight"),
      nullptr);
  const std::string card = read_file(folder_ / "README.md");
  EXPECT_TRUE(contains(card, "# Tiny") && contains(card, "| Data | none \\| at all |")) << card;
  const LoadedModel loaded = load_model(folder_, DType::f32);
  EXPECT_EQ(loaded.dialogue().jinja(), chat.jinja());
  EXPECT_EQ(loaded.generation.at("temperature"), 0.5);
  EXPECT_TRUE(loaded.generation.contains("eos_token_id"));
}

TEST_F(ModelFolder, ReportsEveryTruncationOfEachFile) {
  for (const char* file : {"config.json", "tokenizer.json", "tokenizer_config.json",
                           "generation_config.json", "model.safetensors"}) {
    save();
    expect_errors_at_every_truncation(file);
    fs::remove_all(folder_);
  }
}

TEST_F(ModelFolder, IsReadFromShards) {
  save();
  const std::vector<float> expected = tiny_logits(*load_model(folder_, DType::f32).model);
  split_into_shards();
  EXPECT_EQ(tiny_logits(*load_model(folder_, DType::f32).model), expected);
  expect_errors_at_every_truncation("model.safetensors.index.json");
  fs::remove(folder_ / "model-00002-of-00002.safetensors");
  EXPECT_NE(load_error(), "");
}

TEST_F(ModelFolder, RefusesAnIndexThatDoesNotFit) {
  save();
  split_into_shards();
  const std::string index = "model.safetensors.index.json";
  for (const char* map :
       {R"({})", R"(3)", R"({"a":3})", R"({"a":"../x.safetensors"})", R"({"a":"/x.safetensors"})",
        R"({"a":"x.bin"})", R"({"a":"none.safetensors"})", R"({"a":"."})", R"({"a":""})"})
    EXPECT_NE(load_error_with(index, concat(R"({"weight_map":)", map, "}")), "") << map;
  const std::string wrong = R"({"weight_map":{"absent":"model-00001-of-00002.safetensors"}})";
  EXPECT_TRUE(contains(load_error_with(index, wrong), "does not hold it"));
}

TEST_F(ModelFolder, IsMissedWithAHint) {
  EXPECT_TRUE(contains(load_error(), "no such folder"));
  overwrite(folder_, "");
  EXPECT_TRUE(contains(load_error(), "it is a file"));
  fs::remove(folder_);
  fs::create_directory(folder_);
  EXPECT_TRUE(contains(load_error(), "no config.json"));
  const auto model = make_model(tiny_config(), DType::f32, 1);
  save_model(folder_ / "a" / "b", *model, *tiny_tokenizer(), nullptr);
  EXPECT_TRUE(contains(load_error(), "did you mean " + (folder_ / "a" / "b").string()));
}

TEST_F(ModelFolder, IsFoundInARun) {
  const auto model = make_model(tiny_config(), DType::f32, 1);
  for (const char* inside : {"checkpoints/latest", "best", "model"}) {
    save_model(folder_ / inside, *model, *tiny_tokenizer(), nullptr);
    EXPECT_EQ(find_model(folder_), folder_ / inside);
  }
  EXPECT_EQ(load_error(), "");
}

TEST_F(ModelFolder, WithoutWeightsIsNoModel) {
  save();
  fs::remove(folder_ / "model.safetensors");
  EXPECT_TRUE(contains(load_error(), "without weights"));
  overwrite(folder_ / "pytorch_model.bin", "");
  EXPECT_TRUE(contains(load_error(), "pickle"));
}

TEST_F(ModelFolder, WithoutATokenizerIsNoModel) {
  save();
  fs::remove(folder_ / "tokenizer.json");
  EXPECT_NE(load_error(), "");
}

TEST_F(ModelFolder, RefusesWeightsOfAnotherModel) {
  save();
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, Json>>{{"hidden_size", 16},
                                                 {"num_hidden_layers", 2},
                                                 {"intermediate_size", 16},
                                                 {"vocab_size", 9},
                                                 {"tie_word_embeddings", false},
                                                 {"num_key_value_heads", 2},
                                                 {"attention_bias", true}})
    EXPECT_NE(load_error_with("config.json", dump_json(config_with(key, value))), "") << key;
  ModelConfig deeper = tiny_config();
  deeper.layers = 2;
  const auto other = make_model(deeper, DType::f32, 1);
  write_safetensors(folder_ / "model.safetensors", export_weights(*other));
  EXPECT_TRUE(contains(load_error(), "model.layers.1."));
}

TEST_F(ModelFolder, RefusesAConfigurationThatCannotBe) {
  save();
  EXPECT_TRUE(contains(load_error_with("config.json", dump_json(config_with("model_type", "rwkv"))),
                       "rwkv"));
  EXPECT_NE(load_error_with("config.json", dump_json(config_with("vocab_size", 5))), "");
  for (const char* key :
       {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "intermediate_size", "max_position_embeddings", "head_dim"})
    for (const Json& value :
         {Json(-1), Json(int64_t{1} << 62), Json("8"), Json(1.5), Json(false), Json::array()})
      EXPECT_NE(load_error_with("config.json", dump_json(config_with(key, value))), "")
          << key << value;
}

TEST_F(ModelFolder, RefusesSizesFarBeyondItsFilesBeforeTakingMemory) {
  save();
  Json config = config_with("vocab_size", 1 << 20);
  config["hidden_size"] = 1 << 16;
  config["num_attention_heads"] = 1 << 10;
  EXPECT_TRUE(
      contains(load_error_with("config.json", dump_json(config)), "do not belong together"));
  const std::string endless = dump_json(config_with("max_position_embeddings", 1 << 24));
  EXPECT_TRUE(contains(load_error_with("config.json", endless), "beyond belief"));
}

TEST_F(ModelFolder, LoadsAForeignChatTemplate) {
  save();
  overwrite(folder_ / "chat_template.jinja", "{{ messages[0].content }}");
  const Message messages[] = {{"user", "Hello"}};
  EXPECT_EQ(load_model(folder_, DType::f32).dialogue().render_text(messages, true), "Hello");
}

TEST_F(ModelFolder, LoadsWithABrokenChatTemplateButDoesNotChat) {
  save();
  Json config = load_json(folder_ / "tokenizer_config.json");
  config["chat_template"] = "{% messages %}";
  overwrite(folder_ / "tokenizer_config.json", dump_json(config));
  const LoadedModel loaded = load_model(folder_, DType::f32);
  EXPECT_FALSE(loaded.chat);
  EXPECT_TRUE(is_one_line(error_of([&] { loaded.dialogue(); })));
}

TEST_F(ModelFolder, IsReplacedOnlyIfItIsOurs) {
  save();
  save();
  overwrite(folder_ / "notes.txt", "mine");
  EXPECT_TRUE(contains(error_of([&] { save(); }), "notes.txt"));
}

}  // namespace
}  // namespace malssi
