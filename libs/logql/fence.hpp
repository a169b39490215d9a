// Keeps a query of logs inside one customer's data.
#pragma once

#include <functional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/model/ids.hpp"

namespace vigia::logql {

/// Calls `see` for every selector of the tree, in the order of the text.
void for_each_logs(LogExpr& expr, const std::function<void(LogSelector&)>& see);
void for_each_logs(const LogExpr& expr, const std::function<void(const LogSelector&)>& see);

/// Adds customer_id="X" to every selector of the tree. The caller's own matchers on that label
/// stay, so that a foreign one selects nothing. What stages make of labels changes no selector.
void fence(const CustomerId& customer, LogExpr& expr);

/// True where every selector has that matcher.
bool is_fenced(const CustomerId& customer, const LogExpr& expr);

/// The text of the tree, fenced: printed, read back and checked again, so that a fault of the
/// printer cannot open a hole. kInternal where the check fails; nothing may be asked for then.
Result<std::string> fenced_text(const CustomerId& customer, LogExpr& expr);

}  // namespace vigia::logql
