// What tail_sampling's policies ask of a trace, and what they make of it.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"

namespace re2 {
class RE2;
}

namespace vigia::collector::tail_sampling {

/// Sixteen bytes, as they lie in a span.
using TraceId = std::array<std::uint64_t, 2>;
TraceId trace_id_of(std::string_view bytes);  ///< REQUIRES: 16 bytes
std::string_view bytes_of(const TraceId& id);

/// Looked for in each span by itself, or in its resource: a trace meets it where one span does.
struct SpanCondition {
  enum class Kind : std::uint8_t { kStatus, kText, kNumber, kTruth };
  Kind kind = Kind::kStatus;
  std::set<std::uint64_t> statuses = {};  ///< as OTLP numbers them
  std::string key = {};                   ///< of an attribute, for the others
  std::set<std::string, std::less<>> texts = {};
  std::vector<std::shared_ptr<const re2::RE2>> patterns = {};  ///< one has to match somewhere
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  bool truth = false;

  /// Whether the attribute's encoded AnyValue is such a one. Throws protozero::exception on damaged
  /// bytes.
  bool matches(std::string_view any_value) const;
};
/// Conditions are bits of what a trace has met.
inline constexpr std::size_t kConditionsMax = 64;

/// What is known of a span, and summed of a trace: all that a policy asks.
struct TraceFacts {
  std::uint64_t met = 0;                                               ///< a bit a condition
  std::uint64_t first_ns = std::numeric_limits<std::uint64_t>::max();  ///< earliest start
  std::uint64_t last_ns = 0;                                           ///< latest end
  std::uint32_t spans = 0;

  void add(const TraceFacts& span);
};

/// What a rate limit has left, in spans. Of one customer and policy.
struct RateLevel {
  double spans = 0;
  TimePoint at{};
};

/// A policy, or a part of one. `kAnd` and `kDrop` have parts; `bit` is a condition's.
struct Policy {
  enum class Kind : std::uint8_t {
    kAlways,
    kCondition,
    kLatency,
    kProbabilistic,
    kRate,
    kSpanCount,
    kAnd,
    kDrop,
  };
  std::string name;
  Kind kind = Kind::kAlways;
  std::size_t bit = 0;
  bool inverts = false;           ///< a condition that keeps unless it is met
  std::int64_t threshold_ms = 0;  ///< at least so long; more, where there is an upper bound
  std::int64_t upper_ms = 0;      ///< at most; 0: no bound
  std::string salt = {};          ///< of the hash of the trace id
  std::uint64_t hash_max = 0;     ///< kept up to here
  std::size_t rate = 0;           ///< place of its level
  double spans_per_second = 0;
  double burst = 0;
  std::uint32_t spans_min = 0;
  std::uint32_t spans_max = 0;  ///< 0: no bound
  std::vector<Policy> parts = {};
};

struct Policies {
  std::vector<SpanCondition> conditions;
  std::vector<Policy> list;
  std::size_t rates = 0;           ///< levels that a customer has
  bool takes_first_match = false;  ///< sample_on_first_match
  /// Full levels.
  std::vector<RateLevel> full_levels(TimePoint now) const;
};

/// Whether the trace is kept, as upstream's README orders what several policies say: dropped, then
/// not sampled by an inverted match, then sampled, then sampled by an inverted match where none
/// said no. Takes from `levels`, one for each rate. Thread contract: one thread for a customer.
bool is_kept(const Policies& policies, const TraceId& id, const TraceFacts& facts,
             std::vector<RateLevel>& levels, TimePoint now);

/// The bound below which so many of a hundred traces lie.
std::uint64_t hash_max_of(double percentage);

}  // namespace vigia::collector::tail_sampling
