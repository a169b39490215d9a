// What reading the regular expressions of one request may cost, of PromQL and of LogQL.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libs/promql/limits.hpp"

namespace vigia::promql {

/// Time and memory that RE2 takes for a short text differ by a factor of ten thousand (`\pL{300}`
/// is 3 MB and 0.4 s), and a query holds thousands of them, so all regexes of one request share one
/// allowance. Not thread-safe; one request.
class RegexBudget {
 public:
  enum class RegexKind { kTakesEmpty, kNeedsText, kUnreadable, kTooLarge };

  /// Whether the regex lets an empty text through. Lists of plain words, however long, and the
  /// forms that nearly every query uses are told without compiling them and cost nothing.
  RegexKind look_at(std::string_view regex);
  /// Charges one that only the store will compile; false where the allowance is used up.
  bool charge(std::string_view regex);

 private:
  std::size_t bytes_left_ = kRegexBytesMax;
  std::size_t classes_left_ = kRegexClassesMax;
  std::size_t memory_left_ = kRegexMemoryMax;
};

}  // namespace vigia::promql
