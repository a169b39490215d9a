#include "services/storage/store/label_matcher.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

namespace vigia::storage::store {
namespace {

// Memory of one compiled expression; what needs more is refused.
constexpr std::int64_t kExpressionBytesMax = 4 << 20;
constexpr std::size_t kExpressionLengthMax = 64U << 10U;

std::string_view value_of(const std::vector<LabelTexts>& labels, std::string_view name) {
  const auto at = std::lower_bound(
      labels.begin(), labels.end(), name,
      [](const LabelTexts& label, std::string_view wanted) { return label.first < wanted; });
  return at != labels.end() && at->first == name ? at->second : std::string_view();
}

bool is_regex(MatchType type) { return type == MatchType::kRegex || type == MatchType::kNotRegex; }

}  // namespace

LabelMatcher::LabelMatcher(Matcher matcher) : matcher_(std::move(matcher)) {}
LabelMatcher::LabelMatcher(LabelMatcher&&) noexcept = default;
LabelMatcher& LabelMatcher::operator=(LabelMatcher&&) noexcept = default;
LabelMatcher::~LabelMatcher() = default;

Result<LabelMatcher> LabelMatcher::compile(Matcher matcher) {
  if (matcher.name.empty()) return fail(ErrorCode::kInvalid, "a matcher without a label name");
  LabelMatcher compiled(std::move(matcher));
  if (!is_regex(compiled.type())) return compiled;
  if (compiled.value().size() > kExpressionLengthMax) {
    return fail(ErrorCode::kInvalid, "a regular expression longer than 64 KiB");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  // As Prometheus compiles matchers: (?s), and anchored at both ends by FullMatch.
  options.set_dot_nl(true);
  options.set_max_mem(kExpressionBytesMax);
  compiled.expression_ = std::make_unique<re2::RE2>(compiled.value(), options);
  if (!compiled.expression_->ok()) {
    return fail(ErrorCode::kInvalid, fmt::format("the regular expression \"{}\": {}",
                                                 compiled.value(), compiled.expression_->error()));
  }
  return compiled;
}

bool LabelMatcher::matches(std::string_view value) const {
  switch (matcher_.type) {
    case MatchType::kEqual:
      return value == matcher_.value;
    case MatchType::kNotEqual:
      return value != matcher_.value;
    case MatchType::kRegex:
      return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *expression_);
    case MatchType::kNotRegex:
      return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *expression_);
  }
  return false;
}

Result<LabelMatchers> compile_matchers(const std::vector<Matcher>& matchers) {
  LabelMatchers compiled;
  compiled.reserve(matchers.size());
  for (const Matcher& matcher : matchers) {
    auto one = LabelMatcher::compile(matcher);
    if (!one) return forward(one);
    compiled.push_back(std::move(*one));
  }
  return compiled;
}

bool all_match(const LabelMatchers& matchers, const std::vector<LabelTexts>& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const LabelMatcher& matcher) {
    return matcher.matches(value_of(labels, matcher.name()));
  });
}

std::optional<std::string_view> equality_on(const LabelMatchers& matchers, std::string_view name) {
  for (const LabelMatcher& matcher : matchers) {
    if (matcher.type() == MatchType::kEqual && matcher.name() == name) return matcher.value();
  }
  return std::nullopt;
}

bool is_contradiction(const LabelMatchers& matchers, std::string_view name) {
  const auto first = equality_on(matchers, name);
  return std::any_of(matchers.begin(), matchers.end(), [&](const LabelMatcher& matcher) {
    return matcher.type() == MatchType::kEqual && matcher.name() == name &&
           matcher.value() != *first;
  });
}

Result<Matcher> parse_matcher(std::string_view text) {
  // A label name holds neither, so the first one begins the operator, whatever the value holds.
  const std::size_t at = text.find_first_of("=!");
  if (at == std::string_view::npos || at == 0) {
    return fail(ErrorCode::kInvalid,
                "a matcher is written name=value, name!=value, name=~value or name!~value");
  }
  const std::string_view rest = text.substr(at);
  Matcher matcher{MatchType::kEqual, std::string(text.substr(0, at)), ""};
  std::size_t length = 2;
  if (rest.substr(0, 2) == "!=") {
    matcher.type = MatchType::kNotEqual;
  } else if (rest.substr(0, 2) == "=~") {
    matcher.type = MatchType::kRegex;
  } else if (rest.substr(0, 2) == "!~") {
    matcher.type = MatchType::kNotRegex;
  } else if (rest[0] == '=') {
    length = 1;
  } else {
    return fail(ErrorCode::kInvalid, "a matcher's operator is one of =, !=, =~ and !~");
  }
  matcher.value = rest.substr(length);
  return matcher;
}

}  // namespace vigia::storage::store
