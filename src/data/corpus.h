// Corpora: what --data names becomes a stream of documents.
//   a folder      every .txt, .text, .md, .jsonl and .ndjson file under it, recursively, sorted by
//   path; hidden ones skipped .jsonl        one document a line: the string under `field`; blank
//   lines are skipped. .json: an array of such objects other files   one document each (a leading
//   byte-order mark is dropped)
// Files are mapped, not read, so they may be larger than memory. Text is UTF-8; a few invalid bytes
// are passed on as they are, while a file that is not text (NUL bytes, UTF-16, an archive, mostly
// invalid UTF-8) is refused. Throws Error with one line that names the file (and line), what was
// found, what was expected and what to do.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace malssi {

struct CorpusOptions {
  std::vector<std::string> paths;  // files and folders, in the order given
  std::string field = "text";      // JSON: the key whose string is the document
};

enum class CorpusFormat { text, json };

struct CorpusFile {
  fs::path path;
  CorpusFormat format = CorpusFormat::text;
  int64_t bytes = 0;
};

// The files of a corpus in reading order. Throws when a path is missing or unreadable, a folder
// holds no text, a file is empty (inside a folder empty files are skipped), or nothing is left.
std::vector<CorpusFile> list_corpus(const CorpusOptions& options);

// Calls use(document) for each document in order. A view is valid during its call. Empty documents
// are skipped.
void for_each_document(const CorpusOptions& options,
                       const std::function<void(std::string_view document)>& use);

// The documents of one listed file, which is not checked to be text.
void each_document(const CorpusFile& file, const std::string& field,
                   const std::function<void(std::string_view document)>& use);

struct CorpusStats {
  int64_t files = 0;
  int64_t documents = 0;
  int64_t bytes = 0;
  int64_t characters = 0;
  int64_t invalid_bytes = 0;  // of text that is not UTF-8
};

// Reads everything once. Throws as for_each_document does.
CorpusStats scan_corpus(const CorpusOptions& options);

}  // namespace malssi
