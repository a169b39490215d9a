// What ClosedChunks holds: chunks in lanes of their customers, and apart from these the blocks of
// which the store refuses a chunk for that chunk's own sake.
#pragma once

#include <bit>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/heads/epoch.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::heads {

/// What is kept together: chunks of one customer.
struct ClosedBlock {
  static constexpr std::size_t kChunksMax = 64;
  /// Of the first block of a lane; each further one has twice the one before it. Most customers
  /// have a chunk or two waiting, whoever closes all he has at once has thousands.
  static constexpr std::size_t kChunksFirst = 4;

  customers::CustomerNumber customer;
  /// They have their places from the start: readers point at them.
  std::vector<store::ClosedChunk> chunks;
  std::uint64_t gone = 0;  ///< a bit for each that the store has
  std::size_t bytes = 0;   ///< of memory, its free places included
  Epoch oldest = kNoEpoch;
  bool is_being_written = false;  ///< nothing is added any more
  TimePoint added{};              ///< when its first chunk came
  bool is_alone = false;          ///< not written beside others: with those it was refused

  // Of one that is apart.
  bool is_apart = false;
  TimePoint since{};
  TimePoint next_try{};
  Duration wait{};
  std::uint64_t taken_before = 0;  ///< how often the store had taken a chunk when it came here

  bool has(std::size_t chunk) const { return (gone >> chunk & 1U) == 0; }
  /// Chunks that the store does not have.
  std::size_t left() const { return chunks.size() - static_cast<std::size_t>(std::popcount(gone)); }
  std::size_t room() const { return is_being_written ? 0 : chunks.capacity() - chunks.size(); }
};

/// Whose turn it may be, and what of his is written at once.
struct TurnRule {
  TimePoint added_until = TimePoint::max();  ///< of the oldest chunk of a lane
  std::size_t bytes_due = SIZE_MAX;          ///< of a customer: no need to wait any longer
  std::size_t bytes_at_once = 0;             ///< of memory; one block however large
};

/// Blocks of one customer, the first of his lane; none where it is nobody's turn.
struct ClosedTurn {
  std::vector<ClosedBlock*> blocks;
  std::size_t due = 0;  ///< lanes that may have their turn
};

/// Thread contract: none of its own; one lock around all calls. A block that was handed out stays
/// where it is until it is dropped, so its chunks may be read without the lock.
class ClosedLanes {
 public:
  /// Takes rows of one series of which the oldest sample is of the epoch: all of them, or none and
  /// throws std::bad_alloc.
  void add(customers::CustomerNumber customer, std::vector<store::ChunkRow> rows, Epoch oldest,
           TimePoint now = {});

  /// Of the next customer after the last one's whose turn it may be: whoever closes many at once
  /// has one turn in each round.
  ClosedTurn next_turn(const TurnRule& rule);
  /// Out of its lane: what comes behind it goes on. REQUIRES: next_turn gave it.
  void set_apart(ClosedBlock& block);
  /// Of those apart the one that is to be tried first; null for none.
  ClosedBlock* next_apart();
  /// Only after the store has it: a reader who asked here before finds it there.
  void forget(ClosedBlock& block, std::size_t chunk);
  /// With all that is still in it. REQUIRES: next_turn gave it, or it is apart.
  void drop(ClosedBlock& block);

  std::vector<store::ChunkRow> rows_of(store::SeriesId series) const;
  /// Whose these are; 0 where there are none.
  customers::CustomerNumber owner_of(store::SeriesId series) const;
  /// The newest last_ms of the series' in-order rows.
  std::optional<TimestampMs> newest(store::SeriesId series) const;
  /// Series of the blocks of which the oldest is of the epoch or an older one.
  std::vector<std::pair<customers::CustomerNumber, store::SeriesId>> waiting_until(
      Epoch epoch) const;
  Epoch oldest() const { return epochs_.empty() ? kNoEpoch : epochs_.begin()->first; }
  /// Lanes that are not empty.
  std::size_t lanes() const { return lanes_.size(); }
  /// Of all, and of the customer's; those apart included.
  std::size_t chunks() const { return chunks_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t bytes_of(customers::CustomerNumber customer) const;
  std::size_t apart_bytes() const { return apart_bytes_; }

 private:
  struct Place {
    const store::ChunkRow* row = nullptr;
    customers::CustomerNumber customer;
  };
  using Places = std::multimap<std::uint64_t, Place>;
  using Lanes = std::map<customers::CustomerNumber, std::list<ClosedBlock>>;
  using Epochs = std::map<Epoch, std::size_t>;
  // All memory that an add takes, beside what is there.
  struct Made {
    Lanes lane;
    std::map<customers::CustomerNumber, std::size_t> held;
    Epochs epoch;
    Places places;
    std::list<ClosedBlock> blocks;
  };
  Made make(customers::CustomerNumber customer, const std::vector<store::ChunkRow>& rows,
            Epoch oldest) const;
  void put(ClosedBlock& block, store::ChunkRow row, Places& places);
  void count_bytes(ClosedBlock& block, std::size_t bytes);
  void uncount_bytes(ClosedBlock& block, std::size_t bytes);
  void count_epoch(ClosedBlock& block, Epoch oldest);
  void uncount_epoch(Epoch epoch);

  bool is_due(const Lanes::value_type& lane, const TurnRule& rule) const;

  Lanes lanes_;  // none is empty
  std::list<ClosedBlock> apart_;
  std::map<customers::CustomerNumber, std::size_t> bytes_of_;
  Places by_series_;
  Epochs epochs_;  // blocks by their oldest
  std::size_t bytes_ = 0;
  std::size_t apart_bytes_ = 0;
  std::size_t chunks_ = 0;
  customers::CustomerNumber last_;  // whose turn was last
};

}  // namespace vigia::storage::heads
