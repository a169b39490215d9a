#include "services/collector/intake/refusals_told.hpp"

#include <algorithm>

#include "libs/service/log.hpp"

namespace vigia::collector::intake {

std::optional<RefusalsTold::Refusals> RefusalsTold::note(const CustomerId& customer,
                                                         std::string_view reason,
                                                         std::uint64_t items) {
  const TimePoint now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  if (known_.size() >= kKnownMax) forget_old(now);
  const auto [place, is_new] =
      known_.try_emplace({customer.text(), std::string(reason)}, Known{now, {}});
  Known& known = place->second;
  ++known.left_out.requests;
  known.left_out.items += items;
  if (now < known.next) return std::nullopt;
  known.next = now + kLineEach;
  return std::exchange(known.left_out, {});
}

void RefusalsTold::forget_old(TimePoint now) {
  std::erase_if(known_, [now](const auto& one) { return one.second.next <= now; });
  // All of them within a minute: the directory has more customers than we remember.
  if (known_.size() >= kKnownMax) known_.clear();
}

void RefusalsTold::tell(const CustomerId& customer, std::string_view reason, std::uint64_t items,
                        std::string_view why) {
  const auto line = note(customer, reason, items);
  if (!line) return;
  service::log_warn("data of a customer is refused, its sender is told",
                    {{"customer_id", customer.text()},
                     {"reason", std::string(reason)},
                     {"requests", std::to_string(line->requests)},
                     {"items", std::to_string(line->items)},
                     {"why", std::string(why)}});
}

}  // namespace vigia::collector::intake
