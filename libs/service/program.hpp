// The frame of a program: flags, configuration, signals, exit codes. main.cpp holds one call of
// run_program.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
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

struct ProgramDescription {
  std::string name;         ///< "vigia-collector"
  std::string summary;      ///< one sentence for --help
  std::string config_help;  ///< the configuration's keys with their defaults, shown by --help
  Duration stop_deadline = std::chrono::seconds(10);
  /// Reads and checks the configuration; calls ConfigFile::finish. Gives the function that starts
  /// the service, which is not called for --check-config.
  std::function<Result<std::function<Result<std::unique_ptr<Running>>()>>(const ConfigFile& file)>
      prepare;
};

/// --config FILE, --check-config, --version, --help, --log-level, --log-format. Exit codes: 0 after
/// SIGTERM or SIGINT and a clean stop; 2 for a bad flag, a bad configuration, a taken port, a
/// locked folder (one clear line on stderr); 1 for anything else. SIGPIPE is ignored.
int run_program(int argument_count, char** arguments, const ProgramDescription& description);

}  // namespace vigia::service
