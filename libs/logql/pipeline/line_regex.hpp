// Regular expressions over lines and values of labels.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/line_work.hpp"

namespace re2 {
class RE2;
}

namespace vigia::logql::pipeline {

/// What the regexes of one selector may keep in memory together: an automaton grows with the lines
/// it sees, so that hundreds of them could each reach what one may have. The first has half of
/// kRegexMemoryBytes, the next half of the rest, and each a least that goes by its text. Not
/// thread-safe.
class RegexMemory {
 public:
  /// Bytes for one more, of so long a text.
  std::size_t take(std::size_t text_bytes);

 private:
  std::size_t left_ = kRegexMemoryBytes;
};

/// One compiled RE2 expression: each question takes time linear in the text. Movable; any thread.
class LineRegex {
 public:
  /// What a dot takes: of lines as Go has it, of labels' values as Prometheus has it.
  enum class Dot { kNoLineBreak, kEverything };
  /// kInvalid, naming the expression, where RE2 does not take it; kTooLarge where it is too large
  /// for what is left.
  static Result<LineRegex> compile(std::string_view text, RegexMemory& memory,
                                   Dot dot = Dot::kNoLineBreak);
  LineRegex(LineRegex&&) noexcept;
  LineRegex& operator=(LineRegex&&) noexcept;
  ~LineRegex();

  /// Whether it is met anywhere in the text.
  bool is_in(std::string_view text) const;
  /// Whether the whole text meets it, its line breaks included.
  bool is_whole(std::string_view text) const;
  /// The first match at or behind `from`: element 0 is the match, then the groups; a group that
  /// took no part has no data. `groups` has 1 + group_count() elements at most.
  bool find(std::string_view text, std::size_t from, std::span<std::string_view> groups) const;
  /// What a question of so long a text takes of a line's work: the more, the larger the regex.
  /// Where the automaton of a large one has no room each byte meets each of its states.
  std::size_t work_of(std::size_t text_bytes) const { return text_bytes * weight_; }
  std::size_t group_count() const;
  /// Names of the groups from 1 on, "" of those without.
  std::vector<std::string> group_names() const;

 private:
  explicit LineRegex(std::unique_ptr<re2::RE2> regex);
  std::unique_ptr<re2::RE2> regex_;
  std::size_t weight_;
};

/// What stands in a match's place, as Go's regexp expands it: $1, ${1}, $name, ${name}, $$.
class Replacement {
 public:
  /// A group that the regex has not is nothing. With `is_literal` no $ means anything.
  Replacement(std::string_view text, const LineRegex& regex, bool is_literal);
  void append(std::string& out, std::span<const std::string_view> groups) const;

 private:
  struct Piece {
    std::string text;
    std::size_t group = 0;  // 0 as is_group says: the whole match
    bool is_group = false;
  };
  void take_reference(std::string_view& text, const std::vector<std::string>& names);
  void add_text(std::string_view text);
  std::vector<Piece> pieces_;
};

struct ReplaceBounds {
  std::size_t bytes_max;  ///< of what is made
  /// Each search may have to see the text up to its end, so that many matches in a long one cost
  /// their product.
  LineWork& work;
};

/// Every match replaced. False, and nothing of use in `out`, past the bounds.
bool replace_all(const LineRegex& regex, const Replacement& replacement, std::string_view text,
                 const ReplaceBounds& bounds, std::string& out);

}  // namespace vigia::logql::pipeline
