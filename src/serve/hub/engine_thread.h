// The one thread that computes. Others give it generations and small computations; it makes a pass of each model that has work,
// in turn, and does computations between passes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "infer/engine.h"
#include "serve/hub/served_model.h"
#include "serve/hub/statistics.h"

namespace malssi {

struct GenerationTask {
  std::shared_ptr<const ServedModel> model;
  EngineRequest request;
  std::function<void()> on_start = {};  // the engine has taken it; comes before all others
};

class EngineThread {
 public:
  // time_limit: seconds of a generation, after which it ends in an ApiError 504. log: told of failures that are the model's or
  // this program's.
  EngineThread(double time_limit, std::function<void(const std::string&)> log)
      : time_limit_(time_limit), log_(std::move(log)) {}
  ~EngineThread() { stop(); }

  void start();
  // Ends what runs, each with its on_error, and the thread.
  void stop();
  // Generations end as if their clients had left.
  void cancel_all() { cancelling_ = true; }

  // The request's functions are called on the engine's thread; one of them that throws ends the generation. Exactly one of on_done
  // and on_error is called, on_error also for a request that the engine refuses, and at once where the thread has ended.
  void submit(GenerationTask task);
  // Does it between two passes. It must not throw. ApiError 503: the thread has ended.
  void compute(std::function<void()> task);

  // Without models and bytes.
  HubStatistics statistics() const;

 private:
  using Clock = std::chrono::steady_clock;
  // A generation's times, and whether it ended early.
  struct Watch {
    Clock::time_point begun, last;
    bool has_token = false, is_late = false;
    std::exception_ptr broken = {};  // what one of its functions threw
  };

  void run();
  void begin(GenerationTask task, std::shared_ptr<Watch> watch);
  EngineRequest watched(EngineRequest request, std::shared_ptr<Watch> watch);
  void note_token(Watch& watch);
  void note_end(const Watch& watch, int64_t HubStatistics::*kind);
  // False: the model has nothing to do.
  bool pass(const ServedModel& model);

  double time_limit_;
  std::function<void(const std::string&)> log_;
  std::atomic<bool> cancelling_ = false;
  std::vector<std::shared_ptr<const ServedModel>> busy_;  // the engine's thread alone

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::vector<std::function<void()>> inbox_;
  bool stopping_ = false, ended_ = false;
  HubStatistics statistics_;
  std::thread thread_;
};

}  // namespace malssi
