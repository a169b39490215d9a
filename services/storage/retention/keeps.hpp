// How long each kind of data is kept: six times, of all customers or of a class of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "libs/base/duration.hpp"
#include "libs/model/resolution.hpp"
#include "services/storage/retention/settings.hpp"

namespace vigia::storage::retention {

/// Numbers are on disk (docs/formats/retention-customers.md).
enum class DataKind : std::uint8_t {
  kRaw = 0,  ///< samples, with their exemplars
  kRollup5m = 1,
  kRollup1h = 2,
  kRollup1d = 3,
  kTraces = 4,
  kLogs = 5,
};
inline constexpr std::array kKinds = {DataKind::kRaw,      DataKind::kRollup5m, DataKind::kRollup1h,
                                      DataKind::kRollup1d, DataKind::kTraces,   DataKind::kLogs};

/// The key of the configuration, and the label of metrics: "rollup_5m".
std::string_view to_string(DataKind kind);

DataKind kind_of(Resolution resolution);

/// By kind; 0: for ever.
struct Keeps {
  std::array<Duration, kKinds.size()> times = {};
  Duration& operator[](DataKind kind) { return times[static_cast<std::size_t>(kind)]; }
  Duration operator[](DataKind kind) const { return times[static_cast<std::size_t>(kind)]; }
  bool operator==(const Keeps&) const = default;
};

/// Of `retention:`. Of roll-ups that are not made, what would be.
Keeps keeps_of(const RetentionSettings& settings);

/// For ever is longest.
bool is_longer(Duration left, Duration right);
Duration longer(Duration left, Duration right);

}  // namespace vigia::storage::retention
