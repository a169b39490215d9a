#include "libs/logql/internal/log_lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"
#include "libs/logql/quantities.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::internal {
namespace {

using promql::is_alpha;
using promql::is_digit;
using promql::is_word;

struct Spelling {
  std::string_view text;
  LogTokenKind kind;
};

// The longer ones first.
constexpr std::array<Spelling, 27> kSpellings{{{"|=", LogTokenKind::kPipeEqual},
                                               {"|~", LogTokenKind::kPipeMatch},
                                               {"|>", LogTokenKind::kPipePattern},
                                               {"=~", LogTokenKind::kRegexMatch},
                                               {"!=", LogTokenKind::kNotEqual},
                                               {"!~", LogTokenKind::kRegexNotMatch},
                                               {"!>", LogTokenKind::kPatternNotMatch},
                                               {"==", LogTokenKind::kEqual},
                                               {">=", LogTokenKind::kGreaterOrEqual},
                                               {"<=", LogTokenKind::kLessOrEqual},
                                               {"|", LogTokenKind::kPipe},
                                               {"=", LogTokenKind::kAssign},
                                               {">", LogTokenKind::kGreater},
                                               {"<", LogTokenKind::kLess},
                                               {"(", LogTokenKind::kLeftParen},
                                               {")", LogTokenKind::kRightParen},
                                               {"{", LogTokenKind::kLeftBrace},
                                               {"}", LogTokenKind::kRightBrace},
                                               {"[", LogTokenKind::kLeftBracket},
                                               {"]", LogTokenKind::kRightBracket},
                                               {",", LogTokenKind::kComma},
                                               {"+", LogTokenKind::kAdd},
                                               {"-", LogTokenKind::kSubtract},
                                               {"*", LogTokenKind::kMultiply},
                                               {"/", LogTokenKind::kDivide},
                                               {"%", LogTokenKind::kModulo},
                                               {"^", LogTokenKind::kPower}}};

/// Whether "1e" goes on with a sign.
bool is_exponent_sign(std::string_view run, char sign) {
  if (sign != '+' && sign != '-') return false;
  if (run.size() < 2 || (run.back() != 'e' && run.back() != 'E')) return false;
  return run.substr(0, run.size() - 1).find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

LogToken LogLexer::take(LogTokenKind kind, std::size_t length) {
  const LogToken token{kind, text_.substr(at_, length), at_};
  at_ += length;
  return token;
}

LogToken LogLexer::error(std::string message) {
  has_failed_ = true;
  message_ = std::move(message);
  return LogToken{LogTokenKind::kError, text_.substr(at_, 1), at_};
}

void LogLexer::skip_blanks() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

LogToken LogLexer::next() {
  if (has_failed_) return LogToken{LogTokenKind::kError, {}, at_};
  skip_blanks();
  if (at_ == text_.size()) return LogToken{LogTokenKind::kEnd, {}, at_};
  const char c = peek();
  if (c == '"' || c == '`') return lex_string();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return lex_quantity();
  if (is_alpha(c)) return lex_word();
  if (c == '-' && peek(1) == '-' && is_alpha(peek(2))) return lex_flag();
  return lex_symbol();
}

/// Takes the longest run that a quantity could be made of, and judges it whole: "5mx" must not be
/// read as 5m followed by x.
LogToken LogLexer::lex_quantity() {
  std::size_t length = 1;
  while (is_word(peek(length)) || peek(length) == '.' ||
         is_exponent_sign(text_.substr(at_, length), peek(length))) {
    ++length;
  }
  const std::string_view run = text_.substr(at_, length);
  if (parse_plain_number(run)) return take(LogTokenKind::kNumber, length);
  if (parse_length(run)) return take(LogTokenKind::kDuration, length);
  if (parse_size(run)) return take(LogTokenKind::kBytes, length);
  return error(fmt::format("bad number, duration or size: \"{}\"", run.substr(0, 64)));
}

LogToken LogLexer::lex_word() {
  std::size_t length = 1;
  while (is_word(peek(length))) ++length;
  return take(LogTokenKind::kWord, length);
}

LogToken LogLexer::lex_flag() {
  std::size_t length = 3;
  while (is_word(peek(length)) || peek(length) == '-') ++length;
  return take(LogTokenKind::kFlag, length);
}

LogToken LogLexer::lex_string() {
  const char quote = peek();
  std::size_t length = 1;
  while (at_ + length < text_.size()) {
    const char c = text_[at_ + length];
    if (c == quote) return take(LogTokenKind::kString, length + 1);
    if (c == '\n' && quote == '"') break;
    if (c == '\\' && quote == '"') {  // \" does not end it; what escapes mean is unquote's matter
      ++length;
      if (at_ + length == text_.size()) break;
    }
    const std::size_t step = utf8_length(text_.substr(at_ + length));
    if (step == 0) return error("invalid UTF-8 in a string");
    length += step;
  }
  return error(quote == '`' ? "unterminated raw string" : "unterminated quoted string");
}

LogToken LogLexer::lex_symbol() {
  const std::string_view rest = text_.substr(at_);
  for (const auto& [text, kind] : kSpellings) {
    if (rest.starts_with(text)) return take(kind, text.size());
  }
  return error("unexpected character");
}

}  // namespace vigia::logql::internal
