// A run that learns from conversations, whatever it trains: all weights or an adapter.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/config.h"
#include "base/console.h"
#include "text/chat_template.h"
#include "train/pretrain/language.h"
#include "train/run/session.h"
#include "train/tune/sft_config.h"

namespace malssi {

// Settings are filled in where something was left to choose, so that RUN/config.toml tells what is done.
struct ChatRun {
  ConversationSettings& data;
  TrainSettings& train;
  const OptimSettings& optim;
  const LogSettings& log;
  const ConfigSchema& schema;
  Model& model;
  const Tokenizer& tokenizer;
  const ChatTemplate& chat;
  Trained trained;
  std::string summary;  // of what is trained: "Tuned to follow instructions"
  HeadLoss loss = {};   // none: cross-entropy
};

// begin() is called when everything fits together, before anything is trained. Throws Error.
RunResult run_chats(const ChatRun& run, const std::function<void()>& begin, Console& console);

}  // namespace malssi
