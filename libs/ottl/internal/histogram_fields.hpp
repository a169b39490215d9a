// The fields of data points that only histograms have.
#pragma once

#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/internal/field.hpp"
#include "libs/wire/edit/editable.hpp"

namespace vigia::ottl::internal {

/// Reads a field of a histogram of either kind; nil of other points. False with a fault. Throws
/// protozero::exception on damaged bytes.
bool read_histogram(Evaluation& evaluation, const wire::edit::Editable& point, FieldForm form,
                    Value& out);

}  // namespace vigia::ottl::internal
