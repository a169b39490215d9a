#include "services/monitor/live/node_metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "libs/json/writer.hpp"
#include "services/monitor/live/down_time.hpp"
#include "services/monitor/live/own_outages.hpp"

namespace vigia::monitor::live {
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

constexpr std::int64_t kRollupMs = 300'000;
// Steps that are longer are followed by one that is not over yet.
constexpr std::int64_t kFineStepS = 15;
constexpr std::string_view kPartLabel = "part";

void write_column(std::string_view name, const std::vector<std::optional<double>>& values,
                  json::JsonWriter& writer) {
  writer.key(name).begin_array();
  for (const auto& value : values) value ? writer.number(*value) : writer.null();
  writer.end_array();
}

void write_measure(const std::string& name, const Measure& measure, json::JsonWriter& writer) {
  write_column(name + "_percent", measure.average, writer);
  write_column(name + "_minimum", measure.minimum, writer);
  write_column(name + "_maximum", measure.maximum, writer);
}

void write_summary(std::string_view name, const std::optional<RangeSummary>& summary,
                   json::JsonWriter& writer) {
  writer.key(name);
  if (!summary) {
    writer.null();
    return;
  }
  writer.begin_object()
      .member_number("minimum", summary->minimum)
      .member_number("average", summary->average)
      .member_number("maximum", summary->maximum)
      .end_object();
}

// What down_time.hpp makes of each step, by samples and by the hot store's record.
std::vector<StepJudgement> judge(const NodeCurves& curves, const CurveAsk& ask,
                                 const Record& record, std::int64_t slack_s) {
  std::vector<StepFacts> steps(curves.times.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto to = curves.times[i];
    const auto from = i == 0 ? to - ask.grid.step_s : curves.times[i - 1];
    const auto known_from = std::clamp(ask.known_from_ms / 1000, from, to);
    const double known = static_cast<double>(to - known_from) / static_cast<double>(to - from);
    steps[i] = {to - from, curves.samples[i].value_or(0), record.up_share(from, to),
                known * outage_share(record.outages, known_from, to, slack_s)};
  }
  return judge_steps(steps);
}

void write_judgements(const std::vector<StepJudgement>& judged, json::JsonWriter& writer) {
  writer.key("down_share").begin_array();
  for (const auto& one : judged) one.down ? writer.number(*one.down) : writer.null();
  writer.end_array().key("outage_share").begin_array();
  for (const auto& one : judged) writer.number(one.outage);
  writer.end_array();
}

void write_outages(const std::vector<TimeRange>& outages, json::JsonWriter& writer) {
  writer.key("outages").begin_array();
  for (const auto& one : outages) {
    writer.begin_object()
        .member_time("from", one.from_s * 1000)
        .member_time("to", one.to_s * 1000)
        .end_object();
  }
  writer.end_array();
}

std::map<std::string, double, std::less<>> parts_of(const std::vector<VectorSample>& samples) {
  std::map<std::string, double, std::less<>> parts;
  for (const auto& sample : samples) {
    if (std::isfinite(sample.value)) {
      parts.emplace(sample.labels.get(kPartLabel), sample.value);
    }
  }
  return parts;
}

/// What router and stores said of an answer beside its values.
struct Remarks {
  std::string served;
  std::vector<std::string> warnings;

  void add(const std::string& by, const std::vector<std::string>& more) {
    if (!by.empty() && served.find(by) == std::string::npos) {
      served += (served.empty() ? "" : "; ") + by;
    }
    for (const auto& warning : more) {
      if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
        warnings.push_back(warning);
      }
    }
  }
};

}  // namespace

std::optional<TimeGrid> grid_of(std::string_view range, std::int64_t now_ms) {
  for (const auto& one : kRanges) {
    if (one.range != range) continue;
    // On a multiple of the step, so that the same curve asked for again has the same points, and
    // each of them is made of whole roll-ups.
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
      // Off the grid there is no place for it. JSON has no word for NaN and infinity.
      if (offset < 0 || offset % grid.step_s != 0 || !std::isfinite(value)) continue;
      const auto index = static_cast<std::size_t>(offset / grid.step_s);
      if (index < steps) values[index] = value;
    }
  }
  return values;
}

std::string curve_query(const CustomerId& customer, const NodeId& node, std::int64_t window_ms) {
  // Ids hold no character that PromQL would need escaped.
  const auto who = fmt::format(R"(customer_id="{}",node_id="{}")", customer.text(), node.text());
  // An aligned sample lies in one window only: those of Prometheus 2 are closed at both ends. Long
  // windows stay whole, as roll-ups are.
  const auto window = fmt::format("[{}ms]", window_ms < kRollupMs ? window_ms - 1 : window_ms);
  const auto part = [](std::string_view name, const std::string& expression) {
    return fmt::format(R"(label_replace({}, "{}", "{}", "", ""))", expression, kPartLabel, name);
  };
  const auto over = [&](std::string_view name, std::string_view metric, std::string_view by,
                        std::string_view function) {
    return part(name,
                fmt::format("{}({}_over_time({}{{{}}}{}))", by, function, metric, who, window));
  };
  constexpr std::string_view kCpu = "system_cpu_usage";
  constexpr std::string_view kMemory = "system_memory_usage_percent";
  std::string query = over("cpu_average", kCpu, "avg", "avg");
  for (const auto& more :
       {over("cpu_minimum", kCpu, "min", "min"), over("cpu_maximum", kCpu, "max", "max"),
        over("samples", kCpu, "max", "count"), over("memory_average", kMemory, "avg", "avg"),
        over("memory_minimum", kMemory, "min", "min"),
        over("memory_maximum", kMemory, "max", "max")}) {
    query += " or " + more;
  }
  return query;
}

NodeCurves read_curves(const TimeGrid& grid, const std::vector<MatrixSeries>& series) {
  const auto part = [&](std::string_view name) {
    std::vector<MatrixSeries> found;
    for (const auto& one : series) {
      if (one.labels.get(kPartLabel) == name) found.push_back(one);
    }
    return on_grid(grid, found);
  };
  NodeCurves curves;
  for (auto time = grid.start_s; time <= grid.end_s; time += grid.step_s) {
    curves.times.push_back(time);
  }
  curves.cpu = {part("cpu_average"), part("cpu_minimum"), part("cpu_maximum")};
  curves.memory = {part("memory_average"), part("memory_minimum"), part("memory_maximum")};
  curves.samples = part("samples");
  return curves;
}

void NodeCurves::append(std::int64_t time_s,
                        const std::map<std::string, double, std::less<>>& parts) {
  const auto value = [&](std::string_view name) {
    const auto found = parts.find(name);
    return found == parts.end() ? std::nullopt : std::optional(found->second);
  };
  times.push_back(time_s);
  cpu.average.push_back(value("cpu_average"));
  cpu.minimum.push_back(value("cpu_minimum"));
  cpu.maximum.push_back(value("cpu_maximum"));
  memory.average.push_back(value("memory_average"));
  memory.minimum.push_back(value("memory_minimum"));
  memory.maximum.push_back(value("memory_maximum"));
  samples.push_back(value("samples"));
}

std::optional<RangeSummary> summary_of(const Measure& measure,
                                       const std::vector<std::optional<double>>& samples) {
  std::optional<RangeSummary> summary;
  double weights = 0;
  double sum = 0;
  for (std::size_t i = 0; i < measure.average.size(); ++i) {
    const auto& average = measure.average[i];
    if (!average) continue;
    const double lowest = measure.minimum[i].value_or(*average);
    const double highest = measure.maximum[i].value_or(*average);
    if (!summary) summary = RangeSummary{lowest, 0, highest};
    summary->minimum = std::min(summary->minimum, lowest);
    summary->maximum = std::max(summary->maximum, highest);
    // By samples: a step in which the node was down for half of the time counts half.
    const double weight = samples[i].value_or(1);
    weights += weight;
    sum += *average * weight;
  }
  if (summary && weights > 0) summary->average = sum / weights;
  return summary;
}

namespace {

/// What the router's stores have of the curves, with the step that is not over.
Result<NodeCurves> ask_curves(const CurveAsk& ask, RouterQueries& router, Remarks& remarks) {
  const auto& grid = ask.grid;
  auto answer =
      router.range(ask.customer, curve_query(ask.customer, ask.node, grid.step_s * 1000), grid);
  if (!answer) return forward(answer);
  remarks.add(answer->served, answer->warnings);
  auto curves = read_curves(grid, answer->series);
  const auto now_s = ask.now_ms / 1000;
  if (grid.step_s > kFineStepS && now_s > grid.end_s) {
    const auto query = curve_query(ask.customer, ask.node, (now_s - grid.end_s) * 1000);
    auto newest = router.instant_of(ask.customer, query, now_s);
    if (newest) {
      remarks.add(newest->served, newest->warnings);
      curves.append(now_s, parts_of(newest->samples));
    } else {
      remarks.add("", {"newest part missing: the router does not answer"});
    }
  }
  return curves;
}

Record ask_record(const CurveAsk& ask, const CurveSources& sources, Remarks& remarks) {
  const auto grid = record_grid(ask.grid, ask.now_ms / 1000);
  auto of_node =
      sources.router.range(ask.customer, node_record_query(ask.customer, ask.node, grid), grid);
  auto ours = sources.own_records.of(grid);
  if (!of_node || !ours) {
    remarks.add("", {"down times missing: the router does not answer"});
    return {};
  }
  remarks.add("", of_node->warnings);
  remarks.add("", ours->warnings);
  auto series = std::move(of_node->series);
  series.insert(series.end(), ours->series.begin(), ours->series.end());
  return read_record(grid, series);
}

}  // namespace

Result<std::string> write_node_metrics(const CurveAsk& ask, const CurveSources& sources) {
  Remarks remarks;
  auto curves = ask_curves(ask, sources.router, remarks);
  if (!curves) return forward(curves);
  const auto record = ask_record(ask, sources, remarks);
  json::JsonWriter writer;
  writer.begin_object()
      .member("customer_id", ask.customer.text())
      .member("node_id", ask.node.text())
      .member_time("from", ask.grid.start_s * 1000)
      .member_time("to", curves->times.back() * 1000)
      .member("step_seconds", ask.grid.step_s);
  writer.key("times").begin_array();
  for (const auto time : curves->times) writer.integer(time);
  writer.end_array();
  write_measure("cpu", curves->cpu, writer);
  write_measure("memory", curves->memory, writer);
  write_judgements(judge(*curves, ask, record, outage_slack_s(sources.own_records.interval())),
                   writer);
  write_outages(record.outages, writer);
  write_summary("cpu_summary", summary_of(curves->cpu, curves->samples), writer);
  write_summary("memory_summary", summary_of(curves->memory, curves->samples), writer);
  writer.member("served", remarks.served).key("warnings").begin_array();
  for (const auto& warning : remarks.warnings) writer.string(warning);
  writer.end_array().end_object();
  return writer.take();
}

}  // namespace vigia::monitor::live
