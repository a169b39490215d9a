// The row that says which version of the format a store has: docs/formats/cold-store.md.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace vigia::storage::store::rocksdb::index {

inline constexpr std::string_view kFormatVersion = "vigia cold store 7";
// Their rows are read as they are: docs/formats/cold-store.md says what each version added.
inline constexpr std::string_view kOlderVersions[] = {"vigia cold store 1", "vigia cold store 2",
                                                      "vigia cold store 3", "vigia cold store 4",
                                                      "vigia cold store 5", "vigia cold store 6"};

/// Whether this program can read a store that says so of itself.
constexpr bool is_known_format(std::string_view format) {
  return format == kFormatVersion || std::find(std::begin(kOlderVersions), std::end(kOlderVersions),
                                               format) != std::end(kOlderVersions);
}

}  // namespace vigia::storage::store::rocksdb::index
