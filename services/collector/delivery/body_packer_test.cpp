#include "services/collector/delivery/body_packer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "libs/series/prometheus_body.hpp"
#include "services/collector/bodies/item_cutter.hpp"

namespace vigia::collector::delivery {
namespace {

using Request = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using testing::ElementsAre;

/// Resources r0, r1, … of two scopes each; lines are numbered over the whole.
std::string body_of(int resources, int lines_a_scope, std::size_t resource_bytes = 0) {
  Request request;
  int line = 0;
  for (int i = 0; i < resources; ++i) {
    auto& resource = *request.add_resource_logs();
    resource.set_schema_url("schema");
    auto& attribute = *resource.mutable_resource()->add_attributes();
    attribute.set_key("name");
    attribute.mutable_value()->set_string_value("r" + std::to_string(i) +
                                                std::string(resource_bytes, 'x'));
    for (const char* name : {"s", "t"}) {
      auto& scope = *resource.add_scope_logs();
      scope.mutable_scope()->set_name(name);
      for (int n = 0; n < lines_a_scope; ++n)
        scope.add_log_records()->mutable_body()->set_string_value(std::to_string(line++));
    }
  }
  return request.SerializeAsString();
}

/// "r0/s:0,1 t:2", of one message.
std::string text_of(std::string_view message) {
  Request request;
  EXPECT_TRUE(request.ParseFromArray(message.data(), static_cast<int>(message.size())));
  std::string text;
  for (const auto& resource : request.resource_logs()) {
    EXPECT_EQ(resource.schema_url(), "schema");
    text += resource.resource().attributes(0).value().string_value().substr(0, 2) + "/";
    for (const auto& scope : resource.scope_logs()) {
      text += scope.scope().name() + ":";
      for (const auto& record : scope.log_records()) text += record.body().string_value() + ",";
    }
  }
  return text;
}

std::vector<std::string> cut(const std::string& body, const Verdicts& verdicts,
                             const bodies::CutLimits& limits, std::uint32_t first = 0,
                             std::size_t pieces_max = 1000) {
  std::vector<std::string> pieces;
  const auto next = bodies::cut_items({Signal::kLogs, body, verdicts, first}, limits,
                                      [&](std::string&& message, std::uint32_t /*items*/) {
                                        pieces.push_back(text_of(message));
                                        return pieces.size() < pieces_max;
                                      });
  EXPECT_TRUE(next);
  if (next && *next) pieces.push_back("next " + std::to_string(**next));
  return pieces;
}

constexpr std::size_t kAnyBytes = 1U << 20U;

TEST(ItemCutter, APieceIsBoundedWithAllThatEnclosesItsItems) {
  const std::string body = body_of(20, 1, 1000);  // 40 lines of a letter or two
  std::size_t largest = 0;
  std::uint32_t items = 0;
  const auto next =
      bodies::cut_items({Signal::kLogs, body, Verdicts(40)},
                        {.items_max = 1000, .bytes_max = 1000, .piece_bytes_max = 4000},
                        [&](std::string&& message, std::uint32_t count) {
                          largest = std::max(largest, message.size());
                          items += count;
                          return true;
                        });
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(items, 40U);
  EXPECT_GT(largest, 3000U);
  EXPECT_LE(largest, 4000U + 50U);  // beside tags and lengths
}

TEST(ItemCutter, WhatStandsInEachPieceIsBounded) {
  const std::string body = body_of(1, 1000, 1000);
  const auto cut_with = [&body](std::size_t enclosing_bytes_max) {
    return bodies::cut_items(
        {Signal::kLogs, body, Verdicts(2000)},
        {.items_max = 1, .bytes_max = 1, .enclosing_bytes_max = enclosing_bytes_max},
        [](std::string&&, std::uint32_t) { return true; });
  };
  EXPECT_TRUE(cut_with(1100).has_value());
  const auto refused = cut_with(1000);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(refused.error().message.find("1000 may be"), std::string::npos);
}

TEST(ItemCutter, PiecesKeepResourceAndScopeAndTheOrder) {
  EXPECT_THAT(cut(body_of(2, 2), Verdicts(8), {3, kAnyBytes}),
              ElementsAre("r0/s:0,1,t:2,", "r0/t:3,r1/s:4,5,", "r1/t:6,7,"));
}

TEST(ItemCutter, WhatWasRefusedIsLeftOutAndCountsAsANumber) {
  Verdicts verdicts(4);
  verdicts.reject(0, RejectReason::kForeign);
  verdicts.reject(1, RejectReason::kForeign);
  EXPECT_THAT(cut(body_of(1, 2), verdicts, {10, kAnyBytes}), ElementsAre("r0/t:2,3,"));
}

TEST(ItemCutter, EndedItGoesOnWhereItWas) {
  const std::string body = body_of(2, 2);
  EXPECT_THAT(cut(body, Verdicts(8), {3, kAnyBytes}, 0, 1), ElementsAre("r0/s:0,1,t:2,", "next 3"));
  EXPECT_THAT(cut(body, Verdicts(8), {3, kAnyBytes}, 3, 1),
              ElementsAre("r0/t:3,r1/s:4,5,", "next 6"));
  EXPECT_THAT(cut(body, Verdicts(8), {3, kAnyBytes}, 6), ElementsAre("r1/t:6,7,"));
}

TEST(ItemCutter, OneLargeItemGoesAlone) {
  EXPECT_EQ(cut(body_of(1, 3), Verdicts(6), {10, 1}).size(), 6U);
}

TEST(ItemCutter, DamageIsAnError) {
  EXPECT_FALSE(bodies::cut_items({Signal::kLogs, "\x0a\xff", Verdicts(1)}, {1, 1},
                                 [](std::string&&, std::uint32_t) { return true; }));
}

using MetricsRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

/// A sum of `points` points, then a gauge of as many, numbered over both.
std::string metrics_of(int points) {
  MetricsRequest request;
  auto& scope = *request.add_resource_metrics()->add_scope_metrics();
  auto& sum = *scope.add_metrics();
  sum.set_name("s");
  sum.set_unit("By");
  sum.mutable_sum()->set_is_monotonic(true);
  for (int i = 0; i < points; ++i) sum.mutable_sum()->add_data_points()->set_as_int(i);
  scope.add_metrics()->set_name("empty");
  auto& gauge = *scope.add_metrics();
  gauge.set_name("g");
  for (int i = 0; i < points; ++i) gauge.mutable_gauge()->add_data_points()->set_as_int(points + i);
  return request.SerializeAsString();
}

/// "s[By,m]:0,1 g:2", of one message.
std::string metrics_text_of(std::string_view message) {
  MetricsRequest request;
  EXPECT_TRUE(request.ParseFromArray(message.data(), static_cast<int>(message.size())));
  std::string text;
  for (const auto& metric : request.resource_metrics(0).scope_metrics(0).metrics()) {
    text +=
        metric.name() + (metric.unit() == "By" && metric.sum().is_monotonic() ? "[By,m]:" : ":");
    for (const auto& point : metric.sum().data_points())
      text += std::to_string(point.as_int()) + ",";
    for (const auto& point : metric.gauge().data_points())
      text += std::to_string(point.as_int()) + ",";
  }
  return text;
}

TEST(ItemCutter, PiecesOfMetricsKeepWhatEnclosesTheirPoints) {
  std::vector<std::string> pieces;
  Verdicts verdicts(6);
  verdicts.reject(1, RejectReason::kFuture);
  ASSERT_TRUE(bodies::cut_items({Signal::kMetrics, metrics_of(3), verdicts}, {3, kAnyBytes},
                                [&](std::string&& message, std::uint32_t items) {
                                  pieces.push_back(metrics_text_of(message) +
                                                   std::to_string(items));
                                  return true;
                                }));
  EXPECT_THAT(pieces, ElementsAre("s[By,m]:0,2,g:3,3", "g:4,5,2"));
}

TEST(BodyPacker, MetricsAreCutDownToThePoint) {
  const auto packer = make_body_packer();
  Parcel parcel{.customer = *CustomerId::parse("a"), .signal = Signal::kMetrics};
  ASSERT_TRUE(packer->pack(0, {4, 0, {}, metrics_of(2)}, {}, kAnyBytes, parcel));
  ASSERT_EQ(parcel.units.size(), 1U);
  EXPECT_FALSE(parcel.is_value(parcel.units[0]));
  const auto halves = packer->split(parcel, 0);
  ASSERT_TRUE(halves);
  ASSERT_EQ(halves->units.size(), 2U);
  const auto quarters = packer->split(*halves, 0);
  ASSERT_TRUE(quarters);
  EXPECT_EQ(metrics_text_of(quarters->run(1, 2)), "s[By,m]:1,");
  EXPECT_FALSE(packer->split(*quarters, 0));
}

TEST(BodyPacker, ALargeBodyBecomesBoundedUnitsPieceByPiece) {  // B3, A9
  const std::string body = body_of(1, 5000, 100'000);
  const auto packer = make_body_packer();
  std::uint32_t items = 0;
  std::size_t pieces = 0;
  Place from;
  for (bool has_more = true; has_more; ++pieces) {
    Parcel parcel{.customer = *CustomerId::parse("a"), .signal = Signal::kLogs};
    const auto packed = packer->pack(0, {10'000, 0, {}, body}, from, 250'000, parcel);
    ASSERT_TRUE(packed);
    EXPECT_LE(parcel.message.size(), 250'000U + 200'000U);
    for (const Unit& unit : parcel.units) EXPECT_LE(unit.items, kUnitItemsMax);
    items += packed->items;
    has_more = packed->next.has_value();
    if (has_more) from = *packed->next;
  }
  EXPECT_EQ(items, 10'000U);
  EXPECT_GT(pieces, 1U);
}

TEST(BodyPacker, UnitsHoldNoMoreItemsThanARequestMay) {
  const auto packer = make_body_packer(3);
  Parcel parcel{.customer = *CustomerId::parse("a"), .signal = Signal::kLogs};
  ASSERT_TRUE(packer->pack(0, {10, 0, {}, body_of(1, 5)}, {}, kAnyBytes, parcel));
  std::vector<std::uint32_t> items;
  for (const Unit& unit : parcel.units) items.push_back(unit.items);
  EXPECT_THAT(items, ElementsAre(3U, 3U, 3U, 1U));
}

TEST(BodyPacker, AUnitIsCutDownToTheItem) {
  const auto packer = make_body_packer();
  Parcel parcel{.customer = *CustomerId::parse("a"), .signal = Signal::kLogs};
  ASSERT_TRUE(packer->pack(0, {4, 0, {}, body_of(1, 2)}, {}, kAnyBytes, parcel));
  ASSERT_EQ(parcel.units.size(), 1U);
  const auto halves = packer->split(parcel, 0);
  ASSERT_TRUE(halves);
  ASSERT_EQ(halves->units.size(), 2U);
  EXPECT_EQ(text_of(halves->run(1, 2)), "r0/t:2,3,");
  const auto quarters = packer->split(*halves, 1);
  ASSERT_TRUE(quarters);
  EXPECT_EQ(text_of(quarters->run(0, 1)), "r0/t:2,");
  EXPECT_FALSE(packer->split(*quarters, 0));
}

// What came by remote write stands in a form of our own, which nobody else is sent; what has no
// form in OTLP is not counted as sent.
TEST(BodyPacker, RemoteWriteLeavesAsPublicOtlp) {
  namespace protocol = wire::remote_write;
  const std::string labels = protocol::encode_labels(Labels::from({{"__name__", "m"}}));
  std::string exemplar;
  protocol::append_exemplar(exemplar, {}, {1'800'000'000'000, 1});
  std::string message;
  protocol::append_sample(message, labels, {1'800'000'000'000, 1}, exemplar);
  const auto made =
      series::read_remote_write(*CustomerId::parse("cliente-a"), series::WriteVersion::k1,
                                protocol::compress_request(message));
  ASSERT_TRUE(made);
  Parcel parcel{.customer = *CustomerId::parse("cliente-a"), .signal = Signal::kMetrics};
  const auto packed = make_body_packer()->pack(0, {2, 0, {}, made->body}, {}, 1U << 20U, parcel);
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->items, 2U);
  EXPECT_EQ(packed->lost, 1U);
  EXPECT_EQ(parcel.items(), 1U);
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(parcel.message));
  EXPECT_EQ(request.resource_metrics(0).schema_url(), "");
  ASSERT_EQ(request.resource_metrics(0).scope_metrics(0).metrics_size(), 1);
  EXPECT_EQ(request.resource_metrics(0).scope_metrics(0).metrics(0).name(), "m");
}

}  // namespace
}  // namespace vigia::collector::delivery
