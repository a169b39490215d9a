// What a question with the matcher __rollup__="1h:sum" asks for: which windows, made of which
// samples.
#pragma once

#include <optional>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/matcher.hpp"
#include "libs/model/resolution.hpp"
#include "libs/model/sample.hpp"
#include "libs/rollup/part.hpp"
#include "services/storage/read/series_reader.hpp"

namespace vigia::storage::read {

/// Takes the matcher on `__rollup__` out: it names no label of any series. Nothing where there is
/// none: raw samples are asked for. kInvalid for another operator than =, for two of them and for a
/// value that is none; kNotFound for a resolution or a part that does not exist.
Result<std::optional<rollup::Asked>> take_rollup_matcher(std::vector<Matcher>& matchers);

/// The time stamp of the one sample that stands for a window: in the range of PromQL that the
/// window lies in, and never that of a range that begins at its end.
constexpr TimestampMs stamp_of(TimestampMs window_end_ms) { return window_end_ms - 1; }

/// The range of the samples that make up all windows of that width which have their stamp between
/// `from_ms` and `to_ms`, both included: whole windows, none cut by the range, none doubled by two
/// ranges that meet. Empty (to_ms before from_ms) where there is no such window. Times before 1970
/// and more than some hundred million years ahead are cut off.
ReadRange samples_of_windows(TimestampMs from_ms, TimestampMs to_ms, Resolution resolution);

/// kNotFound: which windows there are. `whole_from_ms`: samples of later times are whole.
tl::unexpected<Error> no_windows_before(TimestampMs whole_from_ms, Resolution resolution);

}  // namespace vigia::storage::read
