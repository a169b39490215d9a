// What every exporter has: a thread that reads windows of records at a cursor of the disk log, has
// them delivered, moves the cursor and keeps the books.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "libs/delivery/fault_hunt.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "services/collector/bodies/log_body.hpp"
#include "services/collector/exporters/exporter.hpp"
#include "services/collector/exporters/routing.hpp"

namespace vigia::collector::exporters {

/// A record of the window in hand.
struct WindowRecord {
  disk_log::RecordHeader header;
  CustomerId customer;
  Signal signal = Signal::kMetrics;
  std::uint32_t accepted = 0;               ///< items that the verdicts let pass
  std::uint64_t dropped = 0;                ///< of these, refused by the destination
  std::uint64_t apart = 0;                  ///< of these, gone to the side queue, where they wait
  std::set<std::uint32_t> settled_items{};  ///< points already in `dropped` or `apart`
  bool is_apart = false;                    ///< something of it is to go to the side queue
  bool is_left = false;                     ///< left in the log for now: neither sent nor apart
  bool is_damaged = false;                  ///< could not be read as what it should be
};

/// What an exporter does with the windows that its LogReader reads.
/// Thread contract: all but wake and end are called on the reader's thread.
class WindowTaker {
 public:
  /// Takes a record into the window. `body` has been opened.
  virtual void add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) = 0;
  /// True where it has taken the record as it lies in the log: add is not called then.
  virtual bool add_unopened(WindowRecord& /*record*/, bodies::LogBody& /*body*/) { return false; }
  /// The same, of a record with which every try has ended in a fault of ours.
  virtual void give_up(WindowRecord& record, std::string_view body);
  /// True where no further record should go into this window.
  virtual bool is_full() const { return false; }
  /// Delivers what was added, or puts it where it is as safe as in the log. False: given up,
  /// because the log has meanwhile dropped the window, it could not be put aside, or to stop.
  virtual bool deliver(std::vector<WindowRecord>& window) = 0;
  /// Of something in this window or before it that is left in the log for now: nothing is
  /// committed.
  virtual bool holds_cursor() const { return false; }
  /// The window was not delivered, or holds_cursor: whether to read on behind it. False: all from
  /// the cursor on is read again.
  virtual bool reads_on() { return false; }
  /// The window is done, or will be read again.
  virtual void forget() {}
  /// Called between windows and at least every kIdleWait. All records received before
  /// `complete_until_ms` are delivered or put aside, but for what the log has dropped: `lost` is
  /// the cursor's. Not called while the log cannot be read: then nothing is known.
  virtual void on_progress(std::int64_t /*complete_until_ms*/, std::uint64_t /*lost*/) {}
  /// Wakes a `deliver` that waits. Any thread.
  virtual void wake(TimePoint /*deadline*/) {}
  /// Ends what else runs; the exporter's thread has ended.
  virtual void end(TimePoint /*deadline*/) noexcept {}

 protected:
  ~WindowTaker() = default;
};

/// Reads at the cursor that bears the exporter's id. Its owner holds it as the last member, so that
/// the thread has ended before anything that it uses goes.
/// Thread contract: start and stop from one thread; the rest from the thread that calls the taker.
class LogReader {
 public:
  /// `taker` outlives the reader.
  LogReader(const ExporterSettings& settings, const ExporterParts& parts, WindowTaker& taker);
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  void start();
  /// Wakes the taker, waits for the thread and calls the taker's end. Safe twice or unstarted.
  void stop(TimePoint deadline) noexcept;

  bool is_stopping() const { return is_stopping_; }  ///< any thread
  /// The log has dropped all of the window in hand.
  bool is_window_gone() const;
  /// A request to the destination has been answered, or has failed. Any thread.
  void note_request(Duration took);
  /// A request has been taken. Any thread.
  struct SentRequest {
    std::uint64_t items = 0;
    std::size_t bytes = 0;
    bool has_more = false;  ///< it was cut at the bound of a request
  };
  void note_batch(const SentRequest& request);

  static constexpr std::size_t kWindowRecordsMax = 512;
  static constexpr std::size_t kWindowBytesMax = 8U << 20U;  ///< bodies, as they are taken

 private:
  enum class Read : std::uint8_t { kMore, kAll, kFailed };

  void run();
  void take_turn();
  void end_turn();
  void recover_from_fault();
  Read gather();
  void take(disk_log::DiskRecord record);
  void let_go(bodies::LogBody& body);
  std::optional<disk_log::LogPosition> alone_in_hand() const;
  void book(disk_log::LogPosition before);
  void show_queue();

  const ExporterSettings settings_;
  const ExporterParts parts_;
  WindowTaker& taker_;
  disk_log::Cursor& cursor_;
  service::Histogram& send_duration_;
  service::Histogram& send_size_;
  service::Histogram& send_bytes_;
  service::Counter& size_triggers_;
  service::Counter& time_triggers_;
  Routing routing_;
  std::vector<WindowRecord> window_;
  std::size_t window_bytes_ = 0;
  vigia::delivery::FaultHunt hunt_;
  /// The record that is being taken into the window.
  std::optional<disk_log::LogPosition> in_hand_;
  struct Passed {  // of a record
    disk_log::LogPosition next;
    std::int64_t received_ms = 0;
  };
  std::optional<Passed> last_;  // read, whether taken or not
  service::Gauge& queue_size_;
  TimePoint queue_shown_{};
  bool is_unreadable_ = false;  // and said so
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace vigia::collector::exporters
