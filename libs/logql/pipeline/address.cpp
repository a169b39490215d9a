#include "libs/logql/pipeline/address.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr std::size_t kAddressBytesMax = 45;  // INET6_ADDRSTRLEN less its end
constexpr unsigned kMappedBits = 96;          // in front of an IPv4 address

bool is_address_character(char c) {
  return promql::is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
         c == ':';
}

/// The range of a network: `bits` of the address stay.
void widen(Address& first, Address& last, unsigned bits) {
  for (unsigned bit = bits; bit < 128; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    first.at(bit / 8) = static_cast<std::uint8_t>(first.at(bit / 8) & ~mask);
    last.at(bit / 8) = static_cast<std::uint8_t>(last.at(bit / 8) | mask);
  }
}

tl::unexpected<Error> no_range(std::string_view text) {
  return fail(ErrorCode::kInvalid,
              fmt::format("parse error: ip(\"{:.64}\") is no address, range or network", text));
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.empty() || text.size() > kAddressBytesMax) return std::nullopt;
  const std::string whole(text);
  Address address{};
  if (inet_pton(AF_INET6, whole.c_str(), address.data()) == 1) return address;
  address = {};
  address[10] = address[11] = 0xFF;
  if (inet_pton(AF_INET, whole.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  AddressRange range;
  const std::size_t split = text.find_first_of("-/");
  const auto first = parse_address(text.substr(0, split));
  if (!first) return no_range(text);
  range.first_ = range.last_ = *first;
  if (split == std::string_view::npos) return range;
  const std::string_view rest = text.substr(split + 1);
  if (text[split] == '-') {
    const auto last = parse_address(rest);
    if (!last || *last < *first) return no_range(text);
    range.last_ = *last;
    return range;
  }
  const bool is_v4 = text.substr(0, split).find(':') == std::string_view::npos;
  unsigned bits = 0;
  const auto [stop, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), bits);
  if (failure != std::errc{} || stop != rest.data() + rest.size() || bits > (is_v4 ? 32U : 128U)) {
    return no_range(text);
  }
  widen(range.first_, range.last_, bits + (is_v4 ? kMappedBits : 0U));
  return range;
}

bool AddressRange::is_met_by(std::string_view text) const {
  const auto address = parse_address(text);
  return address && holds(*address);
}

bool AddressRange::is_in(std::string_view line) const {
  std::size_t at = 0;
  while (at < line.size()) {
    const auto* begin = std::find_if(line.data() + at, line.data() + line.size(),
                                     [](char c) { return is_address_character(c); });
    const auto* end = std::find_if_not(begin, line.data() + line.size(),
                                       [](char c) { return is_address_character(c); });
    std::string_view run(begin, static_cast<std::size_t>(end - begin));
    at = static_cast<std::size_t>(end - line.data());
    // A full stop or a colon of the sentence, and the port of an IPv4 address.
    while (run.ends_with('.') || (run.ends_with(':') && !run.ends_with("::"))) run.remove_suffix(1);
    if (is_met_by(run)) return true;
    const std::size_t port = run.find(':');
    if (port != std::string_view::npos && is_met_by(run.substr(0, port))) return true;
  }
  return false;
}

}  // namespace vigia::logql::pipeline
