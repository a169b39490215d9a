#include "services/router/api/loki/level.hpp"

#include <algorithm>
#include <utility>

namespace vigia::router::api::loki {
namespace {

constexpr std::string_view kUnknown = "unknown";

// OpenTelemetry's short names, syslog's, and what loggers write.
constexpr std::pair<std::string_view, std::string_view> kWords[] = {
    {"trace", "trace"},  {"verbose", "trace"},     {"debug", "debug"},   {"dbg", "debug"},
    {"info", "info"},    {"information", "info"},  {"notice", "info"},   {"informational", "info"},
    {"warn", "warn"},    {"warning", "warn"},      {"error", "error"},   {"err", "error"},
    {"severe", "error"}, {"critical", "critical"}, {"crit", "critical"}, {"alert", "critical"},
    {"fatal", "fatal"},  {"emerg", "fatal"},       {"panic", "fatal"},   {"emergency", "fatal"}};
constexpr std::size_t kWordBytesMax = 14;  // the longest with its step

bool is_step(char c) { return c >= '1' && c <= '4'; }

}  // namespace

std::string_view level_of(std::string_view severity) {
  if (severity.empty() || severity.size() > kWordBytesMax) return kUnknown;
  if (is_step(severity.back())) severity.remove_suffix(1);
  std::array<char, kWordBytesMax> lower{};
  std::transform(severity.begin(), severity.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::string_view word(lower.data(), severity.size());
  for (const auto& [known, level] : kWords) {
    if (word == known) return level;
  }
  return kUnknown;
}

std::optional<std::string> severity_matcher(const std::vector<std::string_view>& levels) {
  const auto is_wanted = [&](std::string_view level) {
    return std::find(levels.begin(), levels.end(), level) != levels.end();
  };
  if (std::all_of(kLevels.begin(), kLevels.end(), is_wanted)) return std::nullopt;
  // Anything is of no known level, so that this one can be told by the others alone.
  const bool is_negative = is_wanted(kUnknown);
  std::string words;
  for (const auto& [word, level] : kWords) {
    if (is_wanted(level) == is_negative) continue;
    if (!words.empty()) words += '|';
    words += word;
  }
  std::string matcher = is_negative ? "severity!~(?i)(" : "severity=~(?i)(";
  return matcher.append(words).append(")[1-4]?");
}

}  // namespace vigia::router::api::loki
