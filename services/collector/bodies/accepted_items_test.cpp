#include "services/collector/bodies/accepted_items.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace vigia::collector::bodies {
namespace {

namespace proto = opentelemetry::proto::collector;

Verdicts rejecting(std::uint32_t items, std::initializer_list<std::uint32_t> rejected) {
  Verdicts verdicts(items);
  for (const std::uint32_t item : rejected) verdicts.reject(item, RejectReason::kInvalid);
  return verdicts;
}

proto::trace::v1::ExportTraceServiceRequest traces() {
  proto::trace::v1::ExportTraceServiceRequest request;
  int number = 0;
  for (int resource = 0; resource < 2; ++resource) {
    auto* spans = request.add_resource_spans();
    spans->mutable_resource()->add_attributes()->set_key("r" + std::to_string(resource));
    spans->set_schema_url("url");
    for (int scope = 0; scope < 2; ++scope) {
      auto* of_scope = spans->add_scope_spans();
      of_scope->mutable_scope()->set_name("s" + std::to_string(scope));
      for (int span = 0; span < 2; ++span)
        of_scope->add_spans()->set_name("span" + std::to_string(number++));
    }
  }
  return request;
}

std::string names(const proto::trace::v1::ExportTraceServiceRequest& request) {
  std::string all;
  for (const auto& resource : request.resource_spans()) {
    all += resource.resource().attributes(0).key() + resource.schema_url() + "(";
    for (const auto& scope : resource.scope_spans()) {
      all += scope.scope().name() + "[";
      for (const auto& span : scope.spans()) all += span.name().substr(4);
      all += "]";
    }
    all += ")";
  }
  return all;
}

TEST(AcceptedItems, LeavesOutSpansAndWhatTheyAloneFilled) {
  const auto stripped =
      accepted_items(Signal::kTraces, traces().SerializeAsString(), rejecting(8, {1, 2, 3, 4}));
  ASSERT_TRUE(stripped);
  proto::trace::v1::ExportTraceServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(*stripped));
  EXPECT_EQ(names(request), "r0url(s0[0])r1url(s0[5]s1[67])");
}

TEST(AcceptedItems, NothingRejectedChangesNothing) {
  const auto stripped =
      accepted_items(Signal::kTraces, traces().SerializeAsString(), rejecting(8, {}));
  proto::trace::v1::ExportTraceServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(*stripped));
  EXPECT_EQ(request.SerializeAsString(), traces().SerializeAsString());
}

TEST(AcceptedItems, AllRejectedLeavesAnEmptyRequest) {
  const auto stripped = accepted_items(Signal::kTraces, traces().SerializeAsString(),
                                       rejecting(8, {0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(*stripped, "");
}

TEST(AcceptedItems, CountsLogRecordsAsTheyLie) {
  proto::logs::v1::ExportLogsServiceRequest request;
  auto* scope = request.add_resource_logs()->add_scope_logs();
  for (const char* text : {"a", "b", "c"})
    scope->add_log_records()->mutable_body()->set_string_value(text);
  const auto stripped =
      accepted_items(Signal::kLogs, request.SerializeAsString(), rejecting(3, {1}));
  ASSERT_TRUE(request.ParseFromString(*stripped));
  ASSERT_EQ(request.resource_logs(0).scope_logs(0).log_records_size(), 2);
  EXPECT_EQ(request.resource_logs(0).scope_logs(0).log_records(1).body().string_value(), "c");
}

TEST(AcceptedItems, CountsPointsOverAllMetricTypes) {
  proto::metrics::v1::ExportMetricsServiceRequest request;
  auto* scope = request.add_resource_metrics()->add_scope_metrics();
  auto* gauge = scope->add_metrics();
  gauge->set_name("gauge");
  gauge->mutable_gauge()->add_data_points()->set_as_int(0);
  gauge->mutable_gauge()->add_data_points()->set_as_int(1);
  auto* sum = scope->add_metrics();
  sum->set_name("sum");
  sum->mutable_sum()->set_is_monotonic(true);
  sum->mutable_sum()->add_data_points()->set_as_int(2);
  auto* histogram = scope->add_metrics();
  histogram->set_name("histogram");
  histogram->mutable_histogram()->add_data_points()->set_count(3);
  const auto stripped =
      accepted_items(Signal::kMetrics, request.SerializeAsString(), rejecting(4, {0, 3}));
  ASSERT_TRUE(request.ParseFromString(*stripped));
  const auto& metrics = request.resource_metrics(0).scope_metrics(0).metrics();
  ASSERT_EQ(metrics.size(), 2);
  EXPECT_EQ(metrics[0].gauge().data_points(0).as_int(), 1);
  EXPECT_EQ(metrics[1].sum().data_points(0).as_int(), 2);
  EXPECT_TRUE(metrics[1].sum().is_monotonic());
}

TEST(AcceptedItems, GarbageIsInvalid) {
  EXPECT_FALSE(accepted_items(Signal::kTraces, "\x0a\x7f", rejecting(1, {0})));
}

}  // namespace
}  // namespace vigia::collector::bodies
