// What other instances have open of the series of one request: asked for many at once, ahead of
// their turn.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "services/storage/read/open_elsewhere.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage::read {

/// Asked before the store is: what is closed meanwhile is then in the store, and seen twice at
/// worst. Thread contract: one thread at a time; settle from any.
class ElsewhereLook {
 public:
  /// Of one question.
  static constexpr std::size_t kSeriesMax = 2'048;

  /// `memory` must outlive it. Without a talk nobody else has anything open.
  ElsewhereLook(std::unique_ptr<OpenTalk> talk, lanes::AnswerMemory& memory)
      : talk_(std::move(talk)), held_(memory), memory_(memory) {}

  /// Before `series[place]` is read, and outside of a ScratchMemory: asks for it and those of its
  /// customer that follow, where that has not been done. Errors of the memory; kUnavailable where
  /// somebody has to be left out whom `settle` did not know of.
  Result<void> prepare(std::span<const SelectedSeries> series, std::size_t place,
                       TimestampMs from_ms, TimestampMs to_ms);
  /// Whether `prepare` has asked for it.
  bool knows(const CustomerId& customer, store::SeriesId series) const;
  /// Copies. Null: nothing. REQUIRES: knows.
  const std::vector<store::ChunkRow>* rows_of(store::SeriesId series) const;

  /// Of the memory, for what is known now.
  std::size_t held_bytes() const { return held_.bytes(); }

  /// Whether something is missing of what was asked for by now, or may be. What is missing from
  /// now on is an error, but where this was true: who is answered is told before the first byte.
  bool settle();

 private:
  bool knows(const SelectedSeries& series, TimestampMs from_ms, TimestampMs to_ms) const;
  Result<void> note_lack();

  const std::unique_ptr<OpenTalk> talk_;
  lanes::HeldMemory held_;
  lanes::AnswerMemory& memory_;
  std::optional<CustomerId> customer_;
  TimestampMs from_ms_ = 0;
  TimestampMs to_ms_ = 0;
  std::map<store::SeriesId, std::vector<store::ChunkRow>> rows_;  // empty ones are known, too

  std::mutex mutex_;
  bool is_settled_ = false;
  bool lacks_some_ = false;
};

}  // namespace vigia::storage::read
