// Network traffic and connections of the host, from /proc/net.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::agent::host {

struct NetworkDirection {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t errors = 0;
  std::uint64_t dropped = 0;
};

struct InterfaceCounters {
  std::string name;
  NetworkDirection receive;
  NetworkDirection transmit;
};

/// Of /proc/net/dev. Interfaces that have never moved a packet are left out.
std::vector<InterfaceCounters> parse_net_dev(std::string_view text);

inline constexpr std::size_t kTcpStates = 11;
/// Values of `network.connection.state`; the kernel's number is the place + 1.
inline constexpr std::array<std::string_view, kTcpStates> kTcpStateNames = {
    "established", "syn_sent",   "syn_received", "fin_wait_1", "fin_wait_2", "time_wait",
    "close",       "close_wait", "last_ack",     "listen",     "closing"};
using TcpStateCounts = std::array<std::uint64_t, kTcpStates>;

/// Adds the connections of /proc/net/tcp or tcp6 to `counts`.
void count_tcp_states(std::string_view text, TcpStateCounts& counts);

/// TCP sockets of /proc/net/sockstat; nothing where the line is missing.
struct SocketCounts {
  std::uint64_t in_use = 0;
  std::uint64_t time_wait = 0;
};
std::optional<SocketCounts> parse_sockstat_tcp(std::string_view text);

/// Connections of /proc/net/snmp that are established or half closed by the other side (CurrEstab);
/// nothing where it is missing.
std::optional<std::uint64_t> parse_snmp_established(std::string_view text);

}  // namespace vigia::agent::host
