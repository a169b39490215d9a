// From the frames that a hot store answers with to samples. It is believed in nothing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/healing/hot_store.hpp"

namespace vigia::storage::healing {

/// Why samples that hot gave are not looked at, or not taken.
enum class Refused : std::uint8_t {
  kForeign,    ///< of another customer than was asked for, or of nobody where one was
  kUnasked,    ///< of a series that Prometheus does not make itself
  kOutside,    ///< of another time than was asked for; Prometheus may send whole chunks
  kDamaged,    ///< of a chunk that cannot be read
  kHistogram,  ///< native histograms: no series that Prometheus makes here has any
  kTooMany,    ///< of a series with more than kSeriesSamplesMax
  kInvalid,    ///< refused at the store's door: labels or times, or late_max
};
inline constexpr std::size_t kRefusedKinds = 7;
std::string_view to_string(Refused refused);  ///< "foreign", …

/// Samples, by why they were refused.
using RefusedCounts = std::array<std::uint64_t, kRefusedKinds>;

struct HotSeries {
  Labels labels;
  std::vector<Sample> samples;  ///< in the stretch, by time, each time once; one at least
};

/// Of a series, in one frame.
inline constexpr std::size_t kSeriesSamplesMax = 200'000;

/// Calls `take` for each series that has samples, in the order of the frames; the same labels may
/// come again. An error of `take` ends it; kCorrupt and kTooLarge as FrameReader has them, perhaps
/// after some calls. What is refused is added to `refused`.
using TakeSeries = std::function<Result<void>(HotSeries series)>;
Result<void> each_hot_series(const CustomerId& customer, const Stretch& stretch,
                             std::string_view stream, RefusedCounts& refused,
                             const TakeSeries& take);

/// What of `hot` has no time in `cold`; both by time.
std::vector<Sample> missing_in(const std::vector<Sample>& cold, const std::vector<Sample>& hot);

}  // namespace vigia::storage::healing
