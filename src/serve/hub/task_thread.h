// A thread that does one task after another, in the order they were given.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace malssi {

class TaskThread {
 public:
  TaskThread() = default;
  ~TaskThread() { stop(); }
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  void start();
  // Tasks must not throw. ApiError 503: the thread has ended.
  void post(std::function<void()> task);
  // Does what was posted, then ends the thread. Not to be called from a task.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace malssi
