#include "services/storage/read/rolled_question.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"
#include "libs/rollup/window.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::read {
namespace {

constexpr TimestampMs kTimeMax = INT64_MAX - 2 * store::kDayMs;

}  // namespace

Result<std::optional<rollup::Asked>> take_rollup_matcher(std::vector<Matcher>& matchers) {
  std::optional<rollup::Asked> asked;
  for (const Matcher& matcher : matchers) {
    if (matcher.name != kRollupLabel) continue;
    if (matcher.type != MatchType::kEqual) {
      return fail(ErrorCode::kInvalid, fmt::format("{} takes no other operator than =, not {}",
                                                   kRollupLabel, operator_of(matcher.type)));
    }
    if (asked.has_value()) {
      return fail(ErrorCode::kInvalid, fmt::format("{} stands twice in one query", kRollupLabel));
    }
    const auto parsed = rollup::parse_asked(matcher.value);
    if (!parsed) return forward(parsed);
    asked = *parsed;
  }
  std::erase_if(matchers, [](const Matcher& matcher) { return matcher.name == kRollupLabel; });
  return asked;
}

ReadRange samples_of_windows(TimestampMs from_ms, TimestampMs to_ms, Resolution resolution) {
  const TimestampMs width_ms = rollup::width_ms(resolution);
  from_ms = std::clamp<TimestampMs>(from_ms, 0, kTimeMax);
  to_ms = std::clamp<TimestampMs>(to_ms, -1, kTimeMax);
  const TimestampMs first_end_ms = rollup::window_end(from_ms + 1, width_ms);
  const TimestampMs last_end_ms = (to_ms + 1) / width_ms * width_ms;
  ReadRange range;
  range.from_ms = first_end_ms - width_ms + 1;
  range.to_ms = last_end_ms;
  return range;
}

tl::unexpected<Error> no_windows_before(TimestampMs whole_from_ms, Resolution resolution) {
  const TimestampMs width_ms = rollup::width_ms(resolution);
  const TimestampMs first_end_ms = rollup::window_end(whole_from_ms - 1, width_ms) + width_ms;
  return fail(
      ErrorCode::kNotFound,
      fmt::format("there are no roll-ups of {} from before {}: the samples are gone; ask "
                  "from there on",
                  to_string(resolution), format_rfc3339(stamp_of(first_end_ms)).value_or("ever")));
}

}  // namespace vigia::storage::read
