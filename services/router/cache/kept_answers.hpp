// The past steps of answers, by customer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "services/router/cache/kept_matrix.hpp"
#include "services/router/cache/settings.hpp"

namespace vigia::router::cache {

/// Immutable once it is kept; any thread.
struct KeptAnswer {
  std::string state;  ///< of the customer's past at the store, as it was told before it was read
  TimePoint read_at;  ///< when that was
  KeptMatrix matrix;
};

/// How much of a query was kept that might have been.
enum class KeptPart : std::uint8_t { kAll, kSome, kNothing };

struct CacheStats {
  std::uint64_t all = 0;  ///< queries, by KeptPart
  std::uint64_t some = 0;
  std::uint64_t nothing = 0;
  std::uint64_t bytes = 0;    ///< that are held now
  std::uint64_t answers = 0;  ///< likewise
  std::uint64_t outdated =
      0;  ///< dropped since something of their past was written, or might have been
  std::uint64_t aged = 0;     ///< dropped after kAgeMax
  std::uint64_t crowded = 0;  ///< dropped to make room
};

/// Of `total_max` each of N customers who have something may have one part of N + 1, as of answers
/// under way (access/byte_shares.hpp): whoever is new finds room at once, beside whoever fills his
/// own with what nobody asks for again. Of one customer what was used least lately goes first. No
/// entry is found but with its customer, key and state. Any thread.
class KeptAnswers {
 public:
  /// What nobody tells, such as samples that are deleted by hand in a hot store, is wrong for so
  /// long at the most.
  static constexpr std::chrono::hours kAgeMax{1};

  explicit KeptAnswers(CacheSettings settings) : settings_(settings) {}

  bool is_on() const { return settings_.total_max > 0 && settings_.customer_max > 0; }
  /// How large one answer may be to have room.
  std::size_t answer_bytes_max() const;
  /// Null where there is none. One of another state is dropped: it will never be right again.
  std::shared_ptr<const KeptAnswer> find(const std::string& customer, const std::string& key,
                                         std::string_view state, TimePoint now);
  /// In the place of what was kept by that key. Not kept where it has no room.
  void keep(const std::string& customer, const std::string& key,
            std::shared_ptr<const KeptAnswer> answer);
  void count(KeptPart part);
  /// What is kept there is of no use.
  void forget(const std::string& customer, const std::string& key);
  /// Lets go what is too old, also of customers who ask no more. Now and then.
  void let_old_go(TimePoint now);
  CacheStats stats() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const KeptAnswer> answer;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;
  struct Customer {
    Entries entries;  // what was used last is first
    // No hashes: customers choose their keys, and all wait for the lock.
    std::map<std::string_view, Entries::iterator> by_key;
    std::size_t bytes = 0;
  };

  std::size_t share(std::size_t customers) const;
  // What is dropped goes into `gone`, which is let go without the lock: it may be tens of MiB in
  // many pieces.
  void drop(Customer& customer, Entries::iterator entry, Entries& gone);
  void drop(const std::string& customer, const std::string& key, Entries& gone);
  bool make_room(const std::string& customer, std::size_t bytes, Entries& gone);

  const CacheSettings settings_;
  mutable std::mutex mutex_;
  std::map<std::string, Customer, std::less<>> customers_;  // those who have something
  CacheStats stats_;
};

}  // namespace vigia::router::cache
