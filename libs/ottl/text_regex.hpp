// Regular expressions over texts, and what stands in the place of their matches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace re2 {
class RE2;
}

namespace vigia::ottl {

/// What the regexes of one configuration may keep in memory together: an automaton grows with the
/// texts it sees. The first has half of it, the next half of the rest, each a least that goes by
/// its text. Not thread-safe.
class RegexRoom {
 public:
  /// Bytes for one more, of so long a text.
  std::size_t take(std::size_t text_bytes);

 private:
  std::size_t left_ = 16U << 20U;
};

/// One compiled RE2 expression, whose language is that of Go's regexp: each question takes time
/// linear in the text. Movable; any thread.
class TextRegex {
 public:
  enum class Dot : std::uint8_t { kNoLineBreak, kEverything };
  /// kInvalid where RE2 does not take it, kTooLarge where it is too large for its room.
  static Result<TextRegex> compile(std::string_view text, RegexRoom& room, Dot dot);
  TextRegex(TextRegex&&) noexcept;
  TextRegex& operator=(TextRegex&&) noexcept;
  ~TextRegex();

  bool is_in(std::string_view text) const;
  bool is_whole(std::string_view text) const;
  /// The first match at or behind `from`: element 0 is the match, then the groups.
  bool find(std::string_view text, std::size_t from, std::span<std::string_view> groups) const;
  /// What a question of so long a text looks at: of a large one more than once, since where its
  /// automaton has no room each byte meets each of its states.
  std::size_t work_of(std::size_t text_bytes) const { return text_bytes * weight_; }
  std::size_t group_count() const { return names_.size(); }
  /// From the first group on, "" of those without a name.
  const std::vector<std::string>& group_names() const { return names_; }

 private:
  explicit TextRegex(std::unique_ptr<re2::RE2> regex);
  std::unique_ptr<re2::RE2> regex_;
  std::vector<std::string> names_;
  std::size_t weight_;
};

/// What stands in a match's place, as Go's regexp expands it: $1, ${1}, $name, ${name}, $$. A group
/// that the regex has not is nothing.
class MatchTemplate {
 public:
  MatchTemplate(std::string_view text, const TextRegex& regex);
  void append(std::string& out, std::span<const std::string_view> groups) const;

 private:
  struct Part {
    std::string text;
    std::size_t group = 0;
    bool is_group = false;
  };
  void add_reference(std::string_view& text, const std::vector<std::string>& names);
  std::vector<Part> parts_;
};

struct ReplaceLimits {
  std::size_t bytes_max;  ///< of what is made
  std::uint64_t
      work_max;  ///< of what is looked at: each search may have to see the text to its end
};

enum class Replaced : std::uint8_t {
  kDone,
  kTooMuch,  ///< past a limit
  kFailed    ///< as `put` said
};

/// Appends what stands in the place of a match; false ends it.
using PutReplacement =
    std::function<bool(std::string& out, std::span<const std::string_view> groups)>;

/// Every match replaced; `work` says what was looked at.
Replaced replace_matches(const TextRegex& regex, const PutReplacement& put, std::string_view text,
                         const ReplaceLimits& limits, std::string& out, std::uint64_t& work);
Replaced replace_matches(const TextRegex& regex, const MatchTemplate& by, std::string_view text,
                         const ReplaceLimits& limits, std::string& out, std::uint64_t& work);

}  // namespace vigia::ottl
