#include "services/agent/host/mounts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_map>

#include "libs/base/utf8.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

namespace {

// Kernel interfaces that look like file systems, images that are always full, and autofs, whose
// statvfs would mount what it stands for.
constexpr std::array<std::string_view, 29> kPseudoTypes = {
    "autofs",     "binfmt_misc", "bpf",      "cgroup",     "cgroup2",      "configfs",
    "debugfs",    "devpts",      "devtmpfs", "efivarfs",   "erofs",        "fuse.gvfsd-fuse",
    "fuse.lxcfs", "fuse.portal", "fusectl",  "hugetlbfs",  "iso9660",      "mqueue",
    "nsfs",       "proc",        "pstore",   "rpc_pipefs", "rootfs",       "securityfs",
    "selinuxfs",  "squashfs",    "sysfs",    "tracefs",    "fuse.snapfuse"};

bool is_pseudo(std::string_view type) {
  return std::find(kPseudoTypes.begin(), kPseudoTypes.end(), type) != kPseudoTypes.end();
}

std::optional<Mount> parse_mount(std::string_view line) {
  WordReader words(line);
  words.next();  // id
  words.next();  // parent
  const auto device_id = words.next();
  const auto root = words.next();
  const auto mount_point = words.next();
  const auto options = words.next();
  if (!options) return std::nullopt;
  std::optional<std::string_view> word = words.next();
  while (word && *word != "-") word = words.next();  // optional fields end with a dash
  const auto type = words.next();
  const auto source = words.next();
  if (!word || !type || !source) return std::nullopt;
  Mount mount;
  mount.device_id = *device_id;
  mount.root = to_utf8(unescape_octal(*root));
  // As it is in the kernel, whatever bytes: statvfs needs them. Made UTF-8 once that is done.
  mount.mount_point = unescape_octal(*mount_point);
  mount.mode = *options == "ro" || options->starts_with("ro,") ? "ro" : "rw";
  mount.type = to_utf8(unescape_octal(*type));
  mount.source = to_utf8(unescape_octal(*source));
  return mount;
}

/// Subvolumes of btrfs have a device number each but share the device's space, and so do data sets
/// of a ZFS pool their pool's.
std::string space_key(const Mount& mount) {
  if (mount.type == "btrfs") return "btrfs:" + mount.source;
  if (mount.type == "zfs") return "zfs:" + mount.source.substr(0, mount.source.find('/'));
  return mount.device_id;
}

std::string kind_of_repeat(const Mount& mount) {
  return mount.type == "btrfs" || mount.type == "zfs" ? "subvolume" : "bind";
}

/// The mount that stands for a device: one of the whole file system before one of a folder in it,
/// then the one nearest to "/".
bool stands_better(const Mount& left, const Mount& right) {
  const bool left_whole = left.root == "/";
  const bool right_whole = right.root == "/";
  if (left_whole != right_whole) return left_whole;
  if (left.mount_point.size() != right.mount_point.size()) {
    return left.mount_point.size() < right.mount_point.size();
  }
  return left.mount_point < right.mount_point;
}

/// Keeps of several mounts on one place the last, which hides the others.
void drop_hidden(std::vector<Mount>& mounts) {
  std::unordered_map<std::string, std::size_t> last;
  for (std::size_t index = 0; index < mounts.size(); ++index) {
    last[mounts[index].mount_point] = index;
  }
  std::size_t index = 0;
  std::erase_if(mounts, [&](const Mount& mount) { return last[mount.mount_point] != index++; });
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    if (auto mount = parse_mount(*line)) mounts.push_back(*std::move(mount));
  }
  return mounts;
}

std::vector<Mount> select_mounts(std::vector<Mount> mounts, const HostExcludes& excludes) {
  // Before anything is left out: a mount that is excluded hides what lies under it all the same.
  drop_hidden(mounts);
  std::erase_if(mounts, [&excludes](const Mount& mount) {
    return is_pseudo(mount.type) || matches_any(excludes.types, mount.type) ||
           matches_any(excludes.mounts, mount.mount_point);
  });
  if (mounts.size() > kMountsMax) mounts.resize(kMountsMax);
  std::map<std::string, Mount*> chosen;
  for (Mount& mount : mounts) {
    // An overlay's space is that of the disk below it; it never stands for one.
    if (mount.type == "overlay") continue;
    Mount*& best = chosen[space_key(mount)];
    if (best == nullptr || stands_better(mount, *best)) best = &mount;
  }
  for (Mount& mount : mounts) {
    if (mount.type == "overlay") {
      mount.kind = "overlay";
    } else if (chosen[space_key(mount)] != &mount) {
      mount.kind = kind_of_repeat(mount);
    }
  }
  return mounts;
}

}  // namespace vigia::agent::host
