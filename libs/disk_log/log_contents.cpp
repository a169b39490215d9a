#include "libs/disk_log/log_contents.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/base/check.hpp"

namespace vigia::disk_log {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / kMiB; }

}  // namespace

LogContents::LogContents(std::uint64_t bytes_max, double owner_share, std::string owner_word)
    : bytes_max_(bytes_max), owner_share_(owner_share), owner_word_(std::move(owner_word)) {}

std::uint64_t LogContents::share_now() const {
  const auto whole = static_cast<double>(bytes_max_);
  // The share is of the whole until three quarters are held, and from there of four times what is
  // left: the two meet at the joint, and the share goes to nought with the room.
  const double room = whole - std::min(whole, static_cast<double>(held_bytes_));
  return static_cast<std::uint64_t>(owner_share_ * std::min(whole, 4 * room));
}

/// Whether an owner that holds `own` may have so many more. REQUIRES: mutex_ is held.
Result<void> LogContents::ask(const std::string& owner, std::uint64_t own,
                              std::uint64_t bytes) const {
  // While half of the log is free a share would only refuse what nobody else wants.
  const bool is_scarce = owner_share_ > 0 && held_bytes_ + bytes > bytes_max_ / 2;
  if (!is_scarce || own + bytes <= share_now()) return {};
  return fail(
      ErrorCode::kOverLimit,
      fmt::format("over the {}'s share of the disk log: {:.1f} MiB of {} wait there for a "
                  "destination that has not taken them, and of a log of {:.1f} MiB that is more "
                  "than half full one {} may hold {:.1f} MiB now; nothing is lost, send "
                  "again later, or less, or ask the provider for a larger log",
                  owner_word_, mebibytes(own), owner, mebibytes(bytes_max_), owner_word_,
                  mebibytes(share_now())));
}

Result<void> LogContents::reserve(const std::string& owner, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  Held& held = held_[owner];
  if (auto asked = ask(owner, held.reserved + held.kept, bytes); !asked) {
    // The refusal may have made the entry: names that never get room must not pile up here.
    drop_if_empty(owner);
    return asked;
  }
  held.reserved += bytes;
  held_bytes_ += bytes;
  return {};
}

void LogContents::reserve_anyway(const std::string& owner, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  held_[owner].reserved += bytes;
  held_bytes_ += bytes;
}

Result<void> LogContents::check_share(const std::string& owner) const {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(owner);
  const std::uint64_t own = held == held_.end() ? 0 : held->second.reserved + held->second.kept;
  return ask(owner, own, 1);
}

void LogContents::release(const std::string& owner, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  Held& held = held_[owner];
  CHECK(held.reserved >= bytes && held_bytes_ >= bytes);
  held.reserved -= bytes;
  held_bytes_ -= bytes;
  drop_if_empty(owner);
}

std::uint64_t LogContents::reserved(const std::string& owner) const {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(owner);
  return held == held_.end() ? 0 : held->second.reserved;
}

/// From reserved to kept under one lock: in between the owner would seem to hold less than it
/// does, and could be let in for the difference.
void LogContents::keep(const RecordHeader& header) {
  const std::lock_guard lock(mutex_);
  Held& held = held_[header.tag.owner];
  CHECK(held.reserved >= header.stored_bytes);
  held.reserved -= header.stored_bytes;
  held_bytes_ -= header.stored_bytes;
  add(header);
}

void LogContents::recover(const RecordHeader& header) {
  const std::lock_guard lock(mutex_);
  add(header);
}

void LogContents::add(const RecordHeader& header) {
  const auto sort =
      sorts_.try_emplace(Sort{header.tag.owner, header.tag.kind, header.tag.route}, 0).first;
  const auto [place, is_first] = segments_[header.position.segment].try_emplace(&*sort);
  // Each segment points at the sort, which std::map never moves: names of owners and routes lie
  // here once, not once for each segment.
  if (is_first) ++sort->second;
  Sums& sums = place->second;
  ++sums.records;
  sums.items += header.items;
  sums.rejected += header.rejected;
  sums.bytes += header.stored_bytes;
  // At a start the required cursors may have passed it already: it can be counted when lost, and
  // costs no share.
  if (header.position.segment < first_held_) return;
  held_[header.tag.owner].kept += header.stored_bytes;
  held_bytes_ += header.stored_bytes;
}

void LogContents::drop_if_empty(const std::string& owner) {
  const auto held = held_.find(owner);
  if (held != held_.end() && held->second.reserved == 0 && held->second.kept == 0)
    held_.erase(held);
}

void LogContents::pass(std::uint64_t first_held) {
  const std::lock_guard lock(mutex_);
  for (auto segment = segments_.lower_bound(first_held_);
       segment != segments_.end() && segment->first < first_held; ++segment) {
    for (const auto& [sort, sums] : segment->second) {
      const std::string& owner = sort->first.owner;
      held_[owner].kept -= sums.bytes;
      held_bytes_ -= sums.bytes;
      drop_if_empty(owner);
    }
  }
  first_held_ = std::max(first_held_, first_held);
}

void LogContents::forget(std::uint64_t segment) {
  const std::lock_guard lock(mutex_);
  CHECK(segment < first_held_);
  const auto found = segments_.find(segment);
  if (found == segments_.end()) return;
  for (const auto& [sort, sums] : found->second) {
    if (--sort->second == 0) sorts_.erase(sorts_.find(sort->first));
  }
  segments_.erase(found);
}

std::size_t LogContents::sorts() const {
  const std::lock_guard lock(mutex_);
  return sorts_.size();
}

std::vector<RecordSums> LogContents::of_segment(std::uint64_t segment) const {
  const std::lock_guard lock(mutex_);
  std::vector<RecordSums> contents;
  const auto found = segments_.find(segment);
  if (found == segments_.end()) return contents;
  for (const auto& [place, sums] : found->second) {
    const Sort& sort = place->first;
    contents.push_back(
        {sort.owner, sort.kind, sort.route, sums.records, sums.items, sums.rejected, sums.bytes});
  }
  return contents;
}

std::vector<OwnerBytes> LogContents::held_by_owner() const {
  const std::lock_guard lock(mutex_);
  std::vector<OwnerBytes> all;
  all.reserve(held_.size());
  for (const auto& [owner, held] : held_) all.push_back({owner, held.reserved + held.kept});
  return all;
}

}  // namespace vigia::disk_log
