// The store of a folder that no process serves, with all in it that lay open beside it.
#pragma once

#include <memory>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "services/storage/instance/store_instance.hpp"

namespace vigia::storage::keep {

/// Opens the rest of the folder as a start does: chunks in quarantine go to the store where it
/// takes them, the write-ahead log is replayed; then all that is open is closed, so that the store
/// has every sample on disk and the log is empty. A kill on the way leaves what a start would find.
/// Gives the instance back, its store ready to be used. kUnavailable where another process holds
/// the log. `retention`: as StoreInstance::use_retention's; null: all are kept alike.
Result<std::unique_ptr<instance::StoreInstance>> settle(
    std::unique_ptr<instance::StoreInstance> opened, const std::string& directory,
    const Clock& clock, const store::CustomerRetention* retention = nullptr);

}  // namespace vigia::storage::keep
