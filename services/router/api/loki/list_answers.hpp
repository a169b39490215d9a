// Answers made of a list of streams, in the form of Loki's HTTP API.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/json/writer.hpp"
#include "libs/net/message.hpp"
#include "services/router/access/query_limits.hpp"
#include "services/router/api/loki/stream_list.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::api::loki {

/// Where there are any.
void append_warnings(vigia::json::JsonWriter& body, const std::vector<std::string>& warnings);

net::Response stats_answer(const StreamList& list);
net::Response series_answer(const StreamList& list);
net::Response names_answer(const StreamList& list);
net::Response values_answer(const StreamList& list, const std::string& name);
/// {"detectedLabels":[{"label":"…","cardinality":2},…]}
net::Response detected_labels_answer(const StreamList& list);

/// How the bytes of streams are summed up.
struct VolumeWish {
  bool is_by_name = false;              ///< aggregateBy=labels: by the names of labels alone
  std::vector<std::string> labels;      ///< of streams, that tell sums apart
  std::size_t limit = 100;              ///< the largest ones
  std::optional<CountWindows> windows;  ///< by steps; nothing: of the whole time
  std::uint64_t steps = 1;
  std::int64_t end_ns = 0;
};

/// targetLabels (else the labels that `query` names, else all of streams), aggregateBy, limit, and
/// of a range step. kInvalid for what is none of that, and over 11,000 steps.
Result<VolumeWish> read_volume_wish(const request::Parameters& parameters, const LogRange& range,
                                    bool is_instant);

/// A vector, or a matrix by steps, of bytes; the largest first. access::over_limit's error for more
/// series than may be.
Result<net::Response> volume_answer(const StreamList& list, const VolumeWish& wish,
                                    const access::QueryLimits& limits);

}  // namespace vigia::router::api::loki
