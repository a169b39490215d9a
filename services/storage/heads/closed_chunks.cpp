#include "services/storage/heads/closed_chunks.hpp"

#include <algorithm>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::heads {
namespace {

// Written at once. A block's chunks have their places from the start: readers point at them.
constexpr std::size_t kBlockChunks = 64;
constexpr Duration kRetryFirst = std::chrono::milliseconds(50);
constexpr Duration kRetryMax = std::chrono::seconds(2);
constexpr Duration kCountEach = std::chrono::seconds(30);
constexpr Duration kLogEach = std::chrono::minutes(1);

std::size_t memory_of(const store::ChunkRow& row) {
  constexpr std::size_t kPlace = 80;  // in the map by series, and what the allocator adds
  return sizeof(store::ClosedChunk) + row.data.capacity() + kPlace;
}

}  // namespace

struct ClosedChunks::Block {
  std::vector<store::ClosedChunk> chunks;
  std::size_t bytes = 0;
  Epoch oldest = kNoEpoch;
  bool is_being_written = false;
};

ClosedChunks::ClosedChunks(StoredSeries& store, std::size_t bytes_max)
    : store_(store), bytes_max_(bytes_max), writer_([this] {
        contain_faults("storage: the writer of closed chunks", [this] { run(); });
      }) {}

ClosedChunks::~ClosedChunks() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  progress_.notify_all();
  writer_.join();
}

ClosedChunks::Block& ClosedChunks::block_for(Lane& lane) {
  if (lane.blocks.empty() || lane.blocks.back().is_being_written ||
      lane.blocks.back().chunks.size() == kBlockChunks) {
    lane.blocks.emplace_back();
    lane.blocks.back().chunks.reserve(kBlockChunks);
  }
  return lane.blocks.back();
}

void ClosedChunks::add(customers::CustomerNumber customer, std::vector<store::ChunkRow> rows,
                       Epoch oldest) {
  if (rows.empty()) return;
  const std::lock_guard lock(mutex_);
  Lane& lane = lanes_[customer];
  for (store::ChunkRow& row : rows) {
    Block& block = block_for(lane);
    const Epoch before = block.oldest;
    block.oldest = older(before, oldest);
    if (block.oldest != before) {
      ++epochs_[block.oldest];
      if (before != kNoEpoch && --epochs_[before] == 0) epochs_.erase(before);
    }
    const std::size_t bytes = memory_of(row);
    block.chunks.push_back({"", std::move(row), store::Resolution::kRaw});
    const store::ChunkRow& placed = block.chunks.back().row;
    by_series_.emplace(placed.series.value, &placed);
    block.bytes += bytes;
    lane.bytes += bytes;
    bytes_ += bytes;
    ++waiting_;
  }
  wake_.notify_one();
}

Result<void> ClosedChunks::check_room(customers::CustomerNumber customer) const {
  const std::lock_guard lock(mutex_);
  const auto at = lanes_.find(customer);
  const std::size_t own = at == lanes_.end() ? 0 : at->second.bytes;
  const bool is_much = bytes_ > bytes_max_ / 2 && own > bytes_max_ / 4;
  if (!is_much && bytes_ < bytes_max_) return {};
  Error error{ErrorCode::kUnavailable,
              "storage: closed chunks wait for the store, try again later"};
  error.retry_after = std::chrono::seconds(1);
  return tl::unexpected<Error>(std::move(error));
}

Result<void> ClosedChunks::await_room() const { return await_below(bytes_max_); }

Result<void> ClosedChunks::await_much_room() const { return await_below(bytes_max_ / 4); }

Result<void> ClosedChunks::await_below(std::size_t bytes) const {
  std::unique_lock lock(mutex_);
  progress_.wait(lock, [&] { return bytes_ < bytes || error_.has_value() || is_stopping_; });
  if (bytes_ < bytes || !error_.has_value()) return {};
  return tl::unexpected<Error>(*error_);
}

Result<void> ClosedChunks::await_stored(Duration longest) const {
  std::unique_lock lock(mutex_);
  const bool is_over = progress_.wait_for(
      lock, longest, [&] { return waiting_ == 0 || error_.has_value() || is_stopping_; });
  if (waiting_ == 0) return {};
  if (error_.has_value()) return tl::unexpected<Error>(*error_);
  return fail(is_over ? ErrorCode::kUnavailable : ErrorCode::kDeadline,
              "storage: closed chunks still wait for the store");
}

std::vector<store::ChunkRow> ClosedChunks::rows_of(store::SeriesId series) const {
  std::vector<store::ChunkRow> rows;
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = by_series_.equal_range(series.value);
  for (auto at = begin; at != end; ++at) rows.push_back(*at->second);
  return rows;
}

std::optional<TimestampMs> ClosedChunks::newest(store::SeriesId series) const {
  std::optional<TimestampMs> newest;
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = by_series_.equal_range(series.value);
  for (auto at = begin; at != end; ++at) {
    const store::ChunkRow& row = *at->second;
    if (row.version == store::kInOrder)
      newest = std::max(newest.value_or(row.last_ms), row.last_ms);
  }
  return newest;
}

Epoch ClosedChunks::oldest() const {
  const std::lock_guard lock(mutex_);
  return epochs_.empty() ? kNoEpoch : epochs_.begin()->first;
}

ClosedStats ClosedChunks::stats() const {
  const std::lock_guard lock(mutex_);
  return {waiting_, bytes_, failures_};
}

// The next customer's after the last one's: whoever closes many at once has one turn in each round.
ClosedChunks::Block* ClosedChunks::next_block(customers::CustomerNumber& customer) {
  if (lanes_.empty()) return nullptr;
  auto at = lanes_.upper_bound(last_);
  if (at == lanes_.end()) at = lanes_.begin();
  customer = last_ = at->first;
  return &at->second.blocks.front();
}

// Only now, after the store has the rows: a reader who asked here before finds them there.
void ClosedChunks::forget(customers::CustomerNumber customer) {
  const auto lane = lanes_.find(customer);
  const Block& block = lane->second.blocks.front();
  for (const store::ClosedChunk& chunk : block.chunks) {
    const auto [begin, end] = by_series_.equal_range(chunk.row.series.value);
    by_series_.erase(
        std::find_if(begin, end, [&](const auto& entry) { return entry.second == &chunk.row; }));
  }
  if (--epochs_[block.oldest] == 0) epochs_.erase(block.oldest);
  waiting_ -= block.chunks.size();
  bytes_ -= block.bytes;
  lane->second.bytes -= block.bytes;
  lane->second.blocks.pop_front();
  if (lane->second.blocks.empty()) lanes_.erase(lane);
}

// Counted as the sweeps' own failures are, of which there is one in half a minute: what passes in
// seconds, as while a damaged file is set aside, is one failure however often it was tried.
void ClosedChunks::note_failure(const Error& error) {
  error_ = error;
  const auto now = std::chrono::steady_clock::now();
  if (now >= next_count_) {
    ++failures_;
    next_count_ = now + kCountEach;
  }
  if (now < next_log_) return;
  next_log_ = now + kLogEach;
  service::log_error("closed chunks cannot be stored, trying again; the write-ahead log has them",
                     {{"error", error.message}});
}

// The block is the writer's own meanwhile: nothing is added to it, and readers only look.
void ClosedChunks::run() {
  Duration retry = kRetryFirst;
  std::size_t refused_in_a_row = 0;
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    customers::CustomerNumber customer;
    Block* block = next_block(customer);
    if (block == nullptr) {
      wake_.wait(lock);
      continue;
    }
    block->is_being_written = true;
    lock.unlock();
    Result<void> done = fail(ErrorCode::kInternal, "storage: a fault of this program");
    contain_faults("storage: writing closed chunks",
                   [&] { done = store_.put(customer, block->chunks); });
    lock.lock();
    if (done) {
      forget(customer);
      error_.reset();
      retry = kRetryFirst;
      refused_in_a_row = 0;
    } else {
      note_failure(done.error());
      ++refused_in_a_row;
    }
    progress_.notify_all();
    // One customer's trouble holds up no other: it is waited once all have been refused.
    if (refused_in_a_row < std::max<std::size_t>(lanes_.size(), 1)) continue;
    refused_in_a_row = 0;
    wake_.wait_for(lock, retry, [this] { return is_stopping_; });
    retry = std::min(retry * 2, kRetryMax);
  }
}

}  // namespace vigia::storage::heads
