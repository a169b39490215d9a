#include "libs/ottl/internal/lexer.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"

namespace vigia::ottl::internal {
namespace {

constexpr std::array<std::string_view, 6> kComparisons{"==", "!=", ">=", "<=", ">", "<"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

Token Lexer::take(TokenKind kind, std::size_t length) {
  const Token token{kind, text_.substr(at_, length), at_};
  at_ += length;
  return token;
}

Token Lexer::error(std::string message) {
  has_failed_ = true;
  message_ = std::move(message);
  return {TokenKind::kError, text_.substr(at_, 1), at_};
}

Token Lexer::next() {
  if (has_failed_) return {TokenKind::kError, {}, at_};
  while (at_ < text_.size() &&
         std::string_view(" \t\r\n\f\v").find(text_[at_]) != std::string_view::npos)
    ++at_;
  if (at_ == text_.size()) return {TokenKind::kEnd, {}, at_};
  const char c = peek();
  if (c == '"') return lex_string();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return lex_number();
  if (is_letter(c)) {
    std::size_t length = 1;
    while (is_word(peek(length))) ++length;
    return take(TokenKind::kWord, length);
  }
  return lex_symbol();
}

Token Lexer::lex_number() {
  std::size_t length = 0;
  if (peek() == '0' && peek(1) == 'x') {
    length = 2;
    while (is_hex(peek(length))) ++length;
    if (length == 2 || is_word(peek(length))) return error("bytes are 0x and hexadecimal digits");
    return take(TokenKind::kBytes, length);
  }
  while (is_digit(peek(length))) ++length;
  const bool is_float = peek(length) == '.';
  if (is_float) {
    ++length;
    while (is_digit(peek(length))) ++length;
    if (peek(length) == 'e' || peek(length) == 'E') {
      const std::size_t sign = peek(length + 1) == '+' || peek(length + 1) == '-' ? 1 : 0;
      if (is_digit(peek(length + 1 + sign))) {
        length += 2 + sign;
        while (is_digit(peek(length))) ++length;
      }
    }
  }
  if (is_word(peek(length))) return error("a number ends with a digit");
  return take(is_float ? TokenKind::kFloat : TokenKind::kInt, length);
}

Token Lexer::lex_string() {
  std::size_t length = 1;
  while (at_ + length < text_.size()) {
    const char c = text_[at_ + length];
    if (c == '"') return take(TokenKind::kString, length + 1);
    if (c == '\\') {  // \" does not end it; what escapes mean is unquote's matter
      ++length;
      if (at_ + length == text_.size()) break;
    }
    const std::size_t step = utf8_length(text_.substr(at_ + length));
    if (step == 0) return error("a string holds bytes that are no UTF-8");
    length += step;
  }
  return error("a string is not ended");
}

Token Lexer::lex_symbol() {
  const std::string_view rest = text_.substr(at_);
  if (rest.starts_with("=>"))
    return error("functions that are written in place (=>) are not taken");
  for (const std::string_view comparison : kComparisons) {
    if (rest.starts_with(comparison)) return take(TokenKind::kComparison, comparison.size());
  }
  if (std::string_view("+-*/(){}[],.:=").find(peek()) != std::string_view::npos)
    return take(TokenKind::kSymbol, 1);
  return error(fmt::format("\"{}\" means nothing here",
                           rest.substr(0, std::max<std::size_t>(1, utf8_length(rest)))));
}

}  // namespace vigia::ottl::internal
