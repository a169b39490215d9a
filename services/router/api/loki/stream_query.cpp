#include "services/router/api/loki/stream_query.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <re2/re2.h>

#include "services/router/api/loki/level.hpp"

namespace vigia::router::api::loki {
namespace {

/// In double quotes, as storage's parameter `query` reads them: what else there is stands as it is.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  out += '"';
}

/// Which of some values a matcher takes.
class ValueTest {
 public:
  static Result<ValueTest> make(const Matcher& matcher) {
    ValueTest made(matcher);
    if (matcher.type != MatchType::kRegex && matcher.type != MatchType::kNotRegex) return made;
    re2::RE2::Options options;
    options.set_log_errors(false);
    made.regex_ = std::make_unique<re2::RE2>(matcher.value, options);
    if (made.regex_->ok()) return made;
    return fail(ErrorCode::kInvalid,
                fmt::format("parse error: the expression of {} cannot be read", matcher.name));
  }

  bool takes(std::string_view value) const {
    const bool is_like =
        regex_ ? re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_)
               : value == matcher_->value;
    const bool is_negative =
        matcher_->type == MatchType::kNotEqual || matcher_->type == MatchType::kNotRegex;
    return is_like != is_negative;
  }

 private:
  explicit ValueTest(const Matcher& matcher) : matcher_(&matcher) {}
  const Matcher* matcher_;
  std::unique_ptr<re2::RE2> regex_;
};

bool is_stream_label(std::string_view name) {
  return std::find(kStreamLabels.begin(), kStreamLabels.end(), name) != kStreamLabels.end();
}

}  // namespace

Result<StreamQuery> stream_query_of(const std::vector<Matcher>& matchers) {
  StreamQuery query;
  std::vector<std::string_view> levels(kLevels.begin(), kLevels.end());
  query.streams += '{';
  for (const Matcher& matcher : matchers) {
    if (is_stream_label(matcher.name) && matcher.name != "level") {
      if (query.streams.size() > 1) query.streams += ',';
      query.streams += matcher.name;
      query.streams += operator_of(matcher.type);
      append_quoted(query.streams, matcher.value);
      continue;
    }
    const auto test = ValueTest::make(matcher);
    if (!test) return forward(test);
    if (matcher.name == "level") {
      std::erase_if(levels, [&](std::string_view level) { return !test->takes(level); });
    } else if (!test->takes("")) {
      query.selects_something = false;
    }
  }
  query.streams += '}';
  if (levels.empty()) query.selects_something = false;
  if (!levels.empty()) query.severity = severity_matcher(levels).value_or("");
  return query;
}

}  // namespace vigia::router::api::loki
