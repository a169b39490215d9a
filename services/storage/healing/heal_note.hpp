// Up to when each customer's series were compared, over restarts. Format:
// docs/formats/heal-note.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::healing {

/// In the store's directory.
inline constexpr std::string_view kNoteFile = "vigia-healed";

/// Beside it, where a customer was ever deleted.
inline constexpr std::string_view kFloorFile = "vigia-heal-from";

/// By customer: all before it was compared, and is in the store.
using HealedUpTo = std::map<CustomerId, TimestampMs>;

/// The file's text.
std::string encode_note(std::string_view prometheus, const HealedUpTo& healed);
/// kCorrupt for a text that encode_note did not write; kNotFound where it is of another Prometheus.
Result<HealedUpTo> decode_note(std::string_view prometheus, std::string_view text);

/// Takes the customer out of the file in a store's directory, durably, whichever Prometheus it is
/// of; where it cannot be read it goes: it may name him. Before, that whoever is in no note begins
/// no earlier than `now_ms` or what a note that can be read has last: so it names nobody, and keeps
/// what was deleted from coming back also where there is no note. Errors as FileSystem's.
Result<void> forget_customer(const std::string& directory, const CustomerId& customer,
                             TimestampMs now_ms, disk_log::FileSystem& files);

/// The file. Thread contract: one thread; `files` must outlive it.
class HealNote {
 public:
  HealNote(const std::string& directory, std::string prometheus, disk_log::FileSystem& files)
      : directory_(directory),
        path_(directory + "/" + std::string(kNoteFile)),
        prometheus_(std::move(prometheus)),
        files_(files) {}
  /// nullopt where there is none, and where it is damaged or of another Prometheus. Whoever is not
  /// in one that is read was not a customer when it was written.
  std::optional<HealedUpTo> load() const;
  /// Before it nothing is fetched of a customer who is in no note; 0: nobody was ever deleted.
  /// kCorrupt where that cannot be told.
  Result<TimestampMs> floor_ms() const;
  /// On disk when it returns, whole or as it was before. Errors as FileSystem's.
  Result<void> keep(const HealedUpTo& healed) const;

 private:
  const std::string directory_;
  const std::string path_;
  const std::string prometheus_;
  disk_log::FileSystem& files_;
};

}  // namespace vigia::storage::healing
