#include "services/router/api/cold_form.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "libs/model/labels.hpp"

namespace vigia::router::api {

bool append_matchers(const promql::Selector& selector, request::Form& form) {
  constexpr std::array<std::string_view, 4> kOperators{"=", "!=", "=~", "!~"};
  if (!selector.name.empty()) {
    form.emplace_back("matcher", fmt::format("{}={}", kNameLabel, selector.name));
  }
  bool is_whole = true;
  for (const promql::Matcher& matcher : selector.matchers) {
    if (matcher.name.find_first_of("=!") != std::string::npos) {
      is_whole = false;
      continue;
    }
    form.emplace_back("matcher",
                      fmt::format("{}{}{}", matcher.name,
                                  kOperators[static_cast<std::size_t>(matcher.op)], matcher.value));
  }
  return is_whole;
}

TimestampMs cold_time(TimestampMs time) {
  constexpr TimestampMs kFurthest = 20'000'000'000'000;
  return std::clamp(time, -kFurthest, kFurthest);
}

}  // namespace vigia::router::api
