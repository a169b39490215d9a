#include "libs/net/internal/loop_debts.hpp"

#include <algorithm>

namespace vigia::net::internal {

const Clock& LoopDebts::system_clock() {
  static const SystemClock clock;
  return clock;
}

LoopDebts::Debt LoopDebts::debt_of(const std::string& owner) const {
  if (!has_debts_.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock(mutex_);
  const auto found = debts_.find(owner);
  return found == debts_.end() ? Debt{} : found->second;
}

bool LoopDebts::is_away(const std::string& owner) const {
  const Debt debt = debt_of(owner);
  return debt.away_until != TimePoint{} && clock_.steady() < debt.away_until;
}

bool LoopDebts::is_watched(const std::string& owner) const {
  const Debt debt = debt_of(owner);
  return debt.watched_until != TimePoint{} && clock_.steady() < debt.watched_until;
}

void LoopDebts::note(const std::string& owner, bool is_by_processor,
                     std::chrono::nanoseconds took) {
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  std::erase_if(debts_, [now](const auto& each) { return each.second.watched_until <= now; });
  if (debts_.size() >= kOwnersMax && !debts_.contains(owner)) debts_.erase(debts_.begin());
  Debt& debt = debts_[owner];
  if (is_by_processor) {
    const auto away = std::min<std::chrono::nanoseconds>(took * kPaid, kAwayMax);
    debt.away_until = std::max(debt.away_until, now + away);
  }
  debt.watched_until = std::max(now, debt.away_until) + kWatched;
  has_debts_.store(true, std::memory_order_relaxed);
}

}  // namespace vigia::net::internal
