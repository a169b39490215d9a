// What lies in a store's folder beside its rows and its log: chunks that the store never took, and
// files that were set aside because they were damaged.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/instance/folder_contents.hpp"
#include "services/storage/quarantine/quarantined_chunk.hpp"

namespace vigia::storage::keep {

/// An error ends the walk.
using AsideVisit = std::function<Result<void>(const quarantine::QuarantinedChunk& chunk)>;

/// Told of each chunk in `folder`/quarantine/chunks that can be read, in the order of their names.
/// Gives what cannot be read, a line each: chunks that are none, and damaged files (quarantine/,
/// wal/*.damaged), which are whole files of anybody's rows. Changes nothing. kUnavailable where a
/// folder cannot be listed; `visit`'s error. Thread contract: one thread.
Result<std::vector<std::string>> walk_set_aside(const std::string& folder, const AsideVisit& visit);

/// Its samples. REQUIRES: of raw samples. kCorrupt where its data are none.
Result<instance::RawRow> raw_row_of(const quarantine::QuarantinedChunk& chunk);

}  // namespace vigia::storage::keep
