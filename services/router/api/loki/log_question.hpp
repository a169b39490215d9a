// A query of lines as the router understands it, before storage is asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/model/ids.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/api/loki/line_stages.hpp"
#include "services/router/api/loki/log_parameters.hpp"
#include "services/router/api/loki/stream_query.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::api::loki {

/// Whose lines are read: the caller's customer; for an operator over all customers the one that
/// every selector names, `customer_id="ID"`. kInvalid where that is none, or not one alone.
Result<CustomerId> customer_of(const access::Caller& caller,
                               const std::vector<const logql::LogSelector*>& selectors);

struct ReadQuery {
  std::string payer;                   ///< in whose row it is worked on: the caller's
  std::optional<CustomerId> customer;  ///< none: the query has no selector
  logql::LogExprPtr expr;              ///< inside its customer's data; never null
  access::QueryLimits limits;          ///< the caller's
};
/// The error of an expression over a limit of the language. kTooLarge would be 413, which is for
/// bodies and tells clients to send less at once.
Error as_bad_query(Error error);
/// The parameter `query`. kInvalid as logql::parse_logs, and as customer_of.
Result<ReadQuery> read_query(const access::Caller& caller, const request::Parameters& parameters);

struct LogQuestion {
  std::string payer;  ///< ReadQuery
  CustomerId customer;
  access::QueryLimits limits;
  StreamQuery streams;
  std::string lines;  ///< LogWalk
  LineStages stages;
  LogRange range;
  LineWish wish;
  /// What the page before gave; "" begins a walk by pages, whose answers say where they end.
  std::optional<std::string> cursor;
  bool is_by_category = false;  ///< StreamsAnswer
};

/// `query` gives lines. access::over_limit's error for a range over the caller's own.
Result<LogQuestion> read_question(ReadQuery query, const request::Parameters& parameters,
                                  TimestampMs now_ms);

}  // namespace vigia::router::api::loki
