// Memory that one call at a time may use, kept from call to call: as many workers as there were ever
// calls at once.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace malssi {

template <class Worker>
class WorkerPool {
 public:
  // A worker for the time of one call.
  class Lease {
   public:
    Lease(const WorkerPool& pool, std::unique_ptr<Worker> worker)
        : pool_(pool), worker_(std::move(worker)) {}
    ~Lease() {
      const std::lock_guard lock(pool_.mutex_);
      pool_.idle_.push_back(std::move(worker_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Worker& operator*() const { return *worker_; }

   private:
    const WorkerPool& pool_;
    std::unique_ptr<Worker> worker_;
  };

  Lease lease() const {
    std::unique_ptr<Worker> worker;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        worker = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    return Lease(*this, worker ? std::move(worker) : std::make_unique<Worker>());
  }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace malssi
