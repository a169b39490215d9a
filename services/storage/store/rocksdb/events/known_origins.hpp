// Which origins (resources and scopes) are in the store already. Each request names all of its own
// again: to look them up costs as much as to look up its items, and finds them in old files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "libs/base/random.hpp"
#include "services/storage/store/rocksdb/events/event_row.hpp"

namespace vigia::storage::store::rocksdb::events {

/// What the key of an origin's row is made of (event_key::origin).
struct OriginPlace {
  std::uint32_t day = 0;
  std::uint32_t customer = 0;  ///< 0: of nobody
  OriginHash hash;
  bool operator==(const OriginPlace&) const = default;
};

/// Remembers whole places, not hashes of them: an origin that was taken for another would never be
/// written, and its items not be read. In a memory of one size: a customer who sends ever new
/// resources has others' forgotten, which costs these a look-up each. Thread contract: any thread.
class KnownOrigins {
 public:
  /// So many, of all customers: 1.5 MiB.
  static constexpr std::size_t kPlaces = 1U << 16U;

  struct Answer {
    std::vector<bool> are_known;   ///< in the order of the places
    std::uint64_t generation = 0;  ///< for note
  };
  /// None is known where the store has lost rows since (`repairs`: the store's).
  Answer look(const std::vector<OriginPlace>& places, std::uint64_t repairs);
  /// They are in the store. Nothing where rows may have gone since that generation was told.
  void note(const std::vector<OriginPlace>& places, std::uint64_t generation);
  /// Once rows of origins are gone.
  void forget();

 private:
  OriginPlace& slot_of(const OriginPlace& place);

  const std::uint64_t seed_ = random_u64();
  std::mutex mutex_;
  std::vector<OriginPlace> slots_;  // empty until the first note
  std::uint64_t repairs_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace vigia::storage::store::rocksdb::events
