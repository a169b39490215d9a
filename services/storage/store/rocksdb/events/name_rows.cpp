#include "services/storage/store/rocksdb/events/name_rows.hpp"

#include <utility>

namespace vigia::storage::store::rocksdb::events {
namespace {

constexpr std::size_t kKnownNamesMax = 100'000;

}  // namespace

std::vector<bool> KnownNames::are_new(const std::vector<std::uint64_t>& names,
                                      std::uint64_t repairs) {
  std::vector<bool> are_new(names.size());
  const std::lock_guard lock(mutex_);
  if (repairs != repairs_) {
    known_.clear();
    ++generation_;
  }
  repairs_ = repairs;
  for (std::size_t i = 0; i < names.size(); ++i) are_new[i] = !known_.contains(names[i]);
  return are_new;
}

void KnownNames::note(const std::vector<std::uint64_t>& names, std::uint64_t generation) {
  if (names.empty()) return;
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  if (known_.size() + names.size() > kKnownNamesMax) known_.clear();
  if (names.size() <= kKnownNamesMax) known_.insert(names.begin(), names.end());
}

void KnownNames::forget() {
  const std::lock_guard lock(mutex_);
  known_.clear();
  ++generation_;
}

std::uint64_t KnownNames::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void NameRows::add(std::uint64_t hash, kv::KeyValue row) {
  names_.push_back(hash);
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> NameRows::take_new(std::uint64_t repairs) {
  const std::vector<bool> are_new = known_.are_new(names_, repairs);
  generation_ = known_.generation();
  std::vector<std::size_t> taken;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!are_new[i]) continue;
    new_names_.push_back(names_[i]);
    taken.push_back(i);
  }
  return taken;
}

void NameRows::finish(std::uint64_t repairs, std::vector<kv::KeyValue>& rows) {
  for (const std::size_t i : take_new(repairs)) rows.push_back(std::move(rows_[i]));
}

}  // namespace vigia::storage::store::rocksdb::events
