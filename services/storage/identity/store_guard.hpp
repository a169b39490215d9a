// Whether the folder that the store is to be opened in is the store's, and which store it is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"
#include "libs/disk_log/store_identity.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/identity/settings.hpp"

namespace vigia::storage::identity {

/// The identity (docs/formats/store-id.md) lies in the directory and, known, outside of it. An
/// empty directory is a new store only where neither is there. Whoever waits for a store may be
/// copying it back, and a database that is opened half-way through deletes what comes after: so
/// after a wait the directory must be whole and stand still. Thread contract: one thread.
class StoreGuard {
 public:
  static constexpr auto kStill = std::chrono::seconds(10);

  /// `files` and `clock` must outlive it.
  StoreGuard(StoreGuardSettings settings, disk_log::FileSystem& files, const Clock& clock);

  /// Before the database is opened. kUnavailable, with what a person does about it, where the
  /// directory is empty and a store was known, or may not be made, where it holds another one or
  /// one that does not say which, and where it was waited for and may still be on its way.
  Result<void> check();
  /// Once it is open, and so held by this process alone: its identity, one of `now_ms` where it is
  /// new, of no time where it was there and had none. Nothing where a new one cannot be written
  /// (the log says so): the next start tries again.
  std::optional<disk_log::StoreIdentity> settle(TimestampMs now_ms);

 private:
  using Listing = std::map<std::string, std::uintmax_t>;

  Result<void> look();
  Result<void> compare(const std::optional<disk_log::StoreIdentity>& own,
                       const std::optional<disk_log::StoreIdentity>& known) const;
  Result<void> expect_still();
  Result<Listing> list() const;
  Result<bool> has_database() const;
  Result<std::optional<disk_log::StoreIdentity>> read(const disk_log::KeptLineForm& form);
  bool write(const disk_log::KeptLineForm& form, const disk_log::StoreIdentity& identity,
             std::string_view cost) const;
  tl::unexpected<Error> refuse_empty(const disk_log::StoreIdentity& known,
                                     const std::string& where) const;

  const StoreGuardSettings settings_;
  const disk_log::KeptLineForm own_;
  const disk_log::KeptLineForm known_;
  disk_log::FileSystem& files_;
  const Clock& clock_;
  bool is_new_ = false;  // by check
  bool has_waited_ = false;
  Listing listing_;
  TimePoint listed_at_;            // since when it stands as in listing_
  std::set<std::string> damaged_;  // files that said what was not written, told once it is open
};

}  // namespace vigia::storage::identity
