#include "services/router/coverage/hot_member.hpp"

#include <algorithm>
#include <limits>

namespace vigia::router::coverage {

std::vector<HotMember> furthest_first(std::vector<HotMember> members) {
  constexpr TimestampMs kMinuteMs = 60'000;
  const auto minute = [](const HotMember& member) {
    const auto& from = member.covered.from;
    return from ? *from / kMinuteMs : std::numeric_limits<TimestampMs>::max();
  };
  std::stable_sort(members.begin(), members.end(),
                   [&](const HotMember& a, const HotMember& b) { return minute(a) < minute(b); });
  return members;
}

}  // namespace vigia::router::coverage
