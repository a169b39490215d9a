// A line filter, ready to be asked of millions of lines.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/address.hpp"
#include "libs/logql/pipeline/capture_pattern.hpp"
#include "libs/logql/pipeline/line_regex.hpp"

namespace vigia::logql::pipeline {

/// Movable; any thread.
class CompiledLineFilter {
 public:
  /// kInvalid on a regex, pattern or address that cannot be read.
  static Result<CompiledLineFilter> compile(const LineFilter& filter, RegexMemory& memory);
  /// Each term costs the line once, a regex as LineRegex says; where too little is left for that,
  /// the line passes.
  bool passes(std::string_view line, LineWork& work) const;

 private:
  using Term = std::variant<std::string, LineRegex, CapturePattern, AddressRange>;
  static Result<Term> compile_term(LineTest test, const LineFilter::Term& term,
                                   RegexMemory& memory);
  static std::size_t work_of(const Term& term, std::size_t line_bytes);
  std::vector<Term> terms_;
  bool is_negative_ = false;
};

}  // namespace vigia::logql::pipeline
