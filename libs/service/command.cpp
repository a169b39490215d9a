#include "libs/service/command.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace vigia::service {
namespace {

constexpr int kExitNotDone = 2;

Result<int> run_or_say(const ProgramCommand& command, const CommandWords& words) {
  try {
    return command.run(words);
  } catch (const std::exception& fault) {
    return fail(ErrorCode::kInternal, fault.what());
  }
}

int run_one(const ProgramCommand& command, const CommandWords& words) {
  const auto code = run_or_say(command, words);
  if (code) return *code;
  std::string message = code.error().message;
  std::replace(message.begin(), message.end(), '\n', ' ');
  fmt::print(stderr, "{}\n", message);
  return kExitNotDone;
}

// What stands for an option in a line of --help.
std::string usage_of(const CommandOption& option) {
  std::string usage(option.name);
  const bool is_word = !usage.starts_with("-");
  if (!is_word && !option.value.empty()) usage += fmt::format(" {}", option.value);
  return option.is_required ? usage : fmt::format("[{}]", usage);
}

CLI::Option* add_option(CLI::App& app, const CommandOption& option, std::string& text) {
  const std::string name(option.name);
  const std::string help(option.help);
  const bool is_flag = name.starts_with("-") && option.value.empty();
  if (is_flag) return app.add_flag(name, help);
  CLI::Option* added = app.add_option(name, text, help);
  added->type_name(std::string(option.value));
  return added->required(option.is_required);
}

}  // namespace

std::string CommandWords::text(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? "" : found->second;
}

std::optional<int> run_command(int argument_count, char** arguments, std::string_view program,
                               std::span<const ProgramCommand> commands) {
  if (argument_count < 2) return std::nullopt;
  const auto command =
      std::find_if(commands.begin(), commands.end(),
                   [&](const ProgramCommand& one) { return one.name == arguments[1]; });
  if (command == commands.end()) return std::nullopt;
  CLI::App app(std::string(command->summary), fmt::format("{} {}", program, command->name));
  app.footer(std::string(command->details));
  std::map<std::string, std::string, std::less<>> given;
  std::map<std::string, CLI::Option*, std::less<>> options;
  for (const CommandOption& option : command->options) {
    const std::string name(option.name);
    options[name] = add_option(app, option, given[name]);
  }
  try {
    app.parse(argument_count - 1, arguments + 1);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitNotDone;
  }
  for (const auto& [name, option] : options) {
    if (option->count() == 0) given.erase(name);
  }
  return run_one(*command, CommandWords(std::move(given)));
}

std::string commands_help(std::string_view program, std::span<const ProgramCommand> commands) {
  std::string text = "Beside the service:\n";
  for (const ProgramCommand& command : commands) {
    text += fmt::format("  {} {}", program, command.name);
    for (const CommandOption& option : command.options) text += " " + usage_of(option);
    text += fmt::format("   {}\n", command.summary);
  }
  return text;
}

}  // namespace vigia::service
