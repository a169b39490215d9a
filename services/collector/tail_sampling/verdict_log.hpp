// Verdicts on disk: what was decided of traces, before anything was done by it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "services/collector/tail_sampling/traces.hpp"

namespace vigia::collector::tail_sampling {

/// A disk log of batches. Format: docs/formats/tail-sampling.md. Thread contract: one thread.
class VerdictLog {
 public:
  /// Of `open` alone.
  explicit VerdictLog(std::unique_ptr<disk_log::DiskLog> log);
  static Result<std::unique_ptr<VerdictLog>> open(const std::string& directory, const Clock& clock,
                                                  disk_log::FileSystem& files);

  /// All that lies there, in its order, given to `traces`. A batch that cannot be read is told in
  /// the log: its traces are decided anew. Errors: the disk cannot be read.
  Result<void> restore(Traces& traces, std::uint64_t sequence, TimePoint now);
  /// Waits until all of them are durable. Where that fails some may be, and the same may be given
  /// again: a batch twice is a batch.
  Result<void> append(const std::vector<VerdictBatch>& batches);
  /// Many times more lies there than is remembered: `append` all of that, and then `drop_before`.
  bool is_long(std::size_t remembered) const;
  /// Where the next batch will lie, at the earliest.
  disk_log::LogPosition end() const { return end_; }
  void drop_before(disk_log::LogPosition position);

 private:
  std::unique_ptr<disk_log::DiskLog> log_;
  disk_log::Cursor& cursor_;
  disk_log::LogPosition end_;
};

/// For the fuzzer and the tests: a batch's body, and back.
std::string encode_batch(const VerdictBatch& batch);
Result<VerdictBatch> decode_batch(std::string customer, std::string_view body);

}  // namespace vigia::collector::tail_sampling
