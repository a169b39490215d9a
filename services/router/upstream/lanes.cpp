#include "services/router/upstream/lanes.hpp"

#include <algorithm>

namespace vigia::router::upstream {
namespace {

// Operators are one customer to a row: their own bound on one is that of the row.
TurnSettings all_of_one(std::size_t at_once_max) { return {at_once_max, at_once_max, at_once_max}; }

// What may hold a store for long: one of a customer at once, whatever places are free.
TurnSettings one_of_each(std::size_t at_once_max) { return {at_once_max, 1, 1}; }

/// A look-up costs a store a core for as long as it takes, and little memory.
TurnSettings look_ups(const TurnSettings& usual) {
  return {std::max<std::size_t>(usual.at_once_max / 2, 1),
          std::min<std::size_t>(usual.per_customer_max, 2), 1};
}

}  // namespace

Lanes::Lanes(const LaneSettings& settings, const Clock& clock)
    : Lanes(settings, clock,
            std::make_shared<CustomerPlaces>(settings.usual.per_customer_max,
                                             settings.usual.slow_per_customer_max),
            std::make_shared<CustomerPlaces>(kOperatorsAtOnceMax, kOperatorsAtOnceMax)) {}

// The costly rows share one count of places by customer: else one customer could have his part in
// each of the three at once. It is shared with the turns, which give back to it when they end.
Lanes::Lanes(const LaneSettings& settings, const Clock& clock,
             const std::shared_ptr<CustomerPlaces>& costly,
             const std::shared_ptr<CustomerPlaces>& operators)
    : turns_{std::make_unique<Turns>(settings.usual, clock),
             std::make_unique<Turns>(one_of_each(settings.unknown_at_once_max), clock, costly),
             std::make_unique<Turns>(one_of_each(settings.heavy_at_once_max), clock, costly),
             std::make_unique<Turns>(look_ups(settings.usual), clock, costly)},
      operators_brief_(all_of_one(kOperatorsAtOnceMax), clock, operators),
      operators_long_(all_of_one(kOperatorsLongAtOnceMax), clock, operators) {}

}  // namespace vigia::router::upstream
