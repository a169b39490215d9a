#include "libs/wire/edit/edit.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "libs/wire/edit/value.hpp"

namespace vigia::wire::edit {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// An editor made of what a test wants.
class Doing final : public Editor {
 public:
  using Head = std::function<Fate(const EditPlace&)>;
  Head resource, scope, metric;
  std::function<Fate(const EditPlace&, Editable&)> item;

  Fate on_resource(const EditPlace& place) override {
    return resource ? resource(place) : Fate::kKeep;
  }
  Fate on_scope(const EditPlace& place) override { return scope ? scope(place) : Fate::kKeep; }
  Fate on_metric(const EditPlace& place) override { return metric ? metric(place) : Fate::kKeep; }
  Fate on_item(const EditPlace& place, Editable& message) override {
    return item ? item(place, message) : Fate::kKeep;
  }
};

std::string text_value(std::string_view text) { return encoded_value(ValueView::of_text(text)); }

std::string text_of(Editable& message, std::string_view key) {
  const auto value = message.attribute(key);
  return value ? std::string(read_value(*value).bytes) : "-";
}

template <typename Owner>
void add(Owner& owner, const std::string& key, const std::string& value) {
  auto* attribute = owner.add_attributes();
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(value);
}

ExportMetricsServiceRequest some_metrics() {
  ExportMetricsServiceRequest request;
  for (int group = 0; group < 2; ++group) {
    auto* resource = request.add_resource_metrics();
    add(*resource->mutable_resource(), "service.name", "s" + std::to_string(group));
    resource->set_schema_url("https://example.org/1");
    auto* scope = resource->add_scope_metrics();
    scope->mutable_scope()->set_name("lib");
    auto* sum = scope->add_metrics();
    sum->set_name("requests");
    sum->set_unit("1");
    sum->mutable_sum()->set_is_monotonic(true);
    sum->mutable_sum()->set_aggregation_temporality(
        opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
    for (int point = 0; point < 3; ++point) {
      auto* data = sum->mutable_sum()->add_data_points();
      data->set_as_int(point);
      add(*data, "path", "/" + std::to_string(point));
    }
    auto* histogram = scope->add_metrics();
    histogram->set_name("latency");
    auto* data = histogram->mutable_histogram()->add_data_points();
    data->set_count(1);
    add(*data, "path", "/0");
  }
  return request;
}

ExportLogsServiceRequest some_logs() {
  ExportLogsServiceRequest request;
  auto* scope = request.add_resource_logs()->add_scope_logs();
  for (int record = 0; record < 4; ++record) {
    auto* log = scope->add_log_records();
    log->mutable_body()->set_string_value("line " + std::to_string(record));
    log->set_severity_text(record % 2 == 0 ? "INFO" : "WARN");
  }
  return request;
}

template <typename Request>
Request edited(Signal signal, const Request& request, Doing& doing, std::uint32_t dropped = 0) {
  const auto made = edit(signal, request.SerializeAsString(), doing);
  Request read;
  EXPECT_TRUE(made.has_value());
  if (!made) return read;
  EXPECT_EQ(made->dropped, dropped);
  EXPECT_TRUE(made->body.has_value());
  EXPECT_TRUE(read.ParseFromString(made->body.value_or("not a message")));
  return read;
}

TEST(Edit, WhatNobodyChangesIsNotCopied) {
  Doing doing;
  int items = 0;
  doing.item = [&](const EditPlace& place, Editable& item) {
    ++items;
    EXPECT_NE(text_of(item, "path"), "-");
    EXPECT_EQ(text_of(place.resource, "service.name").substr(0, 1), "s");
    EXPECT_EQ(place.scope.bytes(otlp::ScopeField::kName), "lib");
    EXPECT_EQ(place.resource_schema_url, "https://example.org/1");
    return Fate::kKeep;
  };
  doing.metric = [&](const EditPlace& place) {
    const bool is_sum = place.metric.bytes(otlp::MetricField::kName) == "requests";
    EXPECT_EQ(place.kind, is_sum ? otlp::MetricKind::kSum : otlp::MetricKind::kHistogram);
    EXPECT_EQ(place.is_monotonic, is_sum);
    EXPECT_EQ(place.temporality,
              is_sum ? otlp::Temporality::kCumulative : otlp::Temporality::kUnspecified);
    return Fate::kKeep;
  };
  const auto made = edit(Signal::kMetrics, some_metrics().SerializeAsString(), doing);
  ASSERT_TRUE(made.has_value());
  EXPECT_FALSE(made->body.has_value());
  EXPECT_EQ(items, 8);
}

TEST(Edit, AttributesOfPointsAreSetAndTakenOut) {
  Doing doing;
  doing.item = [&](const EditPlace&, Editable& item) {
    if (text_of(item, "path") == "/1") item.set_attribute("path", text_value("one"));
    if (text_of(item, "path") == "/2") item.erase_attribute("path");
    if (text_of(item, "path") == "/0") item.set_attribute("more", text_value("yes"));
    return Fate::kKeep;
  };
  auto expected = some_metrics();
  for (auto& group : *expected.mutable_resource_metrics()) {
    auto& metrics = *group.mutable_scope_metrics(0);
    auto& points = *metrics.mutable_metrics(0)->mutable_sum()->mutable_data_points();
    add(points[0], "more", "yes");
    points[1].mutable_attributes(0)->mutable_value()->set_string_value("one");
    points[2].clear_attributes();
    add(*metrics.mutable_metrics(1)->mutable_histogram()->mutable_data_points(0), "more", "yes");
  }
  EXPECT_EQ(edited(Signal::kMetrics, some_metrics(), doing).SerializeAsString(),
            expected.SerializeAsString());
}

TEST(Edit, WithItsLastItemAMetricAScopeAndAResourceGo) {
  Doing doing;
  doing.item = [&](const EditPlace& place, Editable&) {
    const bool is_first = text_of(place.resource, "service.name") == "s0";
    const bool is_latency = place.metric.bytes(otlp::MetricField::kName) == "latency";
    return is_first || is_latency ? Fate::kDrop : Fate::kKeep;
  };
  auto expected = some_metrics();
  expected.mutable_resource_metrics()->DeleteSubrange(0, 1);
  expected.mutable_resource_metrics(0)->mutable_scope_metrics(0)->mutable_metrics()->RemoveLast();
  EXPECT_EQ(edited(Signal::kMetrics, some_metrics(), doing, 5).SerializeAsString(),
            expected.SerializeAsString());
}

TEST(Edit, WhatCameEmptyStays) {
  ExportMetricsServiceRequest request = some_metrics();
  request.add_resource_metrics()->add_scope_metrics()->add_metrics()->set_name("none");
  auto expected = request;
  expected.mutable_resource_metrics()->DeleteSubrange(0, 2);
  Doing doing;
  doing.item = [](const EditPlace&, Editable&) { return Fate::kDrop; };
  EXPECT_EQ(edited(Signal::kMetrics, request, doing, 8).SerializeAsString(),
            expected.SerializeAsString());
}

TEST(Edit, HeadsMayGoWithAllThatStandsInThem) {
  for (const int level : {0, 1, 2}) {
    Doing doing;
    auto& hook = level == 0 ? doing.resource : level == 1 ? doing.scope : doing.metric;
    hook = [](const EditPlace& place) {
      return text_of(place.resource, "service.name") == "s0" ? Fate::kDrop : Fate::kKeep;
    };
    auto expected = some_metrics();
    expected.mutable_resource_metrics()->DeleteSubrange(0, 1);
    EXPECT_EQ(edited(Signal::kMetrics, some_metrics(), doing, 4).SerializeAsString(),
              expected.SerializeAsString())
        << level;
  }
}

TEST(Edit, AllMayGo) {
  Doing doing;
  doing.resource = [](const EditPlace&) { return Fate::kDrop; };
  const auto made = edit(Signal::kMetrics, some_metrics().SerializeAsString(), doing);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->body, "");
  EXPECT_EQ(made->dropped, 8U);
}

TEST(Edit, AResourceIsWrittenOnceItsItemsWereShown) {
  auto request = some_logs();
  Doing doing;
  doing.item = [&](const EditPlace& place, Editable& item) {
    if (item.bytes(otlp::LogRecordField::kSeverityText) == "WARN")
      place.resource.set_attribute("warns", text_value("yes"));
    return Fate::kKeep;
  };
  doing.scope = [](const EditPlace& place) {
    place.scope.set_bytes(otlp::ScopeField::kName, "made");
    return Fate::kKeep;
  };
  auto expected = request;
  add(*expected.mutable_resource_logs(0)->mutable_resource(), "warns", "yes");
  expected.mutable_resource_logs(0)->mutable_scope_logs(0)->mutable_scope()->set_name("made");
  EXPECT_EQ(edited(Signal::kLogs, request, doing).SerializeAsString(),
            expected.SerializeAsString());
}

TEST(Edit, AMetricsOwnFieldsAreChangedFromAPoint) {
  Doing doing;
  doing.item = [](const EditPlace& place, Editable&) {
    if (place.kind == otlp::MetricKind::kSum)
      place.metric.set_bytes(otlp::MetricField::kName, "renamed");
    return Fate::kKeep;
  };
  auto expected = some_metrics();
  for (auto& group : *expected.mutable_resource_metrics())
    group.mutable_scope_metrics(0)->mutable_metrics(0)->set_name("renamed");
  EXPECT_EQ(edited(Signal::kMetrics, some_metrics(), doing).SerializeAsString(),
            expected.SerializeAsString());
}

TEST(Edit, WhatIsPassedIsNotShown) {
  Doing doing;
  doing.resource = [](const EditPlace& place) {
    place.resource.erase_attribute("service.name");
    return Fate::kPass;
  };
  doing.item = [](const EditPlace&, Editable&) {
    ADD_FAILURE() << "shown";
    return Fate::kDrop;
  };
  auto expected = some_metrics();
  for (auto& group : *expected.mutable_resource_metrics())
    group.mutable_resource()->clear_attributes();
  EXPECT_EQ(edited(Signal::kMetrics, some_metrics(), doing).SerializeAsString(),
            expected.SerializeAsString());
}

TEST(Edit, WhatIsPassedStaysWhereAllBesideItGoes) {
  Doing doing;
  doing.metric = [](const EditPlace& place) {
    return place.metric.bytes(otlp::MetricField::kName) == "requests" ? Fate::kDrop : Fate::kPass;
  };
  auto expected = some_metrics();
  for (auto& group : *expected.mutable_resource_metrics())
    group.mutable_scope_metrics(0)->mutable_metrics()->DeleteSubrange(0, 1);
  EXPECT_EQ(edited(Signal::kMetrics, some_metrics(), doing, 6).SerializeAsString(),
            expected.SerializeAsString());

  auto two_scopes = some_logs();
  auto* more = two_scopes.mutable_resource_logs(0)->add_scope_logs();
  more->mutable_scope()->set_name("passed");
  more->add_log_records()->set_severity_text("INFO");
  Doing by_scope;
  by_scope.scope = [](const EditPlace& place) {
    return place.scope.bytes(otlp::ScopeField::kName) == "passed" ? Fate::kPass : Fate::kDrop;
  };
  const auto left = edited(Signal::kLogs, two_scopes, by_scope, 4);
  ASSERT_EQ(left.resource_logs_size(), 1);
  ASSERT_EQ(left.resource_logs(0).scope_logs_size(), 1);
  EXPECT_EQ(left.resource_logs(0).scope_logs(0).scope().name(), "passed");
}

// R-OTLP-13: what a newer sender adds is not ours to take out.
TEST(Edit, UnknownFieldsStayOnEveryLevel) {
  auto request = some_logs();
  auto* group = request.mutable_resource_logs(0);
  auto* scope = group->mutable_scope_logs(0);
  const auto mark = [](auto& message, const std::string& text) {
    message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(999)->append(text);
  };
  mark(request, "request");
  mark(*group, "group");
  mark(*scope, "scope");
  mark(*scope->mutable_log_records(1), "record");
  Doing doing;
  doing.item = [](const EditPlace& place, Editable& item) {
    place.resource.set_attribute("a", text_value("b"));
    item.set_number(otlp::LogRecordField::kSeverityNumber, 9);
    return Fate::kKeep;
  };
  auto expected = request;
  add(*expected.mutable_resource_logs(0)->mutable_resource(), "a", "b");
  for (auto& record :
       *expected.mutable_resource_logs(0)->mutable_scope_logs(0)->mutable_log_records())
    record.set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_INFO);
  EXPECT_EQ(edited(Signal::kLogs, request, doing).SerializeAsString(),
            expected.SerializeAsString());
}

TEST(Edit, AResourceThatStandsBehindItsMembersIsShownFirst) {
  ExportLogsServiceRequest head;
  add(*head.add_resource_logs()->mutable_resource(), "service.name", "late");
  const std::string group =
      some_logs().resource_logs(0).SerializeAsString() + head.resource_logs(0).SerializeAsString();
  std::string body = "\x0a";
  ASSERT_LT(group.size(), 128U + 128U * 127U);
  body += static_cast<char>(0x80U | (group.size() & 0x7fU));
  body += static_cast<char>(group.size() >> 7U);
  body += group;
  Doing doing;
  doing.item = [](const EditPlace& place, Editable& item) {
    EXPECT_EQ(text_of(place.resource, "service.name"), "late");
    item.set_bytes(otlp::LogRecordField::kSeverityText, "X");
    return Fate::kKeep;
  };
  const auto made = edit(Signal::kLogs, body, doing);
  ASSERT_TRUE(made && made->body);
  ExportLogsServiceRequest read;
  ASSERT_TRUE(read.ParseFromString(*made->body));
  EXPECT_EQ(read.resource_logs(0).resource().attributes_size(), 1);
  EXPECT_EQ(read.resource_logs(0).scope_logs(0).log_records(3).severity_text(), "X");
}

TEST(Edit, WhatIsNoRequestIsRefused) {
  Doing doing;
  EXPECT_EQ(edit(Signal::kLogs, "\x0a\x7f", doing).error().code, ErrorCode::kInvalid);
  // Two resources in one group: parsers differ on which of them counts.
  const std::string twice("\x0a\x04\x0a\x00\x0a\x00", 6);
  const auto made = edit(Signal::kLogs, twice, doing);
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().message, HasSubstr("\"resource\" stands twice"));
}

TEST(Edit, EachBoundIsTold) {
  Doing doing;
  doing.item = [](const EditPlace&, Editable& item) {
    item.set_attribute("more", text_value(std::string(100, 'x')));
    return Fate::kKeep;
  };
  const std::string body = some_metrics().SerializeAsString();
  const auto refusal = [&](const EditLimits& limits) {
    const auto made = edit(Signal::kMetrics, body, doing, limits);
    return made ? ErrorCode::kInternal : made.error().code;
  };
  EXPECT_EQ(refusal({.items = 7}), ErrorCode::kTooLarge);
  EXPECT_EQ(refusal({.items = 8}), ErrorCode::kInternal);
  EXPECT_EQ(refusal({.made_bytes = 500}), ErrorCode::kTooLarge);
  Doing nothing;
  const std::string empties("\x0a\x00\x0a\x00\x0a\x00", 6);
  EXPECT_TRUE(edit(Signal::kLogs, empties, nothing, {.empty_envelopes = 3}).has_value());
  EXPECT_FALSE(edit(Signal::kLogs, empties, nothing, {.empty_envelopes = 2}).has_value());
}

TEST(Edit, WhatIsTooLargeToBeKeptIsNotShown) {
  auto request = some_logs();
  request.mutable_resource_logs(0)
      ->mutable_scope_logs(0)
      ->mutable_log_records(2)
      ->mutable_body()
      ->set_string_value(std::string(1000, 'x'));
  Doing doing;
  int shown = 0;
  doing.item = [&](const EditPlace&, Editable&) {
    ++shown;
    return Fate::kDrop;
  };
  const auto made = edit(Signal::kLogs, request.SerializeAsString(), doing, {.item_bytes = 999});
  ASSERT_TRUE(made && made->body);
  EXPECT_EQ(shown, 3);
  EXPECT_EQ(made->dropped, 3U);
  doing.resource = [](const EditPlace&) { return Fate::kDrop; };
  add(*request.mutable_resource_logs(0)->mutable_resource(), "a", std::string(1000, 'x'));
  EXPECT_FALSE(edit(Signal::kLogs, request.SerializeAsString(), doing, {.head_bytes = 999})->body);
}

}  // namespace
}  // namespace vigia::wire::edit
