#include "services/agent/host/identity.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/utsname.h>

#include "libs/base/utf8.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

namespace {

constexpr std::size_t kFileBytesMax = 64U << 10U;
constexpr std::size_t kAddressesMax = 32;  // of each kind; a host with bridges has hundreds
constexpr std::size_t kMacLength = 17;

std::string first_line(const std::string& path) {
  const auto text = read_text_file(path, kFileBytesMax);
  if (!text) return "";
  const auto line = LineReader(*text).next();
  return line ? to_utf8(*line) : "";
}

void add(std::vector<ResourceAttribute>& attributes, std::string_view key, std::string value) {
  if (value.empty()) return;
  attributes.push_back({std::string(key), {std::move(value)}, false});
}

void add_list(std::vector<ResourceAttribute>& attributes, std::string_view key,
              std::vector<std::string> values) {
  if (values.empty()) return;
  // In a fixed order, and so cut: the resource must be the same each time, or its series begin
  // anew.
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.size() > kAddressesMax) values.resize(kAddressesMax);
  attributes.push_back({std::string(key), std::move(values), true});
}

std::vector<std::string> read_macs(const HostPaths& paths) {
  std::vector<std::string> macs;
  std::error_code reason;
  std::filesystem::directory_iterator entry(paths.sys + "/class/net", reason);
  while (!reason && entry != std::filesystem::directory_iterator()) {
    const bool is_excluded =
        matches_any(paths.excludes.interfaces, entry->path().filename().string());
    std::string mac = format_mac(first_line(entry->path().string() + "/address"));
    if (!is_excluded && !mac.empty()) macs.push_back(std::move(mac));
    entry.increment(reason);
  }
  return macs;
}

/// Of our own network namespace. Loopback and link-local addresses name no host.
std::vector<std::string> read_addresses(const HostExcludes& excludes) {
  std::vector<std::string> addresses;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return addresses;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if (matches_any(excludes.interfaces, entry->ifa_name)) continue;
    char text[INET6_ADDRSTRLEN] = {};
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto* address = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) continue;
      ::inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text));
    }
    if (text[0] != '\0') addresses.emplace_back(text);
  }
  ::freeifaddrs(first);
  return addresses;
}

std::string value_of(const std::vector<std::pair<std::string, std::string>>& pairs,
                     std::string_view name) {
  // From the end: in a shell, which os-release is written for, the last assignment counts.
  const auto found = std::find_if(pairs.rbegin(), pairs.rend(),
                                  [&](const auto& pair) { return pair.first == name; });
  return found == pairs.rend() ? "" : found->second;
}

std::string unquote(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                         text.back() == text.front();
  if (!is_quoted) return std::string(text);
  std::string plain;
  for (std::size_t index = 1; index + 1 < text.size(); ++index) {
    // os-release(5) quotes as a shell does: a backslash means something between double quotes
    // alone.
    if (text.front() == '"' && text[index] == '\\' && index + 2 < text.size()) ++index;
    plain += text[index];
  }
  return plain;
}

void add_os(std::vector<ResourceAttribute>& attributes, const HostPaths& paths,
            const utsname& kernel) {
  const std::string prefix = paths.root == "/" ? "" : paths.root;
  auto text = read_text_file(prefix + "/etc/os-release", kFileBytesMax);
  if (!text) text = read_text_file(prefix + "/usr/lib/os-release", kFileBytesMax);
  const auto release =
      text ? parse_os_release(*text) : std::vector<std::pair<std::string, std::string>>{};
  add(attributes, "os.type", "linux");
  add(attributes, "os.name", value_of(release, "NAME"));
  add(attributes, "os.version", value_of(release, "VERSION_ID"));
  add(attributes, "os.description", value_of(release, "PRETTY_NAME"));
  std::string build = value_of(release, "BUILD_ID");
  if (build.empty()) build = first_line(paths.proc + "/sys/kernel/osrelease");
  if (build.empty()) build = kernel.release;
  add(attributes, "os.build_id", std::move(build));
}

/// "" where none will do.
template <typename Condition>
std::string first_that(const std::vector<std::string>& texts, Condition condition) {
  const auto found = std::find_if(texts.begin(), texts.end(), condition);
  return found == texts.end() ? "" : *found;
}

}  // namespace

bool is_machine_id(std::string_view text) {
  constexpr std::size_t kDigits = 32;
  return text.size() == kDigits &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos &&
         text.find_first_not_of('0') != std::string_view::npos;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text != "(none)" && text != "localhost" &&
         !text.starts_with("localhost.") && text != "localhost4" && text != "localhost6";
}

std::vector<std::pair<std::string, std::string>> parse_os_release(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    const auto equals = line->find('=');
    if (line->starts_with('#') || equals == std::string_view::npos) continue;
    pairs.emplace_back(line->substr(0, equals), to_utf8(unquote(line->substr(equals + 1))));
  }
  return pairs;
}

std::string format_mac(std::string_view text) {
  if (text.size() != kMacLength) return "";
  std::string mac;
  bool is_zero = true;
  for (std::size_t index = 0; index < text.size(); ++index) {
    const char character = text[index];
    if (index % 3 == 2) {
      if (character != ':') return "";
      mac += '-';
      continue;
    }
    const bool is_digit = character >= '0' && character <= '9';
    const bool is_lower = character >= 'a' && character <= 'f';
    const bool is_upper = character >= 'A' && character <= 'F';
    if (!is_digit && !is_lower && !is_upper) return "";
    if (character != '0') is_zero = false;
    mac += is_lower ? static_cast<char>(character - 'a' + 'A') : character;
  }
  return is_zero || mac == "FF-FF-FF-FF-FF-FF" ? "" : mac;
}

std::string format_arch(std::string_view machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine.starts_with("armv")) return "arm32";
  if (machine == "i386" || machine == "i686") return "x86";
  if (machine == "ppc64le" || machine == "ppc64") return "ppc64";
  return std::string(machine);
}

std::vector<ResourceAttribute> read_identity(const HostPaths& paths) {
  std::vector<ResourceAttribute> attributes;
  utsname kernel{};
  ::uname(&kernel);
  const std::string prefix = paths.root == "/" ? "" : paths.root;
  add(attributes, "host.id",
      first_that(
          {first_line(prefix + "/etc/machine-id"), first_line(prefix + "/var/lib/dbus/machine-id")},
          is_machine_id));
  add(attributes, "host.name",
      first_that({first_line(paths.proc + "/sys/kernel/hostname"), kernel.nodename}, is_host_name));
  add(attributes, "host.arch", format_arch(kernel.machine));
  add_list(attributes, "host.ip", read_addresses(paths.excludes));
  add_list(attributes, "host.mac", read_macs(paths));
  add_os(attributes, paths, kernel);
  return attributes;
}

}  // namespace vigia::agent::host
