#include "libs/service/log.hpp"

#include <chrono>
#include <memory>
#include <mutex>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "libs/base/json_text.hpp"

namespace vigia::service {

namespace {

// Longer values are cut: one event is one line that a person can read.
constexpr std::size_t kValueBytesMax = 4096;

struct Logger {
  std::shared_ptr<spdlog::logger> logger;
  LogFormat format = LogFormat::kLogfmt;
  std::string service;
};

// Usable before it is configured: what is wrong with the configuration itself has to be told
// somewhere.
Logger& state() {
  static Logger value = [] {
    auto logger = std::make_shared<spdlog::logger>(
        "vigia", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::info);
    return Logger{std::move(logger), LogFormat::kLogfmt, ""};
  }();
  return value;
}

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::warn:
      return "warn";
    case spdlog::level::err:
      return "error";
    default:
      return "info";
  }
}

std::string now_text() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(second), (now - second).count());
}

/// Bare where logfmt allows it, else quoted.
std::string logfmt_value(std::string_view value) {
  // May cut within a character; json_text() replaces what is then no UTF-8.
  value = value.substr(0, kValueBytesMax);
  const auto is_plain = [](char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return byte > 0x20 && byte < 0x7f && letter != '"' && letter != '=' && letter != '\\';
  };
  bool is_bare = !value.empty();
  for (const char letter : value) is_bare = is_bare && is_plain(letter);
  return is_bare ? std::string(value) : json_text(value);
}

void write(spdlog::level::level_enum level, std::string_view message,
           std::initializer_list<LogField> fields) {
  const Logger& log = state();
  if (!log.logger->should_log(level)) return;
  std::string line;
  if (log.format == LogFormat::kJson) {
    line = fmt::format(R"({{"ts":"{}","level":"{}","service":{},"msg":{})", now_text(),
                       level_name(level), json_text(log.service), json_text(message));
    for (const auto& [name, value] : fields) {
      const std::string_view cut = std::string_view(value).substr(0, kValueBytesMax);
      line += fmt::format(",{}:{}", json_text(name), json_text(cut));
    }
    line += '}';
  } else {
    line = fmt::format("ts={} level={} service={} msg={}", now_text(), level_name(level),
                       logfmt_value(log.service), logfmt_value(message));
    for (const auto& [name, value] : fields) {
      line += fmt::format(" {}={}", name, logfmt_value(value));
    }
  }
  log.logger->log(level, line);
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format, std::string_view service) {
  Logger& log = state();
  log.logger->set_level(spdlog_level(level));
  log.format = format;
  log.service = service;
}

void log_debug(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::debug, message, fields);
}
void log_info(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::info, message, fields);
}
void log_warn(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::warn, message, fields);
}
void log_error(std::string_view message, std::initializer_list<LogField> fields) {
  write(spdlog::level::err, message, fields);
}

}  // namespace vigia::service
