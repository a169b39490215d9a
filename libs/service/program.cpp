#include "libs/service/program.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>
#include <sys/resource.h>

#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"
#include "libs/service/config_references.hpp"
#include "libs/service/fault_places.hpp"
#include "libs/service/log.hpp"

namespace vigia::service {

namespace {

constexpr int kExitClean = 0;
constexpr int kExitFault = 1;
constexpr int kExitConfiguration = 2;

struct Flags {
  std::vector<std::string> config;  // as they were named
  bool check_config = false;
  bool version = false;
  std::string log_level = "info";
  std::string log_format = "logfmt";
};

/// Always one line, whatever the message holds.
void print_error(std::string message) {
  for (char& letter : message) {
    if (letter == '\n' || letter == '\r') letter = ' ';
  }
  fmt::print(stderr, "{}\n", message);
}

/// What an operator can mend by changing the configuration or the machine, against our own faults.
int exit_code(const Error& error) {
  const bool is_own = error.code == ErrorCode::kInternal || error.code == ErrorCode::kCorrupt;
  return is_own ? kExitFault : kExitConfiguration;
}

LogLevel log_level(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

/// Many connections need many files; the default soft limit is 1024.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// Whether one of them came while they were blocked.
bool is_pending(const sigset_t& signals) {
  const timespec none{};
  return sigtimedwait(&signals, nullptr, &none) > 0;
}

int run_until_signal(Running& running, const ProgramDescription& description,
                     const sigset_t& signals) {
  int signal = 0;
  // No handler: code that runs between any two instructions may call next to nothing.
  sigwait(&signals, &signal);
  log_info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  // A second signal ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  running.stop(SystemClock().steady() + description.stop_deadline);
  log_info("stopped");
  return kExitClean;
}

Result<ConfigFile> load(const std::vector<std::string>& named) {
  std::vector<std::string> paths;
  for (const std::string& name : named) {
    auto path = config_path(name);
    if (!path) return forward(path);
    paths.push_back(*std::move(path));
  }
  return ConfigFile::load_all(paths);
}

int run(const Flags& flags, const ProgramDescription& description) {
  Result<ConfigFile> file = load(flags.config);
  if (!file) {
    print_error(file.error().message);
    return kExitConfiguration;
  }
  // Before --check-config ends: what it calls valid has passed every check that needs no port.
  auto start = description.prepare(*file);
  if (!start) {
    print_error(start.error().message);
    return exit_code(start.error());
  }
  if (flags.check_config) {
    if (const auto checked = description.check ? description.check(*file) : Result<void>();
        !checked) {
      print_error(checked.error().message);
      return exit_code(checked.error());
    }
    fmt::print("{}: the configuration is valid\n", fmt::join(flags.config, ", "));
    return kExitClean;
  }
  // A peer that has gone is a write that fails, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is a write that fails, as on a full disk
  raise_file_limit();
  // Blocked before the first thread starts, so that no thread but this one takes them.
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto running = (*start)();
  if (!running && is_pending(signals)) {  // a start that waits gives up when it is asked to
    log_info("stopped before it was started", {{"waited_for", running.error().message}});
    return kExitClean;
  }
  if (!running) {
    print_error(running.error().message);
    return exit_code(running.error());
  }
  log_info("started",
           {{"version", VIGIA_VERSION}, {"config", fmt::to_string(fmt::join(flags.config, ","))}});
  return run_until_signal(**running, description, signals);
}

}  // namespace

int run_program(int argument_count, char** arguments, const ProgramDescription& description) {
  Flags flags;
  CLI::App app(description.summary, description.name);
  app.add_option(
         "--config", flags.config,
         "The configuration file (YAML); of several, each --config lays its file over those "
         "before it: maps by key, all else whole")
      ->allow_extra_args(false);
  app.add_flag("--check-config", flags.check_config,
               "Reads the configuration and says what is wrong");
  app.add_flag("--version", flags.version, "Prints the version");
  app.add_option("--log-level", flags.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", flags.log_format, "logfmt or json")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->capture_default_str();
  if (!description.config_help.empty()) app.footer("Configuration:\n" + description.config_help);
  try {
    app.parse(argument_count, arguments);
    if (flags.version) {
      fmt::print("{} {}\n", description.name, VIGIA_VERSION);
      return kExitClean;
    }
    if (flags.config.empty()) {
      print_error(fmt::format("{}: --config FILE is required", description.name));
      return kExitConfiguration;
    }
    configure_log(log_level(flags.log_level),
                  flags.log_format == "json" ? LogFormat::kJson : LogFormat::kLogfmt,
                  description.name);
    report_faults_to([](std::string_view where, std::string_view what) {
      const auto noted = process_faults().note(where, std::chrono::steady_clock::now());
      if (!noted.is_told) return;
      log_error("a fault of this program, please report it",
                {{"where", std::string(where)},
                 {"what", std::string(what)},
                 {"customer", fault_owner()},
                 {"left_out", fmt::to_string(noted.left_out)}});
    });
    return run(flags, description);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return kExitClean;
  } catch (const CLI::ParseError& fault) {
    print_error(fmt::format("{}: {}", description.name, fault.what()));
    return kExitConfiguration;
  } catch (const std::exception& fault) {
    print_error(fmt::format("{}: {}", description.name, fault.what()));
    return kExitFault;
  }
}

}  // namespace vigia::service
