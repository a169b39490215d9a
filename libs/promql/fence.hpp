// Keeps a query inside one customer's data.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// Adds customer_id="X" to every selector of the tree. The caller's own matchers on that label
/// stay, so that a foreign one selects nothing.
void fence(const CustomerId& customer, Expr& expr);
void fence(const CustomerId& customer, Selector& selector);

/// True where every selector has that matcher.
bool is_fenced(const CustomerId& customer, const Expr& expr);

/// The text of the tree, fenced: printed, read back and checked again, so that a fault of the
/// printer cannot open a hole. kInternal where the check fails; nothing may be sent then.
Result<std::string> fenced_text(const CustomerId& customer, Expr& expr, const Language& language);
/// The same for a selector of `match[]`.
Result<std::string> fenced_text(const CustomerId& customer, Selector selector,
                                const Language& language);

}  // namespace vigia::promql
