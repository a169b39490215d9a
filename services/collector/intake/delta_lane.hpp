// Requests with deltas on their way into the log: what counts since the last report becomes what
// counts since a fixed start, once, in the order in which it is logged.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/deltas/delta_accumulator.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/service/metrics.hpp"
#include "services/collector/intake/delta_checkpoint.hpp"
#include "services/collector/intake/delta_settings.hpp"
#include "services/collector/intake/judged.hpp"

namespace vigia::collector::intake {

/// Of each customer one group of requests is on its way at a time, the next begins when the first
/// is durable or refused: so what is added is what is logged, in that order, and a request that is
/// refused adds nothing. Beside each body stands what its streams came to; after a kill these notes
/// are read from the last checkpoint on, and every stream goes on as if nothing had been
/// (docs/decisions/0049-deltas-are-added-up-before-the-log.md).
///
/// Thread contract: take from any thread, the rest from one; one thread of its own adds and
/// appends.
class DeltaLane {
 public:
  struct Parts {
    disk_log::DiskLog& log;  ///< with a required cursor kDeltasCursor
    const Clock& clock;
    service::MetricRegistry& metrics;
    disk_log::FileSystem& files = disk_log::system_files();
    /// How many there are, each of whom has its part of the room; null: as many as have sent.
    std::function<std::size_t()> customers = nullptr;
    /// Records of a request, or why there are none.
    std::function<Prepared(Judged)> prepare;
    /// Books and answers it. On the log's writer, or on the lane's thread.
    std::function<void(Prepared, const Result<disk_log::RecordHeader>&, IntakeDone)> finish;
  };
  DeltaLane(DeltaSettings settings, Parts parts);
  ~DeltaLane();
  DeltaLane(const DeltaLane&) = delete;
  DeltaLane& operator=(const DeltaLane&) = delete;

  /// Reads what is known of the streams, then begins. Once, before take. kUnavailable where the
  /// disk cannot be read: to go on without would count anew.
  Result<void> start();
  /// The request is finished some time, refused (kUnavailable) where too much waits already.
  void take(Judged judged, IntakeDone done);
  /// Finishes what waits, and writes a checkpoint. While the log is there; nothing is taken after.
  void stop();

  static constexpr std::size_t kGroupBytesMax = 4U << 20U;
  /// While another customer waits: a few milliseconds of the one thread.
  static constexpr std::size_t kGroupBesideOthersBytesMax = 256U << 10U;
  static constexpr std::size_t kGroupRequestsMax = 64;
  static constexpr Duration kCheckpointInterval = std::chrono::seconds(10);

 private:
  struct Job {
    Judged judged;
    IntakeDone done;
  };
  struct Customer {
    std::deque<Job> waiting;
    std::size_t waiting_bytes = 0;
    bool is_under_way = false;
  };
  struct Outcome {
    CustomerId customer;
    bool is_kept = false;
  };
  class Flight;

  Result<void> read_checkpoint();
  Result<void> read_tail();
  Result<void> restore(const CustomerId& customer, std::string_view states);
  deltas::DeltaAccumulator& accumulator(const CustomerId& customer);
  bool refuses(const Judged& judged, const Customer& customer) const;
  void run();
  bool take_turn();
  void note_outcome(const CustomerId& customer, bool is_kept, disk_log::LogPosition next);
  void settle(const std::vector<Outcome>& outcomes);
  void work(const CustomerId& customer, std::vector<Job> jobs);
  bool add_all(const CustomerId& customer, const std::vector<Job>& jobs,
               std::vector<Prepared>& prepared);
  void put_back(const CustomerId& customer, std::vector<Job>& jobs, std::size_t first);
  Prepared add(const CustomerId& customer, Judged judged);
  void append(std::shared_ptr<Flight> flight);
  disk_log::LogPosition settled_end();
  void tend();
  void checkpoint(disk_log::LogPosition position);
  void pass_log();
  void share_room();
  void show();

  const DeltaSettings settings_;
  const Parts parts_;
  disk_log::Cursor& cursor_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<CustomerId, Customer> customers_;  // guarded by mutex_, as the six below
  std::deque<CustomerId> ready_;              // who waits with nothing under way, each once
  std::vector<Outcome> outcomes_;
  std::size_t waiting_bytes_ = 0;
  std::size_t under_way_ = 0;      // groups
  disk_log::LogPosition log_end_;  // behind what was read, and all groups whose outcome is known
  bool is_stopping_ = false;

  // The thread's own, once it runs.
  deltas::SharedRoom room_;
  std::size_t stream_count_ = 0;  // of all accumulators, true at each tend
  std::map<CustomerId, std::unique_ptr<deltas::DeltaAccumulator>> accumulators_;
  DeltaCheckpoint file_;
  bool has_file_ = false;    // of a checkpoint
  bool is_changed_ = false;  // since the last checkpoint
  disk_log::LogPosition checkpointed_;
  TimePoint tended_{};
  TimePoint wrote_{};  // a checkpoint
  Duration write_took_{0};

  service::Gauge& streams_;
  service::Gauge& bytes_;
  service::Gauge& damaged_;
  service::Counter& checkpoints_;
  service::Counter& checkpoint_failures_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace vigia::collector::intake
