#include "services/monitor/live/node_metrics.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "services/monitor/json/json.hpp"

namespace vigia::monitor {
namespace {

struct RangeStep {
  std::string_view range;
  std::int64_t seconds;
  std::int64_t step;
};

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr auto kRanges = std::to_array<RangeStep>({{"15m", 15 * 60, 15},
                                                   {"1h", kHour, 15},
                                                   {"6h", 6 * kHour, 60},
                                                   {"24h", kDay, 300},
                                                   {"7d", 7 * kDay, 1800},
                                                   {"30d", 30 * kDay, 2 * kHour},
                                                   {"90d", 90 * kDay, 6 * kHour},
                                                   {"1y", 365 * kDay, kDay},
                                                   {"2y", 730 * kDay, 2 * kDay}});

void write_column(std::string_view name, const std::vector<std::optional<double>>& values,
                  JsonWriter& writer) {
  writer.key(name).begin_array();
  for (const auto& value : values) value ? writer.number(*value) : writer.null();
  writer.end_array();
}

}  // namespace

std::optional<TimeGrid> grid_of(std::string_view range, std::int64_t now_ms) {
  for (const auto& one : kRanges) {
    if (one.range != range) continue;
    const std::int64_t end = now_ms / 1000 / one.step * one.step;
    return TimeGrid{end - one.seconds, end, one.step};
  }
  return std::nullopt;
}

std::vector<std::optional<double>> on_grid(const TimeGrid& grid,
                                           const std::vector<MatrixSeries>& series) {
  const auto steps = static_cast<std::size_t>((grid.end_s - grid.start_s) / grid.step_s + 1);
  std::vector<std::optional<double>> values(steps);
  for (const auto& one : series) {
    for (const auto& [time, value] : one.points) {
      const auto offset = std::llround(time) - grid.start_s;
      if (offset < 0 || offset % grid.step_s != 0 || !std::isfinite(value)) continue;
      const auto index = static_cast<std::size_t>(offset / grid.step_s);
      if (index < steps) values[index] = value;
    }
  }
  return values;
}

Result<std::string> write_node_metrics(const CustomerId& customer, const NodeId& node,
                                       const TimeGrid& grid, RouterQueries& router) {
  // Ids hold no character that PromQL would need escaped.
  const auto query = [&](std::string_view name) {
    return fmt::format(R"(avg({}{{customer_id="{}",node_id="{}"}}))", name, customer.text(),
                       node.text());
  };
  auto cpu = router.range(customer, query("system_cpu_usage"), grid);
  if (!cpu) return forward(cpu);
  auto memory = router.range(customer, query("system_memory_usage_percent"), grid);
  if (!memory) return forward(memory);
  JsonWriter writer;
  writer.begin_object()
      .member("customer_id", customer.text())
      .member("node_id", node.text())
      .member_time("from", grid.start_s * 1000)
      .member_time("to", grid.end_s * 1000)
      .member("step_seconds", grid.step_s);
  writer.key("times").begin_array();
  for (auto time = grid.start_s; time <= grid.end_s; time += grid.step_s) writer.integer(time);
  writer.end_array();
  write_column("cpu_percent", on_grid(grid, cpu->series), writer);
  write_column("memory_percent", on_grid(grid, memory->series), writer);
  writer.member("served", cpu->served).key("warnings").begin_array();
  for (const auto& warning : cpu->warnings) writer.string(warning);
  for (const auto& warning : memory->warnings) writer.string(warning);
  writer.end_array().end_object();
  return writer.take();
}

}  // namespace vigia::monitor
