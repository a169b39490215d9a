// Counts the series of a query where it is not known that its results have room (plan/room.hpp).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/task.hpp"
#include "libs/promql/result_memory.hpp"
#include "services/router/run/series_census.hpp"

namespace vigia::router::run {

/// Selectors of one query that are counted; each is a request.
inline constexpr std::size_t kCensusesMax = 64;

/// One query at the store that is to evaluate it.
struct RoomQuestion {
  access::Caller caller;
  std::shared_ptr<const promql::Expr> expr;                      ///< fenced
  std::shared_ptr<const std::vector<promql::TimeRange>> ranges;  ///< of its selectors
  promql::EvaluationShape shape;
  std::optional<std::size_t> member;  ///< the hot store; none: prometheus-query
  Duration timeout{0};                ///< of all its counts together
  std::shared_ptr<access::Interest> interest;
};

/// Counts the series of the selectors, one after the other and no more than are needed, and gives
/// the bytes that the results take at most. kInvalid, with what helps, where they have no room;
/// access::over_limit's where what was counted is more series than the caller may read;
/// kOverLimit where the counts take longer than they may; other errors are those of the store that
/// was asked. Nothing is remembered: a customer may write
/// any number of series in the next second. Any thread.
void find_room(stores::Stores& stores, RoomQuestion question,
               Task<void(Result<std::uint64_t>)> done);

}  // namespace vigia::router::run
