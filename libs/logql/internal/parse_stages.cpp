// Selectors of streams, and the stages that lines go through.
#include <array>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/internal/log_parser.hpp"
#include "libs/logql/limits.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::internal {
namespace {

struct LineToken {
  LogTokenKind kind;
  LineTest test;
};

constexpr std::array<LineToken, 6> kLineTokens{
    {{LogTokenKind::kPipeEqual, LineTest::kContains},
     {LogTokenKind::kNotEqual, LineTest::kLacks},
     {LogTokenKind::kPipeMatch, LineTest::kMatches},
     {LogTokenKind::kRegexNotMatch, LineTest::kDoesNotMatch},
     {LogTokenKind::kPipePattern, LineTest::kHasPattern},
     {LogTokenKind::kPatternNotMatch, LineTest::kLacksPattern}}};

std::optional<LineTest> line_test(LogTokenKind kind) {
  for (const auto& [token, test] : kLineTokens) {
    if (token == kind) return test;
  }
  return std::nullopt;
}

std::optional<MatchType> match_type(LogTokenKind kind) {
  switch (kind) {
    case LogTokenKind::kAssign:
      return MatchType::kEqual;
    case LogTokenKind::kNotEqual:
      return MatchType::kNotEqual;
    case LogTokenKind::kRegexMatch:
      return MatchType::kRegex;
    case LogTokenKind::kRegexNotMatch:
      return MatchType::kNotRegex;
    default:
      return std::nullopt;
  }
}

bool is_regex(LineTest test) {
  return test == LineTest::kMatches || test == LineTest::kDoesNotMatch;
}

bool is_plain(LineTest test) { return test == LineTest::kContains || test == LineTest::kLacks; }

}  // namespace

std::optional<bool> LogParser::regex_takes_empty(const std::string& regex, std::size_t offset) {
  using RegexKind = promql::RegexBudget::RegexKind;
  switch (regexes_.look_at(regex)) {
    case RegexKind::kTakesEmpty:
      return true;
    case RegexKind::kNeedsText:
      return false;
    case RegexKind::kUnreadable:
      fail(offset, "a regex that cannot be read");
      return std::nullopt;
    case RegexKind::kTooLarge:
      break;
  }
  fail_too_large("the regexes of the query are too many or too large: use fewer");
  return std::nullopt;
}

bool LogParser::check_regex(const std::string& regex, std::size_t offset) {
  return are_regexes_known_ || regex_takes_empty(regex, offset).has_value();
}

std::optional<bool> LogParser::takes_empty(const Matcher& matcher, std::size_t offset) {
  const bool has_regex = matcher.type == MatchType::kRegex || matcher.type == MatchType::kNotRegex;
  if (!has_regex) return matcher.value.empty() == (matcher.type == MatchType::kEqual);
  const auto takes = regex_takes_empty(matcher.value, offset);
  if (!takes) return std::nullopt;
  return *takes == (matcher.type == MatchType::kRegex);
}

LogExprPtr LogParser::parse_logs() {
  const std::size_t offset = token_.offset;
  LogSelector selector;
  if (!parse_selector(selector) || !parse_stages(selector)) return nullptr;
  for (const Stage& stage : selector.stages) {
    if (!std::holds_alternative<UnwrapStage>(stage)) continue;
    fail(offset, "unwrap stands within a function over a range");
    return nullptr;
  }
  return make(std::move(selector), LogValue::kLogs, offset, 0);
}

/// Without a matcher that needs some text the selector means every stream, which Loki refuses, too.
/// The fence's matcher does not count, as the customer did not write it.
bool LogParser::parse_selector(LogSelector& selector) {
  const std::size_t offset = token_.offset;
  if (!expect(LogTokenKind::kLeftBrace, "\"{\"", "a selector of streams")) return false;
  while (!is_at(LogTokenKind::kRightBrace)) {
    if (!parse_matcher(selector)) return false;
    if (is_at(LogTokenKind::kComma)) {
      advance();
    } else if (!is_at(LogTokenKind::kRightBrace)) {
      return fail_unexpected("label matching, expected \",\" or \"}\"");
    }
  }
  advance();
  if (error_) return false;
  bool is_selective = are_regexes_known_;
  for (const Matcher& matcher : selector.matchers) {
    const auto is_empty = are_regexes_known_ ? std::optional(false) : takes_empty(matcher, offset);
    if (!is_empty) return false;
    is_selective = is_selective || !*is_empty;
  }
  return is_selective ||
         fail(offset, "a selector needs one matcher at least that takes no empty value");
}

bool LogParser::parse_matcher(LogSelector& selector) {
  constexpr std::string_view kWhere = "label matching";
  Matcher matcher;
  if (!take_label(matcher.name, kWhere)) return false;
  const auto type = match_type(token_.kind);
  if (!type) return fail_unexpected("label matching, expected =, !=, =~ or !~");
  matcher.type = *type;
  advance();
  if (!take_text(matcher.value, kWhere)) return false;
  selector.matchers.push_back(std::move(matcher));
  return true;
}

bool LogParser::parse_stages(LogSelector& selector) {
  bool is_unwrapped = false;
  while (!error_) {
    const std::size_t offset = token_.offset;
    if (const auto test = line_test(token_.kind)) {
      if (!parse_line_filter(selector, *test)) return false;
    } else if (is_at(LogTokenKind::kPipe)) {
      advance();
      if (!parse_stage(selector)) return false;
    } else {
      return true;
    }
    if (!count_node(selector.stages.size())) return false;
    const Stage& stage = selector.stages.back();
    if (is_unwrapped && !std::holds_alternative<LabelFilterStage>(stage)) {
      return fail(offset, "after unwrap stand label filters alone");
    }
    is_unwrapped = is_unwrapped || std::holds_alternative<UnwrapStage>(stage);
  }
  return false;
}

bool LogParser::parse_line_filter(LogSelector& selector, LineTest test) {
  advance();
  LineFilter filter;
  filter.test = test;
  if (!parse_line_term(filter)) return false;
  while (is_at_word("or")) {
    advance();
    if (!parse_line_term(filter)) return false;
  }
  selector.stages.emplace_back(std::move(filter));
  return true;
}

bool LogParser::parse_line_term(LineFilter& filter) {
  const std::size_t offset = token_.offset;
  LineFilter::Term term;
  if (is_at_word("ip")) {
    if (!is_plain(filter.test)) return fail(offset, "ip() goes with |= and != alone");
    advance();
    term.is_address = true;
    if (!expect(LogTokenKind::kLeftParen, "\"(\"", "ip") || !take_text(term.text, "ip") ||
        !expect(LogTokenKind::kRightParen, "\")\"", "ip")) {
      return false;
    }
  } else if (!take_text(term.text, "a line filter")) {
    return false;
  }
  if (is_regex(filter.test) && !check_regex(term.text, offset)) return false;
  filter.terms.push_back(std::move(term));
  return true;
}

bool LogParser::parse_stage(LogSelector& selector) {
  const LogToken name = token_;
  const auto is_named = [&](std::string_view word) {
    if (name.kind != LogTokenKind::kWord || name.text != word) return false;
    advance();
    return true;
  };
  if (is_named("json")) {
    return parse_extractions(std::get<JsonStage>(selector.stages.emplace_back(JsonStage{})).wanted);
  }
  if (is_named("logfmt")) return parse_logfmt(selector);
  if (is_named("regexp")) {
    return parse_text_stage(selector, &RegexpStage::regex, "regexp") &&
           check_regex(std::get<RegexpStage>(selector.stages.back()).regex, name.offset);
  }
  if (is_named("pattern")) return parse_text_stage(selector, &PatternStage::pattern, "pattern");
  if (is_named("line_format")) {
    return parse_text_stage(selector, &LineFormatStage::format, "line_format");
  }
  if (is_named("label_format")) return parse_label_format(selector);
  if (is_named("unwrap")) return parse_unwrap(selector);
  if (is_named("drop")) {
    return parse_label_choices(
        std::get<DropStage>(selector.stages.emplace_back(DropStage{})).labels);
  }
  if (is_named("keep")) {
    return parse_label_choices(
        std::get<KeepStage>(selector.stages.emplace_back(KeepStage{})).labels);
  }
  if (is_named("unpack") || is_named("decolorize")) {
    const bool is_unpack = name.text == "unpack";
    selector.stages.push_back(is_unpack ? Stage(UnpackStage{}) : Stage(DecolorizeStage{}));
    return !error_;
  }
  return parse_label_filter(selector);
}

template <typename Made>
bool LogParser::parse_text_stage(LogSelector& selector, std::string Made::* text,
                                 std::string_view where) {
  Made made;
  if (!take_text(made.*text, where)) return false;
  selector.stages.emplace_back(std::move(made));
  return true;
}

/// `a="path", b`: without a path the label's own name is looked for.
bool LogParser::parse_extractions(std::vector<Extraction>& wanted) {
  while (!error_ && is_at(LogTokenKind::kWord)) {
    Extraction& one = wanted.emplace_back();
    if (!take_label(one.label, "a parser")) return false;
    one.path = one.label;
    if (is_at(LogTokenKind::kAssign)) {
      advance();
      if (!take_text(one.path, "a parser")) return false;
    }
    if (!is_at(LogTokenKind::kComma)) break;
    advance();
    if (!is_at(LogTokenKind::kWord)) return fail_unexpected("a parser, expected a label");
  }
  return !error_;
}

bool LogParser::parse_logfmt(LogSelector& selector) {
  auto& stage = std::get<LogfmtStage>(selector.stages.emplace_back(LogfmtStage{}));
  for (; !error_ && is_at(LogTokenKind::kFlag); advance()) {
    if (token_.text == "--strict") {
      stage.is_strict = true;
    } else if (token_.text == "--keep-empty") {
      stage.keeps_empty = true;
    } else {
      return fail_unexpected("logfmt, expected --strict or --keep-empty");
    }
  }
  return parse_extractions(stage.wanted);
}

bool LogParser::parse_label_format(LogSelector& selector) {
  constexpr std::string_view kWhere = "label_format";
  LabelFormatStage stage;
  do {
    if (!stage.items.empty()) advance();
    LabelFormatStage::Item& item = stage.items.emplace_back();
    const std::size_t offset = token_.offset;
    if (!take_label(item.label, kWhere)) return false;
    for (std::size_t i = 0; i + 1 < stage.items.size(); ++i) {
      if (stage.items[i].label == item.label) {
        return fail(offset, fmt::format("label_format sets {} twice", item.label.substr(0, 64)));
      }
    }
    if (!expect(LogTokenKind::kAssign, "\"=\"", kWhere)) return false;
    item.is_format = is_at(LogTokenKind::kString);
    const bool is_taken =
        item.is_format ? take_text(item.source, kWhere) : take_label(item.source, kWhere);
    if (!is_taken) return false;
  } while (is_at(LogTokenKind::kComma));
  selector.stages.emplace_back(std::move(stage));
  return true;
}

bool LogParser::parse_label_choices(std::vector<LabelChoice>& labels) {
  constexpr std::string_view kWhere = "a list of labels";
  do {
    if (!labels.empty()) advance();
    LabelChoice& choice = labels.emplace_back();
    if (!take_label(choice.label, kWhere)) return false;
    const auto type = match_type(token_.kind);
    const std::size_t offset = token_.offset;
    if (!type) continue;
    advance();
    choice.only = Matcher{*type, choice.label, {}};
    if (!take_text(choice.only->value, kWhere)) return false;
    const bool has_regex = *type == MatchType::kRegex || *type == MatchType::kNotRegex;
    if (has_regex && !check_regex(choice.only->value, offset)) return false;
  } while (is_at(LogTokenKind::kComma));
  return !error_;
}

bool LogParser::parse_unwrap(LogSelector& selector) {
  using Conversion = UnwrapStage::Conversion;
  constexpr std::string_view kWhere = "unwrap";
  const std::size_t offset = token_.offset;
  UnwrapStage stage;
  if (!take_label(stage.label, kWhere)) return false;
  if (is_at(LogTokenKind::kLeftParen)) {
    if (stage.label == "duration") {
      stage.conversion = Conversion::kDuration;
    } else if (stage.label == "duration_seconds") {
      stage.conversion = Conversion::kDurationSeconds;
    } else if (stage.label == "bytes") {
      stage.conversion = Conversion::kBytes;
    } else {
      return fail(offset, "unwrap knows duration(), duration_seconds() and bytes()");
    }
    advance();
    if (!take_label(stage.label, kWhere) || !expect(LogTokenKind::kRightParen, "\")\"", kWhere)) {
      return false;
    }
  }
  selector.stages.emplace_back(std::move(stage));
  return true;
}

}  // namespace vigia::logql::internal
