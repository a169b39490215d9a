#include "services/collector/memory_limiter/total_memory.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>

#include <unistd.h>

namespace vigia::collector::memory_limiter {
namespace {

/// Of a file that holds a number; "max" is none.
std::optional<std::uint64_t> read_limit(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) return std::nullopt;
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc{} || end != text.data() + text.size() || bytes == 0) return std::nullopt;
  return bytes;
}

/// The group's path in /proc/self/cgroup: "0::/system.slice/x" or "4:cpu,memory:/docker/abc".
std::string group_path(const std::string& root, bool is_version_2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool is_it =
        is_version_2 ? controllers == ",," : controllers.find(",memory,") != std::string::npos;
    if (is_it) return line.substr(second + 1);
  }
  return "";
}

/// Of the group and all above it: each bounds it. In a container its own stands at the top.
void take_least(std::uint64_t& least, const std::string& mount, std::string path,
                std::string_view file) {
  for (;;) {
    if (const auto limit = read_limit(mount + path + "/" + std::string(file)))
      least = std::min(least, *limit);
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return;
    path.erase(slash);
  }
}

std::uint64_t machine_memory(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  if (file >> name >> kib && name == "MemTotal:") return kib * 1024;
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
}

}  // namespace

std::uint64_t total_memory(const std::string& root) {
  std::uint64_t least = machine_memory(root);
  take_least(least, root + "/sys/fs/cgroup", group_path(root, true), "memory.max");
  take_least(least, root + "/sys/fs/cgroup/memory", group_path(root, false),
             "memory.limit_in_bytes");
  return least;
}

}  // namespace vigia::collector::memory_limiter
