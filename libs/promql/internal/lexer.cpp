#include "libs/promql/internal/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "libs/base/duration.hpp"
#include "libs/base/utf8.hpp"
#include "libs/promql/text.hpp"

namespace vigia::promql::internal {
namespace {

/// A word of the language, since which 3.x. In brackets alone some are words, too.
struct Word {
  std::string_view text;
  TokenKind kind;
  int since_minor = 0;
  int until_minor = 1'000;
};

constexpr std::array<Word, 23> kWords{{{"and", TokenKind::kAnd},
                                       {"or", TokenKind::kOr},
                                       {"unless", TokenKind::kUnless},
                                       {"atan2", TokenKind::kAtan2},
                                       {"offset", TokenKind::kOffset},
                                       {"by", TokenKind::kBy},
                                       {"without", TokenKind::kWithout},
                                       {"on", TokenKind::kOn},
                                       {"ignoring", TokenKind::kIgnoring},
                                       {"group_left", TokenKind::kGroupLeft},
                                       {"group_right", TokenKind::kGroupRight},
                                       {"bool", TokenKind::kBool},
                                       {"start", TokenKind::kStart},
                                       {"end", TokenKind::kFinish},
                                       {"step", TokenKind::kStep, 6},
                                       {"anchored", TokenKind::kAnchored, 7},
                                       {"smoothed", TokenKind::kSmoothed, 7},
                                       {"fill", TokenKind::kFill, 10},
                                       {"fill_left", TokenKind::kFillLeft, 10},
                                       {"fill_right", TokenKind::kFillRight, 10},
                                       {"range", TokenKind::kRange, 10},
                                       {"max_of", TokenKind::kMaxOf, 13},
                                       {"min_of", TokenKind::kMinOf, 13}}};
constexpr std::array<Word, 6> kLengthWords{{{"step", TokenKind::kStep, 6},
                                            {"range", TokenKind::kRange, 10},
                                            {"max", TokenKind::kMaxOf, 6, 12},
                                            {"min", TokenKind::kMinOf, 6, 12},
                                            {"max_of", TokenKind::kMaxOf, 13},
                                            {"min_of", TokenKind::kMinOf, 13}}};

constexpr int kTrimSinceMinor = 11;

bool is_word_of(const Word& word, const Language& language) {
  if (word.since_minor == 0) return true;
  return language.is_since(word.since_minor) && language.minor <= word.until_minor;
}

/// What a character is alone, and what with a '=' behind it; kError: nothing.
struct Symbol {
  char text;
  TokenKind alone;
  TokenKind with_equal = TokenKind::kError;
};

constexpr std::array<Symbol, 12> kSymbols{{{',', TokenKind::kComma},
                                           {'@', TokenKind::kAt},
                                           {'+', TokenKind::kAdd},
                                           {'-', TokenKind::kSubtract},
                                           {'*', TokenKind::kMultiply},
                                           {'/', TokenKind::kDivide},
                                           {'%', TokenKind::kModulo},
                                           {'^', TokenKind::kPower},
                                           {'=', TokenKind::kError, TokenKind::kEqual},
                                           {'!', TokenKind::kError, TokenKind::kNotEqual},
                                           {'<', TokenKind::kLess, TokenKind::kLessOrEqual},
                                           {'>', TokenKind::kGreater, TokenKind::kGreaterOrEqual}}};

bool is_fill(TokenKind kind) {
  return kind == TokenKind::kFill || kind == TokenKind::kFillLeft || kind == TokenKind::kFillRight;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// `rest` begins behind the word. What fills is the name of a metric, too, as it was before.
TokenKind word_kind(std::string_view word, std::string_view rest, const Language& language) {
  // Colons make it a recording rule's name before any word of the language is looked for.
  if (word.find(':') != std::string_view::npos) return TokenKind::kMetricIdentifier;
  for (const Word& each : kWords) {
    if (!equal_ignoring_case(word, each.text) || !is_word_of(each, language)) continue;
    if (!is_fill(each.kind)) return each.kind;
    const auto next = std::find_if_not(rest.begin(), rest.end(), is_blank);
    return next != rest.end() && *next == '(' ? each.kind : TokenKind::kIdentifier;
  }
  if (equal_ignoring_case(word, "inf") || equal_ignoring_case(word, "nan")) {
    return TokenKind::kNumber;
  }
  if (find_aggregate(word, language.dialect)) return TokenKind::kAggregate;
  return TokenKind::kIdentifier;
}

/// Whether "1e" goes on with a sign. Hexadecimal "0x1e+2" is a sum: there the e is a digit.
bool is_exponent_sign(std::string_view run, char sign) {
  if (sign != '+' && sign != '-') return false;
  if (run.empty() || (run.back() != 'e' && run.back() != 'E')) return false;
  return run.substr(0, run.size() - 1).find_first_not_of("0123456789._") == std::string_view::npos;
}

}  // namespace

Token Lexer::take(TokenKind kind, std::size_t length) {
  const Token token{kind, text_.substr(at_, length), at_};
  at_ += length;
  return token;
}

Token Lexer::error(std::string message) {
  has_failed_ = true;
  message_ = std::move(message);
  return Token{TokenKind::kError, text_.substr(at_, 1), at_};
}

void Lexer::skip_blanks() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#' && !are_brackets_fresh_) {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (is_blank(c)) {
      ++at_;
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  if (has_failed_) return Token{TokenKind::kError, {}, at_};
  skip_blanks();
  if (at_ == text_.size()) {
    // The lexer counts brackets although the parser does too: Prometheus' lexer does, and its
    // messages come before the parser's.
    if (in_braces_) return error("unexpected end of input inside braces");
    if (in_brackets_) return error("unclosed left bracket");
    if (parens_ > 0) return error("unclosed left parenthesis");
    return Token{TokenKind::kEnd, {}, at_};
  }
  const char c = peek();
  if (are_brackets_fresh_) return lex_in_fresh_brackets();
  if (c == '"' || c == '\'' || c == '`') return lex_string();
  if (in_braces_) return lex_in_braces();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return lex_number();
  if (in_brackets_ && c == ':') return lex_colon();
  if (in_brackets_ && is_alpha(c)) return lex_length_word();
  if (is_alpha(c) || c == ':') return lex_word();
  return lex_symbol();
}

/// Until the first number in brackets Prometheus takes less: no comment, no text.
Token Lexer::lex_in_fresh_brackets() {
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
    are_brackets_fresh_ = false;
    has_length_ = true;
    return lex_number();
  }
  if (c == ':') {
    if (!has_length_) return error("unexpected colon before duration in duration expression");
    return lex_colon();
  }
  if (is_alpha(c)) return lex_length_word();
  constexpr std::string_view kSigns = "[]()+-*/%^,";
  if (kSigns.find(c) == std::string_view::npos) {
    return error("unexpected character in duration expression");
  }
  return lex_symbol();
}

Token Lexer::lex_colon() {
  if (has_colon_) return error("unexpected repeated colon in duration expression");
  has_colon_ = true;
  return take(TokenKind::kColon, 1);
}

Token Lexer::lex_length_word() {
  std::size_t length = 1;
  while (is_alpha(peek(length))) ++length;
  const std::string_view word = text_.substr(at_, length);
  for (const Word& each : kLengthWords) {
    if (equal_ignoring_case(word, each.text) && is_word_of(each, language_)) {
      return take(each.kind, length);
    }
  }
  return error("unexpected character in duration expression");
}

/// A state of its own, as in Prometheus: inside braces the words of the language are labels, and
/// there are neither numbers nor operators.
Token Lexer::lex_in_braces() {
  const char c = peek();
  if (is_alpha(c)) {
    std::size_t length = 1;
    while (is_word(peek(length))) ++length;
    return take(TokenKind::kIdentifier, length);
  }
  switch (c) {
    case ',':
      return take(TokenKind::kComma, 1);
    case '}':
      in_braces_ = false;
      return take(TokenKind::kRightBrace, 1);
    case '=':
      if (peek(1) == '~') return take(TokenKind::kRegexMatch, 2);
      return take(TokenKind::kAssign, 1);
    case '!':
      if (peek(1) == '=') return take(TokenKind::kNotEqual, 2);
      if (peek(1) == '~') return take(TokenKind::kRegexNotMatch, 2);
      return error("unexpected character after '!' inside braces");
    default:
      return error("unexpected character inside braces");
  }
}

/// Takes the longest run that a number or a duration could be made of, and judges it whole: "1h30m"
/// begins as a number, and "5mx" must not be read as 5m followed by x.
Token Lexer::lex_number() {
  std::size_t length = 1;
  while (is_word(peek(length)) || peek(length) == '.' ||
         is_exponent_sign(text_.substr(at_, length), peek(length))) {
    ++length;
  }
  const std::string_view run = text_.substr(at_, length);
  if (parse_number(run, language_.dialect)) return take(TokenKind::kNumber, length);
  if (parse_duration(run)) return take(TokenKind::kDuration, length);
  return error(fmt::format("bad number or duration syntax: \"{}\"", run.substr(0, 64)));
}

Token Lexer::lex_word() {
  std::size_t length = 1;
  while (is_word(peek(length)) || peek(length) == ':') ++length;
  return take(word_kind(text_.substr(at_, length), text_.substr(at_ + length), language_), length);
}

Token Lexer::lex_string() {
  const char quote = peek();
  std::size_t length = 1;
  while (at_ + length < text_.size()) {
    const char c = text_[at_ + length];
    if (c == quote) return take(TokenKind::kString, length + 1);
    if (c == '\n' && quote != '`') break;
    // The escaped byte is passed over so that \" does not end the string; what escapes mean is
    // unquote's matter.
    if (c == '\\' && quote != '`') {
      ++length;
      if (at_ + length == text_.size()) break;
    }
    const std::string_view rest = text_.substr(at_ + length);
    const std::size_t step = rest.starts_with(kReplacement) ? 0 : utf8_length(rest);
    // Prometheus refuses it as well; let through, the two could split the text at different places.
    if (step == 0) return error("invalid UTF-8 in a string");
    length += step;
  }
  return error(quote == '`' ? "unterminated raw string" : "unterminated quoted string");
}

Token Lexer::lex_symbol() {
  const char c = peek();
  const auto* symbol = std::find_if(kSymbols.begin(), kSymbols.end(),
                                    [c](const Symbol& each) { return each.text == c; });
  if (symbol == kSymbols.end()) return lex_bracket();
  if (peek(1) == '/' && language_.is_since(kTrimSinceMinor)) {
    if (c == '<') return take(TokenKind::kTrimUpper, 2);
    if (c == '>') return take(TokenKind::kTrimLower, 2);
  }
  if (symbol->with_equal != TokenKind::kError && peek(1) == '=') {
    return take(symbol->with_equal, 2);
  }
  if (symbol->alone == TokenKind::kError) {
    return error(fmt::format("unexpected character after '{}'", c));
  }
  return take(symbol->alone, 1);
}

Token Lexer::lex_bracket() {
  switch (peek()) {
    case '(':
      ++parens_;
      return take(TokenKind::kLeftParen, 1);
    case ')':
      if (parens_ == 0) return error("unexpected right parenthesis ')'");
      --parens_;
      return take(TokenKind::kRightParen, 1);
    case '{':
      in_braces_ = true;
      return take(TokenKind::kLeftBrace, 1);
    case '[':
      if (in_brackets_) return error("unexpected left bracket '['");
      in_brackets_ = true;
      are_brackets_fresh_ = true;
      has_colon_ = false;
      return take(TokenKind::kLeftBracket, 1);
    case ']':
      if (!in_brackets_) return error("unexpected right bracket ']'");
      in_brackets_ = false;
      are_brackets_fresh_ = false;
      return take(TokenKind::kRightBracket, 1);
    default:
      return error("unexpected character");
  }
}

}  // namespace vigia::promql::internal
