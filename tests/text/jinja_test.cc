// The Jinja interpreter against Jinja2 itself (fixtures/make_jinja_fixtures.py), its marks, and
// what hostile templates meet.
#include <gtest/gtest.h>

#include "base/json.h"
#include "scratch.h"
#include "text/jinja/template.h"
#include "text/text_tools.h"

namespace malssi::jinja {
namespace {

RenderSettings at_the_fixtures_time() {
  RenderSettings settings;
  settings.now.tm_year = 2026 - 1900;
  settings.now.tm_mon = 10;
  settings.now.tm_mday = 21;
  settings.now.tm_hour = 9;
  settings.now.tm_min = 5;
  settings.now.tm_wday = 6;
  settings.now.tm_yday = 324;
  return settings;
}

std::string rendered(std::string_view source, std::vector<Variable> variables = {},
                     const RenderSettings& settings = at_the_fixtures_time()) {
  return std::string(Template(source, "template").render(variables, settings).bytes());
}

const Json& golden() {
  static const Json json = parse_json(read_file(fixture("jinja_golden.json")), "jinja_golden.json");
  return json;
}

TEST(Jinja, RendersEveryFamilysTemplateAsJinja2Does) {
  int64_t compared = 0;
  for (const Json& entry : golden()["templates"]) {
    const auto name = entry["name"].get<std::string>();
    const Template made(read_file(fixture("jinja/" + name)), name);
    for (const Json& one : entry["cases"]) {
      std::vector<Variable> variables = {
          {.name = "messages",
           .value = golden()["dialogues"][one["dialogue"].get<std::string>()],
           .mark = 1,
           .marks_items = true},
          {.name = "add_generation_prompt", .value = one["prompt"]},
          {.name = "bos_token", .value = "<s>"},
          {.name = "eos_token", .value = "</s>"},
          {.name = "tools", .value = nullptr}};
      for (const auto& [key, value] : one["more"].get_ref<const Json::object_t&>())
        variables.push_back({.name = key, .value = value});
      const auto ours = [&] {
        return std::string(made.render(variables, at_the_fixtures_time()).bytes());
      };
      if (one["text"].is_null())
        EXPECT_THROW(ours(), Error) << name << " " << dump_json(one);
      else
        EXPECT_EQ(ours(), one["text"].get<std::string>()) << name << " " << dump_json(one);
      ++compared;
    }
  }
  EXPECT_GE(compared, 300);
}

TEST(Jinja, DoesInSmallWhatJinja2Does) {
  for (const Json& snippet : golden()["snippets"]) {
    const auto source = snippet["jinja"].get<std::string>();
    try {
      EXPECT_EQ(rendered(source, {{.name = "x", .value = 5}}), snippet["text"].get<std::string>())
          << source;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what() << "\n" << source;
    }
  }
}

TEST(Jinja, KeepsTheMarksOfDataThroughWhateverATemplateDoes) {
  const Variable data{.name = "u", .value = "  One<end>Two 말 ", .mark = 7};
  for (const char* expression :
       {"u", "u | trim", "u.strip().upper()", "u.split('<')[1]", "u.replace('One', u)", "u[4:12]",
        "('<' ~ u ~ '>')[1:-1]", "[u, u] | join", "{'k': u}['k'] | title", "u | list | join",
        "u | indent", "'{}'.format(u)", "u | e", "u | reverse", "[u] | sort | first", "u * 2"}) {
    const std::string source = concat("{{ ", expression, " }}");
    const Text text = Template(source, "t").render({data});
    EXPECT_FALSE(text.empty());
    for (size_t i = 0; i < text.size(); ++i) EXPECT_EQ(text.mark(i), 7) << source << " at " << i;
  }
  const Text mixed =
      Template("<{{ [u] | tojson }}{% set x %}a{{ u }}{% endset %}{{ x }}>", "t").render({data});
  for (size_t i = 0; i < mixed.size(); ++i)
    EXPECT_EQ(mixed.mark(i) == 7,
              mixed.bytes().find_first_of("[]\"a", i) != i && i > 0 && i + 1 < mixed.size())
        << i;
}

TEST(Jinja, MarksWhatGenerationEncloses) {
  const Text text = Template("a{% generation %}b{{ u }}{% endgeneration %}c", "t")
                        .render({{.name = "u", .value = "X", .mark = 3}});
  ASSERT_EQ(text.bytes(), "abXc");
  EXPECT_EQ(text.mark(0), 0);
  EXPECT_EQ(text.mark(1), kGeneration);
  EXPECT_EQ(text.mark(2), kGeneration | 3);
  EXPECT_EQ(text.mark(3), 0);
}

TEST(Jinja, ErrorsNameTemplateLineAndWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"a\n{{ x", "line 2: a tag is not closed"},
      {"{% if a %}", "the template ends before {% endif %}"},
      {"\n\n{% endif %}", "line 3: unexpected {% endif %}"},
      {"{% for x in y %}{% endif %}", "expected {% endfor %}"},
      {"{% include 'x' %}", "{% include %} is not supported"},
      {"{{ 'a }}", "a string is not closed"},
      {"{{ a b }}", "expected the end of the tag, found 'b'"},
      {"{{ (1 }}", "unexpected '}'"},
      {"\n{{ nothing.member }}", "line 2: 'nothing', which is undefined, has no member 'member'"},
      {"{{ 1 | shout }}", "there is no filter 'shout'"},
      {"{{ 1 is shout }}", "there is no test 'shout'"},
      {"{{ shout() }}", "'shout', which is undefined, cannot be called"},
      {"{{ 'a'.shout() }}", "a string has no method 'shout'"},
      {"{{ 'a' + 1 }}", "a string + an integer has no meaning"},
      {"{{ 1 / 0 }}", "division by zero"},
      {"{{ 9223372036854775807 + 1 }}", "too large"},
      {"{{ 99999999999999999999 }}", "too large"},
      {"{% for x in 5 %}{% endfor %}", "an integer cannot be iterated over"},
      {"{% set a, b = [1] %}", "cannot unpack 1 values into 2 variables"},
      {"{% set x.y = 1 %}", "is no namespace"},
      {"{{ 1 < 'a' }}", "have no order"},
      {"{{ raise_exception('no\nway') }}", "the template refuses this dialogue: no way"},
      {"{{ 'a' | trim(1, 2) }}", "takes at most 1 arguments"},
      {"{{ 'a' | tojson(indnt=2) }}", "takes no argument named 'indnt'"},
      {"{{ {[]: 1} }}", "cannot be the key of a dict"},
      {"{{ macro }}{% macro %}", "expected the macro's name"},
      {"{{ ''.__class__.__mro__ }}", "has no member '__mro__'"},
  };
  for (const auto& [source, what] : wrong) {
    const std::string message = error_of([&, source = source] { rendered(source); });
    EXPECT_TRUE(is_one_line(message)) << source << ": " << message;
    EXPECT_TRUE(contains(message, "template: line ")) << source << ": " << message;
    EXPECT_TRUE(contains(message, what)) << source << ": " << message;
  }
}

TEST(Jinja, HostileTemplatesMeetALimit) {
  std::string nested, brackets = "{{ ", minus = "{{ ", sum = "{{ 1", growth = "{% set x = 'ab' %}";
  for (int i = 0; i < 300; ++i) nested += "{% if true %}";
  for (int i = 0; i < 1000; ++i) brackets += '(';
  for (int i = 0; i < 1000; ++i) minus += "not ";
  for (int i = 0; i < 10'000; ++i) sum += " + 1";
  for (int i = 0; i < 64; ++i) growth += "{% set x = x ~ x %}";
  std::string shared = "{% set a = [1] %}";
  for (int i = 0; i < 60; ++i) shared += "{% set a = [a, a] %}";
  const std::pair<std::string, const char*> hostile[] = {
      {"{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}", "memory"},
      {"{% for a in range(90000) %}{{ 'a lot of text, again and again' }}{% endfor %}",
       "writes more than"},
      {"{{ 'x' * 1000000000000 }}", "memory"},
      {"{{ 'x' * 9000000000000000000 * 100 }}", "memory"},
      {"{{ [1] * 1000000000 }}", "memory"},
      {growth, "memory"},
      {"{{ range(1000000000) }}", "range of more than"},
      {"{{ range(-9223372036854775807, 9223372036854775807) }}", "range of more than"},
      {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macro calls nested deeper"},
      {"{% set l = [] %}{% set _ = l.append(l) %}{{ l }}", "nested deeper"},
      {"{% set l = [] %}{% set _ = l.append(l) %}{{ l | tojson }}", "nested deeper"},
      {"{% set l = [] %}{% set m = [] %}{% set _ = l.append(m) %}{% set _ = m.append(l) %}"
       "{% set n = [m] %}{{ n == l }}",
       "nested deeper"},
      {shared + "{{ a }}", "a text takes more"},
      {shared + "{{ a | tojson }}", "a text takes more"},
      {shared + "{{ a == [a[0], a[0]] }}", "steps"},
      {"{% set l = ['x'] %}{% for i in range(99999) %}{% set _ = l.extend(l) %}{% endfor %}",
       "memory"},
      {"{{ 'a' | indent(999999999) }}", "indent by"},
      {"{{ [[1]] | tojson(indent=999999999) }}", "indent is"},
      {"{% set x = 'x' * 1000000 %}{{ x.replace('x', x) }}", "memory"},
      {"{% set x = 'x' * 1000000 %}{{ x.replace('', x) }}", "memory"},
      {"{% set x = 'x' * 100000 %}{{ x | list | join(x) }}", "memory"},
      {"{{ ('x' * 1000000).split('x') }}", "memory"},
      {"{{ ('x' * 1000000).split() }}", "memory"},
      {"{{ ('x' * 1000000) | list }}", "memory"},
      {"{% set x = 'x' * 1000000 %}{{ [x] * 1000 }}", "a text takes more"},
      {"{% set x = 'x' * 1000000 %}{{ ([x] * 1000) | tojson }}", "a text takes more"},
      {"{% set x = 'x' * 1000000 %}{{ '%s%s' % (x, x) }}", "a text takes more"},
      {"{% set x = 'x' * 1000000 %}{{ '{0}{0}'.format(x) }}", "a text takes more"},
      {"{% set x = 'x' * 1000000 %}{{ x ~ x }}", "a text takes more"},
      {"{% set l = [] %}{% for i in range(99999) %}{% set _ = l.append({}['" +
           std::string(100'000, 'x') + "']) %}{% endfor %}",
       "memory"},
      {"{{ strftime_now('%d' * 1000) }}", "a format of"},
      {nested, "nested deeper than 200 levels"},
      {brackets + std::string(1000, ')') + " }}", "nested deeper than 200 levels"},
      {minus + "x }}", "nested deeper than 200 levels"},
      {sum + " }}", "too long"},
      {std::string(129 << 10, 'x'), "expected at most"},
      {"\xff", "not UTF-8"},
  };
  for (const auto& [source, what] : hostile) {
    const std::string message = error_of([&, &source = source] { rendered(source); });
    EXPECT_TRUE(contains(message, what)) << source.substr(0, 80) << ": " << message;
  }
}

TEST(Jinja, SurvivesAnyDamageToATemplate) {
  Rng rng(3);
  const Json& dialogues = golden()["dialogues"];
  for (const Json& entry : golden()["templates"]) {
    const std::string whole = read_file(fixture("jinja/" + entry["name"].get<std::string>()));
    int64_t survived = 0;
    for (int trial = 0; trial < 60; ++trial) {
      std::string source = whole;
      for (int cut = 0; cut < 3; ++cut) {
        const auto at = static_cast<size_t>(rng.below(source.size()));
        const auto other = static_cast<size_t>(rng.below(whole.size()));
        source.replace(at, rng.below(8), whole.substr(other, rng.below(8)));
      }
      try {
        rendered(source, {{.name = "messages", .value = dialogues["call"]}});
        ++survived;
      } catch (const Error&) {
        continue;
      }
    }
    EXPECT_LT(survived, 60) << entry["name"];
  }
}

}  // namespace
}  // namespace malssi::jinja
