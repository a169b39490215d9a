#include "services/router/coverage/scrapes.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "services/router/json/lists.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::coverage {
namespace {

constexpr std::chrono::minutes kStepMin{1};
// Each is one look at a few series.
constexpr std::int64_t kStepsMax = 50'000;

/// The number that a query gives; a nothing within where it gives none, without where nobody
/// answers.
std::optional<std::optional<double>> ask_number(const upstream::Upstream& store,
                                                const std::string& query, TimestampMs at_ms,
                                                Duration timeout) {
  const auto answer =
      store.ask_and_wait({std::nullopt,
                          "/api/v1/query",
                          {{"query", query}, {"time", request::format_seconds(at_ms)}},
                          true,
                          timeout});
  if (!answer || !answer->is_success()) return std::nullopt;
  const auto values = json::read_vector_values(answer->data(), "customer_id");
  if (!values) return std::nullopt;
  if (values->empty()) return std::optional<double>();
  return std::optional(values->begin()->second);
}

}  // namespace

std::optional<Scrapes> read_scrapes(const upstream::Upstream& store, Duration range,
                                    TimestampMs now_ms, Duration timeout) {
  const auto step =
      std::chrono::ceil<std::chrono::seconds>(std::max<Duration>(kStepMin, range / kStepsMax));
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(range).count();
  const std::string own = fmt::format("up{{job=~\"{}\",customer_id=\"\"}}", kScrapedJobs);
  const auto last = ask_number(
      store,
      fmt::format("max_over_time((absent({}) * time())[{}s:{}s])", own, seconds, step.count()),
      now_ms, timeout);
  if (!last) return std::nullopt;
  if (!*last) return Scrapes{};
  const auto ends_ms = static_cast<TimestampMs>(std::llround(**last * 1'000));
  const TimestampMs step_ms = std::chrono::milliseconds(step).count();
  if (ends_ms + step_ms <= now_ms) return Scrapes{ends_ms + step_ms, false};
  // It scrapes nothing of the kind just now: it has just begun again, or it never does.
  const auto count = ask_number(store, fmt::format("count(last_over_time({}[{}s]))", own, seconds),
                                now_ms, timeout);
  if (!count) return std::nullopt;
  if (!*count) return Scrapes{};
  return Scrapes{now_ms, true};
}

}  // namespace vigia::router::coverage
