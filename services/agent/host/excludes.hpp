// What of the host is left out: what comes and goes with containers would make series without end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vigia::agent::host {

/// Patterns of the shell (fnmatch(3), where `*` stands for slashes too).
struct HostExcludes {
  std::vector<std::string> mounts = default_mounts();  ///< mount points
  std::vector<std::string> types = {};  ///< of file systems, beside those that are never read
  std::vector<std::string> interfaces = default_interfaces();

  static std::vector<std::string> default_mounts();
  static std::vector<std::string> default_interfaces();
};

/// True where one of the patterns is the whole text.
bool matches_any(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace vigia::agent::host
