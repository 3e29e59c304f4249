// ConfigSchema's flags, environment variables and help text.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "base/config.h"
#include "base/config_text.h"
#include "base/error.h"

namespace malssi {

namespace {

std::string leaf_of(const std::string& key) { return key.substr(key.rfind('.') + 1); }

std::string with_dashes(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  return name;
}

std::string variable_name(std::string_view key) {
  std::string name = "MALSSI_";
  for (const char c : key)
    name += c == '.' || c == '-' ? '_' : static_cast<char>(toupper(static_cast<unsigned char>(c)));
  return name;
}

// "model.layers" -> "Model", the heading under which --help lists a flag.
std::string group_of(const std::string& key) {
  std::string group = key.substr(0, key.find('.'));
  if (group == key) return "Options";
  group[0] = static_cast<char>(toupper(static_cast<unsigned char>(group[0])));
  return group;
}

std::string described(const std::string& help, const std::vector<ConfigRule>& rules,
                      const ConfigValue& fallback) {
  std::string out = help;
  for (const ConfigRule& rule : rules) out += "; " + rule.text;
  return out + " (default " + print_value(fallback) + ")";
}

}  // namespace

std::vector<std::string> ConfigSchema::flag_names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) {
    const std::string leaf = leaf_of(entry.key);
    const auto alike = std::count_if(entries_.begin(), entries_.end(), [&](const Entry& other) {
      return leaf_of(other.key) == leaf;
    });
    names.push_back(with_dashes(alike == 1 ? leaf : entry.key));
  }
  return names;
}

void ConfigSchema::add_flags(CLI::App& app) {
  std::vector<std::string> names = flag_names();
  for (size_t i = 0; i < entries_.size(); ++i) {
    const bool taken = app.get_option_no_throw("--" + names[i]) !=
                       nullptr;  // the command has its own flag of that name
    if (taken) names[i] = with_dashes(entries_[i].key);
    const std::string flag = "--" + names[i];
    Entry* entry = &entries_[i];
    const std::string help = described(entry->help, entry->rules, entry->fallback);
    CLI::Option* option = nullptr;
    if (std::holds_alternative<bool*>(entry->field)) {
      option = app.add_flag_function(
          flag + ",!--no-" + names[i],
          [=, this](int64_t count) { assign(*entry, count > 0, Source::flag, flag); }, help);
    } else if (std::holds_alternative<std::vector<std::string>*>(entry->field)) {
      option = app.add_option_function<std::vector<std::string>>(
          flag,
          [=, this](const std::vector<std::string>& items) {
            assign(*entry, items, Source::flag, flag);
          },
          help);
      option->allow_extra_args(
          false);  // one item for each flag, so that what follows stays a positional argument
    } else {
      option = app.add_option_function<std::string>(
          flag,
          [=, this](const std::string& text) { assign_text(*entry, text, Source::flag, flag); },
          help);
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
    option->group(group_of(entry->key));
    if (!std::holds_alternative<bool*>(entry->field)) option->type_name("");
  }
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [this](const std::vector<std::string>& pairs) {
           for (const std::string& pair : pairs) set(pair);
         },
         "set any key of the config, as --set optim.lr=0.001; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

void ConfigSchema::load_environment() {
  for (Entry& entry : entries_) {
    const std::string name = variable_name(entry.key);
    if (const char* text = std::getenv(name.c_str()))
      assign_text(entry, text, Source::environment, name);
  }
}

std::string ConfigSchema::help() const {
  size_t width = 0;
  for (const Entry& entry : entries_) width = std::max(width, entry.key.size());
  std::string out;
  for (const Entry& entry : entries_)
    out += fmt::format("{:<{}}  {}\n", entry.key, width,
                       described(entry.help, entry.rules, entry.fallback));
  return out;
}

}  // namespace malssi
