// Which file systems are mounted, from /proc/…/mountinfo, and which of them show a device again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/agent/host/excludes.hpp"

namespace vigia::agent::host {

/// One line of mountinfo (proc(5)), names unescaped.
struct Mount {
  std::string device_id;    ///< "254:0"
  std::string root;         ///< which part of the file system is shown: "/", or a folder in it
  std::string mount_point;  ///< as the host's first process sees it
  std::string mode;         ///< "rw" or "ro"
  std::string type;         ///< "ext4"
  std::string source;       ///< "/dev/vda1"
  /// "" for the one mount that stands for its device; "bind", "overlay" or "subvolume" for one that
  /// shows again what another stands for. Sums over mounts without a kind count each device once.
  std::string kind;
};

/// Lines that cannot be read are passed over.
std::vector<Mount> parse_mountinfo(std::string_view text);

/// Leaves what has a size of its own and can be reached: no pseudo file systems, nothing below
/// another mount on the same place, nothing excluded, at most kMountsMax; sets `kind`.
std::vector<Mount> select_mounts(std::vector<Mount> mounts, const HostExcludes& excludes);

inline constexpr std::size_t kMountsMax = 200;

}  // namespace vigia::agent::host
