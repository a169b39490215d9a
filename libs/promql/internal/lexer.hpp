// Text into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/promql/functions.hpp"

namespace vigia::promql::internal {

enum class TokenKind : std::uint8_t {
  kEnd,
  kError,  ///< the lexer's message says why
  kIdentifier,
  kMetricIdentifier,  ///< with a colon
  kNumber,
  kDuration,
  kString,
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,
  kAt,
  kAssign,         ///< =
  kRegexMatch,     ///< =~
  kRegexNotMatch,  ///< !~
  kNotEqual,       ///< !=, matcher and operator
  kEqual,          ///< ==
  kGreater,
  kGreaterOrEqual,
  kLess,
  kLessOrEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kAggregate,
  kAnd,
  kOr,
  kUnless,
  kAtan2,
  kOffset,
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kBool,
  kStart,
  kFinish,     ///< the word `end`
  kStep,       ///< since 3.6, in brackets and out of them, as the words that follow
  kRange,      ///< since 3.10
  kMinOf,      ///< since 3.13; in brackets `min` since 3.6, until then
  kMaxOf,      ///< the same
  kAnchored,   ///< since 3.7
  kSmoothed,   ///< since 3.7
  kFill,       ///< since 3.10, where a parenthesis follows
  kFillLeft,   ///< the same
  kFillRight,  ///< the same
  kTrimUpper,  ///< </, since 3.11
  kTrimLower   ///< >/, since 3.11
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  std::size_t offset = 0;
};

/// Reads `text` token by token; `text` must outlive it. Which words and characters count depends on
/// open braces and brackets, as in Prometheus. Not thread-safe.
class Lexer {
 public:
  Lexer(std::string_view text, const Language& language) : text_(text), language_(language) {}
  /// The next token. After kEnd or kError the same again.
  Token next();
  /// Why the last token is kError.
  const std::string& message() const { return message_; }

 private:
  void skip_blanks();
  Token lex_in_braces();
  Token lex_number();
  Token lex_word();
  Token lex_in_fresh_brackets();
  Token lex_length_word();
  Token lex_colon();
  Token lex_string();
  Token lex_symbol();
  Token lex_bracket();
  Token take(TokenKind kind, std::size_t length);
  Token error(std::string message);
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  std::string_view text_;
  const Language language_;
  std::size_t at_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  bool are_brackets_fresh_ = false;  ///< no number has stood in them
  bool has_length_ = false;          ///< a number has stood in these brackets, or in some before
  bool has_colon_ = false;           ///< in these brackets
  bool has_failed_ = false;
  std::size_t parens_ = 0;
  std::string message_;
};

}  // namespace vigia::promql::internal
