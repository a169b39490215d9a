#include "services/storage/rows/overlap_merge.hpp"

#include <algorithm>

#include "services/storage/heads/head.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::rows {
namespace {

constexpr std::size_t kSamplesAtOnce = 128U << 10U;
constexpr std::size_t kSamplesMax = 2U << 20U;
// Unpacked, sorted, and the list while it grows.
constexpr std::size_t kBytesPerSample = 3 * sizeof(Sample);

// The first two bytes of a chunk (docs/formats/chunk.md).
std::size_t sample_count(const store::ChunkRow& row) {
  if (row.data.size() < 2) return 0;
  return static_cast<std::size_t>(static_cast<std::uint8_t>(row.data[0])) << 8U |
         static_cast<std::uint8_t>(row.data[1]);
}

// Goes along the rows. What lies before the first row that was not taken yet is final: no later row
// has a sample there.
class OverlapMerge {
 public:
  OverlapMerge(std::vector<store::ChunkRow> rows, lanes::AnswerMemory& memory,
               Resolution resolution)
      : rows_(std::move(rows)), memory_(memory), resolution_(resolution) {}

  std::size_t unreadable() const { return unreadable_; }

  Result<std::vector<store::ChunkRow>> run() {
    while (next_ < rows_.size() || !open_.empty()) {
      take_some();
      if (is_alone()) {
        done_.push_back(std::move(open_.front()));
        open_.clear();
        continue;
      }
      if (auto merged = merge_open(); !merged) return forward(merged);
    }
    return std::move(done_);
  }

 private:
  // Twice what is left from before at least, so that much in one place is not unpacked for each
  // row.
  void take_some() {
    const std::size_t enough = std::max(kSamplesAtOnce, 2 * open_samples());
    while (next_ < rows_.size()) {
      if (!open_.empty() && (rows_[next_].first_ms > last_ms_ || open_samples_ >= enough)) break;
      store::ChunkRow& row = rows_[next_++];
      last_ms_ = open_.empty() ? row.last_ms : std::max(last_ms_, row.last_ms);
      open_samples_ += sample_count(row);
      open_.push_back(std::move(row));
    }
    final_ms_ = next_ < rows_.size() ? rows_[next_].first_ms : INT64_MAX;
  }

  std::size_t open_samples() {
    open_samples_ = 0;
    for (const store::ChunkRow& row : open_) open_samples_ += sample_count(row);
    return open_samples_;
  }

  bool is_alone() const {
    return open_.size() == 1 && open_.front().first_ms >= begin_ms_ &&
           open_.front().last_ms < final_ms_;
  }

  Result<void> merge_open() {
    // Asked before the memory is: this is no matter of what others hold.
    if (open_samples_ > kSamplesMax) {
      return fail(ErrorCode::kOverLimit,
                  "a series holds too many late samples in this range; ask for less time");
    }
    const lanes::ScratchMemory scratch(memory_);
    if (auto fits = memory_.add(open_samples_ * kBytesPerSample); !fits) return fits;
    auto merged = store::merge_rows(open_, resolution_);
    if (!merged) {  // a row or several are to blame: what is left of them is gone about once more
      const std::size_t erased = store::erase_unreadable(open_);
      unreadable_ += erased;
      return erased > 0 ? Result<void>() : forward(merged);
    }
    // A row may reach into what is done, or beyond what is final: of it only the part in between.
    std::erase_if(merged->samples, [this](const Sample& sample) {
      return sample.timestamp_ms < begin_ms_ || sample.timestamp_ms >= final_ms_;
    });
    for (store::ChunkRow& row :
         heads::pack_rows(open_.front().series, merged->samples, store::kInOrder, resolution_)) {
      done_.push_back(std::move(row));
    }
    begin_ms_ = final_ms_;
    std::erase_if(open_, [this](const store::ChunkRow& row) { return row.last_ms < final_ms_; });
    return {};
  }

  std::vector<store::ChunkRow> rows_;
  lanes::AnswerMemory& memory_;
  Resolution resolution_;
  std::size_t next_ = 0;
  std::vector<store::ChunkRow> open_;  // taken, with samples that are not done
  std::size_t open_samples_ = 0;
  TimestampMs last_ms_ = 0;           // of open_
  TimestampMs begin_ms_ = INT64_MIN;  // what lies before is done
  TimestampMs final_ms_ = INT64_MIN;  // what lies before has been taken
  std::size_t unreadable_ = 0;
  std::vector<store::ChunkRow> done_;
};

}  // namespace

Result<SeparateRows> merge_overlapping(std::vector<store::ChunkRow> rows,
                                       lanes::AnswerMemory& memory, Resolution resolution) {
  OverlapMerge merge(std::move(rows), memory, resolution);
  auto separate = merge.run();
  if (!separate) return forward(separate);
  return SeparateRows{std::move(*separate), merge.unreadable()};
}

}  // namespace vigia::storage::rows
