// Which lines of a selector pass.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"

namespace vigia::router::api::loki {

/// The line filters |=, !=, |~ and !~ of a selector. Thread contract: any.
class LineFilters {
 public:
  /// kInvalid with the stage's name for every other stage, and for an expression that RE2 does not
  /// take.
  static Result<LineFilters> compile(const logql::LogSelector& selector);
  LineFilters(LineFilters&&) noexcept;
  LineFilters& operator=(LineFilters&&) noexcept;
  ~LineFilters();

  bool pass(std::string_view line) const;
  /// False: every line passes.
  bool leave_lines_out() const { return !filters_.empty(); }

 private:
  class Filter;
  LineFilters();
  std::vector<std::unique_ptr<const Filter>> filters_;
};

}  // namespace vigia::router::api::loki
