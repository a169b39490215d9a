// A condition on one label, as selectors of PromQL, remote read and the label interfaces have it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia {

/// Numbered as LabelMatcher.Type of Prometheus' remote read.
enum class MatchType : std::uint8_t { kEqual = 0, kNotEqual = 1, kRegex = 2, kNotRegex = 3 };

/// An absent label has the value "". A regular expression has to match the whole value.
struct Matcher {
  MatchType type = MatchType::kEqual;
  std::string name;
  std::string value;
  bool operator==(const Matcher&) const = default;
};

/// "=", "!=", "=~" or "!~".
std::string_view operator_of(MatchType type);

}  // namespace vigia
