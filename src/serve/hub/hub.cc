#include "serve/hub/hub.h"

#include <chrono>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

HubOptions checked(HubOptions options) {
  check_hub_options(options);
  return options;
}

}  // namespace

Hub::Hub(HubOptions options)
    : options_(checked(std::move(options))),
      table_(options_),
      engine_(options_.time_limit, options_.log) {}

void Hub::start() {
  CHECK(!started_, "the hub runs already");
  engine_.start();
  worker_.start();
  table_.start();
  if (options_.loading == Loading::at_start)
    for (const ModelSpec& model : options_.models)
      table_.use(model.name, [this](const ModelUse&, const std::exception_ptr& error) {
        if (error) start_failed_ = true;
      });
  started_ = true;
}

void Hub::stop(double grace_seconds) {
  if (!started_.exchange(false)) return;
  const auto is_empty = [this] { return admitted_ == 0; };
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    emptied_.wait_for(lock, std::chrono::duration<double>(grace_seconds), is_empty);
  }
  engine_.cancel_all();
  worker_.stop();  // in the order in which requests go through them
  table_.stop();
  engine_.stop();
}

Hub::Ticket Hub::admit(int64_t answers) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) throw shutting_down();
    if (admitted_ + answers > most_answers())
      throw ApiError(429, concat("too many requests: ", admitted_, " run or wait already"), {},
                     "queue_full");
    admitted_ += answers;
  }
  return Ticket(nullptr, [this, answers](void*) {
    const std::lock_guard lock(mutex_);
    admitted_ -= answers;
    if (admitted_ == 0) emptied_.notify_all();
  });
}

HubStatistics Hub::statistics() const {
  HubStatistics all = engine_.statistics();
  for (const ModelState& model : models()) {
    all.models += model.is_loaded ? 1 : 0;
    all.model_bytes += model.bytes;
  }
  return all;
}

}  // namespace malssi
