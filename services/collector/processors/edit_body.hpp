// What the processors that change requests share: an editor's way to the body, and what none of
// them may touch.
#pragma once

#include <optional>
#include <string_view>

#include "libs/wire/edit/edit.hpp"
#include "services/collector/intake/stage.hpp"

namespace vigia::collector::processors {

/// Whether an attribute of that key says whose data it is: `customer.id`, which the fence compares
/// with the token's customer, and every key that becomes the label customer_id. No processor sets
/// one or takes it out: who could take it out of a resource, or write it there, would hand one
/// customer's data to another.
bool is_fenced(std::string_view key);

/// Shows the body to the editor, and puts what becomes of it in its place. What went is counted as
/// filtered. Fenced attributes stay as they are, whatever the editor does. Items, resources and
/// scopes that are larger than any that are kept stay too: the check behind the processors refuses
/// them. Refused is what is no request, or becomes more than four times its size.
std::optional<intake::Refusal> edit_body(intake::Batch& batch, wire::edit::Editor& editor);

}  // namespace vigia::collector::processors
