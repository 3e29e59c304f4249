// The tokenizer that a recipe asks for.
#pragma once

#include <memory>

#include "base/console.h"
#include "data/corpus.h"
#include "text/tokenizer.h"
#include "train/pretrain/pretrain_config.h"

namespace malssi {

// Loaded from settings.path, or made from the corpus. Throws Error.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSettings& settings,
                                          const CorpusOptions& corpus, Console& console);

// Writes tokenizer.json and tokenizer_config.json as a folder, whole or not at all.
void save_tokenizer(const fs::path& folder, const Tokenizer& tokenizer);

}  // namespace malssi
