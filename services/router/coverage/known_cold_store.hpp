// Which long-term store this router knows, and whether another one stands in its place.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"
#include "libs/disk_log/store_identity.hpp"
#include "libs/model/sample.hpp"
#include "services/router/coverage/cold_replacement.hpp"

namespace vigia::router::coverage {

/// The first store that is seen is the known one, and stays it over restarts until a person says
/// that another is to be. Since when another one has been there is said by two clocks: when it was
/// made by its machine's, and when the known one was last seen by ours. Where they do not fit it is
/// not known. Thread contract: any thread; keep and confirm write small files.
class KnownColdStore {
 public:
  /// So often it is written when the known one was last seen.
  static constexpr TimestampMs kSeenEveryMs = 300'000;
  /// Clocks of two machines may differ by less.
  static constexpr TimestampMs kClocksMs = 600'000;

  /// `file` (and a copy beside it), `file`.seen: docs/formats/store-id.md. Empty: known while this
  /// process runs.
  KnownColdStore(const std::string& file, disk_log::FileSystem& files);

  /// What the store has said when it was looked at; nothing where it says nothing.
  void note(const std::optional<disk_log::StoreIdentity>& seen, TimestampMs now_ms);
  /// Whether what is known is still to be written.
  bool is_due() const;
  void keep();
  /// While the store that was seen last is not the known one.
  std::optional<ColdReplacement> replacement() const;
  /// The one that was seen last is the known one from here on. False where it is already; an error
  /// where that cannot be written.
  Result<bool> confirm();

 private:
  Result<void> write(const disk_log::StoreIdentity& known, TimestampMs seen_ms) const;
  void read_seen();

  const std::optional<disk_log::KeptLineForm> form_;
  const std::optional<disk_log::KeptLineForm> seen_form_;
  disk_log::FileSystem& files_;
  std::mutex writing_;  // taken before the other, which nobody holds while the disk is waited for
  mutable std::mutex mutex_;  // guards the rest
  std::optional<disk_log::StoreIdentity> known_;
  std::optional<disk_log::StoreIdentity> seen_;
  TimestampMs known_seen_ms_ = 0;  // when the known one was last seen; 0: nobody knows
  TimestampMs kept_seen_ms_ = 0;   // what the file says of it
  bool is_due_ = false;
  bool is_failure_told_ = false;
};

}  // namespace vigia::router::coverage
