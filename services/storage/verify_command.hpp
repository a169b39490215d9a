// `vigia-storage verify`: reads every file of a store that is closed, and says what is damaged.
#pragma once

#include "libs/base/result.hpp"
#include "libs/service/command.hpp"

namespace vigia::storage {

/// As service::ProgramCommand: 0 where all is whole, 1 where something is damaged. Changes nothing.
Result<int> verify(const service::CommandWords& words);

}  // namespace vigia::storage
