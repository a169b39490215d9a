// What one query of a customer's may take, and what is said of one that takes more.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "libs/tenancy/directory.hpp"

namespace vigia::router::access {

/// Each by the name that customers.yaml has for it.
enum class QueryLimit : std::uint8_t {
  kRange,
  kSteps,
  kSeries,
  kSamples,
  kBytes,
  kSeconds,
  kLogLines,
  kLogBytes,
  kLogWork,
};
std::string_view name_of(QueryLimit limit);

/// The error of a query that is right and takes more than it may: kForbidden, with the limit, its
/// value, `wanted` and who can change it. limit_of knows it again, and an exchange counts it and
/// answers 422.
Error over_limit(QueryLimit limit, std::uint64_t value, std::string_view wanted);
/// Nothing of any other error.
std::optional<QueryLimit> limit_of(const Error& error);

/// 0 is none, beside what bounds everybody's queries. The values here are those that nobody has to
/// configure.
struct QueryLimits {
  Duration range{0};                  ///< from the earliest to the latest time that is touched
  std::uint64_t steps = 0;            ///< of a range query
  std::uint64_t series = 500'000;     ///< that are counted before, or answered with
  std::uint64_t samples = 5'000'000;  ///< that a store holds for it at once
  std::uint64_t bytes = 0;            ///< of its answer
  Duration time{0};                   ///< from the request to its answer
  Duration log_time = std::chrono::seconds(60);       ///< the same of a log query, where it is less
  std::uint64_t log_lines = 0;                        ///< that a log query looks at
  std::uint64_t log_bytes = std::uint64_t{1} << 30U;  ///< of their texts
  Duration log_work = std::chrono::seconds(10);       ///< of a processor

  // What it is compared with is what a query wants or has taken.
  /// Both ends belong to it.
  Result<void> check_range(TimestampMs from_ms, TimestampMs to_ms) const;
  Result<void> check_steps(std::uint64_t wanted) const;
  Result<void> check_series(std::uint64_t found) const;
  Result<void> check_samples(std::uint64_t held) const;
  Result<void> check_bytes(std::uint64_t answered) const;
  Result<void> check_log_lines(std::uint64_t looked_at) const;

  /// `most`, or less.
  Duration at_most(Duration most) const { return bounded(most, time); }
  /// The same of a log query.
  Duration log_at_most(Duration most) const { return bounded(at_most(most), log_time); }
  /// A range that nobody named.
  Duration range_at_most(Duration usual) const { return bounded(usual, range); }
  /// The first time of a list whose begin nobody named; nothing where it may reach back for ever.
  std::optional<TimestampMs> first_of(TimestampMs end_ms) const;

 private:
  static Duration bounded(Duration most, Duration own) {
    return own > Duration::zero() && own < most ? own : most;
  }
};

/// A customer's own ones, and in the place of each that is 0 the router's.
QueryLimits limits_of(const tenancy::Limits& own, const QueryLimits& usual);

}  // namespace vigia::router::access
