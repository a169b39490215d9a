// Where copies of the store are kept.
#pragma once

#include <cstdint>
#include <string>

#include "libs/service/config.hpp"

namespace vigia::storage::keep {

struct CheckpointSettings {
  std::string directory;   ///< outside of the store's, on its file system
  std::uint64_t kept = 3;  ///< 1 to 100; the oldest goes when there is one more
};

/// Of the key `checkpoints`; without a directory they lie in STORE.checkpoints.
CheckpointSettings read_checkpoints(const service::ConfigNode& node, const std::string& store);

}  // namespace vigia::storage::keep
