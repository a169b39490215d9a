// The labels of many series, as a list of them in an answer tells.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::router::json {

/// Which labels count where series are compared: these alone, or all but these.
struct CountedLabels {
  std::vector<std::string> labels;
  bool is_only = true;
};

/// In two blocks of memory, whatever the number of series.
class LabelSets {
 public:
  /// [{"__name__":"up",…},…]; null is an empty list. kCorrupt on anything else.
  static Result<LabelSets> read(std::string_view json);

  std::size_t size() const { return ends_.size(); }
  /// Names and values of the series that has most.
  std::size_t largest() const { return largest_; }
  /// How many of them differ in the labels that count.
  std::size_t different(const CountedLabels& choice) const;
  /// The most that do not.
  std::size_t most_alike(const CountedLabels& choice) const;
  /// What it holds in memory.
  std::size_t bytes() const { return text_.capacity() + ends_.capacity() * sizeof(std::size_t); }

 private:
  template <typename See>
  void for_each_choice(const CountedLabels& choice, const See& see) const;

  std::string text_;  // names and values by turns, sorted by name, each before a kEnd
  std::vector<std::size_t> ends_;
  std::size_t largest_ = 0;
};

}  // namespace vigia::router::json
