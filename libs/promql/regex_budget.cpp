#include "libs/promql/regex_budget.hpp"

#include <algorithm>

#include <re2/re2.h>

#include "libs/promql/text.hpp"

namespace vigia::promql {
namespace {

using RegexKind = RegexBudget::RegexKind;

// Of one instruction of a compiled expression, with what compiling it leaves beside it.
constexpr std::size_t kInstructionBytes = 16;
// RE2 counts this much for any expression; with less it takes nothing.
constexpr std::size_t kMemoryLeast = 16U << 10U;

bool is_word_character(char c) { return is_word(c) || c == '-' || c == '/' || c == '.'; }

/// Whether the regex is a list of plain words, as dashboards write the values of a variable:
/// letters, digits and the marks of names, with or without a backslash before a dot or a dash.
bool is_word_list(std::string_view regex) {
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '|' || is_word_character(regex[i])) continue;
    const bool is_escape =
        regex[i] == '\\' && i + 1 < regex.size() && (regex[i + 1] == '.' || regex[i + 1] == '-');
    if (!is_escape) return false;
    ++i;
  }
  return true;
}

bool has_empty_word(std::string_view list) {
  return list.empty() || list.front() == '|' || list.back() == '|' ||
         list.find("||") != std::string_view::npos;
}

/// Sets of characters: one of Unicode's has hundreds of ranges, and (?i) walks all of them.
std::size_t classes_of(std::string_view regex) {
  std::size_t classes = 0;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '[') ++classes;
    if (regex[i] != '\\' || i + 1 == regex.size()) continue;
    ++i;
    if (regex[i] == 'p' || regex[i] == 'P') ++classes;
  }
  return classes;
}

RegexKind kind_of(bool takes_empty) {
  return takes_empty ? RegexKind::kTakesEmpty : RegexKind::kNeedsText;
}

}  // namespace

bool RegexBudget::charge(std::string_view regex) {
  const std::size_t classes = classes_of(regex);
  if (regex.size() > bytes_left_ || classes > classes_left_) return false;
  bytes_left_ -= regex.size();
  classes_left_ -= classes;
  return true;
}

RegexKind RegexBudget::look_at(std::string_view regex) {
  // What dashboards send all day costs nothing: these two, and lists of plain words.
  if (regex == ".+") return RegexKind::kNeedsText;
  if (regex == ".*") return RegexKind::kTakesEmpty;
  if (is_word_list(regex)) return kind_of(has_empty_word(regex));
  if (!charge(regex) || memory_left_ < kMemoryLeast) return RegexKind::kTooLarge;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<std::int64_t>(memory_left_));
  const re2::RE2 compiled(re2::StringPiece(regex.data(), regex.size()), options);
  // RE2 takes the language of Go's regexp and a little more (go_regex.hpp). Its
  // memory limit is the point: a short text may ask for a large program, as in (x{1000}){1000}.
  if (!compiled.ok()) {
    return compiled.error_code() == re2::RE2::ErrorPatternTooLarge ? RegexKind::kTooLarge
                                                                   : RegexKind::kUnreadable;
  }
  const auto used = static_cast<std::size_t>(compiled.ProgramSize()) * kInstructionBytes;
  memory_left_ -= std::min(memory_left_, used);
  return kind_of(re2::RE2::FullMatch("", compiled));
}

}  // namespace vigia::promql
