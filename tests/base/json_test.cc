#include "base/json.h"

#include <gtest/gtest.h>

#include <chrono>

#include "scratch.h"

namespace malssi {
namespace {

std::string parse_error(std::string_view text, int max_depth = 64) {
  return error_of([&] { parse_json(text, "x.json", max_depth); });
}

TEST(ParseJson, KeepsTheOrderOfKeys) {
  const std::string text = R"({"z":1,"a":{"y":[true,null,-2,1.5]},"m":"\u00e9"})";
  EXPECT_EQ(dump_json(parse_json(text, "x")), R"({"z":1,"a":{"y":[true,null,-2,1.5]},"m":"é"})");
}

TEST(ParseJson, NamesTheLineAndColumnOfAMistake) {
  const std::string message = parse_error("{\"a\": 1,\n \"b\": ?}");
  EXPECT_EQ(message,
            "x.json: not valid JSON: unexpected '?' at line 2, column 7: the file is "
            "damaged or not JSON");
}

TEST(ParseJson, ReportsEveryTruncation) {
  const std::string text =
      R"({"name": "말씨", "list": [1, -2.5e3, {"deep": [true, false, null]}]})";
  for (size_t length = 0; length < text.size(); ++length) {
    const std::string message = parse_error(std::string_view(text).substr(0, length));
    EXPECT_TRUE(is_one_line(message)) << length << ": " << message;
    EXPECT_TRUE(contains(message, "x.json")) << message;
  }
}

TEST(ParseJson, SurvivesEveryFlippedBit) {
  const std::string text =
      R"({"name": "말씨", "list": [1, -2.5e3, {"deep": [true, false, null]}]})";
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string damaged = text;
    damaged[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    const std::string message = parse_error(damaged);
    EXPECT_TRUE(message.empty() || is_one_line(message)) << message;
  }
}

TEST(ParseJson, RefusesWhatJsonDoesNotAllow) {
  for (const char* text :
       {"", " ", "{", "]", "{]", "[1,]", "{\"a\":1,}", "{'a':1}", "NaN", "01", "1 2", "[1] x",
        "\"\xff\"", "\"\x01\"", "\"\\ud800\"", "\"\\q\"", "1e999", "// c\n1"})
    EXPECT_TRUE(is_one_line(parse_error(text))) << text;
}

TEST(ParseJson, RefusesAKeyGivenTwice) {
  EXPECT_TRUE(contains(parse_error(R"({"a":1,"b":2,"a":3})"), "\"a\" is given twice"));
}

TEST(ParseJson, RefusesDeepNesting) {
  EXPECT_EQ(parse_error(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_TRUE(contains(parse_error(std::string(65, '[') + std::string(65, ']')), "deeper than 64"));
  EXPECT_TRUE(contains(parse_error(std::string(10'000'000, '[')), "deeper than 64"));
  EXPECT_TRUE(contains(parse_error(R"({"a":{"b":[]}})", 2), "deeper than 2"));
}

TEST(ParseJson, ReadsObjectsWithManyKeysQuickly) {
  std::string text = "{";
  for (int i = 0; i < 150'000; ++i)
    text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  text.back() = '}';
  const auto start = std::chrono::steady_clock::now();
  const Json json = parse_json(text, "x");
  int64_t sum = 0;
  for (int i = 0; i < 150'000; ++i) sum += json.at("key" + std::to_string(i)).get<int64_t>();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(sum, int64_t{150'000} * 149'999 / 2);
  EXPECT_EQ(dump_json(json), text);
}

TEST(JsonObject, FindsKeysAfterErasingInManyAndFew) {
  for (const int count : {5, 500}) {
    Json json = Json::object();
    for (int i = 0; i < count; ++i) json["k" + std::to_string(i)] = i;
    EXPECT_EQ(json.erase("k2"), 1u);
    EXPECT_EQ(json.erase("k2"), 0u);
    EXPECT_FALSE(json.contains("k2"));
    json["k2"] = "again";
    EXPECT_EQ(json.size(), static_cast<size_t>(count));
    EXPECT_EQ(json.at("k2"), "again");
    EXPECT_EQ(json.at("k" + std::to_string(count - 1)), count - 1);
    EXPECT_EQ(json.begin().key(), "k0");
    const Json copy = json;
    EXPECT_EQ(copy, json);
    json.clear();
    EXPECT_FALSE(json.contains("k0"));
  }
}

TEST(DumpJson, ReplacesInvalidUtf8) {
  const Json json = {{"text", "a\xff"}};
  EXPECT_EQ(dump_json(json), "{\"text\":\"a\xef\xbf\xbd\"}");
}

TEST(DumpJson, WritesNumbersThatReadBackTheSame) {
  for (const double value : {0.1, 1e-5, 1.0 / 3, 1e300, -0.0})
    EXPECT_EQ(parse_json(dump_json(Json(value)), "x").get<double>(), value);
}

TEST(GetFromJson, ReadsEachType) {
  const Json json =
      parse_json(R"({"i":3,"d":1.5,"b":true,"s":"x","l":[1,2],"n":null,"o":{}})", "x");
  EXPECT_EQ(get<int64_t>(json, "i", "x"), 3);
  EXPECT_EQ(get<double>(json, "i", "x"), 3.0);
  EXPECT_EQ(get<double>(json, "d", "x"), 1.5);
  EXPECT_TRUE(get<bool>(json, "b", "x"));
  EXPECT_EQ(get<std::string>(json, "s", "x"), "x");
  EXPECT_EQ(get<std::vector<int64_t>>(json, "l", "x"), (std::vector<int64_t>{1, 2}));
  EXPECT_TRUE(get<Json>(json, "o", "x").is_object());
  EXPECT_EQ(get_or<int64_t>(json, "absent", 7, "x"), 7);
  EXPECT_EQ(get_or<int64_t>(json, "n", 7, "x"), 7);
  EXPECT_EQ(get_or<std::string>(json, "s", "y", "x"), "x");
}

TEST(GetFromJson, NamesWhatIsMissingOrOfAnotherType) {
  const Json json = parse_json(R"({"i":3,"s":"x","big":18446744073709551615,"d":1.5})", "x");
  const auto message = [&](auto type, const char* key) {
    return error_of([&] { get<decltype(type)>(json, key, "config.json"); });
  };
  EXPECT_EQ(message(int64_t{}, "none"), "config.json: \"none\" is missing");
  EXPECT_EQ(message(int64_t{}, "s"),
            "config.json: \"s\" is a string, expected an integer in range");
  EXPECT_EQ(message(int64_t{}, "big"),
            "config.json: \"big\" is an integer, expected an integer in range");
  EXPECT_TRUE(is_one_line(message(int64_t{}, "d")));
  EXPECT_TRUE(is_one_line(message(bool{}, "i")));
  EXPECT_TRUE(is_one_line(message(std::string{}, "i")));
  EXPECT_TRUE(is_one_line(message(std::vector<std::string>{}, "i")));
  EXPECT_TRUE(is_one_line(error_of([] { get<int64_t>(Json(3), "i", "config.json"); })));
}

TEST(LoadJson, NamesTheFile) {
  const ScratchFolder folder;
  const std::string missing = error_of([&] { load_json(folder / "none.json"); });
  EXPECT_TRUE(contains(missing, "none.json") && is_one_line(missing)) << missing;
  write_file(folder / "bad.json", "{");
  EXPECT_TRUE(contains(error_of([&] { load_json(folder / "bad.json"); }), "bad.json"));
}

}  // namespace
}  // namespace malssi
