// By what one long-term store is told from another that stands in its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/disk_log/file_system.hpp"
#include "libs/disk_log/kept_line.hpp"

namespace vigia::disk_log {

/// The header in which a store says it, on /health.
inline constexpr std::string_view kStoreHeader = "x-vigia-store";

/// As text "ID MADE": sixteen lower-case hexadecimal digits and milliseconds since 1970, in the
/// header as in files (docs/formats/store-id.md).
struct StoreIdentity {
  std::string id;
  /// When the store was made, in milliseconds since 1970 by the clock of then: it has nothing of
  /// before. 0: it was there before it had an identity.
  std::int64_t made_ms = 0;

  bool operator==(const StoreIdentity&) const = default;
};

/// One like which there is none.
StoreIdentity make_store_identity(std::int64_t now_ms);
std::string to_text(const StoreIdentity& identity);
/// Nothing where it is none.
std::optional<StoreIdentity> parse_store_identity(std::string_view text);
/// A file that holds one.
KeptLineForm store_identity_form(std::string path);

}  // namespace vigia::disk_log
