#include "services/collector/intake/intake.hpp"

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <protozero/pbf_writer.hpp>

#include "libs/disk_log/testing/memory_files.hpp"
#include "libs/model/customer_signal.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::intake {
namespace {

using testing::MetricsBody;
using testing::one_gauge;

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vigia-intake-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    exporters::ExporterSettings cold;
    cold.id = "otlphttp/cold";
    cold.signals = {Signal::kMetrics, Signal::kTraces, Signal::kLogs};
    exporters_ = {cold};
    directory_ = *tenancy::Directory::parse("customers: [{id: cliente-a}]", "test");
  }
  ~IntakeTest() override {
    log_.reset();
    intake_.reset();
    std::filesystem::remove_all(folder_);
  }

  Intake& intake() {
    if (!intake_) {
      disk_log::DiskLogSettings settings;
      settings.directory = folder_;
      settings.bytes_max = log_bytes_max_;
      settings.segment_bytes = 64U << 10U;
      settings.cursors = {{.name = "otlphttp/cold", .required = true}};
      log_ = use_memory_ ? *disk_log::DiskLog::open(settings, clock_, {}, files_)
                         : *disk_log::DiskLog::open(settings, clock_);
      intake_ =
          std::make_unique<Intake>(exporters_, settings_,
                                   IntakeParts{log_.get(), series_, [this] { return directory_; },
                                               books_, metrics_, clock_, &side_shares_},
                                   std::move(processors_));
    }
    return *intake_;
  }

  Result<Receipt> take(std::string body, Signal signal = Signal::kMetrics) {
    std::promise<Result<Receipt>> answer;
    intake().take(customer_, {signal, "grpc", std::move(body)},
                  [&answer](Result<Receipt> receipt) { answer.set_value(std::move(receipt)); });
    return answer.get_future().get();
  }

  std::int64_t now() const { return clock_.wall_ms(); }
  books::Books::Line books(Signal signal = Signal::kMetrics) const {
    return books_.line(customer_.id, signal, "otlphttp/cold");
  }
  /// The next record that was acknowledged: a cursor gives it a moment after its answer.
  std::optional<disk_log::DiskRecord> next_record() {
    auto record = log_->cursor("otlphttp/cold").next(std::chrono::seconds(5));
    return record ? *record : std::nullopt;
  }
  /// The stock counter, as a scrape shows it.
  std::uint64_t shown_as_accepted() const {
    const std::string name =
        R"(otelcol_receiver_accepted_metric_points{receiver="otlp",transport="grpc"} )";
    const std::string text = metrics_.expose(false);
    const std::size_t at = text.find(name);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size()));
  }
  std::uint64_t appended() const { return log_->stats().appended_records; }

  std::string folder_;
  disk_log::MemoryFiles files_;
  bool use_memory_ = false;
  std::atomic<int> looks_ = 0;  // from the log's thread too, which syncs once more as it ends
  std::uint64_t log_bytes_max_ = 64U << 20U;
  ManualClock clock_{1'800'000'000'000'000'000};
  service::MetricRegistry metrics_;
  books::Books books_{metrics_};
  series::SeriesCache series_{{}, clock_};
  std::vector<exporters::ExporterSettings> exporters_;
  IntakeSettings settings_;
  std::vector<std::unique_ptr<Stage>> processors_;
  side::SideShares side_shares_;
  std::shared_ptr<const tenancy::Directory> directory_;
  tenancy::Customer customer_{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  std::unique_ptr<disk_log::DiskLog> log_;
  std::unique_ptr<Intake> intake_;
};

TEST_F(IntakeTest, WhatIsAcknowledgedLiesInTheLogWithItsVerdicts) {
  const std::string body = MetricsBody()
                               .resource("cliente-a")
                               .gauge("good", now())
                               .gauge("up", now())
                               .gauge("later", now() + 6 * 60'000)
                               .gauge("soon", now() + 4 * 60'000)
                               .bytes();
  const auto receipt = take(body);
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->items, 4U);
  EXPECT_EQ(receipt->rejected, 2U);
  EXPECT_NE(receipt->message.find("1 reserved"), std::string::npos);
  EXPECT_NE(receipt->message.find("1 future"), std::string::npos);
  const auto record = next_record();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->header.tag.owner, "cliente-a");
  EXPECT_EQ(record->header.tag.route, "hot-0");
  EXPECT_EQ(record->header.items, 4U);
  EXPECT_EQ(record->header.rejected, 2U);
  const auto verdicts = Verdicts::decode(record->header.tag.note);
  EXPECT_EQ(verdicts->reason_of(1), RejectReason::kReserved);
  EXPECT_EQ(verdicts->reason_of(2), RejectReason::kFuture);
  EXPECT_EQ(record->body, body);
  EXPECT_EQ(books().received, 4U);
  EXPECT_EQ(books().rejected, 2U);
  EXPECT_EQ(books().queued, 2U);
  EXPECT_EQ(shown_as_accepted(), 2U);
}

TEST_F(IntakeTest, TheBooksAgreeAlsoWhileTheDiskWrites) {
  files_.fail_when([this](std::string_view call, const std::string& /*path*/) {
    if (call != "sync") return false;
    ++looks_;
    const books::Books::Line line = books();
    EXPECT_EQ(line.received, line.rejected + line.queued);
    return false;
  });
  use_memory_ = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(one_gauge("cliente-a", "m", now() + i))->rejected, 0U);
  EXPECT_GE(looks_, 3);
  EXPECT_EQ(books().received, 3U);
  EXPECT_EQ(books().queued, 3U);
}

// R-SEC-11: writing is fenced as reading is.
TEST_F(IntakeTest, AForeignResourceIsRefusedAndTheOthersTaken) {
  MetricsBody body;
  body.resource("cliente-b").gauge("stolen", now());
  body.resource("cliente-a").gauge("mine", now());
  body.resource("").gauge("nobodys", now());
  EXPECT_EQ(take(body.bytes())->rejected, 2U);
}

TEST_F(IntakeTest, WithNothingGoodTheClaimDecidesTheError) {
  const auto foreign = take(one_gauge("cliente-b", "m", now()));
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, ErrorCode::kForbidden);
  const auto nobody = take(one_gauge("", "m", now()));
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(appended(), 0U);
  EXPECT_EQ(books().received, 2U);
  EXPECT_EQ(books().rejected, 2U);
}

TEST_F(IntakeTest, TwoCustomerIdsOnOneResourceAreForeign) {
  MetricsBody body;
  body.resource("cliente-a", {{"customer.id", "cliente-b"}}).gauge("m", now());
  const auto receipt = take(body.bytes());
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().code, ErrorCode::kForbidden);
}

TEST_F(IntakeTest, TheAgentAloneMakesAgentMetrics) {
  MetricsBody body;
  for (const char* service : {"vigia-agent", "shop"}) {
    body.resource("cliente-a", {{"service.name", service}})
        .gauge("agent_buffer_usage_percent", now());
  }
  EXPECT_EQ(take(body.bytes())->rejected, 1U);
}

TEST_F(IntakeTest, AReservedJobIsRefusedOnResourceAndPoint) {
  MetricsBody body;
  body.resource("cliente-a", {{"service.name", "customer-agents"}}).gauge("m", now());
  body.resource("cliente-a").gauge("m", now(), {{"job", "otel-collector"}}).gauge("m", now());
  // Without a service name the attribute would become target_info's job.
  body.resource("cliente-a", {{"job", "customer-agents"}, {"service.instance.id", "x"}})
      .gauge("m", now());
  body.resource("cliente-a").gauge("vigia:up:sum", now());
  EXPECT_EQ(take(body.bytes())->rejected, 4U);
}

// C24.
TEST_F(IntakeTest, BadUtf8CostsOnePointAndNotTheBatch) {
  MetricsBody body;
  body.resource("cliente-a")
      .gauge("one", now())
      .gauge("two", now(), {{"k", "\xc3\x28"}})
      .gauge("three", now());
  for (int round = 0; round < 2; ++round) {  // a miss, then a hit of the series cache
    const auto receipt = take(body.bytes());
    EXPECT_EQ(receipt->rejected, 1U);
    EXPECT_NE(receipt->message.find("1 invalid"), std::string::npos);
  }
}

// R-OTLP-5, C26.
TEST_F(IntakeTest, AnEmptyRequestSucceeds) {
  EXPECT_EQ(take("")->items, 0U);
  EXPECT_EQ(appended(), 0U);
}

TEST_F(IntakeTest, GarbageIsInvalid) {
  const auto receipt = take("\xff\xff\xff");
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(books().received, 0U);
}

TEST_F(IntakeTest, ADamagedAttributeOfTheLastPointIsInvalid) {
  std::string body =
      MetricsBody().resource("cliente-a").gauge("m", now(), {{"k", "DAMAGED"}}).bytes();
  body[body.find("DAMAGED") - 1] = '\x7f';  // a length past the end of the attribute
  for (int round = 0; round < 2; ++round) {
    const auto receipt = take(body);
    ASSERT_FALSE(receipt.has_value());
    EXPECT_EQ(receipt.error().code, ErrorCode::kInvalid);
  }
}

TEST_F(IntakeTest, SpansAndRecordsAreKeptToo) {
  EXPECT_EQ(take(testing::one_span("cliente-a"), Signal::kTraces)->rejected, 0U);
  EXPECT_EQ(kept_signal(next_record()->header.tag.kind), Signal::kTraces);
  EXPECT_EQ(take(testing::one_record("cliente-a"), Signal::kLogs)->rejected, 0U);
  EXPECT_EQ(kept_signal(next_record()->header.tag.kind), Signal::kLogs);
  EXPECT_EQ(take(testing::one_span("cliente-b"), Signal::kTraces).error().code,
            ErrorCode::kForbidden);
  EXPECT_EQ(take(testing::one_record(""), Signal::kLogs).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(books(Signal::kTraces).queued, 1U);
}

TEST_F(IntakeTest, NewSeriesOverTheLimitAreRefusedAndKnownOnesGoOn) {
  customer_.limits.active_series = 2;
  for (const char* name : {"a", "b"})
    EXPECT_EQ(take(one_gauge("cliente-a", name, now()))->rejected, 0U);
  EXPECT_EQ(take(one_gauge("cliente-a", "c", now()))->rejected, 1U);
  EXPECT_EQ(take(one_gauge("cliente-a", "a", now() + 1000))->rejected, 0U);
}

/// A gauge with `labels` labels of 2,000 bytes.
std::string wide_gauge(const std::string& name, int labels, std::int64_t time_ms) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto& resource = *request.add_resource_metrics();
  auto& id = *resource.mutable_resource()->add_attributes();
  id.set_key("customer.id");
  id.mutable_value()->set_string_value("cliente-a");
  auto& metric = *resource.add_scope_metrics()->add_metrics();
  metric.set_name(name);
  auto& point = *metric.mutable_gauge()->add_data_points();
  point.set_time_unix_nano(static_cast<std::uint64_t>(time_ms) * 1'000'000);
  point.set_as_double(1);
  for (int i = 0; i < labels; ++i) {
    auto& attribute = *point.add_attributes();
    attribute.set_key("key_" + std::to_string(i));
    attribute.mutable_value()->set_string_value(std::string(2000, 'x'));
  }
  return request.SerializeAsString();
}

// What the cache puts out for room stays in the stores: a limit that counts what is in the cache
// alone lets a customer make series without end.
TEST_F(IntakeTest, TheLimitOfActiveSeriesHoldsBeyondTheCache) {
  series::SeriesCache small({.bytes_max = 100'000}, clock_);
  Intake intake(exporters_, settings_,
                IntakeParts{nullptr, small, [this] { return directory_; }, books_, metrics_, clock_,
                            &side_shares_});
  customer_.limits.active_series = 200;
  std::uint64_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    intake.take(customer_,
                {Signal::kMetrics, "grpc", wide_gauge("m" + std::to_string(i), 1, now())},
                [&](const Result<Receipt>& receipt) { taken += 1 - receipt->rejected; });
  }
  EXPECT_EQ(taken, 100U) << "two KiB of labels each";
  // The first one is known still, though the cache has let it go.
  intake.take(customer_, {Signal::kMetrics, "grpc", wide_gauge("m0", 1, now() + 1)},
              [&](const Result<Receipt>& receipt) { EXPECT_EQ(receipt->rejected, 0U); });
}

// Each is silent for good after one sample, and out of the cache after 20 minutes: a store has all
// of them in memory for up to three hours.
TEST_F(IntakeTest, TheLimitOfActiveSeriesHoldsForThoseThatCameAndWent) {
  customer_.limits.active_series = 200;
  std::uint64_t taken = 0;
  const auto send = [&](int first) {
    for (int i = first; i < first + 100; ++i)
      taken += 1 - take(one_gauge("cliente-a", "m" + std::to_string(i), now()))->rejected;
  };
  for (int round = 0; round < 4; ++round) {
    send(round * 100);
    clock_.advance(std::chrono::minutes(25));
  }
  EXPECT_EQ(taken, 200U);
  clock_.advance(std::chrono::hours(3));
  send(400);
  EXPECT_EQ(taken, 300U);
}

TEST_F(IntakeTest, ASeriesWithMuchTextCountsForItsKibibytes) {
  customer_.limits.active_series = 100;
  std::uint64_t taken = 0;
  for (int i = 0; i < 20; ++i)
    taken += 1 - take(wide_gauge("m" + std::to_string(i), 30, now()))->rejected;
  EXPECT_EQ(taken, 1U) << "58 KiB of labels each";
}

opentelemetry::proto::metrics::v1::Metric& metric_of_customer(
    opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest& request) {
  auto& resource = *request.add_resource_metrics();
  auto& id = *resource.mutable_resource()->add_attributes();
  id.set_key("customer.id");
  id.mutable_value()->set_string_value("cliente-a");
  auto& metric = *resource.add_scope_metrics()->add_metrics();
  metric.set_name("h");
  return metric;
}

TEST_F(IntakeTest, AHistogramIsChargedAsManyValuesAsItHasSeries) {
  customer_.limits.points_per_second = 10;
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto& metric = metric_of_customer(request);
  metric.mutable_histogram()->set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto& point = *metric.mutable_histogram()->add_data_points();
  point.set_time_unix_nano(static_cast<std::uint64_t>(now()) * 1'000'000);
  point.set_count(0);
  for (int i = 0; i < 20; ++i) point.add_explicit_bounds(i);
  for (int i = 0; i < 21; ++i) point.add_bucket_counts(0);
  int taken = 0;
  while (taken < 100 && take(request.SerializeAsString())) ++taken;
  EXPECT_LE(taken, 10) << "22 values each, of ten a second";
}

TEST_F(IntakeTest, AnExponentialHistogramIsChargedByItsBuckets) {
  customer_.limits.points_per_second = 10;
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto& metric = metric_of_customer(request);
  metric.mutable_exponential_histogram()->set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto& point = *metric.mutable_exponential_histogram()->add_data_points();
  point.set_time_unix_nano(static_cast<std::uint64_t>(now()) * 1'000'000);
  point.set_scale(5);
  point.set_count(320);
  point.set_sum(1);
  for (int i = 0; i < 320; ++i) point.mutable_positive()->add_bucket_counts(1);
  int taken = 0;
  while (taken < 200 && take(request.SerializeAsString())) ++taken;
  EXPECT_GE(taken, 4);
  EXPECT_LE(taken, 11) << "20 values each, of ten a second";
}

TEST_F(IntakeTest, OverTheRateTheRequestMayComeAgainLater) {
  customer_.limits.points_per_second = 1;
  Result<Receipt> receipt = take(one_gauge("cliente-a", "m", now()));
  for (int i = 0; i < 20 && receipt; ++i) receipt = take(one_gauge("cliente-a", "m", now()));
  ASSERT_FALSE(receipt.has_value());
  EXPECT_TRUE(is_retryable(receipt.error()));
  EXPECT_TRUE(receipt.error().retry_after.has_value());
  clock_.advance(std::chrono::seconds(5));
  EXPECT_TRUE(take(one_gauge("cliente-a", "m", now())).has_value());
  EXPECT_EQ(books().received, books().rejected + books().queued);
}

/// Resource{Spans,Logs} of cliente-a with one scope whose items are those bytes.
std::string records_of(const std::string& items, const std::string& resource_text = "") {
  std::string resource;
  {
    protozero::pbf_writer writer(resource);
    for (const auto& [key, value] :
         {std::pair<std::string, std::string>{"customer.id", "cliente-a"}, {"k", resource_text}}) {
      protozero::pbf_writer attribute(writer, 1);
      attribute.add_string(1, key);
      protozero::pbf_writer any(attribute, 2);
      any.add_string(1, value);
    }
  }
  std::string group;
  protozero::pbf_writer writer(group);
  writer.add_message(1, resource);
  writer.add_message(2, items);
  std::string body;
  protozero::pbf_writer(body).add_message(1, group);
  return body;
}

std::string repeated(std::string_view bytes, std::size_t times) {
  std::string out;
  out.reserve(bytes.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += bytes;
  return out;
}

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

TEST_F(IntakeTest, WhoIsAtItsShareAsideIsRefusedRetryablyAndNobodyElse) {
  const tenancy::Customer neighbour{*CustomerId::parse("cliente-b"), "B", "hot-0", {}, 0};
  const tenancy::Customer greedy = customer_;
  const auto take_of = [this](const tenancy::Customer& customer, Signal signal) {
    customer_ = customer;
    return signal == Signal::kMetrics ? take(one_gauge(customer.id.text(), "m", now()))
                                      : take(testing::one_span(customer.id.text()), signal);
  };
  exporters::ExporterSettings other;
  other.id = "otlphttp/traces";
  other.signals = {Signal::kTraces};
  exporters_.push_back(other);
  EXPECT_TRUE(take_of(greedy, Signal::kMetrics).has_value());
  side_shares_.publish("otlphttp/cold", {{greedy.id, {300U << 20U, 256U << 20U}}});
  const auto refused = take_of(greedy, Signal::kMetrics);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(refused.error().retry_after.has_value());
  EXPECT_NE(refused.error().message.find("300.0 MiB of cliente-a wait for otlphttp/cold"),
            std::string::npos);
  EXPECT_NE(refused.error().message.find("send again later"), std::string::npos);
  EXPECT_EQ(books().rejected, 1U);
  EXPECT_NE(metrics_.expose(false).find("reason=\"side_share\""), std::string::npos);
  EXPECT_EQ(appended(), 1U);
  EXPECT_TRUE(take_of(neighbour, Signal::kMetrics).has_value());
  // Elsewhere only what goes there is refused.
  side_shares_.publish("otlphttp/cold", {});
  side_shares_.publish("otlphttp/traces", {{greedy.id, {2, 1}}});
  EXPECT_FALSE(take_of(greedy, Signal::kTraces).has_value());
  EXPECT_TRUE(take_of(greedy, Signal::kMetrics).has_value());
  side_shares_.publish("otlphttp/traces", {});
  EXPECT_TRUE(take_of(greedy, Signal::kTraces).has_value());
}

TEST_F(IntakeTest, SpansRecordsAndBytesHaveRatesToo) {
  customer_.limits.spans_per_second = 1;
  customer_.limits.log_records_per_second = 1;
  const std::string records = records_of(repeated(std::string_view("\x12\x00", 2), 100));
  EXPECT_TRUE(take(records, Signal::kLogs).has_value());
  const auto logs = take(records, Signal::kLogs);
  ASSERT_FALSE(logs.has_value());
  EXPECT_EQ(logs.error().code, ErrorCode::kOverLimit);
  EXPECT_NE(logs.error().message.find("log_records_per_second of 1; send again in"),
            std::string::npos);
  EXPECT_EQ(books(Signal::kLogs).rejected, 100U);
  EXPECT_TRUE(take(testing::one_span("cliente-a"), Signal::kTraces).has_value());
  customer_.limits = {.bytes_per_second = 1};
  const std::string filler =
      "\xfa\x7d" + std::string("\x80\x80\xc0\x01") + std::string(3U << 20U, 'z');
  EXPECT_TRUE(take(testing::one_span("cliente-a") + filler, Signal::kTraces).has_value());
  const auto bytes = take(testing::one_span("cliente-a"), Signal::kTraces);
  ASSERT_FALSE(bytes.has_value());
  EXPECT_NE(bytes.error().message.find("bytes_per_second of 1"), std::string::npos);
}

// It was converted first: 24 ms of CPU for each 8 MiB of a customer that is refused.
TEST_F(IntakeTest, JsonOfWhoMayNotSendIsNotRead) {
  const auto take_json = [this](std::string body) {
    std::promise<Result<Receipt>> answer;
    ExportRequest request{Signal::kLogs, "http", std::move(body), true};
    intake().take(customer_, std::move(request),
                  [&answer](Result<Receipt> receipt) { answer.set_value(std::move(receipt)); });
    return answer.get_future().get();
  };
  const std::string line = R"({"resourceLogs":[{"resource":{"attributes":[{"key":"customer.id",
    "value":{"stringValue":"cliente-a"}}]},"scopeLogs":[{"logRecords":[
    {"timeUnixNano":"1800000000000000000","body":{"stringValue":"hello"}}]}]}]})";
  ASSERT_EQ(take_json(line)->items, 1U);
  EXPECT_NE(next_record()->body.find("hello"), std::string::npos);
  EXPECT_EQ(take_json("{no json").error().code, ErrorCode::kInvalid);
  side_shares_.publish("otlphttp/cold", {{customer_.id, {2, 1}}});
  EXPECT_EQ(take_json("{no json").error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(books(Signal::kLogs).rejected, 1U);
  side_shares_.publish("otlphttp/cold", {});
  // The text is what is charged, also where nothing can be made of it.
  customer_.limits.bytes_per_second = 1'000'000;
  const std::string broken = "{\"resourceLogs\":[" + std::string(11'000'000, ' ');
  EXPECT_EQ(take_json(broken).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(take_json("{no json").error().code, ErrorCode::kOverLimit);
}

// Every multiplication is charged: what grows more than ordinary data does pays for it.
TEST_F(IntakeTest, WhatGrowsIsChargedAsBytes) {
  customer_.limits.bytes_per_second = 1;  // 4 MiB at once, at most
  MetricsBody body;
  body.resource("cliente-a", {{"node.region", std::string(2'000, 'x')}});
  for (int i = 0; i < 40'000; ++i) body.gauge("m", now());  // 80 MB of labels
  EXPECT_EQ(take(body.bytes()).error().code, ErrorCode::kTooLarge);
}

// C-B1: an SDK's first request failed, and nothing said what to do.
TEST_F(IntakeTest, WhoNamesNoCustomerIsToldTheCure) {
  const std::string cure =
      "1 no_customer (resource attribute customer.id is missing: set "
      "OTEL_RESOURCE_ATTRIBUTES=customer.id=cliente-a, or";
  EXPECT_NE(take(one_gauge("", "m", now())).error().message.find(cure), std::string::npos);
  EXPECT_NE(take(testing::one_record(""), Signal::kLogs).error().message.find(cure),
            std::string::npos);
}

TEST_F(IntakeTest, AMissingCustomerIsFilledInWhereTheSettingsSaySo) {
  settings_.fills_missing_customer = true;
  EXPECT_EQ(take(one_gauge("", "m", now()))->rejected, 0U);
  EXPECT_NE(next_record()->body.find("cliente-a"), std::string::npos);
  EXPECT_EQ(take(testing::one_span(""), Signal::kTraces)->rejected, 0U);
  EXPECT_NE(next_record()->body.find("customer.id"), std::string::npos);
  EXPECT_EQ(take(one_gauge("cliente-b", "m", now())).error().code, ErrorCode::kForbidden);
}

// A12: the second of two equal lines was taken for a repeat of the first.
TEST_F(IntakeTest, LinesWithoutATimeGetOneBeforeTheyAreKept) {
  const std::string body = testing::one_record("cliente-a");
  std::set<std::string> kept;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(take(body, Signal::kLogs)->rejected, 0U);
    kept.insert(next_record()->body);
  }
  EXPECT_EQ(kept.size(), 3U);  // the clock stands still meanwhile
  for (const std::string& one : kept) EXPECT_EQ(one.size(), body.size() + 9);
}

// A4d.
TEST_F(IntakeTest, WhereManyAreAheadTheCollectorsClockIsInDoubt) {
  const std::string ahead_a = one_gauge("cliente-a", "m", now() + 6 * 60'000);
  // Nothing has shown yet whose clock is right.
  EXPECT_EQ(take(ahead_a).error().code, ErrorCode::kUnavailable);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(take(one_gauge("cliente-a", "m", now()))->rejected, 0U);
    clock_.advance(std::chrono::minutes(1));
  }
  EXPECT_EQ(take(one_gauge("cliente-a", "m", now() + 6 * 60'000))->rejected, 1U);
  customer_.id = *CustomerId::parse("cliente-b");
  const auto receipt = take(one_gauge("cliente-b", "m", now() + 6 * 60'000));
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(intake().is_clock_in_doubt());
  EXPECT_TRUE(take(one_gauge("cliente-b", "m", now())).has_value());  // what is not ahead is taken
  EXPECT_FALSE(intake().is_clock_in_doubt());
}

// R-OTLP-8, C26: nothing can be kept now.
TEST_F(IntakeTest, AFullLogIsARetryableRefusalThatTheBooksKnow) {
  log_bytes_max_ = 256U << 10U;
  MetricsBody points;
  points.resource("cliente-a");
  for (unsigned i = 0; i < 500; ++i) {
    points.gauge("m" + std::to_string(i), now(), {{"k", std::to_string(i * 2654435761U)}});
  }
  const std::string body = points.bytes();
  Result<Receipt> receipt = take(body);
  for (int i = 0; i < 100 && receipt; ++i) receipt = take(body);
  ASSERT_FALSE(receipt.has_value());
  EXPECT_TRUE(is_retryable(receipt.error()));
  EXPECT_EQ(books().received, books().rejected + books().queued);
  EXPECT_EQ(books().rejected, 500U);
  EXPECT_EQ(shown_as_accepted(), books().queued);
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
