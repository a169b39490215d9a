#include "services/collector/side/side_lane.hpp"

#include <algorithm>
#include <utility>

#include "libs/base/fault.hpp"
#include "services/collector/side/side_lane_worker.hpp"

namespace vigia::collector::side {

SideLane::SideLane(SideLaneSettings settings, const SideLaneParts& parts)
    : settings_(std::move(settings)), parts_(parts) {
  for (const bool is_for_hanging : {false, true})
    workers_.push_back(std::make_unique<Worker>(*this, is_for_hanging));
}

SideLane::~SideLane() { stop(parts_.clock.steady()); }

void SideLane::start() {
  for (const auto& worker : workers_) worker->start();
}

void SideLane::stop(TimePoint deadline) noexcept {
  is_stopping_ = true;
  wake();
  for (const auto& worker : workers_) worker->stop(deadline);
  for (const auto& worker : workers_) worker->join();
  // Once nobody sends any more: what is done of an entry is not sent again after the start.
  contain_faults("rests of the side queue's entries", [this] { parts_.queue.write_rests(); });
}

void SideLane::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++changes_;
  }
  changed_.notify_all();
}

void SideLane::mark_slow(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  slow_.insert(customer.text());
  hanging_.insert(customer.text());
}

void SideLane::mark_troubled(const CustomerId& customer, Signal signal) {
  const std::lock_guard lock(mutex_);
  troubled_[{customer.text(), signal}] = parts_.clock.steady();
}

bool SideLane::is_troubled(const CustomerId& customer, Signal signal) const {
  const std::lock_guard lock(mutex_);
  return !troubled_.empty() && troubled_.count({customer.text(), signal}) > 0;
}

/// True where the last failure is long enough ago; the mark is gone then.
bool SideLane::end_trouble(const CustomerId& customer, Signal signal) {
  const std::lock_guard lock(mutex_);
  const auto trouble = troubled_.find({customer.text(), signal});
  if (trouble == troubled_.end()) return true;
  if (parts_.clock.steady() < trouble->second + kTroubledFor) return false;
  troubled_.erase(trouble);
  return true;
}

bool SideLane::is_followed(const CustomerId& customer, Signal signal) {
  // The queue asks us which customers are wanted while it holds its own lock: ours is never held
  // while it is asked.
  if (is_troubled(customer, signal) &&
      (parts_.queue.holds_fresh(customer, signal) || !end_trouble(customer, signal)))
    return true;
  if (is_slow(customer)) {
    if (parts_.queue.holds_any(customer)) return true;
    const std::lock_guard lock(mutex_);
    slow_.erase(customer.text());
  }
  return parts_.queue.holds_records(customer, signal);
}

bool SideLane::is_slow(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  return slow_.count(customer.text()) > 0;
}

bool SideLane::is_hanging(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  return hanging_.count(customer.text()) > 0;
}

std::size_t SideLane::weight_max(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  const auto found = weights_.find(customer.text());
  return found == weights_.end() ? 0 : found->second;
}

/// Of what came this way since the customer was in trouble: a piece that is taken whole shows that
/// it no longer is. What is ahead of the destination's clock passes by itself, and says nothing.
void SideLane::note_trouble(const Work& work) {
  if (work.head.stage != delivery::Parcel::SearchStage::kFresh) return;
  if (work.left || work.suspects) {
    const std::lock_guard lock(mutex_);
    const auto trouble = troubled_.find({work.head.customer.text(), work.head.signal});
    if (trouble != troubled_.end()) trouble->second = parts_.clock.steady();
  } else if (work.has_taken) {
    (void)end_trouble(work.head.customer, work.head.signal);
  }
}

/// Requests that time out become smaller from turn to turn, and larger again as they are taken.
void SideLane::note_turn(const Work& work) {
  note_trouble(work);
  const std::lock_guard lock(mutex_);
  const std::string& customer = work.head.customer.text();
  const auto weight = weights_.find(customer);
  if (work.timed_out > 0) {
    hanging_.insert(customer);
    // One body can be larger than what was learnt: that stays.
    const std::size_t least = std::max<std::size_t>(1, work.timed_out / 2);
    weights_[customer] = weight == weights_.end() ? least : std::min(weight->second, least);
    return;
  }
  if (!work.has_taken) return;
  hanging_.erase(customer);
  if (!work.is_slow) slow_.erase(customer);
  if (weight == weights_.end()) return;
  // Doubled by what is taken, halved by what times out: it settles below what the destination can
  // do in time.
  weight->second *= 2;
  if (weight->second >= settings_.delivery.request_units_max) weights_.erase(weight);
}

}  // namespace vigia::collector::side
