// Whether the results of a query have room in the store that evaluates it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/promql/result_memory.hpp"
#include "services/router/run/series_census.hpp"

namespace vigia::router::run {

/// Without being counted, a selector is taken for so many series of so many bytes of labels, or for
/// as many as the customer may have at once, where those are more and the query has more steps than
/// one. As many fit in few steps, as most queries have.
inline constexpr std::uint64_t kSeriesAssumed = 50'000;
inline constexpr std::uint64_t kLabelBytesAssumed = 256;
/// Selectors of one query that are counted; each is a request.
inline constexpr std::size_t kCensusesMax = 64;

/// Refuses, with what helps, what fits nowhere even if each selector has one series. Reads nothing.
Result<void> check_room_of_fewest(const promql::Expr& expr, const promql::EvaluationShape& shape);
/// True where the results have room as long as no selector has more series than are assumed of
/// this caller.
bool has_room_uncounted(const promql::Expr& expr, const promql::EvaluationShape& shape,
                        const access::Caller& caller);

/// One query at the store that is to evaluate it.
struct RoomQuestion {
  access::Caller caller;
  std::shared_ptr<const promql::Expr> expr;                      ///< fenced
  std::shared_ptr<const std::vector<promql::TimeRange>> ranges;  ///< of its selectors
  promql::EvaluationShape shape;
  std::optional<std::size_t> shard;  ///< the hot store; none: prometheus-query
  Duration timeout{0};               ///< of all its counts together
  std::shared_ptr<access::Interest> interest;
};

/// Counts the series of the selectors, one after the other and no more than are needed, and gives
/// the bytes that the results take at most. kInvalid, with what helps, where they have no room;
/// kOverLimit where the counts take longer than they may; other errors are those of the store that
/// was asked. Nothing is remembered: a customer may write
/// any number of series in the next second. Any thread.
void find_room(stores::Stores& stores, RoomQuestion question,
               std::function<void(Result<std::uint64_t>)> done);

}  // namespace vigia::router::run
