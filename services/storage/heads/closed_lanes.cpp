#include "services/storage/heads/closed_lanes.hpp"

#include <algorithm>

namespace vigia::storage::heads {
namespace {

// What a row brings; its place in a block is the block's.
std::size_t memory_of(const store::ChunkRow& row) {
  constexpr std::size_t kPlace = 80;  // in the map by series, and what the allocator adds
  return row.data.capacity() + kPlace;
}

std::size_t memory_of(const ClosedBlock& block) {
  constexpr std::size_t kNode = 32;  // of its list, and what the allocator adds
  return sizeof(ClosedBlock) + kNode + block.chunks.capacity() * sizeof(store::ClosedChunk);
}

}  // namespace

void ClosedLanes::count_epoch(ClosedBlock& block, Epoch oldest) {
  const Epoch now = older(block.oldest, oldest);
  if (now == block.oldest) return;
  ++epochs_.find(now)->second;
  uncount_epoch(block.oldest);
  block.oldest = now;
}

void ClosedLanes::uncount_epoch(Epoch epoch) {
  const auto at = epochs_.find(epoch);
  if (at != epochs_.end() && --at->second == 0) epochs_.erase(at);
}

ClosedLanes::Made ClosedLanes::make(customers::CustomerNumber customer,
                                    const std::vector<store::ChunkRow>& rows, Epoch oldest) const {
  Made made;
  std::size_t room = 0;
  std::size_t last = ClosedBlock::kChunksFirst / 2;
  if (const auto lane = lanes_.find(customer); lane == lanes_.end()) {
    made.lane.try_emplace(customer);
  } else {
    room = lane->second.back().room();
    last = lane->second.back().chunks.capacity();
  }
  if (!bytes_of_.contains(customer)) made.held.try_emplace(customer);
  if (oldest != kNoEpoch && !epochs_.contains(oldest)) made.epoch.try_emplace(oldest);
  for (const store::ChunkRow& row : rows) made.places.emplace(row.series.value, Place());
  while (room < rows.size()) {
    last = std::min(last * 2, ClosedBlock::kChunksMax);
    ClosedBlock& block = made.blocks.emplace_back();
    block.customer = customer;
    block.chunks.reserve(last);
    room += last;
  }
  return made;
}

// All that may find no memory comes first, beside what is there; then it is put in place, which
// cannot fail. Half of a series' rows, or a block without an epoch, would let the log go too early.
void ClosedLanes::add(customers::CustomerNumber customer, std::vector<store::ChunkRow> rows,
                      Epoch oldest, TimePoint now) {
  if (rows.empty()) return;
  Made made = make(customer, rows, oldest);
  lanes_.merge(made.lane);
  bytes_of_.merge(made.held);
  epochs_.merge(made.epoch);
  std::list<ClosedBlock>& blocks = lanes_.find(customer)->second;
  for (store::ChunkRow& row : rows) {
    if (blocks.empty() || blocks.back().room() == 0) {
      blocks.splice(blocks.end(), made.blocks, made.blocks.begin());
      count_bytes(blocks.back(), memory_of(blocks.back()));
      blocks.back().added = now;
    }
    if (oldest != kNoEpoch) count_epoch(blocks.back(), oldest);
    put(blocks.back(), std::move(row), made.places);
  }
  // One that was made for this, where an older one stands in its block already.
  const auto counted = epochs_.find(oldest);
  if (counted != epochs_.end() && counted->second == 0) epochs_.erase(counted);
  chunks_ += rows.size();
}

void ClosedLanes::put(ClosedBlock& block, store::ChunkRow row, Places& places) {
  count_bytes(block, memory_of(row));
  block.chunks.push_back({"", std::move(row), Resolution::kRaw});
  auto place = places.extract(places.begin());
  place.key() = block.chunks.back().row.series.value;
  place.mapped() = {&block.chunks.back().row, block.customer};
  by_series_.insert(std::move(place));
}

void ClosedLanes::count_bytes(ClosedBlock& block, std::size_t bytes) {
  block.bytes += bytes;
  bytes_ += bytes;
  bytes_of_.find(block.customer)->second += bytes;
}

void ClosedLanes::uncount_bytes(ClosedBlock& block, std::size_t bytes) {
  block.bytes -= bytes;
  bytes_ -= bytes;
  if (block.is_apart) apart_bytes_ -= bytes;
  const auto held = bytes_of_.find(block.customer);
  if ((held->second -= bytes) == 0) bytes_of_.erase(held);
}

// What the store has refused once is tried until it is taken, as long as it is not apart: to wait
// for others would be to wait with an error that may have passed.
bool ClosedLanes::is_due(const Lanes::value_type& lane, const TurnRule& rule) const {
  const ClosedBlock& first = lane.second.front();
  return first.added <= rule.added_until || first.is_being_written ||
         bytes_of(lane.first) >= rule.bytes_due;
}

ClosedTurn ClosedLanes::next_turn(const TurnRule& rule) {
  ClosedTurn turn;
  const bool are_all_due = rule.added_until == TimePoint::max();
  const auto due = [&](const auto& lane) { return are_all_due || is_due(lane, rule); };
  turn.due = are_all_due
                 ? lanes_.size()
                 : static_cast<std::size_t>(std::count_if(lanes_.begin(), lanes_.end(), due));
  if (turn.due == 0) return turn;
  auto at = std::find_if(lanes_.upper_bound(last_), lanes_.end(), due);
  if (at == lanes_.end()) at = std::find_if(lanes_.begin(), lanes_.end(), due);
  last_ = at->first;
  std::size_t bytes = 0;
  for (ClosedBlock& block : at->second) {
    bytes += block.bytes;
    if (!turn.blocks.empty() && (block.is_alone || bytes > rule.bytes_at_once)) break;
    block.is_being_written = true;
    turn.blocks.push_back(&block);
    if (block.is_alone) break;
  }
  return turn;
}

void ClosedLanes::set_apart(ClosedBlock& block) {
  const auto lane = lanes_.find(block.customer);
  apart_.splice(apart_.end(), lane->second, lane->second.begin());
  if (lane->second.empty()) lanes_.erase(lane);
  block.is_apart = true;
  apart_bytes_ += block.bytes;
}

ClosedBlock* ClosedLanes::next_apart() {
  const auto first = std::min_element(apart_.begin(), apart_.end(),
                                      [](const ClosedBlock& left, const ClosedBlock& right) {
                                        return left.next_try < right.next_try;
                                      });
  return first == apart_.end() ? nullptr : &*first;
}

void ClosedLanes::forget(ClosedBlock& block, std::size_t chunk) {
  store::ChunkRow& row = block.chunks[chunk].row;
  const auto [begin, end] = by_series_.equal_range(row.series.value);
  by_series_.erase(std::find_if(begin, end, [&](const auto& at) { return at.second.row == &row; }));
  uncount_bytes(block, memory_of(row));
  std::string().swap(row.data);
  block.gone |= std::uint64_t{1} << chunk;
  --chunks_;
}

void ClosedLanes::drop(ClosedBlock& block) {
  for (std::size_t i = 0; i < block.chunks.size(); ++i) {
    if (block.has(i)) forget(block, i);
  }
  uncount_bytes(block, block.bytes);
  uncount_epoch(block.oldest);
  if (block.is_apart) {
    apart_.remove_if([&](const ClosedBlock& one) { return &one == &block; });
    return;
  }
  const auto lane = lanes_.find(block.customer);
  lane->second.pop_front();
  if (lane->second.empty()) lanes_.erase(lane);
}

std::vector<store::ChunkRow> ClosedLanes::rows_of(store::SeriesId series) const {
  std::vector<store::ChunkRow> rows;
  const auto [begin, end] = by_series_.equal_range(series.value);
  for (auto at = begin; at != end; ++at) rows.push_back(*at->second.row);
  return rows;
}

std::vector<std::pair<customers::CustomerNumber, store::SeriesId>> ClosedLanes::waiting_until(
    Epoch epoch) const {
  std::vector<std::pair<customers::CustomerNumber, store::SeriesId>> waiting;
  const auto add = [&](const ClosedBlock& block) {
    if (block.oldest > epoch) return;
    for (std::size_t i = 0; i < block.chunks.size(); ++i) {
      if (block.has(i)) waiting.emplace_back(block.customer, block.chunks[i].row.series);
    }
  };
  for (const auto& [customer, blocks] : lanes_) std::for_each(blocks.begin(), blocks.end(), add);
  std::for_each(apart_.begin(), apart_.end(), add);
  return waiting;
}

customers::CustomerNumber ClosedLanes::owner_of(store::SeriesId series) const {
  const auto at = by_series_.find(series.value);
  return at == by_series_.end() ? customers::CustomerNumber() : at->second.customer;
}

std::optional<TimestampMs> ClosedLanes::newest(store::SeriesId series) const {
  std::optional<TimestampMs> newest;
  const auto [begin, end] = by_series_.equal_range(series.value);
  for (auto at = begin; at != end; ++at) {
    const store::ChunkRow& row = *at->second.row;
    if (row.version == store::kInOrder)
      newest = std::max(newest.value_or(row.last_ms), row.last_ms);
  }
  return newest;
}

std::size_t ClosedLanes::bytes_of(customers::CustomerNumber customer) const {
  const auto at = bytes_of_.find(customer);
  return at == bytes_of_.end() ? 0 : at->second;
}

}  // namespace vigia::storage::heads
