// Windows that are read before an answer begins.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "libs/base/check.hpp"
#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/read/series_reader.hpp"

namespace vigia::storage::read {

/// Of the first series of a query, as many as fit and as are read in time. What cannot be told once
/// an answer has begun is found in the one walk over their rows that way; series behind them are
/// walked over twice. What it holds was added to the answer's memory, and stays there until the
/// answer is over. Thread contract: one thread at a time.
class WindowsAhead {
 public:
  /// The time counts from here on.
  WindowsAhead(std::size_t bytes_max, Duration time_max)
      : bytes_max_(bytes_max), end_(std::chrono::steady_clock::now() + time_max) {}

  /// Once it is full it takes nothing more, since places have no gaps.
  bool is_full() const {
    return is_full_ || bytes_ >= bytes_max_ || std::chrono::steady_clock::now() >= end_;
  }
  void set_full() { is_full_ = true; }
  /// Of the next series, whatever came of it. False, and full, where `memory` has no room.
  bool add(Result<SeriesData> data, lanes::AnswerMemory& memory) {
    std::size_t bytes = sizeof(Result<SeriesData>);
    if (data) {
      for (const ChunkPiece& piece : data->chunks) bytes += sizeof(piece) + piece.data.size();
    }
    is_full_ = is_full_ || !memory.add(bytes);
    if (is_full_) return false;
    bytes_ += bytes;
    series_.push_back(std::move(data));
    return true;
  }
  bool holds(std::size_t place) const { return place < series_.size(); }
  /// Once of each place. REQUIRES: holds(place).
  Result<SeriesData> take(std::size_t place) {
    CHECK(holds(place));
    return std::exchange(series_[place], Result<SeriesData>(SeriesData()));
  }

 private:
  const std::size_t bytes_max_;
  const std::chrono::steady_clock::time_point end_;
  std::size_t bytes_ = 0;
  bool is_full_ = false;
  std::vector<Result<SeriesData>> series_;  // by their places in the query
};

}  // namespace vigia::storage::read
