// Sends one signal's records to the collector, in their order, and lets them go once they are
// acknowledged.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/delivery/fault_hunt.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "services/agent/sender/collector_link.hpp"
#include "services/agent/sender/refused_store.hpp"
#include "services/agent/sender/sender_status.hpp"

namespace vigia::agent::sender {

/// One request in flight; records that wait are merged into requests of up to kRequestBytes, so
/// that a backlog drains quickly. Has a thread of its own from construction to stop.
class Lane {
 public:
  struct Parts {
    disk_log::Cursor& cursor;
    CollectorLink& link;
    RefusedStore& refused;
    SenderStatus& status;
    CustomerId customer;  ///< whose agent this is
  };
  Lane(Signal signal, Parts parts);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  Lane(Lane&&) = delete;
  Lane& operator=(Lane&&) = delete;

  /// Sends no more than is in flight; what is not acknowledged stays in the buffer.
  void request_stop();
  /// True once nothing is in flight any more after request_stop; false at the deadline.
  bool wait_until_ended(TimePoint deadline);

  static constexpr std::size_t kRequestBytes = 1U << 20U;
  static constexpr std::size_t kRequestRecords = 1000;  ///< passed over, those of others included

 private:
  struct Request {
    std::vector<std::string> bodies;
    std::vector<std::uint32_t> items;  // of each body
    disk_log::LogPosition end;         // commit this when all of it is done
    bool has_passed_any = false;       // of another signal, too
  };
  void run();
  void probe();
  void take_turn();
  void recover_from_fault();
  Request gather(std::size_t records_max);
  /// False where the lane stops before it is done.
  bool send_all(const Request& request);
  bool send_range(const Request& request, std::size_t from, std::size_t to);
  /// An outcome that will not change: taken, or refused for good; kLater to stop.
  otlp::ExportAnswer deliver_patiently(const std::string& body);
  bool give_up(const std::string& body, std::uint32_t items, const otlp::ExportAnswer& answer);
  void set_aside(const std::string& body, std::uint32_t items, const std::string& reason);
  void set_aside_anothers(const disk_log::DiskRecord& record);
  void count_taken(std::uint64_t items, const otlp::ExportAnswer& answer);
  bool wait(Duration duration);
  /// Once at first, then at most once a minute.
  static bool may_log(std::optional<TimePoint>& last);
  bool is_stopping() const;

  const Signal signal_;
  Parts parts_;
  std::uint32_t failures_ = 0;
  delivery::FaultHunt hunt_;
  std::size_t in_hand_ = 0;  ///< records read in this turn
  std::optional<disk_log::LogPosition> first_in_hand_;
  std::optional<TimePoint> refusal_logged_at_;
  std::optional<TimePoint> rejection_logged_at_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;  // guarded by mutex_
  bool has_ended_ = false;    // guarded by mutex_
  std::thread thread_;        // last: it uses all of the above
};

}  // namespace vigia::agent::sender
