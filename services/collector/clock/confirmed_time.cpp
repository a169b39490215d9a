#include "services/collector/clock/confirmed_time.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::collector::clock {
namespace {

constexpr std::int64_t kMsToNs = 1'000'000;
constexpr std::int64_t kSlackNs = ConfirmedTime::kSlackMs * kMsToNs;

bool is_near(std::int64_t offset_ns, std::int64_t other_ns) {
  return std::abs(offset_ns - other_ns) <= kSlackNs;
}

void tell_step(std::int64_t by_ns) {
  service::log_warn(
      "the wall clock has stepped: what this collector writes of its own goes on by the steady "
      "clock, until senders show that the new time is right, or for an hour; set it right if it is "
      "wrong",
      {{"seconds", fmt::format("{:.0f}", static_cast<double>(by_ns) / 1e9)}});
}

}  // namespace

/// Small differences add up to nothing: they are of what was confirmed, not of each other.
std::optional<std::int64_t> ConfirmedTime::follow() {
  const Look now = look();
  if (offset_ns_ && is_near(now.offset_ns(), *offset_ns_)) {
    step_.reset();
    return now.wall_ns;
  }
  if (!step_ || !is_near(now.offset_ns(), step_->offset_ns)) {
    if (offset_ns_ && !step_) tell_step(now.offset_ns() - *offset_ns_);
    step_ = Step{now.offset_ns(), now.steady};
  }
  // Nobody has contradicted it for that long: a wrong clock that stays is still the only one.
  if (now.steady - step_->since >= kBelievedAfter) {
    set(now.offset_ns());
    return now.wall_ns;
  }
  if (!offset_ns_) return std::nullopt;
  return *offset_ns_ + now.steady.time_since_epoch().count();
}

void ConfirmedTime::set(std::int64_t offset_ns) {
  if (!offset_ns_ || !is_near(offset_ns, *offset_ns_)) {
    ++changes_;
    service::log_info(offset_ns_ ? "the wall clock is believed again"
                                 : "the wall clock is believed");
  }
  offset_ns_ = offset_ns;
  step_.reset();
}

std::optional<ConfirmedTime::Now> ConfirmedTime::now() {
  const std::lock_guard lock(mutex_);
  const auto now_ns = follow();
  if (!now_ns) return std::nullopt;
  return Now{*now_ns / kMsToNs, changes_};
}

std::int64_t ConfirmedTime::now_or_wall_ns() {
  const std::lock_guard lock(mutex_);
  const auto now_ns = follow();
  return now_ns ? *now_ns : clock_.wall_ns();
}

void ConfirmedTime::confirm(std::int64_t offset_ms) {
  const std::lock_guard lock(mutex_);
  const std::int64_t offset_ns = look().offset_ns();
  // By offsets from the steady clock, so that a confirmation that comes late confirms nothing else.
  if (is_near(offset_ns, offset_ms * kMsToNs)) set(offset_ns);
}

void ConfirmedTime::contradict() {
  const std::lock_guard lock(mutex_);
  (void)follow();
  // The hour begins anew: somebody has just said that the new time is wrong.
  if (step_) step_->since = clock_.steady();
}

void ConfirmedTime::resume(std::int64_t earlier_ms) {
  const std::lock_guard lock(mutex_);
  if (offset_ns_ || earlier_ms <= 0) return;
  is_resumed_ = true;
  const Look now = look();
  const std::int64_t passed_ms = now.wall_ns / kMsToNs - earlier_ms;
  if (passed_ms >= -kSlackMs && passed_ms <= kResumedMaxMs) set(now.offset_ns());
}

void ConfirmedTime::compare(std::int64_t other_ms) {
  const std::lock_guard lock(mutex_);
  // One other machine's clock is the weakest of witnesses: only where there is no earlier time.
  if (offset_ns_ || is_resumed_) return;
  const Look now = look();
  if (std::abs(now.wall_ns / kMsToNs - other_ms) <= kSlackMs) set(now.offset_ns());
}

bool ConfirmedTime::is_confirmed() {
  const std::lock_guard lock(mutex_);
  (void)follow();
  return offset_ns_ && !step_;
}

}  // namespace vigia::collector::clock
