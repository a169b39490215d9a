#include "libs/wire/prometheus/names.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace vigia::wire::prometheus {
namespace {

std::string gauge(std::string_view name, std::string_view unit) {
  return metric_name({.name = name, .unit = unit, .is_gauge = true});
}
std::string counter(std::string_view name, std::string_view unit) {
  return metric_name({.name = name, .unit = unit, .is_counter = true});
}
std::string other(std::string_view name, std::string_view unit) {
  return metric_name({.name = name, .unit = unit});
}

// R-PM-2, C06.
TEST(MetricName, FollowsTheTable) {
  EXPECT_EQ(other("http.server.request.duration", "s"), "http_server_request_duration_seconds");
  EXPECT_EQ(gauge("system.memory.usage", "By"), "system_memory_usage_bytes");
  EXPECT_EQ(gauge("system_cpu_usage", ""), "system_cpu_usage");
  EXPECT_EQ(gauge("net.rate", "By/s"), "net_rate_bytes_per_second");
  EXPECT_EQ(gauge("speed", "m/s"), "speed_meters_per_second");
  EXPECT_EQ(gauge("queue", "{item}"), "queue");
  EXPECT_EQ(gauge("queue.rate", "{item}/min"), "queue_rate_per_min");
  EXPECT_EQ(gauge("temperature", "Cel"), "temperature_celsius");
  EXPECT_EQ(gauge("custom", "widgets"), "custom_widgets");
}

// R-PM-2, R-PM-3, R-PM-4, C06.
TEST(MetricName, SuffixesStandOnceAndInTheirOrder) {
  EXPECT_EQ(counter("foo.total", ""), "foo_total");
  EXPECT_EQ(counter("scsi_xcopy_bytes_total", "By"), "scsi_xcopy_bytes_total");
  EXPECT_EQ(counter("requests", "1"), "requests_total");
  EXPECT_EQ(counter("requests", "{request}"), "requests_total");
  EXPECT_EQ(gauge("mem.utilization", "1"), "mem_utilization_ratio");
  EXPECT_EQ(other("mem.utilization", "1"), "mem_utilization");
  EXPECT_EQ(gauge("cpu_seconds", "s"), "cpu_seconds");
}

// R-PM-1, C06.
TEST(MetricName, OtherCharactersBecomeOneUnderscore) {
  EXPECT_EQ(gauge("a..b--c", ""), "a_b_c");
  EXPECT_EQ(gauge("1st.hit", ""), "_1st_hit");
  EXPECT_EQ(gauge("job:latency:sum", ""), "job:latency:sum");
  EXPECT_EQ(gauge("ñ", ""), "_");
  EXPECT_EQ(gauge("", "s"), "");
}

// D-F8: who names in Cyrillic or Chinese lost everything.
TEST(MetricName, OfOtherScriptsKeepsUnitAndType) {
  EXPECT_EQ(gauge("данные", "By"), "_bytes");
  EXPECT_EQ(counter("温度", "Cel"), "_celsius_total");
  EXPECT_EQ(other("🔥", ""), "_");
}

// B2: two series that differ in one of these alone put a rule of all customers in error.
// C06: with the names of UTF-8 the words of unit and type stand once, behind what the sender wrote.
TEST(MetricName, KeepsUtf8WithSuffixes) {
  const auto name = [](std::string_view text, std::string_view unit, bool is_counter = false,
                       bool is_gauge = false) {
    return metric_name({.name = text,
                        .unit = unit,
                        .is_counter = is_counter,
                        .is_gauge = is_gauge,
                        .strategy = Strategy::kUtf8WithSuffixes});
  };
  EXPECT_EQ(name("http.server.duration", "s"), "http.server.duration_seconds");
  EXPECT_EQ(name("http.server.duration.seconds", "s"), "http.server.duration.seconds");
  EXPECT_EQ(name("duration_milliseconds", "s"), "duration_milliseconds_seconds");
  EXPECT_EQ(name("foo.total", "", true), "foo_total");
  EXPECT_EQ(name("subtotal", "", true), "subtotal_total");
  EXPECT_EQ(name("total", "", true), "total_total");
  EXPECT_EQ(name("io.total", "By", true), "io_bytes_total");
  EXPECT_EQ(name("net.rate", "By/s"), "net.rate_bytes_per_second");
  EXPECT_EQ(name("net.per_second", "By/s"), "net_bytes_per_second");
  EXPECT_EQ(name("mem.utilization", "1", false, true), "mem.utilization_ratio");
  EXPECT_EQ(name("mem.utilization", "1"), "mem.utilization");
  EXPECT_EQ(name("данные", "By"), "данные_bytes");
  EXPECT_EQ(name("1st.hit", "{hit}"), "1st.hit");
  EXPECT_EQ(name(std::string_view("a\0b", 3), ""), "a_b");
  EXPECT_EQ(name("", "s"), "");
}

TEST(MetricName, WithoutSuffixesHasNone) {
  const auto name = [](Strategy strategy, std::string_view text) {
    return metric_name({.name = text, .unit = "By", .is_counter = true, .strategy = strategy});
  };
  EXPECT_EQ(name(Strategy::kUnderscoresWithoutSuffixes, "http.in"), "http_in");
  EXPECT_EQ(name(Strategy::kUnderscoresWithoutSuffixes, "a.._b"), "a_b");
  EXPECT_EQ(name(Strategy::kUnderscoresWithoutSuffixes, "1st"), "_1st");
  EXPECT_EQ(name(Strategy::kUnderscoresWithoutSuffixes, "данные"), "_");
  EXPECT_EQ(name(Strategy::kNone, "http.in"), "http.in");
  EXPECT_EQ(name(Strategy::kNone, "a.total"), "a.total");
}

TEST(Strategy, IsNamedAsPrometheusDoes) {
  for (const char* text : {"UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes",
                           "NoUTF8EscapingWithSuffixes", "NoTranslation"}) {
    ASSERT_TRUE(strategy_named(text)) << text;
    EXPECT_EQ(to_string(*strategy_named(text)), text);
  }
  EXPECT_FALSE(strategy_named("noTranslation"));
  EXPECT_EQ(with_suffixes(Strategy::kUtf8WithSuffixes, false), Strategy::kNone);
  EXPECT_EQ(with_suffixes(Strategy::kUnderscoresWithoutSuffixes, true),
            Strategy::kUnderscoresWithSuffixes);
}

TEST(LabelName, WithUtf8KeptIsTheKey) {
  EXPECT_EQ(label_name("k8s.pod/name", true), "k8s.pod/name");
  EXPECT_EQ(label_name("a__b", true), "a__b");
  EXPECT_EQ(label_name("_private", true), "_private");
  EXPECT_EQ(label_name("__name__", true), "key__name__");
  EXPECT_EQ(label_name("severity", true), "key_severity");
  EXPECT_EQ(label_name(std::string_view("a\0", 2), true), "a_");
}

TEST(LabelName, OfAnAlertIsTheSendersNoMore) {
  EXPECT_EQ(label_name("severity"), "key_severity");
  EXPECT_EQ(label_name("alertname"), "key_alertname");
  EXPECT_EQ(label_name("alertstate"), "key_alertstate");
  EXPECT_EQ(label_name("Severity"), "Severity");
  EXPECT_EQ(label_name("severity.text"), "severity_text");
}

TEST(LabelName, NeverBeginsWithTwoUnderscores) {
  EXPECT_EQ(label_name("k8s.pod/name"), "k8s_pod_name");
  EXPECT_EQ(label_name("1st"), "key_1st");
  EXPECT_EQ(label_name("_private"), "key_private");
  EXPECT_EQ(label_name("__name__"), "key_name_");
  EXPECT_EQ(label_name("a__b"), "a_b");
  EXPECT_EQ(label_name("customer..id"), "customer_id");
  EXPECT_EQ(label_name(""), "");
}

TEST(NumberText, IsSpelledAsOpenMetricsDoes) {
  EXPECT_EQ(number_text(1), "1.0");
  EXPECT_EQ(number_text(2.5), "2.5");
  EXPECT_EQ(number_text(0), "0.0");
  EXPECT_EQ(number_text(-5), "-5.0");
  EXPECT_EQ(number_text(0.005), "0.005");
  EXPECT_EQ(number_text(0.0001), "0.0001");
  EXPECT_EQ(number_text(0.00001), "1e-05");
  EXPECT_EQ(number_text(100000), "100000.0");
  EXPECT_EQ(number_text(1e6), "1e+06");
  EXPECT_EQ(number_text(1234567), "1.234567e+06");
  EXPECT_EQ(number_text(1e100), "1e+100");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "+Inf");
}

TEST(Reserved, NamesAndJobsOfTheProviderAreNotACustomers) {
  for (const char* name : {"up", "scrape_duration_seconds", "ALERTS", "ALERTS_FOR_STATE",
                           "otelcol_receiver_accepted_spans", "vigia_hot_heartbeat", "vigia:up:sum",
                           "agent_buffer_usage_percent"}) {
    EXPECT_TRUE(is_reserved_name(name, false)) << name;
  }
  EXPECT_FALSE(is_reserved_name("agent_buffer_usage_percent", true));
  EXPECT_TRUE(is_reserved_name("up", true));
  EXPECT_FALSE(is_reserved_name("uptime", false));
  EXPECT_TRUE(is_reserved_job("customer-agents"));
  EXPECT_FALSE(is_reserved_job("customer-agents-2"));
}

}  // namespace
}  // namespace vigia::wire::prometheus
