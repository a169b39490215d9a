// Texts into trees.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/ottl/ast.hpp"

namespace vigia::ottl {

/// `set(log.body, "x") where log.severity_number > 9`. kInvalid "LINE:COLUMN: …" for what is none;
/// kTooLarge past limits.hpp. Thread contract: any.
Result<StatementTree> parse_statement(std::string_view text);
/// `log.body == "x" and not IsMatch(log.severity_text, "a")`
Result<NodePtr> parse_condition(std::string_view text);

/// A text as it is written as a string.
std::string quoted(std::string_view text);

/// "LINE:COLUMN", both from 1, columns in bytes.
std::string place_in(std::string_view text, std::size_t offset);

}  // namespace vigia::ottl
