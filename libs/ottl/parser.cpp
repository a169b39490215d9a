#include "libs/ottl/parser.hpp"

#include <charconv>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/ottl/internal/lexer.hpp"
#include "libs/ottl/internal/string_literal.hpp"
#include "libs/ottl/limits.hpp"

namespace vigia::ottl {
namespace {

using internal::Lexer;
using internal::Token;
using internal::TokenKind;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Whether it gives true or false, which no value is made of.
bool is_logic(const Node& node) {
  return std::holds_alternative<CompareNode>(node.node) ||
         std::holds_alternative<AndNode>(node.node) || std::holds_alternative<OrNode>(node.node) ||
         std::holds_alternative<NotNode>(node.node);
}

bool is_condition(const Node& node) {
  if (is_logic(node) || std::holds_alternative<CallNode>(node.node)) return true;
  const auto* literal = std::get_if<LiteralNode>(&node.node);
  return literal != nullptr && std::holds_alternative<bool>(literal->value);
}

bool is_number(const Node& node) {
  if (const auto* literal = std::get_if<LiteralNode>(&node.node))
    return std::holds_alternative<std::int64_t>(literal->value) ||
           std::holds_alternative<double>(literal->value);
  return std::holds_alternative<PathNode>(node.node) ||
         std::holds_alternative<CallNode>(node.node) ||
         std::holds_alternative<MathNode>(node.node) ||
         std::holds_alternative<NegateNode>(node.node);
}

Comparison comparison_of(std::string_view text) {
  if (text == "==") return Comparison::kEqual;
  if (text == "!=") return Comparison::kNotEqual;
  if (text == "<") return Comparison::kLess;
  if (text == "<=") return Comparison::kLessOrEqual;
  return text == ">=" ? Comparison::kGreaterOrEqual : Comparison::kGreater;
}

/// Recursive descent; the first error ends it. Each method leaves null or nothing where it failed.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) { advance(); }

  Result<StatementTree> statement() {
    StatementTree tree;
    if (at_.kind == TokenKind::kWord && is_upper(at_.text.front())) {
      note(at_.offset,
           fmt::format("a statement begins with an editor, whose name has a small first "
                       "letter; {} is none",
                       at_.text));
    } else if (at_.kind != TokenKind::kWord) {
      note(at_.offset, "a statement begins with an editor, like set(…)");
    } else {
      tree.editor = word();
      if (tree.editor && !std::holds_alternative<CallNode>(tree.editor->node))
        note(tree.editor->offset, "a statement begins with an editor, like set(…)");
    }
    if (is_word("where")) {
      advance();
      tree.where = condition();
    }
    end("a statement");
    if (error_) return tl::unexpected<Error>(*error_);
    return tree;
  }

  Result<NodePtr> whole_condition() {
    NodePtr node = condition();
    end("a condition");
    if (error_) return tl::unexpected<Error>(*error_);
    return node;
  }

 private:
  void note(std::size_t offset, std::string_view message, ErrorCode code = ErrorCode::kInvalid) {
    if (!error_) error_ = Error{code, fmt::format("{}: {}", place_in(text_, offset), message)};
  }
  void advance() {
    at_ = lexer_.next();
    if (at_.kind == TokenKind::kError) note(at_.offset, lexer_.message());
  }
  bool is_symbol(char c) const { return at_.kind == TokenKind::kSymbol && at_.text.front() == c; }
  bool is_word(std::string_view word) const {
    return at_.kind == TokenKind::kWord && at_.text == word;
  }
  bool take(char c) {
    if (!is_symbol(c)) return false;
    advance();
    return true;
  }
  bool expect(char c, std::string_view where) {
    if (take(c)) return true;
    note(at_.offset, fmt::format("\"{}\" is missing {}", c, where));
    return false;
  }
  void end(std::string_view what) {
    if (at_.kind != TokenKind::kEnd)
      note(at_.offset, fmt::format("\"{}\" stands behind {} that is whole", at_.text, what));
  }
  template <typename T>
  static NodePtr make(T node, std::size_t offset) {
    return std::make_unique<Node>(Node{std::move(node), offset});
  }

  NodePtr condition() {
    NodePtr node = disjunction();
    if (node && !is_condition(*node))
      note(node->offset,
           "a condition is a comparison, true, false or a converter: compare this with "
           "something (!= nil)");
    return error_ ? nullptr : std::move(node);
  }

  template <typename T, typename Next>
  NodePtr joined(std::string_view word, Next&& next) {
    NodePtr first = next();
    if (!first || !is_word(word)) return first;
    const std::size_t offset = first->offset;
    T all;
    all.operands.push_back(std::move(first));
    while (is_word(word)) {
      advance();
      all.operands.push_back(next());
      if (!all.operands.back()) return nullptr;
    }
    for (const NodePtr& operand : all.operands) {
      if (!is_condition(*operand))
        note(operand->offset, fmt::format("\"{}\" stands between conditions: compare this with "
                                          "something (!= nil)",
                                          word));
    }
    return make(std::move(all), offset);
  }
  NodePtr disjunction() {
    return joined<OrNode>("or", [this] { return conjunction(); });
  }
  NodePtr conjunction() {
    return joined<AndNode>("and", [this] { return negation(); });
  }
  NodePtr negation() {
    if (!is_word("not")) return comparison();
    const std::size_t offset = at_.offset;
    advance();
    NodePtr operand = comparison();
    if (!operand) return nullptr;
    if (!is_condition(*operand)) note(operand->offset, "\"not\" stands before a condition");
    return make(NotNode{std::move(operand)}, offset);
  }
  NodePtr comparison() {
    NodePtr left = sum();
    if (!left || at_.kind != TokenKind::kComparison) return left;
    const Token sign = at_;
    advance();
    NodePtr right = sum();
    if (!right) return nullptr;
    for (const Node* side : {left.get(), right.get()}) {
      if (is_logic(*side)) note(side->offset, "values are compared, not conditions");
    }
    const std::size_t offset = left->offset;
    return make(CompareNode{comparison_of(sign.text), std::move(left), std::move(right)}, offset);
  }

  template <typename Next>
  NodePtr computed(std::string_view signs, Next&& next) {
    NodePtr left = next();
    while (left && at_.kind == TokenKind::kSymbol &&
           signs.find(at_.text) != std::string_view::npos) {
      const char op = at_.text.front();
      advance();
      NodePtr right = next();
      if (!right) return nullptr;
      for (const Node* side : {left.get(), right.get()}) {
        if (!is_number(*side))
          note(side->offset, "numbers and times can be computed with, not this");
      }
      const std::size_t offset = left->offset;
      left = make(MathNode{op, std::move(left), std::move(right)}, offset);
      // Each becomes a level of the tree.
      if (++math_ > kPartsMax) too_large(offset);
    }
    return error_ ? nullptr : std::move(left);
  }
  NodePtr sum() {
    return computed("+-", [this] { return product(); });
  }
  NodePtr product() {
    return computed("*/", [this] { return signed_value(); });
  }
  NodePtr signed_value() {
    if (!is_symbol('-') && !is_symbol('+')) return value();
    const Token sign = at_;
    advance();
    NodePtr operand = value();
    if (!operand) return nullptr;
    if (!is_number(*operand)) note(operand->offset, "a sign stands before a number");
    if (sign.text == "+") return operand;
    if (auto* literal = std::get_if<LiteralNode>(&operand->node)) {
      if (auto* integer = std::get_if<std::int64_t>(&literal->value)) *integer = -*integer;
      if (auto* real = std::get_if<double>(&literal->value)) *real = -*real;
      return operand;
    }
    return make(NegateNode{std::move(operand)}, sign.offset);
  }

  void too_large(std::size_t offset) {
    note(offset, "too large: use several, and less in each", ErrorCode::kTooLarge);
  }

  NodePtr value() {
    if (error_) return nullptr;
    if (++depth_ > kDepthMax) {
      too_large(at_.offset);
      return nullptr;
    }
    NodePtr node = unbounded_value();
    --depth_;
    return error_ ? nullptr : std::move(node);
  }
  NodePtr unbounded_value() {
    const Token token = at_;
    switch (token.kind) {
      case TokenKind::kString:
        return string_literal();
      case TokenKind::kInt:
      case TokenKind::kFloat:
        return number_literal();
      case TokenKind::kBytes:
        return bytes_literal();
      case TokenKind::kWord:
        return word();
      default:
        break;
    }
    if (take('(')) {
      NodePtr inner = disjunction();
      expect(')', "behind what stands in parentheses");
      return inner;
    }
    if (is_symbol('[')) return list();
    if (is_symbol('{')) return map();
    note(token.offset, token.kind == TokenKind::kEnd
                           ? std::string("a value is missing at the end")
                           : fmt::format("a value is missing before \"{}\"", token.text));
    return nullptr;
  }

  std::optional<std::string> text_of_string() {
    auto text = internal::unquoted(at_.text);
    if (!text)
      note(at_.offset,
           "a backslash in this string stands before nothing that it goes with; "
           "in a regex it is written twice");
    advance();
    return text;
  }
  NodePtr string_literal() {
    const std::size_t offset = at_.offset;
    auto text = text_of_string();
    return text ? make(LiteralNode{*std::move(text)}, offset) : nullptr;
  }
  NodePtr number_literal() {
    const Token token = at_;
    advance();
    const char* end = token.text.data() + token.text.size();
    if (token.kind == TokenKind::kInt) {
      std::int64_t value = 0;
      if (std::from_chars(token.text.data(), end, value).ec != std::errc()) {
        note(token.offset, "this number has more than 64 bits");
        return nullptr;
      }
      return make(LiteralNode{value}, token.offset);
    }
    double value = 0;
    if (std::from_chars(token.text.data(), end, value).ec != std::errc()) {
      note(token.offset, "this number is too large");
      return nullptr;
    }
    return make(LiteralNode{value}, token.offset);
  }
  NodePtr bytes_literal() {
    const Token token = at_;
    advance();
    auto bytes = from_hex(token.text.substr(2));
    if (!bytes) {
      note(token.offset, "bytes have an even number of digits");
      return nullptr;
    }
    return make(LiteralNode{BytesLiteral{*std::move(bytes)}}, token.offset);
  }

  NodePtr word() {
    const Token token = at_;
    advance();
    if (token.text == "nil") return make(LiteralNode{std::monostate{}}, token.offset);
    if (token.text == "true" || token.text == "false")
      return make(LiteralNode{token.text == "true"}, token.offset);
    if (token.text == "and" || token.text == "or" || token.text == "not" || token.text == "where") {
      note(token.offset, fmt::format("a value is missing before \"{}\"", token.text));
      return nullptr;
    }
    if (is_symbol('(')) return call(token);
    if (is_upper(token.text.front())) return enumerator(token);
    return path(token);
  }
  NodePtr enumerator(const Token& token) {
    return make(EnumNode{std::string(token.text)}, token.offset);
  }
  NodePtr call(const Token& name) {
    CallNode node{std::string(name.text), {}, {}};
    advance();
    if (!take(')')) {
      do {
        node.arguments.push_back(argument());
        if (error_) return nullptr;
        if (node.arguments.size() > kPartsMax) too_large(name.offset);
      } while (take(','));
      if (!expect(')', fmt::format("behind the arguments of {}", name.text))) return nullptr;
    }
    const std::size_t keys_at = at_.offset;
    node.keys = keys();
    if (!node.keys.empty() && is_lower(name.text.front()))
      note(keys_at, fmt::format("{} gives nothing that could have a key", name.text));
    return error_ ? nullptr : make(std::move(node), name.offset);
  }
  Argument argument() {
    Argument made;
    made.offset = at_.offset;
    made.value = sum();
    const auto* path = made.value ? std::get_if<PathNode>(&made.value->node) : nullptr;
    if (is_symbol('=') && path != nullptr && path->steps.size() == 1 &&
        path->steps.front().keys.empty()) {
      made.name = path->steps.front().name;
      advance();
      made.value = sum();
    }
    if (made.value && is_logic(*made.value))
      note(made.value->offset, "an argument is a value, not a condition");
    return made;
  }

  NodePtr path(const Token& first) {
    PathNode node;
    Token name = first;
    while (true) {
      for (const char c : name.text) {
        if (is_upper(c)) note(name.offset, fmt::format("{}: a path has small letters", name.text));
      }
      node.steps.push_back({std::string(name.text), keys()});
      if (error_ || !take('.')) break;
      name = at_;
      if (at_.kind != TokenKind::kWord || node.steps.size() >= kDepthMax) {
        note(at_.offset, "a name is missing behind \".\"");
        break;
      }
      advance();
    }
    return error_ ? nullptr : make(std::move(node), first.offset);
  }
  std::vector<NodePtr> keys() {
    std::vector<NodePtr> all;
    while (take('[')) {
      NodePtr key = sum();
      if (!key || !expect(']', "behind a key")) return {};
      const auto* literal = std::get_if<LiteralNode>(&key->node);
      const bool is_key = literal != nullptr
                              ? std::holds_alternative<std::string>(literal->value) ||
                                    std::holds_alternative<std::int64_t>(literal->value)
                              : is_number(*key);
      if (!is_key) note(key->offset, "a key is a string, an int, a path or a converter");
      all.push_back(std::move(key));
      if (all.size() > kDepthMax) too_large(at_.offset);
      if (error_) return {};
    }
    return all;
  }

  /// An element of a list or map.
  NodePtr element() {
    NodePtr node = sum();
    if (node && is_logic(*node)) note(node->offset, "an element is a value, not a condition");
    if (++elements_ > kPartsMax) too_large(at_.offset);
    return error_ ? nullptr : std::move(node);
  }
  NodePtr list() {
    const std::size_t offset = at_.offset;
    advance();
    ListNode node;
    if (!take(']')) {
      do {
        node.elements.push_back(element());
        if (error_) return nullptr;
      } while (take(','));
      if (!expect(']', "behind the elements of a list")) return nullptr;
    }
    return make(std::move(node), offset);
  }
  NodePtr map() {
    const std::size_t offset = at_.offset;
    advance();
    MapNode node;
    while (!take('}')) {
      if (at_.kind != TokenKind::kString) {
        note(at_.offset, "a key in quotes, or \"}\", is missing in a map");
        return nullptr;
      }
      auto key = text_of_string();
      if (!key || !expect(':', "behind a key of a map")) return nullptr;
      node.entries.emplace_back(*std::move(key), element());
      if (error_) return nullptr;
      take(',');
    }
    return make(std::move(node), offset);
  }

  std::string_view text_;
  Lexer lexer_;
  Token at_;
  std::size_t depth_ = 0;
  std::size_t math_ = 0;
  std::size_t elements_ = 0;
  std::optional<Error> error_;
};

Result<void> check_size(std::string_view text) {
  if (text.size() <= kTextBytesMax) return {};
  return fail(ErrorCode::kTooLarge,
              fmt::format("1:1: {} bytes; a statement or condition has {} at most", text.size(),
                          kTextBytesMax));
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string place_in(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : text.substr(0, offset)) {
    ++column;
    if (c != '\n') continue;
    ++line;
    column = 1;
  }
  return fmt::format("{}:{}", line, column);
}

Result<StatementTree> parse_statement(std::string_view text) {
  if (auto size = check_size(text); !size) return forward(size);
  return Parser(text).statement();
}

Result<NodePtr> parse_condition(std::string_view text) {
  if (auto size = check_size(text); !size) return forward(size);
  return Parser(text).whole_condition();
}

}  // namespace vigia::ottl
