#include "services/monitor/access/client_address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "libs/base/hex.hpp"
#include "libs/net/host_port.hpp"

namespace vigia::monitor::access {
namespace {

constexpr std::size_t kHopsMax = 64;  ///< more in one header are not looked at
constexpr unsigned kMappedBits = 96;

using Bytes = std::array<std::uint8_t, 16>;

std::optional<Bytes> to_bytes(const std::string& text) {
  Bytes bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The node of one element of Forwarded: for="[2001:db8::1]:4711"; "" where it has none.
std::string_view forwarded_for(std::string_view element) {
  while (!element.empty()) {
    const auto end = std::min(element.find(';'), element.size());
    const auto pair = trimmed(element.substr(0, end));
    element.remove_prefix(std::min(element.size(), end + 1));
    const bool is_for = pair.size() > 4 && pair[3] == '=' && (pair[0] | 0x20) == 'f' &&
                        (pair[1] | 0x20) == 'o' && (pair[2] | 0x20) == 'r';
    if (!is_for) continue;
    auto value = pair.substr(4);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return value;
  }
  return {};
}

// Every hop in the order of the headers, the nearest last. Both headers at once would leave open
// which of them the proxy wrote: Forwarded is the standard's.
std::vector<std::string> hops_of(const net::Headers& headers) {
  const bool has_standard = headers.count("forwarded") > 0;
  const std::string_view name = has_standard ? "forwarded" : "x-forwarded-for";
  std::vector<std::string> hops;
  for (const auto& header : headers) {
    if (header.name != name) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      const auto element = trimmed(rest.substr(0, end));
      hops.emplace_back(has_standard ? forwarded_for(element) : element);
      rest.remove_prefix(std::min(rest.size(), end + 1));
    }
  }
  // The nearest are kept: only they can be our own proxies' words, what stands before them is the
  // client's to write.
  if (hops.size() > kHopsMax) {
    hops.erase(hops.begin(), hops.end() - static_cast<std::ptrdiff_t>(kHopsMax));
  }
  return hops;
}

}  // namespace

std::string caller_key(std::string_view address) {
  const std::string host(net::host_of_peer(address));
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, host.c_str(), &bytes) != 1 || IN6_IS_ADDR_V4MAPPED(&bytes)) return host;
  // Of IPv6 the network: a home has 2^64 addresses, each of which would else have its own tries.
  return to_hex({reinterpret_cast<const char*>(bytes.s6_addr), 8});
}

Result<DoorProxies> DoorProxies::parse(const std::vector<std::string>& networks) {
  DoorProxies proxies;
  for (const auto& text : networks) {
    const auto slash = text.find('/');
    const auto address = to_bytes(text.substr(0, slash));
    if (!address) {
      return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no IP address or network", text));
    }
    const bool is_ipv4 = text.find(':') == std::string::npos;
    unsigned bits = is_ipv4 ? 32 : 128;
    if (slash != std::string::npos) {
      unsigned given = 0;
      const auto* last = text.data() + text.size();
      const auto [end, error] = std::from_chars(text.data() + slash + 1, last, given);
      if (error != std::errc() || end != last || given > bits) {
        return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no IP network", text));
      }
      bits = given;
    }
    proxies.networks_.push_back(Network{*address, is_ipv4 ? bits + kMappedBits : bits});
  }
  return proxies;
}

bool DoorProxies::is_trusted(const std::string& address) const {
  const auto bytes = to_bytes(address);
  if (!bytes) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    for (unsigned bit = 0; bit < network.bits; ++bit) {
      const unsigned mask = 0x80U >> (bit % 8);
      if (((*bytes)[bit / 8] & mask) != (network.address[bit / 8] & mask)) return false;
    }
    return true;
  });
}

std::string DoorProxies::client_of(const net::RequestHead& head) const {
  // The server has asked the proxy already, for the shares at its doors: no client sends from 0.
  constexpr std::string_view kByAProxy = ":0";
  if (head.peer.ends_with(kByAProxy)) {
    return head.peer.substr(0, head.peer.size() - kByAProxy.size());
  }
  if (networks_.empty() || !is_trusted(std::string(net::host_of_peer(head.peer)))) return head.peer;
  const auto hops = hops_of(head.headers);
  std::string client = head.peer;
  // From the nearest backwards, as long as each was written by a proxy that we trust: the first
  // address that is none of theirs is the client, and whatever stands before it is its own claim.
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    const std::string host(net::host_of_peer(*hop));
    if (!to_bytes(host)) return client;  // "unknown", "_hidden", or nonsense
    const bool is_ipv6 = host.find(':') != std::string::npos;
    client = is_ipv6 && !hop->starts_with('[') ? "[" + host + "]" : *hop;
    if (!is_trusted(host)) return client;
  }
  return client;
}

}  // namespace vigia::monitor::access
