#include "serve/hub/task_thread.h"

#include <utility>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {

void TaskThread::start() {
  CHECK(!thread_.joinable(), "the thread runs already");
  stopping_ = ended_ = false;
  thread_ = std::thread([this] { run(); });
}

void TaskThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) throw shutting_down();
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void TaskThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void TaskThread::run() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) {
        ended_ = true;
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace malssi
