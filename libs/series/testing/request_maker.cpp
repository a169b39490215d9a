#include "libs/series/testing/request_maker.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include <fmt/format.h>

namespace vigia::series {
namespace {

namespace pb = opentelemetry::proto;
using namespace std::string_view_literals;

constexpr std::uint64_t kTimeNs = 1'800'000'000'123'000'000ULL;

constexpr std::array kWords{"http"sv,   "server"sv, "duration"sv, "seconds"sv, "bytes"sv, "total"sv,
                            "ratio"sv,  "per"sv,    "second"sv,   "1st"sv,     "9x"sv,    "Größe"sv,
                            "данные"sv, "温度"sv,   "🔥"sv,       "up"sv,      "a"sv,     "x:y"sv,
                            "info"sv,   "bucket"sv, "count"sv,    "sum"sv,     "_"sv,     "%"sv,
                            "vigia"sv,  "scrape"sv, "agent"sv,    "by ms"sv,   "m"sv,     "s"sv};
constexpr std::array kJoints{"."sv, "_"sv, "-"sv, "/"sv, ".."sv, "__"sv, ""sv, " "sv};
constexpr std::array kUnits{""sv,    "1"sv,       "s"sv,      "ms"sv,          "By"sv,  "By/s"sv,
                            "m/s"sv, "%"sv,       "{x}"sv,    "{request}/s"sv, "V"sv,   "Cel"sv,
                            "foo"sv, "foo.bar"sv, "1/s"sv,    "_x_"sv,         "d/w"sv, "/s"sv,
                            " s "sv, "KiBy"sv,    "req/{x}"sv};
constexpr std::array kKeys{
    "http.route"sv,   "http_route"sv, "http/route"sv, "a"sv,        "a.b"sv,      "a_b"sv,
    "_private"sv,     "__reserved"sv, "__name__"sv,   "9x"sv,       "ключ"sv,     "key"sv,
    "le"sv,           "quantile"sv,   "job"sv,        "instance"sv, "severity"sv, "a..b"sv,
    "service.name"sv, "name"sv,       "version"sv,    "x y"sv,      "_"sv,        "..."sv};

}  // namespace

double RequestMaker::number() {
  switch (below(12)) {
    case 0:
      return std::numeric_limits<double>::infinity();
    case 1:
      return std::nan("");
    case 2:
      return 0;
    case 3:
      return 1e21;
    case 4:
      return -1.5e-7;
    default:
      return static_cast<double>(below(2'000'000)) / 64 - 1000;
  }
}

std::string RequestMaker::name() {
  std::string text;
  const std::uint64_t words = 1 + below(4);
  for (std::uint64_t i = 0; i < words; ++i) {
    if (i > 0 || one_in(12)) text += any_of(kJoints);
    text += any_of(kWords);
  }
  if (one_in(20)) text += any_of(kJoints);
  return text;
}

void RequestMaker::add_value(pb::common::v1::AnyValue& value, int depth) {
  switch (below(depth > 0 ? 10 : 8)) {
    case 0:
      value.set_int_value(static_cast<std::int64_t>(chance_()));
      break;
    case 1:
      value.set_bool_value(one_in(2));
      break;
    case 2:
      value.set_double_value(number());
      break;
    case 3:
      value.set_bytes_value(
          std::string("\x00\xff"
                      "ab",
                      below(5)));
      break;
    case 8: {
      auto* array = value.mutable_array_value();
      for (std::uint64_t i = below(3); i > 0; --i) add_value(*array->add_values(), depth - 1);
      break;
    }
    case 9: {
      auto* list = value.mutable_kvlist_value();
      std::set<std::string> keys;
      for (std::uint64_t i = below(4); i > 0; --i) keys.emplace(any_of(kKeys));
      for (const std::string& key : keys) {
        auto* entry = list->add_values();
        entry->set_key(key);
        add_value(*entry->mutable_value(), depth - 1);
      }
      break;
    }
    default:
      value.set_string_value(one_in(9) ? "" : fmt::format("v{}\"\\{}", below(4), any_of(kJoints)));
  }
}

void RequestMaker::add_attributes(Attributes& attributes, std::uint64_t most) {
  std::set<std::string> keys;  // each once: senders must not repeat one
  for (std::uint64_t i = below(most + 1); i > 0; --i) keys.emplace(any_of(kKeys));
  for (const std::string& key : keys) {
    auto* entry = attributes.Add();
    entry->set_key(key);
    add_value(*entry->mutable_value(), 2);
  }
}

template <typename Point>
void RequestMaker::begin_point(Point& point) {
  point.set_time_unix_nano(kTimeNs + below(1000) * 1'000'000);
  if (one_in(2)) point.set_start_time_unix_nano(kTimeNs - 60'000'000'000ULL);
  if (one_in(15)) point.set_flags(1);
  add_attributes(*point.mutable_attributes(), 4);
}

template <typename Point>
void RequestMaker::add_exemplars(Point& point) {
  if (!one_in(4)) return;
  for (std::uint64_t i = 1 + below(3); i > 0; --i) {
    auto* exemplar = point.add_exemplars();
    exemplar->set_as_double(static_cast<double>(below(64)) / 4);
    exemplar->set_time_unix_nano(kTimeNs - i * 1'000'000'000ULL);
    exemplar->set_trace_id(std::string(16, static_cast<char>('a' + below(20))));
    exemplar->set_span_id(std::string(8, static_cast<char>('a' + below(20))));
    if (!one_in(3)) continue;
    auto* entry = exemplar->add_filtered_attributes();
    entry->set_key(std::string(any_of(kKeys)));
    entry->mutable_value()->set_string_value("x");
  }
}

void RequestMaker::add_number(pb::metrics::v1::NumberDataPoint& point) {
  begin_point(point);
  if (one_in(2))
    point.set_as_int(static_cast<std::int64_t>(chance_()));
  else
    point.set_as_double(number());
  add_exemplars(point);
}

void RequestMaker::add_histogram(pb::metrics::v1::Histogram& histogram) {
  histogram.set_aggregation_temporality(one_in(20)
                                            ? pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA
                                            : pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto* point = histogram.add_data_points();
  begin_point(*point);
  double bound = -2;
  std::uint64_t count = 0;
  const std::uint64_t bounds = below(6);
  for (std::uint64_t i = 0; i < bounds; ++i)
    point->add_explicit_bounds(bound += static_cast<double>(1 + below(16)) / 4);
  if (bounds > 0 && one_in(15))
    point->set_explicit_bounds(static_cast<int>(bounds) - 1,
                               std::numeric_limits<double>::infinity());
  for (std::uint64_t i = 0; bounds > 0 && i <= bounds; ++i) {
    point->add_bucket_counts(below(9));
    count += point->bucket_counts(static_cast<int>(i));
  }
  point->set_count(one_in(10) ? count + 1 : count);
  if (!one_in(6)) point->set_sum(number());
  add_exemplars(*point);
}

void RequestMaker::add_exponential(pb::metrics::v1::ExponentialHistogram& histogram) {
  histogram.set_aggregation_temporality(one_in(20)
                                            ? pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA
                                            : pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto* point = histogram.add_data_points();
  begin_point(*point);
  point->set_scale(static_cast<std::int32_t>(below(18)) - 6);
  std::uint64_t count = below(3);
  point->set_zero_count(count);
  if (one_in(6)) point->set_zero_threshold(0.25);
  for (auto* side : {point->mutable_positive(), point->mutable_negative()}) {
    if (one_in(3)) continue;
    side->set_offset(static_cast<std::int32_t>(below(60)) - 30);
    for (std::uint64_t i = below(30); i > 0; --i) {
      const std::uint64_t inside = one_in(3) ? 0 : below(9);
      side->add_bucket_counts(inside);
      count += inside;
    }
  }
  point->set_count(one_in(15) ? count + 1 : count);
  if (!one_in(6)) point->set_sum(number());
  add_exemplars(*point);
}

void RequestMaker::add_summary(pb::metrics::v1::Summary& summary) {
  auto* point = summary.add_data_points();
  begin_point(*point);
  point->set_count(below(100));
  point->set_sum(number());
  std::set<double> quantiles;
  for (std::uint64_t i = below(4); i > 0; --i)
    quantiles.insert(one_in(25) ? 1.5 : static_cast<double>(below(101)) / 100);
  for (const double quantile : quantiles) {
    auto* value = point->add_quantile_values();
    value->set_quantile(quantile);
    value->set_value(number());
  }
}

void RequestMaker::add_metric(pb::metrics::v1::ScopeMetrics& scope) {
  auto* metric = scope.add_metrics();
  metric->set_name(name());
  metric->set_unit(std::string(any_of(kUnits)));
  switch (below(6)) {
    case 0:
      add_number(*metric->mutable_gauge()->add_data_points());
      break;
    case 1:
    case 2: {
      auto* sum = metric->mutable_sum();
      sum->set_is_monotonic(!one_in(3));
      sum->set_aggregation_temporality(one_in(20)
                                           ? pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA
                                           : pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
      add_number(*sum->add_data_points());
      break;
    }
    case 3:
      add_histogram(*metric->mutable_histogram());
      break;
    case 4:
      add_exponential(*metric->mutable_exponential_histogram());
      break;
    default:
      add_summary(*metric->mutable_summary());
  }
}

std::string RequestMaker::make() {
  pb::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto* resource = request.add_resource_metrics();
  auto& attributes = *resource->mutable_resource()->mutable_attributes();
  const auto set = [&attributes](const char* key, const std::string& value) {
    auto* entry = attributes.Add();
    entry->set_key(key);
    entry->mutable_value()->set_string_value(value);
  };
  set("customer.id", "cliente-a");
  if (!one_in(5)) set("service.name", "shop");
  if (one_in(3)) set("service.namespace", one_in(8) ? "" : "web");
  if (one_in(2)) set("service.instance.id", "i-1");
  if (one_in(2)) set("node.id", "n1");
  if (one_in(3)) set("host.name", "h");
  if (one_in(4)) set("a.b", "1");
  if (one_in(4)) set("a/b", "2");
  if (one_in(8)) set("__x", "3");
  if (one_in(8)) set("service_name", "literal");
  auto* scope = resource->add_scope_metrics();
  if (!one_in(4)) scope->mutable_scope()->set_name("lib");
  if (one_in(2)) scope->mutable_scope()->set_version("1.2");
  if (one_in(3)) scope->set_schema_url("https://example.com/1");
  if (one_in(3)) add_attributes(*scope->mutable_scope()->mutable_attributes(), 3);
  add_metric(*scope);
  return request.SerializeAsString();
}

}  // namespace vigia::series
