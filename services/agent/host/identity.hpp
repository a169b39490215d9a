// Who the host is: the resource attributes host.* and os.* (R-SC-3). Nothing here needs a
// privilege.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/agent/host/host_reader.hpp"

namespace vigia::agent {

/// A resource attribute: one text, or several (an OTLP array) where `is_list`.
struct ResourceAttribute {
  std::string key;
  std::vector<std::string> values;
  bool is_list = false;
};

/// host.id, host.name, host.arch, host.ip, host.mac, os.type, os.name, os.version, os.description,
/// os.build_id. What the host does not tell is left out.
std::vector<ResourceAttribute> read_identity(const HostPaths& paths);

/// NAME=value lines of os-release(5), quotes and escapes undone; of equal names the last counts.
std::vector<std::pair<std::string, std::string>> parse_os_release(std::string_view text);

/// "02:42:ac:11:00:02" as "02-42-AC-11-00-02"; "" for anything else and for all zeros.
std::string format_mac(std::string_view text);

/// The machine's name in uname as `host.arch` spells it: x86_64 is "amd64", aarch64 "arm64".
std::string format_arch(std::string_view machine);

}  // namespace vigia::agent
