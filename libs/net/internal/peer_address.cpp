#include "libs/net/internal/peer_address.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "libs/net/host_port.hpp"

namespace vigia::net::internal {

namespace {

using Bits = std::array<std::uint8_t, 16>;

constexpr unsigned kMappedBits = 96;
constexpr Bits kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
constexpr std::size_t kSiteBytes = 8;  // /64

bool is_mapped(const Bits& bits) {
  return std::equal(kMapped.begin(), kMapped.end() - 4, bits.begin());
}

std::optional<Bits> parse_address_bits(std::string_view text) {
  const std::string name(text);
  Bits bits = kMapped;
  if (inet_pton(AF_INET, name.c_str(), bits.data() + kMappedBits / 8) == 1) return bits;
  if (inet_pton(AF_INET6, name.c_str(), bits.data()) == 1) return bits;
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The address of one element of either header: `10.0.0.7`, `"[2001:db8::1]:80"`.
std::string_view address_in(std::string_view element) {
  element = trimmed(element);
  if (element.size() >= 2 && element.front() == '"' && element.back() == '"') {
    element = element.substr(1, element.size() - 2);
  }
  return host_of_peer(element);
}

/// `for=` of one element of Forwarded; "" where it has none.
std::string_view forwarded_for(std::string_view element) {
  while (!element.empty()) {
    const std::size_t end = element.find(';');
    const std::string_view pair = trimmed(element.substr(0, end));
    const bool is_for = pair.size() > 4 && (pair[0] | 0x20) == 'f' && (pair[1] | 0x20) == 'o' &&
                        (pair[2] | 0x20) == 'r' && pair[3] == '=';
    if (is_for) return pair.substr(4);
    element.remove_prefix(end == std::string_view::npos ? element.size() : end + 1);
  }
  return {};
}

/// All elements of a list header, in order, lines of the same name joined.
std::vector<std::string_view> elements_of(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> elements;
  for (const Header& header : headers) {
    if (header.name != name) continue;
    std::string_view rest = header.value;
    while (true) {
      const std::size_t comma = rest.find(',');
      elements.push_back(rest.substr(0, comma));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return elements;
}

}  // namespace

std::string share_name(std::string_view address) {
  if (address.find(':') == std::string_view::npos) return std::string(address);
  auto bits = parse_address_bits(address);
  if (!bits) return std::string(address);
  std::array<char, INET6_ADDRSTRLEN> name{};
  if (is_mapped(*bits)) {
    inet_ntop(AF_INET, bits->data() + kMappedBits / 8, name.data(), name.size());
    return name.data();
  }
  std::fill(bits->begin() + kSiteBytes, bits->end(), std::uint8_t{0});
  inet_ntop(AF_INET6, bits->data(), name.data(), name.size());
  return fmt::format("{}/64", name.data());
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
  TrustedProxies proxies;
  for (const std::string& entry : entries) {
    const std::size_t slash = entry.find('/');
    const auto bits = parse_address_bits(std::string_view(entry).substr(0, slash));
    const unsigned before = bits && is_mapped(*bits) ? kMappedBits : 0;
    unsigned prefix = 128 - before;
    bool is_good = bits.has_value();
    if (is_good && slash != std::string::npos) {
      const char* end = entry.data() + entry.size();
      const auto [rest, fault] = std::from_chars(entry.data() + slash + 1, end, prefix);
      is_good = fault == std::errc() && rest == end && prefix <= 128 - before;
    }
    if (!is_good) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("\"{}\" is no address or network such as 10.0.0.0/8", entry));
    }
    proxies.networks_.push_back({*bits, prefix + before});
  }
  return proxies;
}

bool TrustedProxies::contains(std::string_view address) const {
  if (networks_.empty()) return false;
  const auto bits = parse_address_bits(address);
  if (!bits) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const unsigned whole = network.prefix / 8;
    if (!std::equal(bits->begin(), bits->begin() + whole, network.bits.begin())) return false;
    const unsigned rest = network.prefix % 8;
    return rest == 0 || ((*bits)[whole] ^ network.bits[whole]) >> (8 - rest) == 0;
  });
}

std::optional<std::string> TrustedProxies::client(const Headers& headers) const {
  const bool has_list = headers.count("x-forwarded-for") > 0;
  auto elements = elements_of(headers, has_list ? "x-forwarded-for" : "forwarded");
  // From the right: what stands left of the first stranger is what the stranger says.
  for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
    const std::string_view address = address_in(has_list ? *element : forwarded_for(*element));
    if (!parse_address_bits(address)) return std::nullopt;
    if (!contains(address)) return std::string(address);
  }
  return std::nullopt;
}

}  // namespace vigia::net::internal
