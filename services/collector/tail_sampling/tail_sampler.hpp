// Reads what waits, decides over whole traces, and passes on what is kept:
// docs/decisions/0053-tail-sampling-is-a-second-log-and-a-log-of-verdicts.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/service/metrics.hpp"
#include "services/collector/books/books.hpp"
#include "services/collector/clock/confirmed_time.hpp"
#include "services/collector/side/trace_shares.hpp"
#include "services/collector/tail_sampling/sampler_metrics.hpp"
#include "services/collector/tail_sampling/settings.hpp"
#include "services/collector/tail_sampling/traces.hpp"
#include "services/collector/tail_sampling/verdict_log.hpp"

namespace vigia::collector::tail_sampling {

/// What the sampler is built on; all of it outlives it.
struct TailSamplerParts {
  books::Books& books;
  service::MetricRegistry& metrics;
  const Clock& clock;
  /// Dates what is passed on. Null: the wall clock.
  clock::ConfirmedTime* time = nullptr;
  side::TraceShares& shares;
  /// Ids of the exporters that take spans.
  std::vector<std::string> exporters;
};

/// The waiting log, and its share of the disk.
struct WaitingLogSettings {
  std::string directory;  ///< the collector's own; the sampler's is a folder in it
  std::uint64_t bytes_max = 0;
  std::uint64_t segment_bytes = 0;
  double customer_share = 0;
  std::size_t pending_bytes_max = 64U << 20U;
};

/// Thread contract: open, note_moved, begin, start and stop from one thread, in this order; turn
/// from the sampler's own, or a test's.
class TailSampler {
 public:
  /// Opens both logs and reads the verdicts. kUnavailable as DiskLog::open.
  static Result<std::unique_ptr<TailSampler>> open(
      TailSamplingSettings settings, WaitingLogSettings log, TailSamplerParts parts,
      disk_log::FileSystem& files = disk_log::system_files());
  /// Of `open` alone.
  TailSampler(TailSamplingSettings settings, TailSamplerParts parts);
  ~TailSampler();
  TailSampler(const TailSampler&) = delete;
  TailSampler& operator=(const TailSampler&) = delete;

  /// True where a collector with that directory has spans that wait, or had.
  static bool has_waiting(const std::string& directory);

  /// Of each record that lies in the disk log at the start: one that came from here is not passed
  /// on again. Before begin.
  void note_moved(const disk_log::RecordHeader& header);
  /// Enters what waits into the books. `log` is the disk log, and outlives the sampler's work.
  void begin(disk_log::DiskLog& log);
  void start();
  /// What waits stays on disk. Safe twice or unstarted.
  void stop() noexcept;

  /// Where spans go that are to be decided.
  disk_log::DiskLog& waiting_log() { return *waiting_; }

  /// One round: reads what there is, waiting for it at most so long, decides what is due, writes
  /// that down and passes on what is decided. Of each so many records and unpacked bytes at most,
  /// and one more.
  void turn(Duration wait);

  static constexpr std::size_t kRecordsAtATime = 256;
  static constexpr std::size_t kBytesAtATime = 8U << 20U;

 private:
  /// A record that can be passed, and what of it goes on.
  struct Passing {
    disk_log::RecordHeader header;
    std::string kept = {};  ///< "": nothing
    std::uint32_t kept_items = 0;
    std::uint32_t dropped = 0;  ///< by their traces' verdicts
    std::size_t bytes = 0;      ///< that were gone over, unpacked
    bool is_damaged = false;
    bool is_moved = false;  ///< by an earlier try
  };

  Result<void> open_logs(WaitingLogSettings log, disk_log::FileSystem& files);
  void run();
  void read_some(Duration wait);
  /// Its bytes, unpacked.
  std::size_t read(disk_log::DiskRecord record);
  bool write_down();
  void pass_some();
  std::vector<Passing> next_batch();
  void begin_again();
  std::optional<Passing> judge(disk_log::DiskRecord& record);
  Result<std::uint32_t> leave_out(const disk_log::RecordHeader& header, std::string_view body,
                                  Verdicts& verdicts);
  Result<std::uint32_t> leave_out_alone(const disk_log::RecordHeader& header, std::string_view body,
                                        Verdicts& verdicts);
  Passing damaged(const disk_log::RecordHeader& header, const std::string& why);
  bool move(const std::vector<Passing>& batch);
  void pass(const Passing& passing);
  void renew_verdicts();
  void publish_shares();
  void show();

  const TailSamplingSettings settings_;
  const TailSamplerParts parts_;
  Traces traces_;
  SamplerMetrics metrics_;
  disk_log::DiskLog* log_ = nullptr;
  std::unique_ptr<disk_log::DiskLog> waiting_;
  std::unique_ptr<VerdictLog> verdicts_;
  disk_log::Cursor* decide_ = nullptr;
  disk_log::Cursor* copy_ = nullptr;
  /// Of those that waited at the start.
  std::uint64_t first_sequence_ = 0, last_sequence_ = 0;
  std::map<std::string, std::uint64_t> at_start_;
  /// Records that lie in the disk log already, with the items that they have there.
  std::map<std::uint64_t, std::uint32_t> moved_;
  std::uint64_t read_sequence_ = 0;  // newest that was read to decide
  std::vector<VerdictBatch> unwritten_;
  std::optional<disk_log::DiskRecord> in_hand_;  // to be passed, some trace of it not decided:
  std::optional<TraceId> waits_for_;             // this one, where it is known
  bool has_more_ = false;                        // to be read or passed, as far as is known
  std::set<std::string> published_;              // who is over its share, as intake was told
  std::uint64_t faults_at_ = 0;                  // sequence of the record that ended in a fault
  int faults_ = 0;                               // in a row, with it
  bool is_failing_ = false;                      // and said so
  TimePoint shown_at_{};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace vigia::collector::tail_sampling
