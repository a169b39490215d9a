#include "libs/model/matcher.hpp"

#include <array>
#include <cstddef>

namespace vigia {

std::string_view operator_of(MatchType type) {
  constexpr std::array<std::string_view, 4> kOperators{"=", "!=", "=~", "!~"};
  return kOperators[static_cast<std::size_t>(type)];
}

}  // namespace vigia
