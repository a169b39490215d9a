// Exemplars of a point (R-PM-11).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "libs/wire/otlp/points.hpp"
#include "libs/wire/prometheus/labels_encoding.hpp"

namespace vigia::wire::prometheus {

/// What OpenMetrics allows for all names and values of an exemplar's labels together.
inline constexpr std::size_t kExemplarCharactersMax = 128;
/// More of one point are left out, the oldest first.
inline constexpr std::size_t kExemplarsMax = 20;

struct EncodedExemplar {
  double value = 0;
  std::string field;  ///< one `exemplars` field of a prometheus.TimeSeries
};

/// The point's exemplars, encoded, in time order: trace_id and span_id where they are ids, then
/// filtered attributes as far as there is room (none of an exemplar of more than 4 KiB); an
/// attribute of those names gives way. One without a time, later than its point or more than a day
/// before it has the point's time, `point_ms`. Throws protozero::exception.
std::vector<EncodedExemplar> read_exemplars(otlp::MetricKind type, std::string_view point,
                                            TimestampMs point_ms);

/// The last of such fields, "" of none.
std::string_view last_exemplar(std::string_view fields);

struct DecodedExemplar {
  std::vector<LabelPair> labels;
  double value = 0;
  TimestampMs timestamp_ms = 0;
};
/// One such field. kCorrupt for other bytes.
Result<DecodedExemplar> decode_exemplar(std::string_view field);

}  // namespace vigia::wire::prometheus
