#include "services/collector/health_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"

namespace vigia::collector {

int HealthReport::status() const {
  const bool refuses = std::any_of(reasons.begin(), reasons.end(),
                                   [](const Reason& reason) { return reason.refuses; });
  return is_ready && !refuses ? 200 : 503;
}

std::string HealthReport::json() const {
  std::string_view word = status() == 200 ? "ok" : "unavailable";
  const bool is_clock_doubted = std::any_of(
      reasons.begin(), reasons.end(), [](const Reason& reason) { return reason.name == "clock"; });
  if (status() == 200 && is_clock_doubted) word = "clock_in_doubt";
  std::string text = fmt::format(R"({{"status":"{}")", word);
  if (reasons.empty()) return text + "}";
  text += fmt::format(R"(,"detail":{},"reasons":[)", json_text(reasons.front().text));
  std::string_view comma;
  for (const Reason& reason : reasons) {
    text += fmt::format(R"({}{{"reason":"{}","detail":{}}})", comma, reason.name,
                        json_text(reason.text));
    comma = ",";
  }
  return text + "]}";
}

std::string failing_text(std::string_view exporter, const exporters::Exporter::Failing& failing,
                         TimePoint now) {
  const Duration lasted = now - failing.since;
  if (lasted < kFailingToldAfter) return "";
  return fmt::format("{} has taken nothing for {} s: {}", exporter,
                     lasted / std::chrono::seconds(1), failing.why);
}

}  // namespace vigia::collector
