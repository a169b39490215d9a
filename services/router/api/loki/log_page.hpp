// A page of log records as storage gives it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"

namespace vigia::router::api::loki {

/// Names and values as they came: of a number or a truth its text.
using RecordAttributes = std::vector<std::pair<std::string_view, std::string>>;

/// Valid while it is visited.
struct LogRecord {
  std::int64_t time_ns = 0;
  std::string_view severity;
  std::string_view body;
  std::string_view trace_id;  ///< hex digits; empty: none
  std::string_view span_id;
  RecordAttributes attributes;
  RecordAttributes resource;
};

/// What storage read to make a page.
struct PageWork {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  ///< of their texts
  Duration work{0};         ///< of a processor

  /// Beside what was given of it, and is counted where it is read.
  PageWork without(std::uint64_t lines_given, std::uint64_t bytes_given) const {
    return {lines - std::min(lines, lines_given), bytes - std::min(bytes, bytes_given), work};
  }
};

struct PageEnd {
  bool is_cut = false;        ///< storage has more, or has ended its search
  bool is_read_whole = true;  ///< `visit` has had its last record, too
  std::string cursor;         ///< of the next page; empty: none, or nothing was looked at
  /// It knows what line filters, pages of counts and windows are: one that does not (an earlier
  /// program) has left out no line, and counted nothing as it was asked.
  bool says_looked_at = false;
  PageWork looked_at;
  std::vector<std::string> warnings;  ///< but those that say only that there are more
};

/// Gives `visit` each record, in order, until it returns false or an error, which is then the
/// answer. kCorrupt where it is no such page.
Result<PageEnd> read_page(std::string_view json,
                          const std::function<Result<bool>(const LogRecord&)>& visit);

/// Of storage's list of streams. Valid while it is visited.
struct CountedStream {
  struct Window {
    std::uint64_t number = 0;  ///< from 1 on, in front of which nothing counts: 0
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
  };
  std::string_view service_name;
  std::string_view node_id;
  std::string_view environment;
  std::string_view severity;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  ///< of their texts
  std::vector<Window> windows;
};

/// Gives `visit` each stream until it returns an error, which is then the answer. Nothing, and none
/// is given, where storage says that they cannot be counted. kCorrupt where it is no such page.
Result<std::optional<PageEnd>> read_counts(
    std::string_view json, const std::function<Result<void>(const CountedStream&)>& visit);

}  // namespace vigia::router::api::loki
