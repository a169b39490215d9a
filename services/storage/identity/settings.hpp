// Where a store's identity lies, and whether a store may be begun.
#pragma once

#include <string>

#include "libs/service/config.hpp"

namespace vigia::storage::identity {

struct StoreGuardSettings {
  std::string directory;
  /// Outside of the directory, so that it is there where the directory is not the one that was: a
  /// disk that is not mounted, a folder that was deleted. "": beside it.
  std::string known_file;
  bool may_create = true;  ///< a store, where nobody knows of one
};

/// Of the keys of `store` that all kinds have; what cannot be is noted at its key.
StoreGuardSettings read_store_guard(const service::ConfigNode& store, std::string directory);

}  // namespace vigia::storage::identity
