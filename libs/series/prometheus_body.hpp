// Remote write as a body of the disk log: what a Prometheus sends, in the form of OTLP that the
// walk, the cache and the translator read (wire/prometheus/verbatim.hpp, decision 45).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::series {

using wire::remote_write::WriteVersion;

struct PrometheusBodyLimits {
  std::size_t message_bytes_max = 16U << 20U;  ///< of the request, once unpacked
  /// Of the body that it becomes: each value has its series' labels beside it.
  std::size_t body_bytes_max = 48U << 20U;
};

struct PrometheusBody {
  /// An ExportMetricsServiceRequest: every value is a point, and so are the exemplars of a series.
  std::string body;
  std::size_t message_bytes = 0;  ///< of the request, unpacked
  std::uint64_t exemplars = 0;    ///< that came
  std::uint64_t metadata = 0;     ///< of 1.0, which belongs to no series: it is not kept
};

/// Reads one snappy block. Nothing of a series is judged here: what is wrong with it stands in its
/// points, for the check to refuse these alone. Labels are sorted, since two orders of one set are
/// one series. Series of one `node_id` stand under one resource. kInvalid for what is no such
/// message, kTooLarge by the length that the block declares, before memory is taken, and past the
/// other limits.
Result<PrometheusBody> read_remote_write(const CustomerId& customer, WriteVersion version,
                                         std::string_view block,
                                         const PrometheusBodyLimits& limits = {});

}  // namespace vigia::series
