// Text into the tree of a template.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/template_node.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kNotHere =
    "define template block range with break continue nil html js call index slice urlquery";

/// Recursive descent; every reading function gives false after `fail`, and the first failure is the
/// one that counts.
class TemplateParser {
 public:
  TemplateParser(std::string_view text, SelectorRegexes& regexes)
      : text_(text), regexes_(regexes) {}

  Result<std::vector<TemplateNode>> run() {
    std::vector<TemplateNode> nodes;
    if (parse_nodes(nodes) && !end_word_.empty()) {
      fail(fmt::format("unexpected {{{{{}}}}}", end_word_));
    }
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    return nodes;
  }

 private:
  // Nodes.

  /// Up to the end, or behind `{{end}}` and `{{else`, which `end_word_` then has.
  bool parse_nodes(std::vector<TemplateNode>& nodes) {
    end_word_ = {};
    while (!error_ && at_ < text_.size()) {
      const std::size_t open = text_.find("{{", at_);
      std::string_view plain =
          text_.substr(at_, open == std::string_view::npos ? open : open - at_);
      const bool is_trimmed = has_minus(open);
      if (trims_next_)
        plain.remove_prefix(std::min(plain.find_first_not_of(kBlanks), plain.size()));
      if (is_trimmed) plain = plain.substr(0, plain.find_last_not_of(kBlanks) + 1);
      trims_next_ = false;
      if (!plain.empty()) nodes.emplace_back().text = plain;
      if (open == std::string_view::npos) {
        at_ = text_.size();
        return true;
      }
      at_ = open + (is_trimmed ? 3 : 2);
      if (!parse_braces(nodes)) return false;
      if (!end_word_.empty()) return true;
    }
    return !error_;
  }

  /// "{{- " takes the blanks before it away.
  bool has_minus(std::size_t open) const {
    return open != std::string_view::npos && open + 3 < text_.size() && text_[open + 2] == '-' &&
           kBlanks.find(text_[open + 3]) != std::string_view::npos;
  }

  bool parse_braces(std::vector<TemplateNode>& nodes) {
    skip_blanks();
    if (rest().starts_with("/*")) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return fail("unclosed comment");
      at_ = end + 2;
      return close();
    }
    const std::size_t before = at_;
    const std::string_view word = take_word();
    if (word == "end" || word == "else") {
      end_word_ = word;
      return word == "else" || close();
    }
    if (word == "if") return parse_if(nodes.emplace_back());
    at_ = before;
    TemplateNode& node = nodes.emplace_back();
    return parse_pipe(node.pipe.emplace()) && close();
  }

  /// Behind `if`.
  bool parse_if(TemplateNode& node) {
    if (++nesting_ > kTemplateNestingMax) return fail("it is nested too deep");
    node.is_condition = true;
    if (!parse_pipe(node.pipe.emplace()) || !close() || !parse_nodes(node.then)) return false;
    if (end_word_ == "else") {
      end_word_ = {};
      skip_blanks();
      const std::size_t before = at_;
      if (take_word() == "if") {
        // Its {{end}} is ours, too.
        if (!parse_if(node.otherwise.emplace_back())) return false;
        --nesting_;
        return true;
      }
      at_ = before;
      if (!close() || !parse_nodes(node.otherwise)) return false;
    }
    if (end_word_ != "end") return fail("{{if}} without {{end}}");
    end_word_ = {};
    --nesting_;
    return true;
  }

  bool close() {
    skip_blanks();
    trims_next_ = rest().starts_with("-}}");
    if (trims_next_) ++at_;
    if (!rest().starts_with("}}")) return fail_here();
    at_ += 2;
    return true;
  }

  // Pipes.

  bool parse_pipe(TemplatePipe& pipe) {
    if (++nesting_ > kTemplateNestingMax) return fail("it is nested too deep");
    do {
      const bool is_first = pipe.commands.empty();
      if (!parse_command(pipe.commands.emplace_back(), is_first)) return false;
      skip_blanks();
    } while (take("|"));
    --nesting_;
    return true;
  }

  bool parse_command(TemplateCommand& command, bool is_first) {
    skip_blanks();
    std::string name;
    if (at_ < text_.size() && promql::is_alpha(text_[at_])) {
      const std::size_t before = at_;
      name = take_word();
      command.function = find_template_function(name);
      if (command.function == nullptr) at_ = before;
    }
    while (!is_at_end_of_command()) {
      if (!parse_operand(command.operands.emplace_back())) return false;
      skip_blanks();
    }
    const std::size_t given = command.operands.size() + (is_first ? 0 : 1);
    if (command.function != nullptr) return check_call(command, given);
    if (command.operands.empty()) {
      return rest().empty() ? fail_here() : fail("missing value for command");
    }
    if (!is_first || command.operands.size() > 1) {
      return fail("a value that is no function can get no arguments");
    }
    return true;
  }

  bool is_at_end_of_command() {
    skip_blanks();
    const std::string_view left = rest();
    return error_ || left.empty() || left.starts_with('|') || left.starts_with(')') ||
           left.starts_with("}}") || left.starts_with("-}}");
  }

  bool check_call(TemplateCommand& command, std::size_t given) {
    const TemplateFunction& function = *command.function;
    if (given < function.arguments_min || given > function.arguments_max) {
      return fail(fmt::format("wrong number of args for {}: got {}", function.name, given));
    }
    if (function.first == TemplateFunction::First::kValue) return true;
    const auto* value = command.operands.empty()
                            ? nullptr
                            : std::get_if<TemplateValue>(&command.operands.front().node);
    const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    if (text == nullptr) {
      return fail(fmt::format("{}: its first argument has to be written as a text", function.name));
    }
    if (function.first == TemplateFunction::First::kFormat) {
      const auto fault = fault_of_format(*text, given - 1);
      return !fault || fail(*fault);
    }
    return compile_regex(command, *text);
  }

  bool compile_regex(TemplateCommand& command, const std::string& text) {
    using RegexKind = promql::RegexBudget::RegexKind;
    const RegexKind kind = regexes_.of_templates.look_at(text);
    if (kind == RegexKind::kTooLarge) {
      return fail_with(Error{ErrorCode::kTooLarge,
                             "the regexes of the query are too many or too large: use fewer"});
    }
    auto regex = LineRegex::compile(text, regexes_.memory);
    if (!regex && regex.error().code == ErrorCode::kTooLarge) return fail_with(regex.error());
    if (!regex) return fail("a regex that cannot be read");
    command.regex = std::move(*regex);
    return true;
  }

  // Operands.

  bool parse_operand(TemplateOperand& operand) {
    const char c = text_[at_];
    if (c == '"' || c == '`') return parse_text(operand);
    if (c == '.' && at_ + 1 < text_.size() && promql::is_alpha(text_[at_ + 1])) {
      ++at_;
      operand.node = TemplateOperand::LabelOf{std::string(take_word())};
      return !rest().starts_with('.') || fail("a label has no members");
    }
    if (c == '(') return parse_parentheses(operand);
    if (promql::is_digit(c) || c == '-' || c == '+') return parse_number(operand);
    if (!promql::is_alpha(c)) return fail_here();
    return parse_named(operand);
  }

  bool parse_named(TemplateOperand& operand) {
    const std::string word(take_word());
    if (word == "__line__") {
      operand.node = TemplateOperand::Line{};
    } else if (word == "__timestamp__") {
      operand.node = TemplateOperand::Time{};
    } else if (word == "true" || word == "false") {
      operand.node = TemplateValue(word == "true");
    } else if (kNotHere.find(word) != std::string_view::npos) {
      return fail(fmt::format("{:.64} is not supported here", word));
    } else if (find_template_function(word) != nullptr) {
      return fail(fmt::format("a call of {} as an argument needs parentheses", word));
    } else {
      return fail(fmt::format("function \"{:.64}\" not defined", word));
    }
    return true;
  }

  bool parse_parentheses(TemplateOperand& operand) {
    ++at_;
    auto pipe = std::make_unique<TemplatePipe>();
    if (!parse_pipe(*pipe)) return false;
    skip_blanks();
    if (!take(")")) return fail_here();
    operand.node = std::move(pipe);
    return true;
  }

  bool parse_text(TemplateOperand& operand) {
    const char quote = text_[at_];
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) {
      end += quote == '"' && text_[end] == '\\' ? 2 : 1;
    }
    if (end >= text_.size()) return fail("unterminated string");
    auto value = promql::unquote(text_.substr(at_, end + 1 - at_));
    if (!value) return fail("bad escape in a string");
    operand.node = TemplateValue(std::move(*value));
    at_ = end + 1;
    return true;
  }

  bool parse_number(TemplateOperand& operand) {
    std::size_t length = 1;
    while (at_ + length < text_.size() &&
           (promql::is_word(text_[at_ + length]) || text_[at_ + length] == '.')) {
      ++length;
    }
    std::string_view run = text_.substr(at_, length);
    if (run.starts_with('+')) run.remove_prefix(1);
    const char* end = run.data() + run.size();
    std::int64_t whole = 0;
    double number = 0;
    const auto as_whole = std::from_chars(run.data(), end, whole);
    const auto as_number = std::from_chars(run.data(), end, number);
    if (as_whole.ec == std::errc{} && as_whole.ptr == end) {
      operand.node = TemplateValue(whole);
    } else if (as_number.ec == std::errc{} && as_number.ptr == end) {
      operand.node = TemplateValue(number);
    } else {
      return fail(fmt::format("bad number syntax: \"{:.64}\"", run));
    }
    at_ += length;
    return true;
  }

  // Plumbing.

  std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }
  void skip_blanks() {
    while (at_ < text_.size() && kBlanks.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(std::string_view mark) {
    if (!rest().starts_with(mark)) return false;
    at_ += mark.size();
    return true;
  }
  std::string_view take_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && promql::is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  bool fail_here() {
    return fail(rest().empty() ? "unclosed action" : fmt::format("unexpected \"{:.16}\"", rest()));
  }
  bool fail(std::string why) {
    return fail_with(
        Error{ErrorCode::kInvalid,
              fmt::format("parse error: invalid template at byte {}: {}", at_ + 1, why)});
  }
  bool fail_with(Error error) {
    if (!error_) error_ = std::move(error);
    return false;
  }

  std::string_view text_;
  SelectorRegexes& regexes_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
  bool trims_next_ = false;
  std::string_view end_word_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::vector<TemplateNode>> parse_template(std::string_view text, SelectorRegexes& regexes) {
  return TemplateParser(text, regexes).run();
}

}  // namespace vigia::logql::pipeline
