// A text into the tokens of OTTL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::ottl::internal {

enum class TokenKind : std::uint8_t {
  kEnd,
  kError,  ///< the lexer's message says why
  kBytes,  ///< 0x…
  kFloat,
  kInt,
  kString,
  kWord,  ///< a name, or one of nil true false and or not where
  kComparison,
  kSymbol  ///< one of + - * / ( ) { } [ ] , . : =
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  std::size_t offset = 0;
};

/// Reads `text` token by token; `text` must outlive it. Not thread-safe.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  /// The next token. After kEnd or kError the same again.
  Token next();
  /// Why the last token is kError.
  const std::string& message() const { return message_; }

 private:
  Token take(TokenKind kind, std::size_t length);
  Token error(std::string message);
  Token lex_number();
  Token lex_string();
  Token lex_symbol();
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool has_failed_ = false;
  std::string message_;
};

}  // namespace vigia::ottl::internal
