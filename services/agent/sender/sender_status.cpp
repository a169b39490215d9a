#include "services/agent/sender/sender_status.hpp"

#include <cmath>

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::agent::sender {

void SenderStatus::note_sent(Signal signal, std::uint64_t items, std::uint64_t rejected) {
  const std::lock_guard lock(mutex_);
  if (!is_reachable_) service::log_info("the collector takes data");
  is_reachable_ = true;
  failure_.clear();
  of(signal).sent_items += items;
  of(signal).rejected_items += rejected;
}

void SenderStatus::note_refused(Signal signal, std::uint64_t items, std::string reason) {
  const std::lock_guard lock(mutex_);
  // An answer, even if a bad one: the collector is there and takes decisions.
  is_reachable_ = true;
  failure_.clear();
  of(signal).refused_items += items;
  refusal_ = std::move(reason);
  refused_at_ = clock_.steady();
}

void SenderStatus::note_future(std::uint64_t items) {
  const std::lock_guard lock(mutex_);
  future_items_ += items;
  future_at_ = clock_.steady();
}

void SenderStatus::note_failure(std::string reason) {
  const std::lock_guard lock(mutex_);
  // One line when it begins, then at most one a minute where the reason changes.
  const bool may_log = is_reachable_ || clock_.steady() - logged_at_ > kLogInterval;
  if (failure_ != reason && may_log) {
    logged_at_ = clock_.steady();
    service::log_warn("the collector takes no data, it is kept", {{"reason", reason}});
  }
  is_reachable_ = false;
  failure_ = std::move(reason);
}

bool SenderStatus::is_reachable() const {
  const std::lock_guard lock(mutex_);
  return is_reachable_;
}

std::string SenderStatus::failure() const {
  const auto offset = offset_.seconds();
  const std::lock_guard lock(mutex_);
  if (failure_.empty() || !offset || std::abs(*offset) < kClockTrustedSeconds) return failure_;
  return failure_ + "; " + describe_offset(*offset);
}

std::string SenderStatus::recent_refusal() const {
  const std::lock_guard lock(mutex_);
  if (refusal_.empty() || clock_.steady() - refused_at_ > kRefusalShown) return "";
  return refusal_;
}

std::string SenderStatus::recent_future() const {
  const auto offset = offset_.seconds();
  const std::lock_guard lock(mutex_);
  if (future_items_ == 0 || clock_.steady() - future_at_ > kRefusalShown) return "";
  if (offset && std::abs(*offset) < kClockTrustedSeconds) return "";
  return fmt::format("the collector refuses points that are ahead of its clock, {} so far: {}",
                     future_items_, offset ? describe_offset(*offset) : "compare the clocks");
}

SignalCounts SenderStatus::counts(Signal signal) const {
  const std::lock_guard lock(mutex_);
  return counts_[static_cast<std::size_t>(signal) - 1];
}

}  // namespace vigia::agent::sender
