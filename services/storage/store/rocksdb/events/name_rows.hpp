// Rows of names (services, operations, streams) that stand once a day, however often what they name
// comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "libs/base/random.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Rows of names that are in the store, by a secret hash: so that not every batch writes them
/// again. Bounded: it forgets. Thread contract: any thread.
class KnownNames {
 public:
  /// Which of them is not known; all are where the store has lost rows since (`repairs`).
  std::vector<bool> are_new(const std::vector<std::uint64_t>& names, std::uint64_t repairs);
  /// Of what was asked for under that generation: rows may have gone since.
  void note(const std::vector<std::uint64_t>& names, std::uint64_t generation);
  /// Once rows of names are gone: what is known now, or noted of before, is not believed.
  void forget();
  /// Asked after are_new and before the rows are written.
  std::uint64_t generation() const;
  std::uint64_t seed() const { return seed_; }

 private:
  const std::uint64_t seed_ = random_u64();
  mutable std::mutex mutex_;
  std::unordered_set<std::uint64_t> known_;
  std::uint64_t repairs_ = 0;
  std::uint64_t generation_ = 0;
};

/// The rows of names of one batch. Thread contract: one thread.
class NameRows {
 public:
  /// `known` must outlive it.
  explicit NameRows(KnownNames& known) : known_(known) {}

  std::uint64_t seed() const { return known_.seed(); }
  /// True where the batch has not had it: then its row has to be added. By a hash with the seed.
  bool is_first(std::uint64_t hash) { return seen_.insert(hash).second; }
  /// Of a hash that was the first one. Either all rows are given, or each is made by whoever adds
  /// where take_new says so: most of them are known.
  void add(std::uint64_t hash) { names_.push_back(hash); }
  void add(std::uint64_t hash, kv::KeyValue row);
  /// Which of them, by their turn, the store may not have. Once. `repairs`: the store's.
  std::vector<std::size_t> take_new(std::uint64_t repairs);
  /// Appends the rows of those. Once.
  void finish(std::uint64_t repairs, std::vector<kv::KeyValue>& rows);
  /// Once they are written.
  void note_written() { known_.note(new_names_, generation_); }

 private:
  KnownNames& known_;
  std::unordered_set<std::uint64_t> seen_;
  std::vector<std::uint64_t> names_;
  std::vector<kv::KeyValue> rows_;  // one of each of names_, or none
  std::vector<std::uint64_t> new_names_;
  std::uint64_t generation_ = 0;  // in which they were new
};

}  // namespace vigia::storage::store::rocksdb::events
