// One short line that a program goes by over all its starts, kept twice with a checksum.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::disk_log {

/// Where it lies, `path` and `<path>.copy`, and what it may say. A file is
///     TEXT CRC\n
/// CRC being the CRC-32C of the text in eight lower-case hexadecimal digits.
struct KeptLineForm {
  std::string path;
  std::function<bool(std::string_view text)> is_text;
  bool takes_bare = false;  ///< a text without a checksum is read too: an older version's
};

struct KeptLine {
  std::string text;  ///< "": there is none, or none that can be read
  int damaged = 0;   ///< files of the two that said something and not this
  struct Unmended {
    std::string path;
    std::string why;
  };
  /// Of a text that is known, a file that could not be written anew. The next look tries again.
  std::optional<Unmended> unmended;
};

/// A whole one wins and mends the other, of two that differ the first. kUnavailable where a file
/// can be neither read nor known to be damaged.
Result<KeptLine> read_kept_line(const KeptLineForm& form, FileSystem& files);

/// Both files anew, each under another name first; the folder is made where it is missing.
Result<void> write_kept_line(const KeptLineForm& form, std::string_view text, FileSystem& files);

}  // namespace vigia::disk_log
