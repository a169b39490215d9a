// Bodies as they came, for destinations that take OTLP.
#pragma once

#include <cstdint>
#include <memory>

#include "services/collector/delivery/packer.hpp"

namespace vigia::collector::delivery {

/// Bodies as they came, without what was refused, in units of at most kUnitItemsMax items and some
/// kUnitBytesMax bytes.
std::unique_ptr<Packer> make_body_packer();

inline constexpr std::uint32_t kUnitItemsMax = 2'000;
inline constexpr std::size_t kUnitBytesMax = 512U << 10U;

}  // namespace vigia::collector::delivery
