// Text into the tokens of LogQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::logql::internal {

enum class LogTokenKind : std::uint8_t {
  kEnd,
  kError,  ///< the lexer's message says why
  kWord,   ///< what it means goes by its place
  kNumber,
  kDuration,
  kBytes,
  kString,
  kFlag,  ///< --strict
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kPipe,             ///< |
  kPipeEqual,        ///< |=
  kPipeMatch,        ///< |~
  kPipePattern,      ///< |>
  kAssign,           ///< =
  kRegexMatch,       ///< =~
  kNotEqual,         ///< != of lines, labels and numbers
  kRegexNotMatch,    ///< !~
  kPatternNotMatch,  ///< !>
  kEqual,            ///< ==
  kGreater,
  kGreaterOrEqual,
  kLess,
  kLessOrEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower
};

struct LogToken {
  LogTokenKind kind = LogTokenKind::kEnd;
  std::string_view text;
  std::size_t offset = 0;
};

/// Reads `text` token by token; `text` must outlive it. Not thread-safe.
class LogLexer {
 public:
  explicit LogLexer(std::string_view text) : text_(text) {}
  /// The next token. After kEnd or kError the same again.
  LogToken next();
  /// Why the last token is kError.
  const std::string& message() const { return message_; }

 private:
  void skip_blanks();
  LogToken lex_quantity();
  LogToken lex_word();
  LogToken lex_flag();
  LogToken lex_string();
  LogToken lex_symbol();
  LogToken take(LogTokenKind kind, std::size_t length);
  LogToken error(std::string message);
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool has_failed_ = false;
  std::string message_;
};

}  // namespace vigia::logql::internal
