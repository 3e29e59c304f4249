#include "data/corpus.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "data/records.h"
#include "data/text_check.h"

namespace malssi {
namespace {

using Use = std::function<void(std::string_view)>;

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return extension;
}

CorpusFormat format_of(const fs::path& path) {
  const std::string extension = lower_extension(path);
  const bool json = extension == ".jsonl" || extension == ".ndjson" || extension == ".json";
  return json ? CorpusFormat::json : CorpusFormat::text;
}

bool belongs_to_folder(const fs::path& path) {
  static constexpr std::array<std::string_view, 5> kTaken = {".txt", ".text", ".md", ".jsonl",
                                                             ".ndjson"};
  const std::string extension = lower_extension(path);
  return std::find(kTaken.begin(), kTaken.end(), extension) != kTaken.end();
}

std::string reason(const std::error_code& code) { return code ? code.message() : "unknown"; }

void add_file(const fs::path& path, bool in_folder, std::vector<CorpusFile>& files) {
  std::error_code code;
  const int64_t bytes = static_cast<int64_t>(fs::file_size(path, code));
  REQUIRE(!code, "cannot read ", path.string(), ": ", reason(code), ": name a readable file");
  if (bytes == 0 && in_folder) return;
  REQUIRE(bytes > 0, path.string(), ": the file is empty, expected text: name another file");
  files.push_back({path, format_of(path), bytes});
}

void add_folder(const fs::path& folder, std::vector<CorpusFile>& files) {
  std::vector<fs::path> found;
  std::error_code code;
  fs::recursive_directory_iterator it(folder, code), end;
  for (; !code && it != end; it.increment(code)) {
    const bool hidden = it->path().filename().string().starts_with(".");
    std::error_code kind;
    if (hidden && it->is_directory(kind)) it.disable_recursion_pending();
    if (!hidden && it->is_regular_file(kind) && belongs_to_folder(it->path()))
      found.push_back(it->path());
  }
  REQUIRE(!code, "cannot read the folder ", folder.string(), ": ", reason(code),
          ": check its permissions");
  std::sort(found.begin(), found.end());
  const size_t before = files.size();
  for (const fs::path& path : found) add_file(path, true, files);
  REQUIRE(files.size() > before, folder.string(),
          ": no text in this folder: files named .txt, .text, .md, .jsonl or .ndjson, not empty, "
          "are expected");
}

// One JSON record's document.
class FieldReader {
 public:
  explicit FieldReader(std::string field) : field_(std::move(field)) {}

  std::string_view read(const JsonRecords& records, const JsonRecord& record) {
    simdjson::dom::element element;
    const auto error = parser_.parse(record.text.data(), record.text.size()).get(element);
    REQUIRE(!error, records.place(record), ": not JSON (", simdjson::error_message(error),
            "): one object is expected here");
    simdjson::dom::object object;
    REQUIRE(!element.get(object), records.place(record), ": not an object, expected {\"", field_,
            "\": \"..\"}");
    simdjson::dom::element value;
    REQUIRE(!object.at_key(field_).get(value), records.place(record), ": no \"", field_,
            "\" here, but ", keys(object), ": say which field holds the text");
    std::string_view text;
    REQUIRE(!value.get(text), records.place(record), ": \"", field_,
            "\" is not a string: say which field holds the text");
    return text;
  }

 private:
  static std::string keys(const simdjson::dom::object& object) {
    std::string names;
    for (const auto& [key, value] : object) {
      if (names.size() > 200) break;
      names += concat(names.empty() ? "" : ", ", "\"", key, "\"");
    }
    return names.empty() ? "nothing at all" : names;
  }

  std::string field_;
  simdjson::dom::parser parser_;
};

void each_record(std::string_view text, const CorpusFile& file, const std::string& field,
                 const Use& use) {
  JsonRecords records(text, file.path.string());
  FieldReader reader(field);
  JsonRecord record;
  while (records.next(record)) {
    const std::string_view document = reader.read(records, record);
    if (!document.empty()) use(document);
  }
}

// All of a text file; of JSON only that it may be text, since its parser checks the rest.
TextCheck check_file(const CorpusFile& file) {
  const MappedFile mapped = MappedFile::open(file.path);
  const std::string_view text = without_bom(mapped.text());
  if (file.format == CorpusFormat::text) return check_text(text, file.path);
  check_text(text.substr(0, 4096), file.path);
  return {};
}

std::string nothing_in(const CorpusOptions& options) {
  return concat(options.paths.front(), ": no text in it, expected at least one document");
}

}  // namespace

std::vector<CorpusFile> list_corpus(const CorpusOptions& options) {
  REQUIRE(!options.paths.empty(), "no data: name a text file, a .jsonl file or a folder");
  std::vector<CorpusFile> files;
  for (const fs::path path : options.paths) {
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    REQUIRE(status.type() != fs::file_type::not_found, path.string(),
            ": no such file or folder, expected text: check the path");
    REQUIRE(!code, "cannot read ", path.string(), ": ", reason(code), ": check its permissions");
    if (fs::is_directory(status))
      add_folder(path, files);
    else
      add_file(path, false, files);
  }
  return files;
}

void each_document(const CorpusFile& file, const std::string& field, const Use& use) {
  const MappedFile mapped = MappedFile::open(file.path);
  if (file.format == CorpusFormat::json) return each_record(mapped.text(), file, field, use);
  const std::string_view text = without_bom(mapped.text());
  if (!text.empty()) use(text);
}

void for_each_document(const CorpusOptions& options, const Use& use) {
  int64_t documents = 0;
  for (const CorpusFile& file : list_corpus(options)) {
    check_file(file);
    each_document(file, options.field, [&](std::string_view document) {
      ++documents;
      use(document);
    });
  }
  REQUIRE(documents > 0, nothing_in(options));
}

CorpusStats scan_corpus(const CorpusOptions& options) {
  CorpusStats stats;
  for (const CorpusFile& file : list_corpus(options)) {
    const TextCheck check = check_file(file);
    ++stats.files;
    stats.invalid_bytes += check.invalid_bytes;
    each_document(file, options.field, [&](std::string_view document) {
      ++stats.documents;
      stats.bytes += static_cast<int64_t>(document.size());
      stats.characters +=
          file.format == CorpusFormat::text ? check.characters : count_characters(document);
    });
  }
  REQUIRE(stats.documents > 0, nothing_in(options));
  return stats;
}

}  // namespace malssi
