// Which fields the last lines of a query have.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "services/router/api/loki/log_question.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

struct FieldQuestion {
  ReadQuery query;  ///< of lines
  LogRange range;
  std::size_t lines_max = 0;   ///< that are looked into
  std::size_t fields_max = 0;  ///< of the answer; of values, where `name` is asked for
  std::optional<std::string> name;
};

/// line_limit (1,000; at most kLinesMax), limit or field_limit (1,000); `name`: whose values are
/// asked for. kInvalid for a query that gives no lines.
Result<FieldQuestion> read_field_question(const request::ApiRequest& request,
                                          std::optional<std::string> name, TimestampMs now_ms);

/// Answers in Loki's form. Blocks while storage works: for QueryThreads. The stores have a
/// long-term store.
void answer_fields(stores::Stores& stores, const FieldQuestion& question,
                   request::Exchange exchange);

}  // namespace vigia::router::api::loki
