// A small file that is there whole or not at all.
#pragma once

#include <string>

#include "libs/base/result.hpp"

namespace vigia::storage::keep {

/// Puts `text` in the file's place, on disk when it returns: a kill on the way leaves what was
/// there, and maybe `path`.new. kUnavailable where it cannot be written.
Result<void> write_whole(const std::string& path, const std::string& text);

}  // namespace vigia::storage::keep
