// What a search for traces asks, and what lists of services and operations ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vigia::storage::store {

/// Nanoseconds since 1970.
using TimestampNs = std::uint64_t;

/// A tag that a span must have, compared as text: strings as they are, numbers, truth values and
/// lists as wire::otlp::append_value_text writes them.
struct TagMatch {
  std::string key;
  std::string value;
};

/// Where a trace lies in the walk of a search: to go on behind it. By time, the latest first; of
/// one time by id, the smallest first.
struct TracePlace {
  TimestampNs time_ns = 0;  ///< of its latest span that has all that the query asks for
  std::string trace_id;     ///< "" lies before all traces of the time
  bool operator==(const TracePlace&) const = default;
  /// Comes before `other` in the walk.
  bool is_before(const TracePlace& other) const {
    return time_ns != other.time_ns ? time_ns > other.time_ns : trace_id < other.trace_id;
  }
};

/// Traces of which one span has all of this: a service that was slow and an operation that failed
/// elsewhere in the trace are not a slow operation that failed. A span's service and tags:
/// span_tags.hpp.
struct TraceQuery {
  TimestampNs from_ns = 0;
  TimestampNs to_ns = 0;  ///< both included, of the span's start. One that names no start, or one a
                          ///< day ahead, counts as of the day's first moment on which it came
  std::string service;    ///< not ""
  std::string operation;  ///< its name; "": any
  std::vector<TagMatch> tags;  ///< all of them
  /// Nanoseconds from start to end, both included; 0 where it ends before it starts.
  std::uint64_t shortest_ns = 0;
  std::uint64_t longest_ns = UINT64_MAX;
  std::size_t traces_max = SIZE_MAX;
  /// Only what comes behind this place of a walk that asked for the same.
  std::optional<TracePlace> after = std::nullopt;
};

/// How a search for traces ended.
struct TraceEnd {
  /// False: the limit came before the end, or the store's own bound on what one search looks at.
  bool is_whole = true;
  /// Of a search that ended so: what lies before this place has been looked at; behind it the next
  /// one goes on. Nothing: there is no such place yet.
  std::optional<TracePlace> looked_at = std::nullopt;
};

struct Operation {
  std::string name;
  std::uint32_t kind = 0;  ///< SpanKind of OTLP
  auto operator<=>(const Operation&) const = default;
};

/// Names of the days that the range touches, both included.
struct ServiceQuery {
  TimestampNs from_ns = 0;
  TimestampNs to_ns = UINT64_MAX;
  std::string after;                    ///< "": from the beginning; else behind this name
  std::size_t services_max = SIZE_MAX;  ///< at least 1
};
struct OperationQuery {
  TimestampNs from_ns = 0;
  TimestampNs to_ns = UINT64_MAX;
  std::optional<Operation> after = std::nullopt;
  std::size_t operations_max = SIZE_MAX;  ///< at least 1
};
/// Operations in order, by name and kind.
struct OperationPage {
  std::vector<Operation> operations;
  bool is_last = false;
};

}  // namespace vigia::storage::store
