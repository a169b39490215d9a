// Logs to stderr, logfmt or JSON, one line an event. Never one line per item of input.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace vigia::service {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

/// Once, before threads start.
void configure_log(LogLevel level, LogFormat format, std::string_view service);

using LogField = std::pair<std::string_view, std::string>;

/// log_info("listening", {{"address", "127.0.0.1:4317"}}). Values are escaped: input cannot forge a
/// line. Any thread.
void log_debug(std::string_view message, std::initializer_list<LogField> fields = {});
void log_info(std::string_view message, std::initializer_list<LogField> fields = {});
void log_warn(std::string_view message, std::initializer_list<LogField> fields = {});
void log_error(std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace vigia::service
