// What a program does beside its service, once and with the service's own configuration:
// `vigia-storage verify --config FILE`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/service/config.hpp"

namespace vigia::service {

struct ProgramCommand {
  std::string_view name;     ///< the program's first argument
  std::string_view summary;  ///< for --help: half a line
  /// Prints what it has to say to stdout. 0: all is well; 1: it has found something; an error: it
  /// could not be done.
  Result<int> (*run)(const ConfigFile& file);
};

/// Runs the command that the first argument names, and gives the program's exit code: the
/// command's; 2 for a bad flag or configuration, and where it could not be done (one line on
/// stderr). Nothing where the first argument names none.
std::optional<int> run_command(int argument_count, char** arguments, std::string_view program,
                               std::span<const ProgramCommand> commands);

/// Lines for the program's --help.
std::string commands_help(std::string_view program, std::span<const ProgramCommand> commands);

}  // namespace vigia::service
