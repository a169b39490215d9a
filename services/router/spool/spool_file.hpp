// A file without a name that holds one answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Told where an answer does not reach its client.
struct SpoolCounters {
  service::Counter& unread;   ///< it was read too slowly
  service::Counter& damaged;  ///< what was read is not what was written
};

/// Written to its end by one thread at a time, then read by any number. A checksum of each block
/// stays in memory: what the disk gives back otherwise ends its reader. It goes on one of `later`'s
/// threads: giving up what a large file has takes the system tens of milliseconds.
class SpoolFile final : public wire::prometheus_api::StoredBytes,
                        public std::enable_shared_from_this<SpoolFile> {
 public:
  /// Whoever reads it takes this much a second on the average, after a time of grace; a slow reader
  /// keeps no disk for days.
  static constexpr std::uint64_t kBytesPerSecondMin = 64U << 10U;
  static constexpr Duration kReadGrace = std::chrono::seconds(60);

  static constexpr std::uint64_t kBlockBytes = 64U << 10U;

  /// A file in that folder, readable by nobody else. kUnavailable with the system's reason.
  static Result<int> open_unnamed(const std::string& folder);
  /// Takes the descriptor over.
  SpoolFile(int descriptor, Later later, const SpoolCounters& counters, const Clock& clock);
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  ~SpoolFile() override;

  /// Adds at the end. May wait for the disk. kUnavailable with the system's reason.
  Result<void> append(std::string_view bytes);
  /// Nothing is added any more: the time for reading begins. The share goes with the file.
  void seal(access::ByteShares::HeldBytes held);

  std::uint64_t size() const override { return size_; }
  /// Up to the end of a block, where one ends within. kDeadline where the time for reading is over,
  /// kCorrupt where the disk gives other bytes than it was given.
  Result<std::optional<std::string>> read_at_once(std::uint64_t at,
                                                  std::size_t count) const override;
  void read_later(std::uint64_t at, std::size_t count,
                  Task<void(Result<std::string>)> done) const override;

 private:
  Result<void> check_time() const;
  Result<std::optional<std::string>> read(std::uint64_t at, std::size_t count, int flags) const;
  Result<std::optional<std::string>> read_blocks(std::uint64_t from, std::uint64_t to,
                                                 int flags) const;
  Result<void> check_sums(std::uint64_t from, std::string_view blocks) const;
  void add_sums(std::string_view bytes);

  const int descriptor_;
  const Later later_;
  const SpoolCounters counters_;
  const Clock& clock_;
  std::uint64_t size_ = 0;
  std::vector<std::uint32_t> sums_;  // CRC-32C of each block, of the last one of what it has
  TimePoint read_until_ = TimePoint::max();
  std::optional<access::ByteShares::HeldBytes> held_;
};

}  // namespace vigia::router::spool
