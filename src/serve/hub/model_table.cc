#include "serve/hub/model_table.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "serve/api_error.h"
#include "tensor/pool.h"

namespace malssi {
namespace {

int64_t changed_at(const fs::path& path) {
  struct stat about = {};
  return ::stat(path.c_str(), &about) == 0 ? static_cast<int64_t>(about.st_mtime) : 0;
}

std::string base_of(const std::string& name) { return name.substr(0, name.find(':')); }

}  // namespace

ModelTable::ModelTable(const HubOptions& options) : options_(options) {
  for (const ModelSpec& spec : options.models) {
    entries_.push_back({.spec = spec, .created = changed_at(spec.path)});
    for (const AdapterSpec& adapter : options.adapters)
      if (adapter.base == spec.name || (adapter.base.empty() && entries_.size() == 1))
        entries_.back().adapters.push_back(adapter);
  }
}

ModelTable::Entry& ModelTable::find(const std::string& name) {
  const std::string base = name.empty() ? entries_.front().spec.name : base_of(name);
  for (Entry& entry : entries_) {
    if (entry.spec.name != base) continue;
    const bool known =
        base.size() >= name.size() ||
        std::any_of(entry.adapters.begin(), entry.adapters.end(),
                    [&](const AdapterSpec& each) { return name == base + ":" + each.name; });
    if (known) return entry;
  }
  throw ApiError(404, concat("the model '", message_line(name), "' does not exist"), "model",
                 "model_not_found");
}

ModelUse ModelTable::use_of(const Entry& entry, const std::string& name) const {
  ModelUse use{.model = entry.model};
  for (size_t i = 0; i < entry.adapters.size(); ++i)
    if (name == entry.spec.name + ":" + entry.adapters[i].name)
      use.adapters.push_back({.adapter = static_cast<int64_t>(i)});
  return use;
}

void ModelTable::use(const std::string& name, Then then) {
  std::unique_lock lock(mutex_);
  Entry& entry = find(name);
  entry.last_used = ++clock_;
  if (entry.model) {
    ModelUse use = use_of(entry, name);
    lock.unlock();
    return then(std::move(use), nullptr);
  }
  if (!entry.is_loading) loader_.post([this, &entry] { load(entry); });
  entry.is_loading = true;
  entry.waiting.emplace_back(name, std::move(then));
}

void ModelTable::unload(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Entry& entry = find(name);
  if (!entry.model) return;
  if (entry.is_loading || entry.model.use_count() > 1)
    throw ApiError(409, concat("the model '", entry.spec.name, "' is in use"), "model",
                   "model_in_use");
  entry.model.reset();
  pool_trim();
}

void ModelTable::load(Entry& entry) {
  std::shared_ptr<const ServedModel> model;
  std::exception_ptr error;
  try {
    make_room(entry, weight_bytes(entry.spec.path));
    model = loaded(entry);
    make_room(entry, model->bytes());
  } catch (...) {
    error = std::current_exception();
  }
  std::vector<std::pair<Then, ModelUse>> calls;
  {
    const std::lock_guard lock(mutex_);
    entry.model = model;
    if (model) entry.has_chat = model->has_chat();
    entry.is_loading = false;
    for (auto& [name, then] : entry.waiting)
      calls.emplace_back(std::move(then), error ? ModelUse{} : use_of(entry, name));
    entry.waiting.clear();
  }
  model.reset();
  for (auto& [then, use] : calls) then(std::move(use), error);
}

// What a client is told of a model that cannot be loaded holds no paths; the log does.
std::shared_ptr<const ServedModel> ModelTable::loaded(const Entry& entry) {
  try {
    return std::make_shared<const ServedModel>(entry.spec, entry.adapters, options_);
  } catch (const std::exception& error) {
    {
      const std::lock_guard lock(mutex_);
      failure_ = error.what();
    }
    if (options_.log) options_.log(concat("cannot load ", entry.spec.name, ": ", error.what()));
    throw ApiError(
        503,
        concat("the model '", entry.spec.name, "' cannot be loaded; the server's log says why"),
        "model", "model_not_loaded");
  }
}

void ModelTable::make_room(const Entry& entry, int64_t wanted) {
  if (options_.memory_limit == 0) return;
  const std::lock_guard lock(mutex_);
  while (true) {
    int64_t used = wanted;
    Entry* oldest = nullptr;
    for (Entry& other : entries_) {
      if (!other.model) continue;
      used += other.model->bytes();
      const bool idle = other.model.use_count() == 1;
      if (idle && (oldest == nullptr || other.last_used < oldest->last_used)) oldest = &other;
    }
    if (used <= options_.memory_limit) break;
    if (oldest == nullptr)
      throw ApiError(
          503,
          concat("the model '", entry.spec.name, "' needs ", human_bytes(wanted),
                 ", which the server's memory limit of ", human_bytes(options_.memory_limit),
                 " does not leave beside those in ", "use; come back later, or use another model"),
          "model", "no_memory");
    oldest->model.reset();
    pool_trim();
  }
}

std::vector<ModelState> ModelTable::models() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelState> all;
  for (const Entry& entry : entries_) {
    ModelState state{.name = entry.spec.name,
                     .is_loaded = entry.model != nullptr,
                     .has_chat = entry.has_chat,
                     .bytes = entry.model ? entry.model->bytes() : 0,
                     .created = entry.created};
    for (const AdapterSpec& adapter : entry.adapters) state.adapters.push_back(adapter.name);
    all.push_back(std::move(state));
  }
  return all;
}

bool ModelTable::is_settled() const {
  const std::lock_guard lock(mutex_);
  return std::none_of(entries_.begin(), entries_.end(),
                      [](const Entry& entry) { return entry.is_loading; });
}

std::string ModelTable::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace malssi
