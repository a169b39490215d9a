// Where answers lie that are too large for memory, from their first byte to their client's last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/spool/spool_file.hpp"

namespace vigia::router::spool {

struct SpoolSettings {
  std::string folder = "/var/tmp";              ///< on a disk: what lies there is no memory
  std::uint64_t bytes_max = 1U << 30U;          ///< of one customer's answers together
  std::uint64_t bytes_total_max = 4ULL << 30U;  ///< of all customers'; each has a share of it
  /// Left free for whatever else writes there, as the directory's cache; at most a tenth of the
  /// disk.
  std::uint64_t free_bytes_min = 256U << 20U;

  /// What answers may take of a disk of so many bytes, of which so many are free.
  std::uint64_t room_of(std::uint64_t bytes, std::uint64_t free) const;
};

/// Answers from here on are kept in files.
inline constexpr std::size_t kSpooledBytesMin = 1U << 20U;

/// Gives each such answer a file without a name, which goes with its last reader, with the process
/// at the latest, and whose bytes count in its customer's share of the disk (access::ByteShares).
///
/// Any thread. Files may outlive it.
class Spool {
 public:
  /// The clock must outlive the files.
  Spool(SpoolSettings settings, service::MetricRegistry& metrics, const Clock& clock);

  /// kUnavailable, with the folder and what to do, where no file can be made there.
  static Result<void> check(const SpoolSettings& settings);

  /// A new file, which reads on `later`'s threads. kOverLimit where there is none to be had. From
  /// here on shares go by what the disk has free, where that is less than `bytes_total_max`: who
  /// comes first would fill a small one, and nobody else have an answer.
  Result<std::shared_ptr<SpoolFile>> open(Later later) const;
  /// What an answer of the customer's takes of the disk.
  access::ByteShares::HeldBytes hold(std::string customer) const {
    return shares_.hold(std::move(customer));
  }
  /// As an error for the customer, counted and, once a minute, told in the log.
  Error no_room(std::string_view why) const;
  /// The customer's share is full, counted; of a disk that has less than it is to have, as no_room.
  Error over_share() const;
  /// On the disk now.
  std::size_t bytes() const { return shares_.bytes(); }

 private:
  void look_for_room(int descriptor) const;

  const SpoolSettings settings_;
  const Clock& clock_;
  access::ByteShares shares_;
  service::Counter& answers_;
  service::Counter& failures_;
  service::Counter& refused_;
  SpoolCounters of_files_;
  mutable std::atomic<std::uint64_t> room_;       // on the disk when it was looked at last
  mutable std::atomic<std::int64_t> told_s_{-1};  // when the log was last told, by the steady clock
};

}  // namespace vigia::router::spool
