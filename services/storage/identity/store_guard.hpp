// Whether the folder that the store is to be opened in is the store's, and which store it is.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "libs/base/result.hpp"
#include "libs/pipeline/file_system.hpp"
#include "libs/pipeline/store_identity.hpp"

namespace vigia::storage {

struct StoreGuardSettings {
  std::string directory;
  /// Outside of the directory, so that it is there where the directory is not the one that was: a
  /// disk that is not mounted, a folder that was deleted.
  std::string known_file;
  bool may_create = true;  ///< a store, where nobody knows of one
};

/// The identity (docs/formats/store-id.md) lies in the directory and, known, outside of it. An
/// empty directory is a new store only where neither is there. Thread contract: one thread.
class StoreGuard {
 public:
  /// `files` must outlive it.
  StoreGuard(StoreGuardSettings settings, pipeline::FileSystem& files);

  /// Before the database is opened. kUnavailable, with what a person does about it, where the
  /// directory is empty and a store was known, or may not be made, and where it holds another one.
  Result<void> check();
  /// Once it is open, and so held by this process alone: its identity, one of `now_ms` where it is
  /// new, of no time where it was there and had none. Nothing where a new one cannot be written
  /// (the log says so): the next start tries again.
  std::optional<pipeline::StoreIdentity> settle(TimestampMs now_ms);

 private:
  Result<bool> has_database() const;
  Result<std::optional<pipeline::StoreIdentity>> read(const pipeline::KeptLineForm& form);
  bool write(const pipeline::KeptLineForm& form, const pipeline::StoreIdentity& identity,
             std::string_view cost) const;
  tl::unexpected<Error> refuse_empty(const pipeline::StoreIdentity& known,
                                     const std::string& where) const;

  const StoreGuardSettings settings_;
  const pipeline::KeptLineForm own_;
  const pipeline::KeptLineForm known_;
  pipeline::FileSystem& files_;
  bool is_new_ = false;            // by check
  std::set<std::string> damaged_;  // files that said what was not written, told once it is open
};

}  // namespace vigia::storage
