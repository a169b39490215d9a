// What /api/v1/traces, /api/v1/services and /api/v1/services/{s}/operations are asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/storage/api/label_query.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

inline constexpr std::size_t kTracesDefault = 20;
inline constexpr std::size_t kTracesMax = 1'000;
inline constexpr std::size_t kTagsMax = 64;
inline constexpr std::size_t kCalledTracesMax = 10'000;

/// Where a page of traces ended: whoever asks for the next one gives it back. `customer` is whose
/// traces were walked there, the fence's but for operators.
struct TracePageEnd {
  CustomerId customer;
  store::TracePlace place;
};

/// A word of hex digits.
std::string encode(const TracePageEnd& cursor);
/// kInvalid for what encode has not made.
Result<TracePageEnd> decode_trace_cursor(std::string_view text);

/// A length of time as Jaeger's page writes it: a number and ns, us, µs, ms, s, m or h: "1.5ms".
/// Nanoseconds; kInvalid for anything else.
Result<std::uint64_t> parse_span_duration(std::string_view name, std::string_view text);

struct TraceRequest {
  LabelQuery labels;                   ///< the fence, start and end, the limit; no matchers
  store::TraceQuery query;             ///< all but range and place
  std::optional<TracePageEnd> cursor;  ///< of this fence
};

/// Of read_label_query start and end, which are required, limit (at most kTracesMax, without it
/// kTracesDefault) and customer; and once at most but for tag:
///   service                     required
///   operation                   its whole name
///   tag=key=value               repeated, at most kTagsMax: all of them on the same span
///   min_duration, max_duration  parse_span_duration
///   cursor                      of the page before, asked with the same otherwise
/// kInvalid for all else.
Result<TraceRequest> read_trace_request(const net::Request& request);

struct NameRequest {
  LabelQuery labels;  ///< the fence, the days that start and end touch, the limit; no matchers
  std::optional<std::string> cursor;       ///< what the page before ended with
  std::optional<std::uint32_t> span_kind;  ///< of operations
  std::string service;                     ///< of operations, where it is said
};

/// Of read_label_query start, end, limit and customer, and `cursor`; of operations `span_kind`
/// too, by its name, and `service`. kInvalid for all else.
enum class NamesOf : std::uint8_t { kServices, kOperations };
Result<NameRequest> read_name_request(const net::Request& request, NamesOf names);

/// Of read_label_query start and end, which are required, limit (at most kCalledTracesMax, which it
/// is without it) and customer; and `service`. kInvalid for all else.
struct CallRequest {
  LabelQuery labels;
  std::string service;  ///< "": all
};
Result<CallRequest> read_call_request(const net::Request& request);

}  // namespace vigia::storage::api
