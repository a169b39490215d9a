#include "libs/wire/otlp/rewrite.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace vigia::wire::otlp {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

constexpr std::uint64_t kTimeNs = 1'800'000'000'000'000'000ULL;

template <typename Request>
Request rewritten(Signal signal, const Request& request, const Additions& additions) {
  const auto body = with_additions(signal, request.SerializeAsString(), additions);
  Request read;
  EXPECT_TRUE(body.has_value());
  EXPECT_TRUE(read.ParseFromString(*body));
  return read;
}

// A12: equal lines without a time were one line, for 32 days.
TEST(Rewrite, RecordsWithoutATimeGetOneEach) {
  ExportLogsServiceRequest logs;
  for (int group = 0; group < 2; ++group) {
    auto* scope = logs.add_resource_logs()->add_scope_logs();
    scope->add_log_records()->mutable_body()->set_string_value("same");
    scope->add_log_records()->set_time_unix_nano(7);
    scope->add_log_records()->set_observed_time_unix_nano(8);
  }
  auto expected = logs;
  for (int group = 0; group < 2; ++group) {
    expected.mutable_resource_logs(group)
        ->mutable_scope_logs(0)
        ->mutable_log_records(0)
        ->set_observed_time_unix_nano(kTimeNs + static_cast<std::uint64_t>(group));
  }
  const auto read = rewritten(Signal::kLogs, logs, {.first_time_ns = kTimeNs});
  EXPECT_EQ(read.SerializeAsString(), expected.SerializeAsString());
}

TEST(Rewrite, ASpanWithoutAStartBeginsAtItsEndOrNow) {
  ExportTraceServiceRequest traces;
  auto* scope = traces.add_resource_spans()->add_scope_spans();
  for (int i = 0; i < 3; ++i) {
    scope->add_spans()->set_trace_id(std::string(16, '\x01'));
    scope->mutable_spans(i)->set_span_id(std::string(8, '\x02'));
  }
  scope->mutable_spans(0)->set_end_time_unix_nano(9);
  scope->mutable_spans(1)->set_start_time_unix_nano(5);
  const auto read = rewritten(Signal::kTraces, traces, {.first_time_ns = kTimeNs});
  const auto& spans = read.resource_spans(0).scope_spans(0).spans();
  EXPECT_EQ(spans[0].start_time_unix_nano(), 9U);
  EXPECT_EQ(spans[0].end_time_unix_nano(), 9U);
  EXPECT_EQ(spans[1].start_time_unix_nano(), 5U);
  EXPECT_EQ(spans[1].end_time_unix_nano(), 0U);
  EXPECT_EQ(spans[2].start_time_unix_nano(), kTimeNs);
  EXPECT_EQ(spans[2].end_time_unix_nano(), kTimeNs);
}

TEST(Rewrite, ResourcesThatNameNobodyGetTheCustomer) {
  ExportMetricsServiceRequest request;
  request.add_resource_metrics()->add_scope_metrics()->add_metrics()->set_name("no resource");
  const auto set = [](auto* attribute, const std::string& key, const std::string& value) {
    attribute->set_key(key);
    attribute->mutable_value()->set_string_value(value);
  };
  set(request.add_resource_metrics()->mutable_resource()->add_attributes(), "a", "b");
  set(request.add_resource_metrics()->mutable_resource()->add_attributes(), "customer.id", "");
  set(request.add_resource_metrics()->mutable_resource()->add_attributes(), "customer.id", "b");
  const auto read = rewritten(Signal::kMetrics, request, {.customer = "cliente-a"});
  for (int group = 0; group < 3; ++group) {
    const auto& attributes = read.resource_metrics(group).resource().attributes();
    EXPECT_EQ(attributes.rbegin()->key(), "customer.id");
    EXPECT_EQ(attributes.rbegin()->value().string_value(), "cliente-a");
  }
  EXPECT_EQ(read.resource_metrics(0).scope_metrics(0).metrics(0).name(), "no resource");
  EXPECT_EQ(read.resource_metrics(3).SerializeAsString(),
            request.resource_metrics(3).SerializeAsString());
}

TEST(Rewrite, ABrokenRecordIsLeftAsItIs) {
  ExportLogsServiceRequest logs;
  auto* scope = logs.add_resource_logs()->add_scope_logs();
  scope->add_log_records()->set_trace_id("too short");
  scope->add_log_records();
  const auto read = rewritten(Signal::kLogs, logs, {.first_time_ns = kTimeNs});
  const auto& records = read.resource_logs(0).scope_logs(0).log_records();
  EXPECT_EQ(records[0].observed_time_unix_nano(), 0U);
  EXPECT_EQ(records[1].observed_time_unix_nano(), kTimeNs);
}

TEST(Rewrite, DamageIsInvalid) {
  EXPECT_FALSE(with_additions(Signal::kLogs, "\x0a\x7f", {.first_time_ns = 1}).has_value());
}

}  // namespace
}  // namespace vigia::wire::otlp
