#include "services/router/api/loki/list_answers.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "libs/json/writer.hpp"
#include "libs/logql/parser.hpp"
#include "services/router/api/loki/answer.hpp"
#include "services/router/api/loki/metric_run.hpp"

namespace vigia::router::api::loki {
namespace {

using logql::metrics::MetricAnswer;
using logql::metrics::MetricPoint;
using vigia::json::JsonWriter;

constexpr std::int64_t kNsPerMs = 1'000'000;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) words.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

/// No stream has another label, and each is summed up once however often it is named.
std::vector<std::string> of_streams(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const std::string_view name : kStreamLabels) {
    const bool is_named = std::find(names.begin(), names.end(), name) != names.end();
    if (is_named) known.emplace_back(name);
  }
  return known;
}

/// Names of the matchers that ask for something; of none all labels of streams.
Result<std::vector<std::string>> asked_labels(const std::string& query) {
  std::vector<std::string> names;
  if (!query.empty() && query != "{}") {
    const auto selectors = logql::parse_stream_selectors({query});
    if (!selectors) return forward(selectors);
    for (const Matcher& matcher : selectors->front().matchers) names.push_back(matcher.name);
  }
  std::erase(names, kCustomerLabel);
  if (names.empty()) names.assign(kStreamLabels.begin(), kStreamLabels.end());
  return names;
}

Result<std::size_t> read_sum_limit(const request::Parameters& parameters) {
  const auto text = parameters.single("limit");
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return std::size_t{100};
  std::size_t limit = 0;
  const char* end = (*text)->data() + (*text)->size();
  const auto [stop, failure] = std::from_chars((*text)->data(), end, limit);
  if (failure == std::errc{} && stop == end && limit > 0) return limit;
  return fail(ErrorCode::kInvalid, "limit must be a positive value");
}

using Sums = std::map<Labels, std::map<std::uint64_t, std::uint64_t>>;  ///< by window

void add(Sums& sums, Labels labels, const StreamCounts& counts, bool are_windows) {
  auto& sum = sums[std::move(labels)];
  if (!are_windows) sum[0] += counts.bytes;
  for (const auto& [number, amounts] : counts.windows) {
    if (number > 0) sum[number] += amounts.bytes;
  }
}

Sums sums_of(const StreamList& list, const VolumeWish& wish) {
  Sums sums;
  for (const auto& [labels, counts] : list.streams) {
    std::vector<Label> wanted;
    for (const std::string& name : wish.labels) {
      const std::string_view value = labels.get(name);
      if (value.empty()) continue;
      wanted.push_back({name, std::string(value)});
      // By a name alone: {"level":""}, which no Labels can hold, since an empty label is none.
      if (wish.is_by_name)
        add(sums, Labels::from({{name, name}}), counts, wish.windows.has_value());
    }
    if (!wish.is_by_name && !wanted.empty()) {
      add(sums, Labels::from(std::move(wanted)), counts, wish.windows.has_value());
    }
  }
  return sums;
}

std::uint64_t total_of(const std::map<std::uint64_t, std::uint64_t>& sum) {
  std::uint64_t total = 0;
  for (const auto& [number, bytes] : sum) total += bytes;
  return total;
}

void append_sample(JsonWriter& body, std::int64_t time_ms, std::uint64_t bytes) {
  body.begin_array().number(static_cast<double>(time_ms) / 1'000);
  body.string(std::to_string(bytes)).end_array();
}

void append_sum(JsonWriter& body, const Sums::value_type& sum, const VolumeWish& wish) {
  body.begin_object().key("metric").begin_object();
  for (const Label& label : sum.first) body.member(label.name, wish.is_by_name ? "" : label.value);
  body.end_object();
  if (!wish.windows) {
    body.key("value");
    append_sample(body, wish.end_ns / kNsPerMs, total_of(sum.second));
  } else {
    body.key("values").begin_array();
    for (const auto& [number, bytes] : sum.second) {
      // Of the steps from start on: a window is told by its beginning.
      const std::int64_t begin_ns = wish.windows->origin_ns + 1 +
                                    static_cast<std::int64_t>(number - 1) * wish.windows->width_ns;
      append_sample(body, begin_ns / kNsPerMs, bytes);
    }
    body.end_array();
  }
  body.end_object();
}

}  // namespace

void append_warnings(JsonWriter& body, const std::vector<std::string>& warnings) {
  if (warnings.empty()) return;
  body.key("warnings").begin_array();
  for (const std::string& warning : warnings) body.string(warning);
  body.end_array();
}

net::Response stats_answer(const StreamList& list) {
  StreamCounts all;
  for (const auto& [labels, counts] : list.streams) {
    all.lines += counts.lines;
    all.bytes += counts.bytes;
  }
  JsonWriter body;
  body.begin_object().member("streams", static_cast<std::int64_t>(list.streams.size()));
  body.member("chunks", std::int64_t{0});  // storage keeps lines in none
  body.member("entries", static_cast<std::int64_t>(all.lines));
  body.member("bytes", static_cast<std::int64_t>(all.bytes));
  return json_answer(body.end_object().take());
}

net::Response series_answer(const StreamList& list) {
  JsonWriter body;
  body.begin_object().member("status", "success").key("data").begin_array();
  for (const auto& [labels, counts] : list.streams) {
    body.begin_object();
    for (const Label& label : labels) body.member(label.name, label.value);
    body.end_object();
  }
  body.end_array();
  append_warnings(body, list.warnings);
  return json_answer(body.end_object().take());
}

net::Response names_answer(const StreamList& list) {
  std::set<std::string> names;
  for (const auto& [labels, counts] : list.streams) {
    for (const Label& label : labels) names.insert(label.name);
  }
  return texts_answer({names.begin(), names.end()}, list.warnings);
}

net::Response values_answer(const StreamList& list, const std::string& name) {
  std::set<std::string> values;
  for (const auto& [labels, counts] : list.streams) {
    const std::string_view value = labels.get(name);
    if (!value.empty()) values.emplace(value);
  }
  return texts_answer({values.begin(), values.end()}, list.warnings);
}

net::Response detected_labels_answer(const StreamList& list) {
  std::map<std::string, std::set<std::string_view>> values;
  for (const auto& [labels, counts] : list.streams) {
    for (const Label& label : labels) values[label.name].insert(label.value);
  }
  JsonWriter body;
  body.begin_object().key("detectedLabels").begin_array();
  for (const auto& [name, texts] : values) {
    body.begin_object().member("label", name);
    body.member("cardinality", static_cast<std::int64_t>(texts.size())).end_object();
  }
  body.end_array();
  append_warnings(body, list.warnings);
  return json_answer(body.end_object().take());
}

Result<VolumeWish> read_volume_wish(const request::Parameters& parameters, const LogRange& range,
                                    bool is_instant) {
  VolumeWish wish;
  wish.end_ns = range.end_ns;
  const auto by = parameters.single("aggregateBy");
  if (!by) return forward(by);
  const std::string word = by->value_or("");
  if (!word.empty() && word != "series" && word != "labels") {
    return fail(ErrorCode::kInvalid, "invalid aggregateBy: it is series or labels");
  }
  wish.is_by_name = word == "labels";
  const auto limit = read_sum_limit(parameters);
  if (!limit) return forward(limit);
  wish.limit = *limit;
  const auto targets = parameters.single("targetLabels");
  if (!targets) return forward(targets);
  wish.labels = words_of(targets->value_or(""));
  if (wish.labels.empty()) {
    const auto query = parameters.single("query");
    if (!query) return forward(query);
    auto names = asked_labels(query->value_or(""));
    if (!names) return forward(names);
    wish.labels = std::move(*names);
  }
  wish.labels = of_streams(wish.labels);
  if (is_instant) return wish;
  const auto step = read_step(parameters, range);
  if (!step) return forward(step);
  if ((range.end_ns - range.start_ns) / step->count() >= kPointsMax) {
    return fail(ErrorCode::kInvalid, "more than 11,000 steps: give a longer step");
  }
  wish.steps = static_cast<std::uint64_t>((range.end_ns - range.start_ns) / step->count()) + 1;
  // Windows are open on the left.
  wish.windows = CountWindows{std::max<std::int64_t>(range.start_ns - 1, 0), step->count()};
  return wish;
}

Result<net::Response> volume_answer(const StreamList& list, const VolumeWish& wish,
                                    const access::QueryLimits& limits) {
  const Sums sums = sums_of(list, wish);
  std::vector<const Sums::value_type*> largest;
  for (const auto& sum : sums) largest.push_back(&sum);
  std::stable_sort(largest.begin(), largest.end(), [](const auto* left, const auto* right) {
    return total_of(left->second) > total_of(right->second);
  });
  if (largest.size() > wish.limit) largest.resize(wish.limit);
  if (auto may = limits.check_series(largest.size()); !may) return forward(may);
  JsonWriter body;
  body.begin_object().member("status", "success").key("data").begin_object();
  body.member("resultType", wish.windows ? "matrix" : "vector").key("result").begin_array();
  for (const auto* sum : largest) append_sum(body, *sum, wish);
  body.end_array().end_object();
  append_warnings(body, list.warnings);
  return json_answer(body.end_object().take());
}

}  // namespace vigia::router::api::loki
