// Models by name: loaded by a thread of their own when first asked for, and unloaded, the longest unused first, when another
// needs the memory. A model in use is never unloaded.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "serve/hub/served_model.h"
#include "serve/hub/task_thread.h"

namespace malssi {

// A model and the adapters that its name stands for: "base" or "base:adapter".
struct ModelUse {
  std::shared_ptr<const ServedModel> model;
  AdapterMix adapters = {};
};

struct ModelState {
  std::string name;
  std::vector<std::string> adapters = {};
  bool is_loaded = false;
  std::optional<bool> has_chat = {};  // known once it was loaded
  int64_t bytes = 0;                  // while loaded
  int64_t created = 0;                // seconds since 1970, of its files
};

class ModelTable {
 public:
  // The options must outlive it.
  explicit ModelTable(const HubOptions& options);

  void start() { loader_.start(); }
  void stop() { loader_.stop(); }

  // Calls then(use, null) or then({}, error), at once where the model is loaded, else when it is. Empty: the first model.
  // ApiError: no model of this name, or none is loaded any more.
  using Then = std::function<void(ModelUse, std::exception_ptr)>;
  void use(const std::string& name, Then then);
  // ApiError: no model of this name, or it is in use.
  void unload(const std::string& name);

  std::vector<ModelState> models() const;
  // All loads that were begun have ended.
  bool is_settled() const;
  // Why a load failed, of the last that did; empty: none.
  std::string failure() const;

 private:
  struct Entry {
    ModelSpec spec;
    std::vector<AdapterSpec> adapters = {};
    int64_t created = 0;
    std::shared_ptr<const ServedModel> model = {};
    std::optional<bool> has_chat = {};
    bool is_loading = false;
    int64_t last_used = 0;
    std::vector<std::pair<std::string, Then>> waiting = {};  // with the name each asked for
  };

  Entry& find(const std::string& name);
  ModelUse use_of(const Entry& entry, const std::string& name) const;
  void load(Entry& entry);
  std::shared_ptr<const ServedModel> loaded(const Entry& entry);
  // Unloads others until there is room for so many bytes of this one. ApiError 503: there is none.
  void make_room(const Entry& entry, int64_t wanted);

  const HubOptions& options_;
  mutable std::mutex mutex_;  // of what follows
  std::vector<Entry> entries_;
  int64_t clock_ = 0;
  std::string failure_;
  TaskThread loader_;
};

}  // namespace malssi
