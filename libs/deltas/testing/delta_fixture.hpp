// An accumulator of one owner, and bodies for it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/deltas/delta_accumulator.hpp"
#include "libs/deltas/testing/delta_requests.hpp"

namespace vigia::deltas {

inline constexpr AccumulatorSettings kLimits;

class DeltaTest : public testing::Test {
 protected:
  static std::string sum(std::uint64_t time_s, std::int64_t value, bool is_delta = true) {
    ExportMetricsServiceRequest request;
    auto* metric = add_metric(request, "orders");
    metric->mutable_sum()->set_is_monotonic(true);
    metric->mutable_sum()->set_aggregation_temporality(
        is_delta ? AGGREGATION_TEMPORALITY_DELTA : AGGREGATION_TEMPORALITY_CUMULATIVE);
    auto* point = metric->mutable_sum()->add_data_points();
    set_text(point->add_attributes(), "a", "1");
    point->set_start_time_unix_nano((time_s - 10) * 1'000'000'000);
    point->set_time_unix_nano(time_s * 1'000'000'000);
    point->set_as_int(value);
    return request.SerializeAsString();
  }
  static otlp::metrics::v1::Metric* add_metric(ExportMetricsServiceRequest& request,
                                               const std::string& name) {
    auto* resource = request.add_resource_metrics();
    set_text(resource->mutable_resource()->add_attributes(), "service.name", "tienda");
    auto* metric = resource->add_scope_metrics()->add_metrics();
    metric->set_name(name);
    metric->set_unit("s");
    return metric;
  }
  static otlp::metrics::v1::Metric decode(const std::string& body) {
    ExportMetricsServiceRequest request;
    EXPECT_TRUE(request.ParseFromString(body));
    return request.resource_metrics(0).scope_metrics(0).metrics(0);
  }
  /// What is refused is left out.
  class Refusals final : public PointJudge {
   public:
    void refuse(std::uint32_t /*item*/, DeltaFault fault) override { faults.push_back(fault); }
    std::vector<DeltaFault> faults;
  };
  Result<std::string> rewrite(const std::string& body) {
    Refusals refusals;
    auto rewritten = deltas_.rewrite(body, refusals);
    faults_ = std::move(refusals.faults);
    return rewritten;
  }
  otlp::metrics::v1::Metric pass(const std::string& body) {
    const auto rewritten = rewrite(body);
    deltas_.commit();
    EXPECT_TRUE(rewritten) << rewritten.error().message;
    return rewritten ? decode(*rewritten) : otlp::metrics::v1::Metric{};
  }

  ManualClock clock_{0};
  DeltaAccumulator deltas_{clock_, {.leaves_out_refused = true}};
  std::vector<DeltaFault> faults_;  // of the last request
};

}  // namespace vigia::deltas
