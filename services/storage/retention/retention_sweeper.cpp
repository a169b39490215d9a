#include "services/storage/retention/retention_sweeper.hpp"

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::storage {

RetentionSweeper::RetentionSweeper(std::vector<RetentionRule> rules, const Clock& clock,
                                   Duration interval)
    : rules_(std::move(rules)), clock_(clock), interval_(interval), thread_([this] { run(); }) {}

RetentionSweeper::~RetentionSweeper() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void RetentionSweeper::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    sweep();
    lock.lock();
    wake_.wait_for(lock, interval_, [this] { return is_stopping_; });
  }
}

void RetentionSweeper::sweep() {
  for (const RetentionRule& rule : rules_) {
    if (rule.keep == Duration(0)) continue;
    const TimestampMs before_ms =
        clock_.wall_ms() - std::chrono::duration_cast<std::chrono::milliseconds>(rule.keep).count();
    if (before_ms <= 0) continue;
    const auto days = rule.expire(before_ms);
    if (!days) {
      service::log_error("expiry failed, trying again",
                         {{"kind", rule.name}, {"error", days.error().message}});
    } else if (*days > 0) {
      service::log_info("expired", {{"kind", rule.name}, {"days", fmt::to_string(*days)}});
    }
  }
}

}  // namespace vigia::storage
