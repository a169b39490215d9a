// Addresses of IPv4 and IPv6 in lines and labels.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::logql::pipeline {

/// As 16 bytes; those of IPv4 are mapped (::ffff:a.b.c.d).
using Address = std::array<std::uint8_t, 16>;

std::optional<Address> parse_address(std::string_view text);

/// "10.0.0.1", "10.0.0.1-10.0.0.9", "10.0.0.0/8", and the same of IPv6.
class AddressRange {
 public:
  /// kInvalid on anything else.
  static Result<AddressRange> parse(std::string_view text);
  bool holds(const Address& address) const { return first_ <= address && address <= last_; }
  /// Whether the whole text is an address of the range.
  bool is_met_by(std::string_view text) const;
  /// Whether one of the addresses that stand in the line is.
  bool is_in(std::string_view line) const;

 private:
  Address first_{};
  Address last_{};
};

}  // namespace vigia::logql::pipeline
