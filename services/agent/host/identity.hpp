// Who the host is: the resource attributes host.* and os.* (R-SC-3). Nothing here needs a
// privilege.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/agent/host/host_reader.hpp"

namespace vigia::agent::host {

/// A resource attribute: one text, or several (an OTLP array) where `is_list`.
struct ResourceAttribute {
  std::string key;
  std::vector<std::string> values;
  bool is_list = false;
};

/// host.id, host.name, host.arch, host.ip, host.mac, os.type, os.name, os.version, os.description,
/// os.build_id. What the host does not tell is left out, and so are placeholders that many hosts
/// share and addresses of interfaces that are excluded.
std::vector<ResourceAttribute> read_identity(const HostPaths& paths);

/// True for what machine-id(5) allows: 32 hexadecimal digits that are not all zero. Images have
/// "uninitialized" there until they have booted.
bool is_machine_id(std::string_view text);

/// False for names that say that there is none: "", "localhost" in its forms, "(none)".
bool is_host_name(std::string_view text);

/// NAME=value lines of os-release(5), quotes and escapes undone; of equal names the last counts.
std::vector<std::pair<std::string, std::string>> parse_os_release(std::string_view text);

/// "02:42:ac:11:00:02" as "02-42-AC-11-00-02"; "" for anything else, all zeros, and broadcast.
std::string format_mac(std::string_view text);

/// The machine's name in uname as `host.arch` spells it: x86_64 is "amd64", aarch64 "arm64".
std::string format_arch(std::string_view machine);

}  // namespace vigia::agent::host
