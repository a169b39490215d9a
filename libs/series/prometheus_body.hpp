// Remote write as a body of the disk log: what a Prometheus sends, in the form of OTLP that the
// walk, the cache and the translator read (wire/prometheus/verbatim.hpp, decision 45).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/series/said_metadata.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::series {

using wire::remote_write::WriteVersion;

struct PrometheusBodyLimits {
  std::size_t message_bytes_max = 16U << 20U;  ///< of the request, once unpacked
  /// Of the body that it becomes: each value has its series' labels beside it.
  std::size_t body_bytes_max = 48U << 20U;
  std::size_t metadata_max = 4096;  ///< that a request of 1.0 may say; Prometheus sends 2,000
  /// Samples, histograms and exemplars of one series: an empty one takes two bytes on the wire and
  /// sixteen in memory. Of a sample in 15 s these are 17 days.
  std::size_t series_values_max = 100'000;
  /// Asked before memory is taken: so many bytes would then be held for the request, what is
  /// unpacked of it and what is made of it. False ends it with kOverLimit. Empty: all may be.
  std::function<bool(std::size_t bytes)> may_hold = {};
};

struct PrometheusBody {
  /// An ExportMetricsServiceRequest: every value is a point, and so are the exemplars of a series.
  std::string body;
  std::size_t message_bytes = 0;  ///< of the request, unpacked
  std::uint64_t exemplars = 0;    ///< that came
  /// What a request of 1.0 says of metrics, by family. It belongs to none of its series.
  std::vector<std::pair<std::string, SaidMetadata>> said;
  std::uint64_t metadata_left_out = 0;  ///< no name, a name that is too long, or one too many
  /// Work that grows with the length of texts: of names, helps and units against each other.
  std::uint64_t compared_bytes = 0;
};

/// Reads one snappy block, a large one as it is unpacked (docs/decisions/0057). Nothing of a series
/// is judged here: what is wrong with it stands in its points, for the check to refuse these alone.
/// Labels are sorted, since two orders of one set are one series. Series of one `node_id` stand
/// under one resource. kInvalid for what is no such message, kTooLarge by the length that the block
/// declares, before memory is taken, and past the other limits; kOverLimit by may_hold. `known`,
/// which may be null: what series of 1.0 are is taken from there.
Result<PrometheusBody> read_remote_write(const CustomerId& customer, WriteVersion version,
                                         std::string_view block,
                                         const PrometheusBodyLimits& limits = {},
                                         const MetadataTable* known = nullptr);

}  // namespace vigia::series
