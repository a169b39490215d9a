#include "services/router/upstream/store_health.hpp"

#include <charconv>
#include <string>

#include "services/router/json/lists.hpp"

namespace vigia::router::upstream {

bool is_of_some(std::string_view lacks) { return lacks == "index" || lacks == "quarantine"; }

void StoreHealth::note(const Result<void>& look) {
  // A refused connection is told at once and costs nobody time; only silence holds requests up.
  const bool is_silent = !look && look.error().code == ErrorCode::kDeadline;
  condition_ = look ? Condition::kAnswers : is_silent ? Condition::kSilent : Condition::kRefuses;
  refusals_ = condition_ == Condition::kRefuses ? refusals_ + 1 : 0;
}

std::optional<std::uint64_t> query_samples_max(std::string_view flags) {
  const std::string text = json::read_text_of(flags, "query.max-samples");
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<std::string> enabled_features(std::string_view flags) {
  // No feature is told as an empty text, and by none of those who hide their flags.
  if (flags.find("\"enable-feature\"") == std::string_view::npos) return std::nullopt;
  return json::read_text_of(flags, "enable-feature");
}

}  // namespace vigia::router::upstream
