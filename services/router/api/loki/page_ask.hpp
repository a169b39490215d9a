// How storage is asked for a page of log records.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/logql/ast.hpp"
#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/api/loki/log_page.hpp"
#include "services/router/api/loki/log_parameters.hpp"
#include "services/router/api/loki/stream_query.hpp"
#include "services/router/upstream/ask.hpp"

namespace vigia::router::api::loki {

/// Storage's own bounds on a page.
inline constexpr std::size_t kPageRecordsMax = 5'000;
inline constexpr std::uint64_t kPageBytesMax = 64U << 20U;
/// What of a customer's share of bytes one page takes at the most: beside it lie the lines that
/// were found, and the answer that is made of them.
constexpr std::uint64_t page_bytes_of(std::uint64_t share) {
  return std::clamp<std::uint64_t>(share / 8, 1, kPageBytesMax);
}
/// What of a selector storage can be sent; "" where that is nothing, or too long. Whatever it
/// leaves out no stage behind would have seen, and what it gives passes these once more.
std::string pushed_filters(const logql::LogSelector& selector);

/// One walk: what is the same of all its pages.
struct LogWalk {
  CustomerId customer;
  StreamQuery streams;
  /// Line filters as storage is sent them: it gives the lines that pass them alone. "": all lines.
  std::string lines = {};
  LogRange range;  ///< its lines, and others of the same milliseconds
  Direction direction = Direction::kBackward;
  std::shared_ptr<access::Interest> interest;
  /// Of a page of lines, unless one line is longer; storage's own bound is kPageBytesMax.
  std::uint64_t page_bytes = kPageBytesMax;
};

/// `cursor`: of the page before; "" where there is none.
upstream::Ask page_ask(const LogWalk& walk, std::size_t records, const std::string& cursor,
                       Duration left);

/// How lines are counted: windows (origin + (k - 1) × width, origin + k × width].
struct CountWindows {
  std::int64_t origin_ns = 0;
  std::int64_t width_ns = 1;
};
/// Asks for a page of counts by stream. `unless`: labels that no line may have but from its stream,
/// or storage counts nothing (read_counts); without it there are none that it need look for.
upstream::Ask counts_ask(const LogWalk& walk, const std::optional<CountWindows>& windows,
                         const std::vector<std::string>* unless, const std::string& cursor,
                         Duration left);

/// The same of all streams at once, as storage's earlier programs have it.
upstream::Ask list_ask(const LogWalk& walk, Duration left);

/// What is wrong where storage gives no page (anything but 200).
Error why_no_page(const Result<net::ClientResponse>& answer);

/// The customer alone is asked for; that a line is of it is looked at all the same, by what the
/// collector takes: a name that is empty names nobody, a foreign one is foreign beside the own.
bool is_of(const CustomerId& customer, const LogRecord& record);
Error not_as_it_should();

}  // namespace vigia::router::api::loki
