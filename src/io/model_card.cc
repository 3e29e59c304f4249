#include "io/model_card.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "models/classifier.h"
#include "models/value_head.h"

namespace malssi {
namespace {

// Text of one table cell or line: no line breaks, no cell borders.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  for (size_t at = line.find('|'); at != line.npos; at = line.find('|', at + 2))
    line.insert(at, "\\");
  return line;
}

std::string row(std::string_view name, const std::string& value) {
  return concat("| ", one_line(name), " | ", one_line(value), " |\n");
}

}  // namespace

std::string model_card_text(const ModelCard& card, Model& model, const Tokenizer& tokenizer,
                            const ChatTemplate* chat) {
  const ModelConfig& config = model.config();
  const std::string title =
      card.title.empty() ? "A " + config.family + " model" : one_line(card.title);
  const bool scores = has_value_head(model) || labels_of(model);
  std::string text = concat("---\nlibrary_name: transformers\npipeline_tag: ",
                            scores ? "text-classification" : "text-generation", "\ntags:\n- ",
                            config.family, "\n- malssi\n---\n\n# ", title, "\n\n");
  if (!card.summary.empty()) text += card.summary + "\n\n";
  text += "| | |\n|---|---|\n";
  text += row("Architecture",
              concat(config.family, ", ", config.layers, " layers, width ", config.width, ", ",
                     config.heads, " heads (", config.kv_heads, " for keys)"));
  text += row("Parameters", human_count(static_cast<double>(model.parameter_count())));
  text += row("Context", concat(config.context, " tokens"));
  text += row("Tokenizer", concat(tokenizer.kind(), ", ", tokenizer.vocab_size(), " tokens"));
  text += row("Chat template", chat ? chat->style() : "none: a base model that continues text");
  for (const auto& [name, value] : card.facts) text += row(name, value);
  const std::string loader = scores ? "AutoModelForSequenceClassification" : "AutoModelForCausalLM";
  text += "\n## Use\n\n";
  if (!scores) text += concat("```\nmalssi ", chat ? "chat" : "generate", " --model .\n```\n\n");
  text += concat("```python\nfrom transformers import ", loader,
                 ", AutoTokenizer\nmodel = ", loader, ".from_pretrained(\".\")\n",
                 "tokenizer = AutoTokenizer.from_pretrained(\".\")\n```\n");
  return text;
}

}  // namespace malssi
