// Copies of what stays open for long, written anew: a copy ends after some hours, and what holds
// the oldest one holds all that was kept after it, of all customers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "services/storage/heads/head_set.hpp"
#include "services/storage/ingest/open_copies.hpp"

namespace vigia::storage::ingest {

struct CopyRenewalStats {
  std::uint64_t samples = 0;     ///< copied once more
  std::uint64_t failures = 0;    ///< renewals that the store did not take; tried again
  std::uint64_t unreadable = 0;  ///< chunks that were left out, as they cannot be unpacked
};

/// What of the open series can be read, chunk by chunk.
struct ReadableSamples {
  SeriesBatch series;
  std::uint64_t unreadable = 0;  ///< chunks
  std::optional<Error> why;      ///< of the first of them
};
/// All of the view, later samples behind earlier ones where they came so.
ReadableSamples readable_samples(const heads::SeriesRef& series, const heads::HeadView& view);

/// A thread of its own reads what is open or not stored yet and keeps it in the slot of then; the
/// slots of before are needed no longer. A chunk that cannot be unpacked is left out, and keeps
/// nobody else's slots: it is in the log. Thread contract: any thread; the destructor from one.
class CopyRenewal {
 public:
  /// All must outlive it.
  CopyRenewal(const heads::HeadSet& heads, OpenCopies& copies)
      : heads_(heads), copies_(copies), thread_([this] { run(); }) {}
  CopyRenewal(const CopyRenewal&) = delete;
  CopyRenewal& operator=(const CopyRenewal&) = delete;
  ~CopyRenewal() { stop(); }

  /// Begins where copies have grown old and none is under way. Call it often; never waits.
  /// `waiting`: the oldest epoch of what is not in the heads yet, which is left out; kNoEpoch for
  /// nothing.
  void look(heads::Epoch waiting, store::OpenSlot now);
  /// Ends one that is under way. Safe twice; from the destructor's thread.
  void stop();
  CopyRenewalStats stats() const { return {samples_, failures_, unreadable_}; }

 private:
  void run();
  void renew(heads::Epoch until, store::OpenSlot now);
  Result<void> copy_until(heads::Epoch until, store::OpenSlot slot);
  Result<void> keep(IngestBatch& batch, store::OpenSlot slot);
  SeriesBatch samples_of(const heads::SeriesRef& series);
  bool is_stopping() const;

  const heads::HeadSet& heads_;
  OpenCopies& copies_;
  std::atomic<std::uint64_t> samples_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> unreadable_{0};
  bool has_told_unreadable_ = false;  // in this renewal; of its thread alone
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  heads::Epoch wanted_ = heads::kNoEpoch;  // until when; kNoEpoch: none is wanted or under way
  store::OpenSlot wanted_at_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::ingest
