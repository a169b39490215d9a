// Bodies as they came, for destinations that take OTLP.
#pragma once

#include <cstdint>
#include <memory>

#include "services/collector/delivery/packer.hpp"

namespace vigia::collector::delivery {

inline constexpr std::uint32_t kUnitItemsMax = 2'000;
inline constexpr std::size_t kUnitBytesMax = 512U << 10U;

/// Bodies as they came, without what was refused, in units of at most `unit_items_max` items and
/// some kUnitBytesMax bytes.
std::unique_ptr<Packer> make_body_packer(std::uint32_t unit_items_max = kUnitItemsMax);

}  // namespace vigia::collector::delivery
