// What /api/v1/logs is asked: whose records, when, of which streams, in which direction, from
// where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/logql/pipeline/front_filters.hpp"
#include "services/storage/api/label_query.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

inline constexpr std::size_t kLogRecordsMax = 5'000;  ///< of a page
inline constexpr std::size_t kStreamMatchersMax = 64;

/// Where a page ended: whoever asks for the next one gives it back. `customer` is whose records
/// were walked there, the fence's but for operators.
struct LogPageEnd {
  CustomerId customer;
  store::LogDirection direction = store::LogDirection::kForward;
  store::LogPlace place;
};

/// A word of hex digits.
std::string encode(const LogPageEnd& cursor);
/// kInvalid for what encode has not made.
Result<LogPageEnd> decode_cursor(std::string_view text);

/// The matchers of {name="value",other=~"a|b"}: operators as matchers have them, a value between
/// double quotes with the escapes \\ \" \n \r \t, or between back ticks as it stands. A name may
/// stand so, too: {"my.name"="value"}, and {"my.metric"} is {__name__="my.metric"}. {} is every
/// stream. kInvalid, and for more than kStreamMatchersMax.
Result<store::LabelMatchers> parse_stream_query(std::string_view text);

/// A number that /api/v1/logs/arrivals gave. kInvalid.
Result<std::uint64_t> read_arrival(std::string_view text);

struct LogRequest {
  /// `sets` may name what a record says itself; start and end are there.
  LabelQuery labels;
  store::LogDirection direction = store::LogDirection::kForward;
  std::optional<store::LabelMatchers> stream;  ///< nothing: every stream
  std::optional<LogPageEnd> cursor;            ///< of this fence and direction
  std::optional<store::ArrivedWithin> arrived;
  /// Nothing: every line.
  std::optional<logql::pipeline::FrontFilters> lines;
  std::size_t answer_bytes = SIZE_MAX;  ///< of a page at the most, unless one record is longer
};

/// The parameters of read_label_query, of which start and end are required, and once at most each:
///   direction=forward|backward   backward: the last record first
///   query={…}                    parse_stream_query, of the labels of streams
///   cursor                       of the page before, asked with the same fence and direction
///   arrived_after, arrived_upto  numbers of log_arrival_api.hpp: what came behind the one and
///                                up to the other
///   lines=|= "a" !~ "b"          line filters of LogQL, of the records' texts
///   answer_bytes                 a page ends, with its cursor, before it is longer
/// kInvalid, also for a cursor of another customer or direction, or made up, and for any other
/// parameter that `other` does not know.
Result<LogRequest> read_log_request(const net::Request& request, const OtherParameter& other = {});

}  // namespace vigia::storage::api
