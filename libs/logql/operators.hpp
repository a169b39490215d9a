// The names of LogQL's operators, and what each may be used with.
#pragma once

#include <optional>
#include <string_view>

#include "libs/logql/ast.hpp"

namespace vigia::logql {

std::string_view to_string(RangeOperator op);
std::string_view to_string(VectorOperator op);
/// Of that exact name.
std::optional<RangeOperator> find_range_operator(std::string_view name);
std::optional<VectorOperator> find_vector_operator(std::string_view name);

/// Whether it counts lines, or their bytes, and takes no unwrapped label. rate does both.
bool takes_lines(RangeOperator op);
bool takes_unwrapped(RangeOperator op);
/// Whether `by` and `without` may follow.
bool takes_grouping(RangeOperator op);
bool takes_grouping(VectorOperator op);
/// Whether a number of samples stands before the expression.
bool takes_parameter(VectorOperator op);

/// As it is written: "==", "!=", ">".
std::string_view to_string(Comparison comparison);
/// "|=", "!=", "|~".
std::string_view to_string(LineTest test);

}  // namespace vigia::logql
