#include "libs/service/command.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace vigia::service {
namespace {

constexpr int kExitNotDone = 2;

Result<int> run_or_say(const ProgramCommand& command, const std::string& config) {
  const auto file = ConfigFile::load(config);
  if (!file) return forward(file);
  try {
    return command.run(*file);
  } catch (const std::exception& fault) {
    return fail(ErrorCode::kInternal, fault.what());
  }
}

int run_one(const ProgramCommand& command, const std::string& config) {
  const auto code = run_or_say(command, config);
  if (code) return *code;
  std::string message = code.error().message;
  std::replace(message.begin(), message.end(), '\n', ' ');
  fmt::print(stderr, "{}\n", message);
  return kExitNotDone;
}

}  // namespace

std::optional<int> run_command(int argument_count, char** arguments, std::string_view program,
                               std::span<const ProgramCommand> commands) {
  if (argument_count < 2) return std::nullopt;
  const auto command =
      std::find_if(commands.begin(), commands.end(),
                   [&](const ProgramCommand& one) { return one.name == arguments[1]; });
  if (command == commands.end()) return std::nullopt;
  CLI::App app(std::string(command->summary), fmt::format("{} {}", program, command->name));
  std::string config;
  app.add_option("--config", config, "The configuration file of the service (YAML)")->required();
  try {
    app.parse(argument_count - 1, arguments + 1);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitNotDone;
  }
  return run_one(*command, config);
}

std::string commands_help(std::string_view program, std::span<const ProgramCommand> commands) {
  std::string text = "Beside the service:\n";
  for (const ProgramCommand& command : commands) {
    text += fmt::format("  {} {} --config FILE   {}\n", program, command.name, command.summary);
  }
  return text;
}

}  // namespace vigia::service
