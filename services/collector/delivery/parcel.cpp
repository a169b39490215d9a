#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::delivery {

void Parcel::append(const Parcel& from, std::size_t first, std::size_t last) {
  const std::size_t shift = message.size();
  for (std::size_t i = first; i < last; ++i) {
    Unit unit = from.units[i];
    unit.begin = shift + unit.begin - from.units[first].begin;
    units.push_back(unit);
  }
  message += from.run(first, last);
}

std::uint64_t Parcel::items() const {
  std::uint64_t sum = 0;
  for (const Unit& unit : units) sum += unit.items;
  return sum;
}

}  // namespace vigia::collector::delivery
