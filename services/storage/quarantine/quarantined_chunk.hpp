// A chunk that the store never took, as it lies in a file: docs/formats/quarantined-chunk.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::quarantine {

struct QuarantinedChunk {
  customers::CustomerNumber number;    ///< by which the write-ahead log knew the customer
  std::optional<CustomerId> customer;  ///< none where nobody had the number
  std::uint64_t taken_ns = 0;          ///< wall clock, nanoseconds since 1970: when it came here
  store::ChunkRow row;
  Resolution resolution = Resolution::kRaw;
};

/// A whole file.
std::string encode(const QuarantinedChunk& chunk);

/// kCorrupt where a byte of it is not what was written; kInvalid where a later version of the
/// program wrote it.
Result<QuarantinedChunk> decode(std::string_view file);

/// "c3-s71-1764043200000-e1-v0-5d41402a.chunk", of customer, series, first_ms, encoding, version
/// and the checksum of its data: the same chunk has the same name whenever it comes, another
/// another.
std::string name_of(const QuarantinedChunk& chunk);

}  // namespace vigia::storage::quarantine
