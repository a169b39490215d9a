// Float samples of one series as whole numbers: what lies on disk where it is smaller than the XOR
// chunk. Most host metrics are decimal fractions of few digits; as doubles their bits look random,
// as whole numbers their steps are small. Format: docs/formats/chunk.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// The samples packed, every bit of them kept. Nothing where a value is no decimal fraction of few
/// digits (NaNs, infinities and -0 are none) or there is no sample: such a chunk stays what it is.
/// The time of the first sample is not in the bytes. REQUIRES: samples.size() <= kSamplesMax.
std::optional<std::string> pack_samples(const std::vector<Sample>& samples);

/// What pack_samples packed. Any bytes may be given: kCorrupt on damage, also where bits are left
/// behind the last sample. A count that says too little is found by them, but where all samples
/// that it leaves out take none: a list of zeros is one bit however long it is, so that of a series
/// that never changes, on a grid, the count alone says how many there are; or where they take fewer
/// zeros than the last byte has room for.
Result<std::vector<Sample>> unpack_samples(std::string_view bytes, TimestampMs first_ms);

}  // namespace vigia::chunk
