// What queries have held of a store, so that the next one like them is known beforehand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "libs/promql/time_range.hpp"

namespace vigia::router::access {

enum class Weight {
  kLight,    ///< many of them at once cost a store little memory
  kUnknown,  ///< nothing like it has been seen
  kHeavy,
};

/// What is like what.
struct QueryShape {
  std::string text;
  promql::TimeRange touches;
  std::uint64_t steps = 1;
};

struct QueryCost {
  /// Of a query that did not end: more than any limit.
  static constexpr std::uint64_t kUnknownSamples = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t samples = 0;  ///< held at once, at the most, as the store itself counted
  std::size_t bytes = 0;      ///< of its answer
};

/// Memory of a store goes by series × steps, and nobody knows the series of a query before it was
/// evaluated. So what was seen counts: a query is like an earlier one where its text is the same,
/// its steps are about as many, and the time that it touches lies within that one's and a tenth
/// more, as for a page that shows the last hour again and again. A customer whose unknown queries
/// turned out heavy is presumed to go on like that until one was light.
///
/// Bounded by customer and in all; what was used least lately is forgotten. Any thread.
class QueryWeights {
 public:
  /// What is not more than this is light: 8 at once are some 300 MiB of a Prometheus.
  static constexpr std::uint64_t kLightSamplesMax = 250'000;
  static constexpr std::size_t kLightBytesMax = 4U << 20U;
  /// Texts, of one customer and of all.
  static constexpr std::size_t kCustomerBytesMax = 512U << 10U;
  static constexpr std::size_t kTotalBytesMax = 32U << 20U;
  static constexpr std::size_t kTextBytesMax = 16U << 10U;

  /// "" for operators.
  Weight weigh(const std::string& customer, const QueryShape& shape);
  /// What one like it has held; nothing where none was seen, or it did not end.
  std::optional<std::uint64_t> samples_of(const std::string& customer,
                                          const QueryShape& shape) const;
  void note(const std::string& customer, const QueryShape& shape, QueryCost cost);

  std::size_t bytes() const;

 private:
  struct Seen {
    std::string key;
    promql::TimeRange touches;
    std::uint64_t steps = 1;
    QueryCost cost;
  };
  struct Customer {
    std::list<Seen> seen;  // what was used last is first
    std::unordered_map<std::string_view, std::list<Seen>::iterator> by_key;
    std::size_t bytes = 0;
    std::uint64_t used_at = 0;  // a count of uses
    bool is_suspect = false;
  };

  static std::string key_of(const QueryShape& shape);
  static bool is_like(const Seen& seen, const QueryShape& shape);
  void forget_last(Customer& customer);
  void make_room();

  mutable std::mutex mutex_;
  std::map<std::string, Customer> customers_;
  std::size_t bytes_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace vigia::router::access
