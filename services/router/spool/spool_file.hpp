// A file without a name that holds one answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/service/metrics.hpp"
#include "libs/wire/prometheus_api/stored_bytes.hpp"
#include "services/router/access/byte_shares.hpp"

namespace vigia::router::spool {

/// Runs a task on a thread that may wait for a disk, among what its customer has to wait for. It
/// may be called after its threads have ended, and lets the task go then.
using Later = std::function<void(Task<void()>)>;

/// Written to its end by one thread at a time, then read by any number. It goes on one of `later`'s
/// threads: giving up what a large file has takes the system tens of milliseconds.
class SpoolFile final : public wire::prometheus_api::StoredBytes,
                        public std::enable_shared_from_this<SpoolFile> {
 public:
  /// Whoever reads it takes this much a second on the average, after a time of grace; a slow reader
  /// keeps no disk for days.
  static constexpr std::uint64_t kBytesPerSecondMin = 64U << 10U;
  static constexpr Duration kReadGrace = std::chrono::seconds(60);

  /// A file in that folder, readable by nobody else. kUnavailable with the system's reason.
  static Result<int> open_unnamed(const std::string& folder);
  /// Takes the descriptor over. `unread` counts who was too slow.
  SpoolFile(int descriptor, Later later, service::Counter& unread, const Clock& clock);
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  ~SpoolFile() override;

  /// Adds at the end. May wait for the disk. kUnavailable with the system's reason.
  Result<void> append(std::string_view bytes);
  /// Nothing is added any more: the time for reading begins. The share goes with the file.
  void seal(access::ByteShares::HeldBytes held);

  std::uint64_t size() const override { return size_; }
  /// kDeadline where the time for reading is over.
  Result<std::optional<std::string>> read_at_once(std::uint64_t at,
                                                  std::size_t count) const override;
  void read_later(std::uint64_t at, std::size_t count,
                  Task<void(Result<std::string>)> done) const override;

 private:
  Result<void> check_time() const;
  Result<std::optional<std::string>> read(std::uint64_t at, std::size_t count, int flags) const;

  const int descriptor_;
  const Later later_;
  service::Counter& unread_;
  const Clock& clock_;
  std::uint64_t size_ = 0;
  TimePoint read_until_ = TimePoint::max();
  std::optional<access::ByteShares::HeldBytes> held_;
};

}  // namespace vigia::router::spool
