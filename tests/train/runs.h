// A run small enough to be trained many times in a test.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include "base/random.h"
#include "io/model_folder.h"
#include "scratch.h"
#include "train/pretrain/pretrain.h"
#include "train/tune/student.h"

namespace malssi {

// Sentences of a few names and things; the same each time.
inline std::string little_text(int64_t sentences = 400) {
  const std::vector<std::string> names = {"Mina", "Juno", "Ara", "Tom"};
  const std::vector<std::string> things = {"tea", "a cat", "a boat", "the sea", "rain"};
  Rng rng(7);
  std::string text;
  for (int64_t i = 0; i < sentences; ++i)
    text += rng.pick(names) + (rng.chance(0.5) ? " likes " : " sees ") + rng.pick(things) + ".\n";
  return text;
}

inline PretrainConfig little_config(const ScratchFolder& scratch, const std::string& out) {
  const fs::path data = scratch / "text.txt";
  if (!fs::exists(data)) overwrite(data, little_text());
  PretrainConfig config;
  config.model.layers = 2;
  config.model.heads = 2;
  config.model.width = 16;
  config.model.context = 16;
  config.tokenizer.kind = "char";
  config.data.paths = {data.string()};
  config.data.cache = (scratch / "cache").string();
  config.optim.warmup_steps = 2;
  config.train.out = (scratch / out).string();
  config.train.steps = 12;
  config.train.batch_rows = 4;
  config.train.compute = "f32";
  config.train.threads = 1;
  config.train.eval_every = 6;
  config.train.eval_rows = 8;
  config.train.checkpoint_every = 6;
  config.log.every = 1;
  config.log.samples = 0;
  return config;
}

// A base model that has hardly learned anything, with room for a chat, in SCRATCH/base.
inline fs::path little_base(const ScratchFolder& scratch, Console& console) {
  PretrainConfig config = little_config(scratch, "base");
  config.model.context = 64;
  config.train.steps = 2;
  return run_pretrain(config, console).model;
}

// The model with the tokens and the template of a chat, which an adapter cannot bring.
inline fs::path with_chat(const fs::path& model, const fs::path& to) {
  const Student student = load_student(model, {});
  save_model(to, *student.model, *student.tokenizer, &student.chat);
  return to;
}

// A console that keeps what it is told, and lets a test act on it while the run goes on.
class Listener {
 public:
  explicit Listener(std::function<void(const std::string& text)> act = {}) : act_(std::move(act)) {
    stream_ = ::fopencookie(this, "w", {.read = {}, .write = write, .seek = {}, .close = {}});
    std::setvbuf(stream_, nullptr, _IONBF, 0);
    console_.emplace(stream_);
  }
  ~Listener() {
    console_.reset();
    std::fclose(stream_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Console& console() { return *console_; }
  const std::string& text() const { return text_; }

 private:
  static ssize_t write(void* self, const char* data, size_t size) {
    auto& listener = *static_cast<Listener*>(self);
    listener.text_.append(data, size);
    if (listener.act_) listener.act_(listener.text_);
    return static_cast<ssize_t>(size);
  }

  std::function<void(const std::string&)> act_;
  std::string text_;
  std::FILE* stream_ = nullptr;
  std::optional<Console> console_;
};

inline std::string weights_of(const fs::path& model) {
  return read_file(model / "model.safetensors");
}

}  // namespace malssi
