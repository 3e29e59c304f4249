// Hub: everything behind a server's endpoints: models and adapters by name, one engine thread for all of them, and a worker for
// what takes too long for the threads that carry bytes. Limits: requests beyond slots and queue are refused with 429, models
// beyond the memory with 503. Errors for clients are ApiErrors.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/hub/engine_thread.h"
#include "serve/hub/hub_options.h"
#include "serve/hub/model_table.h"
#include "serve/hub/statistics.h"
#include "serve/hub/task_thread.h"

namespace malssi {

class Hub {
 public:
  // Error: as check_hub_options().
  explicit Hub(HubOptions options);
  ~Hub() { stop(0); }
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Starts the threads, and begins to load models where they are to be there from the start.
  void start();
  // Takes no more requests, waits so many seconds for those it has, cancels what is left, and ends the threads.
  void stop(double grace_seconds);

  // Every model that was to be loaded at the start is; for /health.
  bool is_ready() const { return started_ && table_.is_settled(); }
  // Why a model that was to be there from the start is not, with paths: for the operator. Empty: none failed.
  std::string failure() const { return start_failed_ ? table_.failure() : ""; }
  HubStatistics statistics() const;

  // A place among the requests that run and wait; it ends with the last copy. ApiError 429: there is none left; 503: stopping.
  using Ticket = std::shared_ptr<void>;
  Ticket admit(int64_t answers = 1);
  // Answers that one request may ask for.
  int64_t most_answers() const { return options_.slots + options_.queue; }

  // See ModelTable.
  void use(const std::string& name, ModelTable::Then then) { table_.use(name, std::move(then)); }
  void unload(const std::string& name) { table_.unload(name); }
  std::vector<ModelState> models() const { return table_.models(); }
  // Does it on the worker's thread. It must not throw. ApiError 503: stopped.
  void work(std::function<void()> task) { worker_.post(std::move(task)); }
  // See EngineThread.
  void submit(GenerationTask task) { engine_.submit(std::move(task)); }
  void compute(std::function<void()> task) { engine_.compute(std::move(task)); }

 private:
  HubOptions options_;

  mutable std::mutex mutex_;  // of what follows; tickets that the threads below still hold need it
  std::condition_variable emptied_;
  int64_t admitted_ = 0;
  bool stopping_ = false;

  ModelTable table_;
  EngineThread engine_;
  TaskThread worker_;
  std::atomic<bool> started_ = false, start_failed_ = false;
};

}  // namespace malssi
