// One request under conditions or statements: what they work on, what it may cost, and what becomes
// of those that cannot be run.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/ottl/context.hpp"
#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/record.hpp"
#include "libs/wire/edit/edit.hpp"
#include "services/collector/intake/stage.hpp"
#include "services/collector/processors/programs/error_mode.hpp"

namespace vigia::collector::processors::programs {

/// For one request, shown to its editor. Not thread-safe.
class ProgramPass {
 public:
  /// `processor`: its id. `accesses`: of all that is run. References outlive it.
  ProgramPass(intake::Batch& batch, std::string_view processor, std::size_t accesses);

  /// What a program of that context works on now; `item` of a span, an event, a point, a record.
  ottl::Evaluation& show(ottl::Context context, const wire::edit::EditPlace& place,
                         wire::edit::Editable* item = nullptr,
                         wire::edit::Editable* event = nullptr);
  /// A fault of what was run last: counted in the batch, and described there where it is the first
  /// that is to be told. With `propagate` it ends the request.
  void note_fault(ErrorMode mode, const std::function<std::string()>& describe);

 private:
  std::vector<intake::ProcessorFaults>& faults_;
  const std::string_view processor_;
  ottl::Record record_;
  ottl::Evaluation evaluation_;
  wire::edit::Editable cache_;
};

/// Shows the request to the editor, whose pass this is: as `edit_body`, and refuses one that costs
/// too much, or in which a fault is propagated.
std::optional<intake::Refusal> run_pass(intake::Batch& batch, wire::edit::Editor& editor);

/// Calls `visit(event)` for each event of a span, which may change it; where it gives false the
/// event goes. A span with more events than any that is kept is not looked at.
void for_each_event(wire::edit::Editable& span,
                    const std::function<bool(wire::edit::Editable& event)>& visit);

}  // namespace vigia::collector::processors::programs
