// A page of log records as storage gives it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

struct PageEnd {
  bool is_cut = false;                ///< storage has more, or has ended its search
  bool is_read_whole = true;          ///< `visit` has had its last record, too
  std::string cursor;                 ///< of the next page; empty: none, or nothing was looked at
  std::vector<std::string> warnings;  ///< but those that say only that there are more
};

/// Gives `visit` each record, in order, until it returns false or an error, which is then the
/// answer. kCorrupt where it is no such page.
Result<PageEnd> read_page(std::string_view json,
                          const std::function<Result<bool>(const LogRecord&)>& visit);

}  // namespace vigia::router::api::loki
