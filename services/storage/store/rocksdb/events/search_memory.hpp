// What a search for traces has read of them, from one of its pages to the next.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "libs/base/clock.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/trace_query.hpp"

namespace vigia::storage::store::rocksdb::events {

/// What was read of a trace: its latest span that has all that is asked for, where it has one.
struct LatestSpan {
  std::optional<TimestampNs> time_ns = std::nullopt;
  /// The reading ended at a span that lies before the page's begin: there may be later ones. It
  /// answers only for pages that begin behind it, too.
  bool is_least = false;
  bool is_cut = false;  ///< too large to be looked through
};
/// By the trace's id.
using LatestSpans = std::unordered_map<std::string, LatestSpan>;

/// Of all searches together, and of one customer's; some 100 bytes each.
inline constexpr std::size_t kRememberedTraces = 200'000;
inline constexpr std::size_t kRememberedTracesOfOne = 100'000;
/// Whoever asks for the next page later begins anew.
inline constexpr std::chrono::minutes kRememberedFor(2);

/// Traces whose spans lie before and after the place where a page ends have to be read to know
/// which of them are still to come. Without this each page reads all of them again, and one that
/// takes longer than a page may would never end. It only saves work: what it forgets is read again.
/// Thread contract: any thread.
class SearchMemory {
 public:
  /// `clock` must outlive it.
  explicit SearchMemory(const Clock& clock) : clock_(clock) {}

  /// What is known of the question; it is forgotten here. `question`: question_of.
  LatestSpans take(customers::CustomerNumber customer, std::uint64_t question);
  /// In the place of what was known of it; the oldest ones go where there is no room.
  void keep(customers::CustomerNumber customer, std::uint64_t question, LatestSpans spans);
  std::size_t traces() const;

 private:
  struct Search {
    customers::CustomerNumber customer;
    std::uint64_t question;
    TimePoint kept_at;
    LatestSpans spans;
  };

  std::size_t traces_of(std::optional<customers::CustomerNumber> customer) const;
  void drop_oldest_of(std::optional<customers::CustomerNumber> customer);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::list<Search> searches_;  // the oldest first
};

/// Of all that decides which traces a query asks for, but the place where its page begins.
std::uint64_t question_of(const TraceQuery& query);

}  // namespace vigia::storage::store::rocksdb::events
