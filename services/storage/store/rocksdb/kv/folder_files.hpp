// Small files of a store's folder, read and written whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::storage::store::rocksdb::kv {

inline constexpr const char* kTableEnding = ".sst";
inline constexpr std::string_view kManifestPrefix = "MANIFEST-";

/// kUnavailable.
tl::unexpected<Error> refused(const std::string& what);
/// "" where it cannot be read.
std::string read_whole(const std::string& path);
/// On disk when it returns; is_first: what was there before goes. kUnavailable.
Result<void> write_durably(const std::string& path, std::string_view bytes, bool is_first);
/// The folder's list of names is on disk.
void sync_folder(const std::string& directory);
/// The number that begins at `at`; 0 where there is none.
std::uint64_t number_in(const std::string& name, std::size_t at = 0);

}  // namespace vigia::storage::store::rocksdb::kv
