#include "serve/hub/engine_thread.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

void EngineThread::start() {
  CHECK(!thread_.joinable(), "the engine's thread runs already");
  stopping_ = ended_ = false;
  thread_ = std::thread([this] { run(); });
}

void EngineThread::stop() {
  if (!thread_.joinable()) return;
  cancelling_ = true;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void EngineThread::compute(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) throw shutting_down();
    inbox_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void EngineThread::submit(GenerationTask task) {
  auto watch = std::make_shared<Watch>();
  watch->begun = Clock::now();
  {
    std::unique_lock lock(mutex_);
    if (ended_) {
      lock.unlock();
      return task.request.on_error(std::make_exception_ptr(shutting_down()));
    }
    ++statistics_.running;
    inbox_.push_back([this, watch, task = std::move(task)]() mutable {
      begin(std::move(task), std::move(watch));
    });
  }
  changed_.notify_one();
}

void EngineThread::run() {
  std::vector<std::function<void()>> tasks;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !inbox_.empty() || !busy_.empty(); });
      if (stopping_ && inbox_.empty() && busy_.empty()) {
        ended_ = true;
        return;
      }
      tasks.swap(inbox_);
    }
    for (auto& task : tasks) task();
    tasks.clear();
    std::erase_if(busy_, [this](const auto& model) { return !pass(*model); });
    int64_t waiting = 0;
    for (const auto& model : busy_) waiting += model->engine().waiting();
    const std::lock_guard lock(mutex_);
    statistics_.waiting = waiting;
  }
}

void EngineThread::begin(GenerationTask task, std::shared_ptr<Watch> watch) {
  const auto on_error = task.request.on_error;
  try {
    if (!task.model->writes())
      throw ApiError(400, concat("the model '", task.model->name(), "' embeds and does not write"),
                     "model");
    task.model->engine().submit(watched(std::move(task.request), watch));
  } catch (...) {
    note_end(*watch, &HubStatistics::failed);
    return on_error(std::current_exception());
  }
  try {
    if (task.on_start) task.on_start();
  } catch (...) {
    watch->broken = std::current_exception();  // the next pass drops it
  }
  if (std::find(busy_.begin(), busy_.end(), task.model) == busy_.end())
    busy_.push_back(std::move(task.model));
}

EngineRequest EngineThread::watched(EngineRequest request, std::shared_ptr<Watch> watch) {
  const auto guarded = [watch](auto&& call) {
    if (watch->broken) return;
    try {
      call();
    } catch (...) {
      watch->broken = std::current_exception();
    }
  };
  const auto on_error = request.on_error;
  request.on_token = [=, this, inner = std::move(request.on_token)](const GeneratedToken& token) {
    note_token(*watch);
    if (inner) guarded([&] { inner(token); });
  };
  if (request.on_text)
    request.on_text = [=, inner = std::move(request.on_text)](std::string_view text) {
      guarded([&] { inner(text); });
    };
  request.cancelled = [=, this, inner = std::move(request.cancelled)] {
    if (!watch->is_late && seconds_between(watch->begun, Clock::now()) > time_limit_)
      watch->is_late = true;
    return watch->broken || watch->is_late || cancelling_ || (inner && inner());
  };
  request.on_done = [=, this, inner = std::move(request.on_done)](Generation answer) {
    if (watch->is_late && !watch->broken)
      watch->broken = std::make_exception_ptr(ApiError(
          504, concat("the answer took longer than ", time_limit_, " seconds"), {}, "timeout"));
    const bool is_cancelled = answer.reason == FinishReason::cancelled;
    note_end(*watch, watch->broken  ? &HubStatistics::failed
                     : is_cancelled ? &HubStatistics::cancelled
                                    : &HubStatistics::finished);
    guarded([&] { inner(std::move(answer)); });
    if (watch->broken) on_error(watch->broken);
  };
  request.on_error = [=, this](std::exception_ptr error) {
    note_end(*watch, &HubStatistics::failed);
    on_error(error);
  };
  return request;
}

void EngineThread::note_token(Watch& watch) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  if (watch.has_token)
    statistics_.between_tokens.add(seconds_between(watch.last, now));
  else
    statistics_.first_token.add(seconds_between(watch.begun, now));
  watch.has_token = true;
  watch.last = now;
}

void EngineThread::note_end(const Watch& watch, int64_t HubStatistics::*kind) {
  const std::lock_guard lock(mutex_);
  --statistics_.running;
  ++(statistics_.*kind);
  statistics_.whole_answer.add(seconds_between(watch.begun, Clock::now()));
}

bool EngineThread::pass(const ServedModel& model) {
  Engine& engine = model.engine();
  const EngineStatistics before = engine.statistics();
  bool worked = true;
  try {
    worked = engine.pass();
  } catch (const std::exception& error) {
    if (log_) log_(concat("a pass of ", model.name(), " failed: ", error.what()));
  }
  const EngineStatistics& after = engine.statistics();
  const std::lock_guard lock(mutex_);
  statistics_.prompt_tokens += after.prompt_tokens - before.prompt_tokens;
  statistics_.reused_tokens += after.reused_tokens - before.reused_tokens;
  statistics_.answer_tokens += after.answer_tokens - before.answer_tokens;
  statistics_.cache_use = model.cache_use();
  return worked;
}

HubStatistics EngineThread::statistics() const {
  const std::lock_guard lock(mutex_);
  HubStatistics all = statistics_;
  all.running -= all.waiting;
  return all;
}

}  // namespace malssi
