// What a program does beside its service, once: `vigia-storage verify --config FILE`.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/service/config.hpp"

namespace vigia::service {

/// What a command can be told.
struct CommandOption {
  std::string_view name;   ///< "--customer"; without hyphens it is a word by its place
  std::string_view value;  ///< what stands behind it, for --help: "ID"; "": nothing does, a flag
  std::string_view help;
  bool is_required = false;
};

/// The service's own configuration, for commands that need it.
inline constexpr CommandOption kConfigOption{"--config", "FILE",
                                             "The configuration file of the service (YAML)", true};

/// What it was told.
class CommandWords {
 public:
  /// `given`: by the options' names; a flag's text is "".
  explicit CommandWords(std::map<std::string, std::string, std::less<>> given)
      : given_(std::move(given)) {}
  bool has(std::string_view name) const { return given_.find(name) != given_.end(); }
  /// "" where it was not told.
  std::string text(std::string_view name) const;
  /// The file of kConfigOption. REQUIRES: it was told.
  Result<ConfigFile> config() const { return ConfigFile::load(text(kConfigOption.name)); }

 private:
  std::map<std::string, std::string, std::less<>> given_;
};

struct ProgramCommand {
  std::string_view name;     ///< the program's first argument
  std::string_view summary;  ///< for --help: half a line
  std::span<const CommandOption> options;
  /// Prints what it has to say to stdout. 0: all is well; 1: it has found something; an error: it
  /// could not be done.
  Result<int> (*run)(const CommandWords& words);
  std::string_view details = {};  ///< for the command's own --help, behind the options
};

/// Runs the command that the first argument names, and gives the program's exit code: the
/// command's; 2 for a bad flag or configuration, and where it could not be done (one line on
/// stderr). Nothing where the first argument names none.
std::optional<int> run_command(int argument_count, char** arguments, std::string_view program,
                               std::span<const ProgramCommand> commands);

/// Lines for the program's --help.
std::string commands_help(std::string_view program, std::span<const ProgramCommand> commands);

}  // namespace vigia::service
