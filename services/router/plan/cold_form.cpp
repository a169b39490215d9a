#include "services/router/plan/cold_form.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/model/labels.hpp"

namespace vigia::router::plan {

bool append_matchers(const promql::Selector& selector, request::Form& form) {
  if (!selector.name.empty()) {
    form.emplace_back("matcher", fmt::format("{}={}", kNameLabel, selector.name));
  }
  bool is_whole = true;
  for (const Matcher& matcher : selector.matchers) {
    // "a=b" with "=" in its name would be read as another label's matcher, and so as another
    // question.
    if (matcher.name.find_first_of("=!") != std::string::npos) {
      is_whole = false;
      continue;
    }
    form.emplace_back(
        "matcher", fmt::format("{}{}{}", matcher.name, operator_of(matcher.type), matcher.value));
  }
  return is_whole;
}

TimestampMs cold_time(TimestampMs time) {
  // Year 2603: far enough for everybody, and no sum with it leaves 64 bits.
  constexpr TimestampMs kFurthest = 20'000'000'000'000;
  return std::clamp(time, -kFurthest, kFurthest);
}

}  // namespace vigia::router::plan
