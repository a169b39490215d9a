// What storage's own label interface is asked with.
#pragma once

#include "libs/model/sample.hpp"
#include "libs/promql/ast.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::plan {

/// One matcher=NAME<op>VALUE for each matcher. False where a name has a mark of an operator in it,
/// which that form cannot say; the others are appended then.
bool append_matchers(const promql::Selector& selector, request::Form& form);
/// The nearest that it takes as a time; further away there is nothing anyway.
TimestampMs cold_time(TimestampMs time);

}  // namespace vigia::router::plan
