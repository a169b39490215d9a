// Which long-term store this router knows, and whether another one stands in its place.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "libs/pipeline/file_system.hpp"
#include "libs/pipeline/store_identity.hpp"

namespace vigia::router {

/// A store that is not the known one.
struct ColdReplacement {
  /// What was before is not in it; nothing where nobody knows what it lacks.
  std::optional<TimestampMs> new_since_ms;

  /// Whether something of the range that begins there may be missing in it.
  bool lacks(TimestampMs from_ms) const { return !new_since_ms || from_ms < *new_since_ms; }
  /// "the cold store is new since 2026-11-28T17:00:00Z: what was before is not in it"
  std::string text() const;
};

/// The first store that is seen is the known one, and stays it over restarts until a person says
/// that another is to be. Thread contract: any thread; keep and confirm write a small file.
class KnownColdStore {
 public:
  /// `file` (and a copy beside it): docs/formats/store-id.md. Empty: known while this process runs.
  KnownColdStore(const std::string& file, pipeline::FileSystem& files);

  /// What the store has said when it was looked at; nothing where it says nothing.
  void note(const std::optional<pipeline::StoreIdentity>& seen);
  /// Whether what is known is still to be written.
  bool is_due() const;
  void keep();
  /// While the store that was seen last is not the known one.
  std::optional<ColdReplacement> replacement() const;
  /// The one that was seen last is the known one from here on. False where it is already; an error
  /// where that cannot be written.
  Result<bool> confirm();

 private:
  Result<void> write(const pipeline::StoreIdentity& known) const;

  const std::optional<pipeline::KeptLineForm> form_;
  pipeline::FileSystem& files_;
  std::mutex writing_;  // taken before the other, which nobody holds while the disk is waited for
  mutable std::mutex mutex_;  // guards the rest
  std::optional<pipeline::StoreIdentity> known_;
  std::optional<pipeline::StoreIdentity> seen_;
  bool is_due_ = false;
  bool is_failure_told_ = false;
};

}  // namespace vigia::router
