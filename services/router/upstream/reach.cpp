#include "services/router/upstream/reach.hpp"

#include <utility>
#include <vector>

namespace vigia::router::upstream {

void Reach::set_away(bool is_away) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_away_, is_away) == is_away || !is_away) return;
  }
  break_off();
}

bool Reach::is_away() const {
  const std::lock_guard lock(mutex_);
  return is_away_;
}

void Reach::break_off() {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [ticket, request] : under_way_) {
      request.is_broken = true;
      if (request.told) told.push_back(std::exchange(request.told, nullptr));
    }
  }
  // Without the lock: who is told may leave at once.
  for (const auto& each : told) each();
}

std::uint64_t Reach::enter() {
  const std::lock_guard lock(mutex_);
  under_way_.try_emplace(++last_ticket_);
  return last_ticket_;
}

void Reach::on_break(std::uint64_t ticket, std::function<void()> told) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = under_way_.find(ticket);
    if (found == under_way_.end()) return;  // it is over
    if (!found->second.is_broken) {
      found->second.told = std::move(told);
      return;
    }
  }
  // It was broken off between enter and this call, when nobody knew yet whom to tell.
  told();
}

void Reach::leave(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(ticket);
}

}  // namespace vigia::router::upstream
