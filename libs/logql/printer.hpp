// A tree of LogQL into text.
#pragma once

#include <string>

#include "libs/logql/ast.hpp"

namespace vigia::logql {

/// The expression on one line, in a form that reads back as the same tree. Any thread.
std::string print(const LogExpr& expr);
std::string print(const LogSelector& selector);

}  // namespace vigia::logql
