// What all exporters share: a thread that reads windows of records at a cursor of the disk log, has
// them delivered, moves the cursor and keeps the books.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "services/collector/exporters/exporter.hpp"
#include "services/collector/exporters/routing.hpp"

namespace vigia::collector {

/// A record of the window in hand.
struct WindowRecord {
  pipeline::RecordHeader header;
  std::uint32_t accepted = 0;               ///< items that the verdicts let pass
  std::uint64_t dropped = 0;                ///< of these, refused by the destination
  std::set<std::uint32_t> refused_items{};  ///< points already in `dropped`
  bool is_damaged = false;                  ///< could not be read as what it should be
};

/// Thread contract: as Exporter; the virtual functions run on the exporter's own thread.
class LogExporter : public Exporter {
 public:
  LogExporter(const ExporterSettings& settings, const ExporterParts& parts);
  ~LogExporter() override;
  LogExporter(const LogExporter&) = delete;
  LogExporter& operator=(const LogExporter&) = delete;

  Result<void> start() override;
  void stop(TimePoint deadline) noexcept override;

  static constexpr std::size_t kWindowRecordsMax = 512;
  static constexpr std::size_t kWindowBytesMax = 8U << 20U;  ///< bodies, decoded

 protected:
  /// Takes a record into the window. `body` is plain.
  virtual void add(std::uint32_t index, WindowRecord& record, const std::string& body) = 0;
  /// Delivers what was added and forgets it. False: given up, because the log has meanwhile dropped
  /// the window, or to stop.
  virtual bool deliver(std::vector<WindowRecord>& window) = 0;
  /// Called between windows and at least every kIdleWait. All records received before
  /// `complete_until_ms` are delivered, but for what the log has dropped: `lost` is the cursor's.
  virtual void on_progress(std::int64_t /*complete_until_ms*/, std::uint64_t /*lost*/) {}
  /// Wakes a `deliver` that waits. Any thread.
  virtual void wake(TimePoint /*deadline*/) {}

  bool is_stopping() const { return is_stopping_; }
  /// The log has dropped all of the window in hand.
  bool is_window_gone() const;

  const ExporterSettings settings_;
  const ExporterParts parts_;
  pipeline::Cursor& cursor_;
  service::Histogram& send_duration_;

 private:
  void run();
  bool gather();
  void take(pipeline::DiskRecord record);
  void book(pipeline::LogPosition before);
  void show_queue();

  Routing routing_;
  std::vector<WindowRecord> window_;
  std::size_t window_bytes_ = 0;
  std::optional<pipeline::RecordHeader> last_;  // read, whether taken or not
  service::Gauge& queue_size_;
  TimePoint queue_shown_{};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace vigia::collector
