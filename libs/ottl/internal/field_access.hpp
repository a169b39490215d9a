// Reading and writing one field of a record.
#pragma once

#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/internal/field.hpp"
#include "libs/ottl/value.hpp"

namespace vigia::ottl::internal {

/// Any but attributes. nil where the record has none such.
bool read_field(Evaluation& evaluation, const PathField& field, Value& out);
/// Any but attributes and what is read only. False with a fault for a value that it cannot have.
bool write_field(Evaluation& evaluation, const PathField& field, const Value& value);

}  // namespace vigia::ottl::internal
