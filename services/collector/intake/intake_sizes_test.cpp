// What an item and a request may hold and become, and in which records it is kept.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <protozero/pbf_writer.hpp>

#include "libs/model/customer_signal.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/intake/testing/intake_fixture.hpp"

namespace vigia::collector::intake {
namespace {

using testing::MetricsBody;
using testing::one_gauge;

// A1: 336 KB became gigabytes, since the resource's label stands on each point.
TEST_F(IntakeTest, ALabelOverTheLimitIsRefusedAndNamed) {
  MetricsBody body;
  body.resource("cliente-a", {{"node.region", std::string(59'000, 'x')}}).gauge("m", now());
  body.resource("cliente-a", {{"node.region", std::string(2'048, 'x')}}).gauge("m", now());
  body.resource("cliente-a").gauge("m", now(), {{"k", std::string(2'049, 'x')}});
  const auto receipt = take(body.bytes());
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->rejected, 2U);
  EXPECT_EQ(receipt->message,
            "2 of 3 data points refused: 2 label_value_bytes (label \"node_region\" has 59000 "
            "bytes, label_value_bytes is 2048)");
  customer_.limits.label_value_bytes = 4096;
  EXPECT_EQ(take(body.bytes())->rejected, 1U);
}

TEST_F(IntakeTest, MoreLabelsThanTheLimitAreRefused) {
  customer_.limits.labels_per_series = 3;
  MetricsBody body;
  body.resource("cliente-a", {{"node.id", "n"}});
  body.gauge("m", now(), {{"a", "1"}}).gauge("m", now(), {{"a", "1"}, {"b", "2"}});
  const auto receipt = take(body.bytes());
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_NE(receipt->message.find("labels_per_series (4 labels, labels_per_series is 3)"),
            std::string::npos)
      << receipt->message;
}

TEST_F(IntakeTest, WhatPointsBecomeIsBoundedByTheRequest) {
  customer_.limits.label_value_bytes = 64U << 10U;
  MetricsBody body;
  body.resource("cliente-a", {{"node.region", std::string(32'000, 'x')}});
  for (int i = 0; i < 5'000; ++i) body.gauge("m", now());  // 160 MB
  const auto receipt = take(body.bytes());
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_GT(receipt->rejected, 500U);
  EXPECT_LT(receipt->rejected, 1'000U);
  EXPECT_NE(receipt->message.find("expanded_bytes"), std::string::npos);
}

TEST_F(IntakeTest, WhatHasNoRoomIsRefusedBeforeLabelsAreMadeOfIt) {
  customer_.limits.label_value_bytes = 64U << 10U;
  MetricsBody body;
  body.resource("cliente-a", {{"node.region", std::string(32'000, 'x')}});
  for (int i = 0; i < 5'000; ++i) body.gauge("m" + std::to_string(i), now());
  const auto receipt = take(body.bytes());
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_GT(receipt->rejected, 500U);
  EXPECT_NE(receipt->message.find("on; send smaller requests"), std::string::npos)
      << receipt->message;
  EXPECT_EQ(series_.stats().series, 5'000U - receipt->rejected);
}

/// One resource of cliente-a with one scope of so many attributes and one gauge of so many points.
std::string wide_scope(int attributes, int points, std::int64_t time_ms) {
  const auto add_attribute = [](protozero::pbf_writer& to, std::uint32_t field,
                                const std::string& key, const std::string& value) {
    protozero::pbf_writer attribute(to, field);
    attribute.add_string(1, key);
    protozero::pbf_writer(attribute, 2).add_string(1, value);
  };
  std::string body;
  protozero::pbf_writer request(body);
  protozero::pbf_writer group(request, 1);
  {
    protozero::pbf_writer resource(group, 1);
    add_attribute(resource, 1, "customer.id", "cliente-a");
  }
  protozero::pbf_writer in_scope(group, 2);
  {
    protozero::pbf_writer scope(in_scope, 1);
    for (int i = 0; i < attributes; ++i) add_attribute(scope, 3, fmt::format("k{}", i), "v");
  }
  protozero::pbf_writer metric(in_scope, 2);
  metric.add_string(1, "m");
  protozero::pbf_writer gauge(metric, 5);
  for (int i = 0; i < points; ++i) {
    protozero::pbf_writer point(gauge, 1);
    point.add_fixed64(3, static_cast<std::uint64_t>(time_ms) * 1'000'000);
    point.add_double(4, 1);
    add_attribute(point, 7, "p", std::to_string(i));
  }
  return body;
}

// 13 KB of gzip whose scope was read again at each of 15,000 points stood an event loop for 16 s.
TEST_F(IntakeTest, AScopeOfTooManyLabelsIsTheFaultOfAllItsPoints) {
  const auto receipt = take(wide_scope(5'000, 2'000, now()));
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->rejected, 2'000U);
  EXPECT_NE(receipt->message.find("(5001 labels, labels_per_series is 64)"), std::string::npos)
      << receipt->message;
  EXPECT_EQ(series_.stats().series, 0U);

  customer_.limits.labels_per_series = 100;
  const auto limited = take(wide_scope(200, 2'000, now()));
  EXPECT_EQ(limited->rejected, 2'000U);
  EXPECT_NE(limited->message.find("labels, labels_per_series is 100"), std::string::npos)
      << limited->message;
  EXPECT_EQ(take(wide_scope(20, 2'000, now()))->rejected, 0U);
}

TEST_F(IntakeTest, ALabelOfAPointCountsBesideItsScopes) {
  const auto bare = take(wide_scope(3, 1, now()));
  ASSERT_EQ(bare->rejected, 0U);
  const auto given = [&](std::uint64_t labels) {
    customer_.limits.labels_per_series = labels;
    return take(wide_scope(5, 1, now()))->rejected;
  };
  std::uint64_t least = 1;
  while (given(least) == 1 && least < 20) ++least;
  // Five of the scope, one of the point, and what the resource has: one less is too few.
  EXPECT_GE(least, 6U);
  EXPECT_LT(least, 10U);
}

// B4: 0.7 MB of spans with one resource of 1 MiB ended storage at each start.
TEST_F(IntakeTest, AResourceOverItsBytesIsRefusedWithAllThatStandsInIt) {
  const std::string record = repeated(std::string_view("\x12\x00", 2), 2'500);
  const auto receipt = take(records_of(record, std::string(1U << 20U, 'x')), Signal::kLogs);
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->rejected, 2'500U);
  EXPECT_NE(receipt->message.find("resource_bytes (a resource of 1048"), std::string::npos)
      << receipt->message;
  EXPECT_EQ(take(records_of(record, std::string(60'000, 'x')), Signal::kLogs)->rejected, 0U);
  MetricsBody points;
  points.resource("cliente-a", {{"k", std::string(70'000, 'x')}}).gauge("m", now());
  EXPECT_EQ(take(points.bytes())->rejected, 1U);
}

TEST_F(IntakeTest, WhatRecordsBecomeIsBoundedByTheRequest) {
  const std::string record = repeated(std::string_view("\x12\x00", 2), 5'000);
  const auto receipt = take(records_of(record, std::string(60'000, 'x')), Signal::kLogs);  // 300 MB
  EXPECT_GT(receipt->rejected, 400U);
  EXPECT_LT(receipt->rejected, 700U);
}

TEST_F(IntakeTest, ASpanOfTooManyAttributesIsRefused) {
  const std::string attribute("\x32\x03\x0a\x01k", 5);
  std::string record;
  protozero::pbf_writer writer(record);
  writer.add_message(2, repeated(attribute, 1'024));
  writer.add_message(2, repeated(attribute, 1'025));
  const auto receipt = take(records_of(record), Signal::kLogs);
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_NE(receipt->message.find("1 attributes (1025 attributes, 1024 may be)"), std::string::npos)
      << receipt->message;
}

// Labels would become many times its bytes: it is refused before they are made.
TEST_F(IntakeTest, APointOfTooManyAttributesOrBytesIsRefused) {
  MetricsBody many;
  const testing::Attributes attributes(16'385, {"k", "v"});
  many.resource("cliente-a").gauge("m", now()).gauge("n", now(), attributes);
  const auto receipt = take(many.bytes());
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_NE(receipt->message.find("(16385 attributes, 16384 may be)"), std::string::npos)
      << receipt->message;
}

// D2: two bytes of an empty link become fifty where a trace is shown.
TEST_F(IntakeTest, ASpanOfTooManyEventsAndLinksIsRefused) {
  std::string spans;
  protozero::pbf_writer writer(spans);
  for (const std::size_t links : {511U, 512U, 513U}) {
    std::string span;
    protozero::pbf_writer fields(span);
    fields.add_bytes(1, std::string(16, 'a'));
    fields.add_bytes(2, std::string(8, 'b'));
    span += repeated(std::string_view("\x5a\x00", 2), 512) +
            repeated(std::string_view("\x6a\x00", 2), links);
    writer.add_message(2, span);
  }
  const auto receipt = take(records_of(spans), Signal::kTraces);
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_NE(receipt->message.find("(1025 events and links, 1024 may be)"), std::string::npos)
      << receipt->message;
}

// B3: 4 KB on the wire, and no spans and logs of anybody any more.
TEST_F(IntakeTest, MoreRecordsThanOneRequestMayHoldAreTooMany) {
  const std::string two_million = repeated(std::string_view("\x12\x00", 2), 2'044'674);
  const auto receipt = take(records_of(two_million), Signal::kLogs);
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(receipt.error().message,
            "more than 100000 log records in one request; send them in smaller ones");
  EXPECT_EQ(books(Signal::kLogs).rejected, 100'000U);
  EXPECT_EQ(books(Signal::kLogs).received, 100'000U);
  EXPECT_EQ(appended(), 0U);
}

// B6: 4 KB of empty resources cost two seconds of a core, and nothing was charged.
TEST_F(IntakeTest, EnvelopesWithoutItemsAreBoundedAndCharged) {
  const std::string empty("\x0a\x00", 2);
  EXPECT_EQ(take(repeated(empty, 2'000'000)).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(take(repeated(empty, 90'000))->items, 0U);
  customer_.limits.points_per_second = 2'000;  // 40,000 at once, at most
  EXPECT_EQ(take(repeated(empty, 90'000)).error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(take(repeated(empty, 30'000)).has_value());
  EXPECT_EQ(take(one_gauge("cliente-a", "m", now())).error().code, ErrorCode::kOverLimit);
}

/// Records of one resource, each with `bytes` of its number as a letter.
std::string large_logs(const std::string& customer, int count, std::size_t bytes,
                       const std::string& schema_url = "") {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
  auto& resource = *request.add_resource_logs();
  auto& attribute = *resource.mutable_resource()->add_attributes();
  attribute.set_key("customer.id");
  attribute.mutable_value()->set_string_value(customer);
  auto& scope = *resource.add_scope_logs();
  scope.set_schema_url(schema_url);
  for (int i = 0; i < count; ++i) {
    auto& record = *scope.add_log_records();
    record.set_time_unix_nano(1'800'000'000'000'000'000);
    record.mutable_body()->set_string_value(std::string(bytes, static_cast<char>('a' + i)));
  }
  return request.SerializeAsString();
}

TEST_F(IntakeTest, ALargeRequestIsKeptInRecordsThatItsReadersCanHold) {
  constexpr std::size_t kMiB = 1U << 20U;
  const std::string foreign = large_logs("cliente-b", 3, kMiB);
  const auto receipt = take(large_logs("cliente-a", 9, kMiB) + foreign, Signal::kLogs);
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->items, 12U);
  EXPECT_EQ(receipt->rejected, 3U);
  EXPECT_EQ(appended(), 9U);  // two of them are more than kPieceBytes
  std::string letters;
  for (std::uint64_t i = 0; i < appended(); ++i) {
    const auto record = next_record();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->header.items, 1U);
    EXPECT_EQ(record->header.rejected, 0U);
    EXPECT_EQ(record->header.tag.route, "hot-0");
    opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest piece;
    ASSERT_TRUE(piece.ParseFromString(record->body));
    ASSERT_EQ(piece.resource_logs_size(), 1);
    EXPECT_EQ(piece.resource_logs(0).resource().attributes(0).value().string_value(), "cliente-a");
    letters += piece.resource_logs(0).scope_logs(0).log_records(0).body().string_value().front();
  }
  EXPECT_EQ(letters, "abcdefghi");
  EXPECT_EQ(books(Signal::kLogs).received, 12U);
  EXPECT_EQ(books(Signal::kLogs).rejected, 3U);
  EXPECT_EQ(books(Signal::kLogs).queued, 9U);
}

TEST_F(IntakeTest, AnItemThatNoReaderCouldHoldIsRefusedAlone) {
  const std::string small = testing::one_record("cliente-a");
  const auto receipt = take(small + large_logs("cliente-a", 1, kItemBytesMax), Signal::kLogs);
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_NE(receipt->message.find("1 expanded_bytes"), std::string::npos) << receipt->message;
  EXPECT_NE(receipt->message.find("a log record of 41943"), std::string::npos) << receipt->message;
  EXPECT_EQ(appended(), 1U);
}

TEST_F(IntakeTest, WhatWouldStandInEachPieceOfALargeRequestIsBounded) {
  const std::string url(kEnclosingBytesMax + 1, 'u');
  const auto refused = take(large_logs("cliente-a", 10, 1U << 19U, url), Signal::kLogs);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(refused.error().message.find("send it in smaller ones"), std::string::npos);
  EXPECT_EQ(books(Signal::kLogs).rejected, 10U);
  EXPECT_EQ(appended(), 0U);
  EXPECT_TRUE(take(large_logs("cliente-a", 1, 1000, url), Signal::kLogs).has_value());
}

}  // namespace
}  // namespace vigia::collector::intake
