// How a program begins and ends: flags, configuration, signals, exit codes. main.cpp holds one call
// of run_program.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/service/config.hpp"
#include "libs/service/metrics.hpp"

namespace vigia::service {

/// A service that runs. Destroyed after stop.
class Running {
 public:
  virtual ~Running() = default;
  /// Refuse, flush, return; at the latest at the deadline. Called once.
  virtual void stop(TimePoint deadline) noexcept = 0;
};

/// Starts a service, once; its errors end the program.
using StartService = Task<Result<std::unique_ptr<Running>>()>;

struct ProgramDescription {
  std::string name;         ///< "vigia-collector"
  std::string summary;      ///< one sentence for --help
  std::string config_help;  ///< the configuration's keys with their defaults, shown by --help
  Duration stop_deadline = std::chrono::seconds(10);
  /// Reads and checks the configuration; calls ConfigFile::finish. Gives the function that starts
  /// the service, which is not called for --check-config.
  Task<Result<StartService>(const ConfigFile& file)> prepare;
  /// For --check-config alone, after `prepare`: an error of what a start says and goes on without.
  /// Null: nothing of that kind.
  Task<Result<void>(const ConfigFile& file)> check = nullptr;
};

/// The description of a service whose configuration `read` reads and checks, ConfigFile::finish
/// included, and that `start` starts.
template <typename Settings>
ProgramDescription describe_service(std::string name, std::string summary, std::string config_help,
                                    Result<Settings> (*read)(const ConfigFile& file),
                                    Result<std::unique_ptr<Running>> (*start)(Settings settings)) {
  ProgramDescription program;
  program.name = std::move(name);
  program.summary = std::move(summary);
  program.config_help = std::move(config_help);
  program.prepare = [read, start](const ConfigFile& file) -> Result<StartService> {
    auto settings = read(file);
    if (!settings) return forward(settings);
    return StartService(
        [start, settings = *std::move(settings)]() mutable { return start(std::move(settings)); });
  };
  return program;
}

/// --config FILE, --check-config, --version, --help, --log-level, --log-format. Exit codes: 0 after
/// SIGTERM or SIGINT and a clean stop; 2 for a bad flag, a bad configuration, a taken port, a
/// locked folder (one clear line on stderr); 1 for anything else. SIGPIPE is ignored.
int run_program(int argument_count, char** arguments, const ProgramDescription& description);

}  // namespace vigia::service
