// The line filters that stand in front of a selector's other stages: they need a line's text alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/line_filter.hpp"

namespace vigia::logql::pipeline {

/// How many of the selector's first stages they are.
std::size_t count_front_filters(const LogSelector& selector);
/// Them as text, `|= "a" !~ "b"`: for whoever keeps the lines and leaves out there what no stage
/// would see. "" where there are none.
std::string text_of_front_filters(const LogSelector& selector);

/// Movable; any thread.
class FrontFilters {
 public:
  /// What text_of_front_filters has written. kInvalid, kTooLarge: as parse_logs and
  /// Pipeline::compile, and for what is no line filter.
  static Result<FrontFilters> parse(std::string_view text);

  /// What Pipeline::run says of a selector of these stages alone; nothing where too little work is
  /// left for the line, which passes then with an error.
  std::optional<bool> judge(std::string_view line) const;
  bool pass(std::string_view line) const { return judge(line).value_or(true); }

 private:
  std::vector<CompiledLineFilter> filters_;
};

}  // namespace vigia::logql::pipeline
