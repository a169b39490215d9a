#include "services/monitor/live/own_outages.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/node_metrics.hpp"

namespace vigia::monitor::live {
namespace {

constexpr std::int64_t kPointsMax = 2'000;
constexpr std::int64_t kFinestS = 15;
// A node's scrape may be half a minute away.
constexpr std::int64_t kUpWindowS = 60;
// An evaluation may come late; fewer missing ones are no absence of the hot store.
constexpr std::int64_t kEvaluations = 3;
// Two scrapes of our own parts.
constexpr std::int64_t kScrapedWindowS = 30;
constexpr std::string_view kPartLabel = "part";
constexpr std::string_view kRecorded = "recorded";
constexpr auto kAwayParts =
    std::to_array<std::string_view>({kRecorded, "asking", "unseen", "shut"});

std::int64_t seconds_of(Duration duration) {
  return std::max<std::int64_t>(1,
                                std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

std::string part(std::string_view name, const std::string& expression) {
  return fmt::format(R"(label_replace(max({}), "{}", "{}", "", ""))", expression, kPartLabel, name);
}

std::vector<std::optional<double>> part_of(std::string_view name, const TimeGrid& grid,
                                           const std::vector<MatrixSeries>& series) {
  std::vector<MatrixSeries> found;
  for (const auto& one : series) {
    if (one.labels.get(kPartLabel) == name) found.push_back(one);
  }
  return on_grid(grid, found);
}

}  // namespace

TimeGrid record_grid(const TimeGrid& curve, std::int64_t now_s) {
  const std::int64_t apart = std::max(kFinestS, (now_s - curve.start_s) / kPointsMax);
  // As many parts as divide a step, each a multiple of 15 s, as steps are.
  std::int64_t parts = std::max<std::int64_t>(1, curve.step_s / apart);
  while (curve.step_s % parts != 0 || (curve.step_s / parts) % kFinestS != 0) --parts;
  const std::int64_t step = curve.step_s / parts;
  return TimeGrid{curve.start_s, now_s / step * step, step};
}

std::string node_record_query(const CustomerId& customer, const NodeId& node,
                              const TimeGrid& grid) {
  // Ids hold no character that PromQL would need escaped.
  const auto whose = fmt::format(R"(customer_id="{}")", customer.text());
  // These series end with what they tell of.
  const auto scraped = [&](std::string_view metric, std::string_view job) {
    return fmt::format(R"(max_over_time({}{{job="{}",{}}}[{}s]))", metric, job, whose,
                       std::max(grid.step_s, kScrapedWindowS));
  };
  // A node that never lived is not down: its series bear the label waiting.
  const auto up =
      fmt::format(R"({}_over_time(up{{job="customer-agents",waiting="",{},node_id="{}"}}[{}s]))",
                  grid.step_s < kUpWindowS ? "last" : "avg", whose, node.text(),
                  std::max(grid.step_s, kUpWindowS));
  return part("up", up) + " or " +
         part("unseen", scraped("vigia_monitor_customer_is_unseen", "vigia-monitor")) + " or " +
         part("shut", scraped("vigia_memory_shut_out", "otel-collector"));
}

std::string own_record_query(const TimeGrid& grid, Duration interval) {
  // The newest record where points lie closer than records, else the worst of them.
  const std::int64_t least = kEvaluations * seconds_of(interval);
  const auto worst = [&](std::string_view metric) {
    const auto ours = fmt::format(R"({}{{customer_id=""}})", metric);
    return grid.step_s < least ? fmt::format("last_over_time({}[{}s])", ours, least)
                               : fmt::format("max_over_time({}[{}s])", ours, grid.step_s);
  };
  return part(kRecorded, worst("vigia:own_part_away")) + " or " +
         part("asking", worst("vigia:asking_part_away"));
}

std::optional<double> Record::up_share(std::int64_t from_s, std::int64_t to_s) const {
  double sum = 0;
  double points = 0;
  for (std::size_t i = 0; i < up.size(); ++i) {
    const std::int64_t at = grid.start_s + static_cast<std::int64_t>(i) * grid.step_s;
    if (at <= from_s || at > to_s || !up[i]) continue;
    sum += *up[i];
    ++points;
  }
  return points > 0 ? std::optional(sum / points) : std::nullopt;
}

Record read_record(const TimeGrid& grid, const std::vector<MatrixSeries>& series) {
  Record record;
  record.grid = grid;
  record.up = part_of("up", grid, series);
  const auto recorded = part_of(kRecorded, grid, series);
  std::vector<bool> is_away(recorded.size(), false);
  for (const auto name : kAwayParts) {
    const auto values = part_of(name, grid, series);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i].value_or(0) > 0) is_away[i] = true;
    }
  }
  bool has_begun = false;
  for (std::size_t i = 0; i < is_away.size(); ++i) {
    has_begun = has_begun || recorded[i].has_value();
    if (!is_away[i] && (recorded[i] || !has_begun)) continue;
    const std::int64_t to = grid.start_s + static_cast<std::int64_t>(i) * grid.step_s;
    const std::int64_t from = to - grid.step_s;
    if (!record.outages.empty() && record.outages.back().to_s == from) {
      record.outages.back().to_s = to;
    } else {
      record.outages.push_back(TimeRange{from, to});
    }
  }
  return record;
}

double outage_share(const std::vector<TimeRange>& outages, std::int64_t from_s, std::int64_t to_s,
                    std::int64_t slack_s) {
  if (to_s <= from_s) return 0;
  std::int64_t covered = 0;
  std::int64_t reached = from_s;  // two outages with their slack may overlap
  for (const auto& outage : outages) {
    const std::int64_t begin = std::max(reached, outage.from_s - slack_s);
    const std::int64_t end = std::min(to_s, outage.to_s + slack_s);
    if (end <= begin) continue;
    covered += end - begin;
    reached = end;
  }
  return static_cast<double>(covered) / static_cast<double>(to_s - from_s);
}

std::int64_t outage_slack_s(Duration interval) {
  constexpr std::int64_t kScrapeS = 15;
  constexpr std::int64_t kSampleS = 15;
  return kScrapeS + kSampleS + seconds_of(interval);
}

Result<RangeAnswer> OwnRecords::of(const TimeGrid& grid) {
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& kept : kept_) {
      if (kept.grid == grid) return kept.answer;
    }
  }
  auto answer = router_.range_of_all(own_record_query(grid, interval_), grid);
  // One that lacks something is asked for again.
  if (!answer || !answer->warnings.empty()) return answer;
  const std::scoped_lock lock(mutex_);
  kept_.push_back(Kept{grid, *answer});
  if (kept_.size() > kOwnRecordsMax) kept_.pop_front();
  return answer;
}

}  // namespace vigia::monitor::live
