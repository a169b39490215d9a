#include "services/monitor/access/address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include "libs/net/host_port.hpp"

namespace vigia::monitor::access {
namespace {

constexpr std::size_t kHostCharactersMax = 253;

using Ipv6 = std::array<std::uint8_t, 16>;

struct Block {
  std::uint32_t network;
  unsigned bits;
};

constexpr std::uint32_t ipv4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24U | b << 16U | c << 8U | d;
}

// RFC 6890 and the addresses of cloud metadata services (169.254.169.254 lies in link-local).
constexpr std::array<Block, 11> kNever = {
    Block{ipv4(0, 0, 0, 0), 8},       Block{ipv4(169, 254, 0, 0), 16},
    Block{ipv4(192, 0, 0, 0), 24},    Block{ipv4(192, 0, 2, 0), 24},
    Block{ipv4(192, 88, 99, 0), 24},  Block{ipv4(198, 18, 0, 0), 15},
    Block{ipv4(198, 51, 100, 0), 24}, Block{ipv4(203, 0, 113, 0), 24},
    Block{ipv4(224, 0, 0, 0), 4},     Block{ipv4(240, 0, 0, 0), 4},
    Block{ipv4(168, 63, 129, 16), 32}};
constexpr std::array<Block, 4> kPrivate = {
    Block{ipv4(10, 0, 0, 0), 8}, Block{ipv4(172, 16, 0, 0), 12}, Block{ipv4(192, 168, 0, 0), 16},
    Block{ipv4(100, 64, 0, 0), 10}};
// First 32 bits: fd00:ec2::254 (AWS, with its name and time servers beside it), fd20:ce::254
// (Google). Private by their form, yet no customer's node.
constexpr std::array<std::array<std::uint8_t, 4>, 2> kMetadataIpv6 = {
    std::array<std::uint8_t, 4>{0xfd, 0x00, 0x0e, 0xc2},
    std::array<std::uint8_t, 4>{0xfd, 0x20, 0x00, 0xce}};
constexpr Block kLoopback{ipv4(127, 0, 0, 0), 8};

bool is_in(std::uint32_t address, const Block& block) {
  const std::uint32_t mask = block.bits == 32 ? ~0U : ~(~0U >> block.bits);
  return (address & mask) == block.network;
}

Result<void> refused(std::string_view why) {
  return fail(ErrorCode::kInvalid, fmt::format("address: {} addresses are not allowed", why));
}

Result<void> check_ipv4(std::uint32_t address, const AddressPolicy& policy) {
  const auto lies_in = [&](const Block& block) { return is_in(address, block); };
  if (std::any_of(kNever.begin(), kNever.end(), lies_in)) {
    return refused("link-local, metadata, reserved and multicast");
  }
  if (is_in(address, kLoopback) && !policy.allow_loopback) return refused("loopback");
  if (std::any_of(kPrivate.begin(), kPrivate.end(), lies_in) && !policy.allow_private) {
    return refused("private");
  }
  return {};
}

// What carries an IPv4 address inside (mapped, compatible, 6to4, NAT64) is refused outright: nobody
// writes a node's address like that.
Result<void> check_ipv6(const Ipv6& address, const AddressPolicy& policy) {
  const bool is_low = std::all_of(address.begin(), address.begin() + 10,
                                  [](std::uint8_t byte) { return byte == 0; });
  Ipv6 loopback{};
  loopback[15] = 1;
  if (address == loopback) return policy.allow_loopback ? Result<void>{} : refused("loopback");
  if (is_low) return refused("unspecified and IPv4-mapped");
  if (address[0] == 0xff) return refused("multicast");
  if (address[0] == 0xfe && (address[1] & 0xc0U) >= 0x80) return refused("link-local");
  const auto begins_with = [&](const std::array<std::uint8_t, 4>& network) {
    return std::equal(network.begin(), network.end(), address.begin());
  };
  if (std::any_of(kMetadataIpv6.begin(), kMetadataIpv6.end(), begins_with)) {
    return refused("metadata");
  }
  if ((address[0] & 0xfeU) == 0xfc && !policy.allow_private) return refused("private");
  if (address[0] == 0x20 && address[1] == 0x02) return refused("6to4");
  if (address[0] == 0x00 && address[1] == 0x64) return refused("NAT64");
  return {};
}

std::optional<std::uint32_t> parse_ipv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<Ipv6> parse_ipv6(const std::string& text) {
  Ipv6 address{};
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

// Letters, digits, dashes and dots of ASCII, and a last label that is no number: "2130706433" and
// "0x7f.1" are addresses in disguise.
bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kHostCharactersMax) return false;
  const bool has_only_plain = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
  if (!has_only_plain || host.find("..") != std::string_view::npos) return false;
  const auto dot = host.rfind('.');
  const auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return !last.empty() && !(last.front() >= '0' && last.front() <= '9');
}

/// host:port with a port that can be connected to.
std::optional<net::HostPort> split(std::string_view text) {
  const auto parts = net::split_host_port(text);
  return parts && parts->port && *parts->port > 0 ? parts : std::nullopt;
}

bool is_host(const net::HostPort& parts) {
  const std::string host(parts.host);
  return parts.is_bracketed ? parse_ipv6(host).has_value()
                            : parse_ipv4(host).has_value() || is_host_name(host);
}

Result<std::vector<std::string>> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &raw) != 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("address: {} cannot be resolved", host));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);
  std::vector<std::string> literals;
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(),
                      static_cast<socklen_t>(text.size()), nullptr, 0, NI_NUMERICHOST) == 0) {
      literals.emplace_back(text.data());
    }
  }
  return literals;
}

}  // namespace

Result<void> check_ip(std::string_view literal, const AddressPolicy& policy) {
  const std::string text(literal);
  if (const auto address = parse_ipv4(text)) return check_ipv4(*address, policy);
  if (const auto address = parse_ipv6(text)) return check_ipv6(*address, policy);
  return fail(ErrorCode::kInvalid, "address: neither IPv4 nor IPv6");
}

std::optional<Result<std::string>> check_literal(std::string_view host_and_port,
                                                 const AddressPolicy& policy) {
  const auto parts = split(host_and_port);
  if (!parts) return fail(ErrorCode::kInvalid, "address: write it as host:port or [ipv6]:port");
  const std::string host(parts->host);
  const bool is_literal =
      parts->is_bracketed ? parse_ipv6(host).has_value() : parse_ipv4(host).has_value();
  if (is_literal) {
    auto checked = check_ip(parts->host, policy);
    if (!checked) return forward(checked);
    return net::join_host_port(parts->host, *parts->port);
  }
  if (parts->is_bracketed || !is_host_name(parts->host)) {
    return fail(ErrorCode::kInvalid, "address: neither a host name nor a plain IP address");
  }
  return std::nullopt;
}

Result<std::string> resolve_checked(std::string_view host_and_port, const AddressPolicy& policy) {
  if (auto checked = check_literal(host_and_port, policy)) return std::move(*checked);
  const auto parts = split(host_and_port);
  auto literals = look_up(std::string(parts->host));
  if (!literals) return forward(literals);
  if (literals->empty()) return fail(ErrorCode::kUnavailable, "address: the name has no address");
  // All of them, though one is used: a name with a public and a private address is a try to get in.
  for (const auto& literal : *literals) {
    auto checked = check_ip(literal, policy);
    if (!checked) return forward(checked);
  }
  return net::join_host_port(literals->front(), *parts->port);
}

HealthAddress split_health_address(std::string_view text) {
  constexpr std::string_view kEncrypted = "https://";
  if (!text.starts_with(kEncrypted)) return {false, text};
  return {true, text.substr(kEncrypted.size())};
}

Result<std::string> host_of_url(std::string_view url) {
  constexpr std::uint16_t kHttpPort = 80;
  constexpr std::uint16_t kHttpsPort = 443;
  const bool is_tls = url.starts_with("https://");
  if (!is_tls && !url.starts_with("http://")) {
    return fail(ErrorCode::kInvalid, "target: a URL that begins with http:// or https://");
  }
  const auto parts = net::split_url(url);
  // Readers of URLs differ in where the host begins behind several @.
  if (parts && parts->user_info) {
    return fail(ErrorCode::kInvalid, "target: no user name in the URL");
  }
  if (!parts || parts->server.port == 0) {
    return fail(ErrorCode::kInvalid, "target: the port is a number from 1 to 65535");
  }
  if (!is_host(parts->server)) {
    return fail(ErrorCode::kInvalid, "target: neither a host name nor a plain IP address");
  }
  return net::join_host_port(parts->server.host,
                             parts->server.port.value_or(is_tls ? kHttpsPort : kHttpPort));
}

Result<void> check_url(std::string_view url, const AddressPolicy& policy) {
  auto host = host_of_url(url);
  if (!host) return forward(host);
  auto checked = resolve_checked(*host, policy);
  if (!checked) return forward(checked);
  return {};
}

}  // namespace vigia::monitor::access
