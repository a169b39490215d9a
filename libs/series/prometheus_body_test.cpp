#include "libs/series/prometheus_body.hpp"

#include <bit>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/series/series_resolver.hpp"
#include "libs/series/testing/translation_fixture.hpp"
#include "libs/wire/prometheus/verbatim.hpp"
#include "libs/wire/remote_write/native_histogram.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::series {
namespace {

namespace protocol = wire::remote_write;

using protozero::pbf_writer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TimestampMs kTimeMs = 1'800'000'000'123;

std::string body_of(const std::string& message, WriteVersion version = WriteVersion::k1) {
  const auto made = read_remote_write(*CustomerId::parse("cliente-a"), version,
                                      protocol::compress_request(message));
  EXPECT_TRUE(made) << made.error().message;
  return made ? made->body : "";
}

std::string sample_of(std::vector<Label> labels, double value, TimestampMs time_ms = kTimeMs) {
  std::string message;
  std::string bytes;
  for (const Label& label : labels) {
    std::string inner;
    pbf_writer writer(inner);
    writer.add_string(1, label.name);
    writer.add_string(2, label.value);
    pbf_writer outer(bytes);
    outer.add_message(1, inner);
  }
  protocol::append_sample(message, bytes, {time_ms, value});
  return message;
}

std::vector<std::string> texts_of(const std::string& body) {
  std::vector<std::string> texts;
  for (const Taken& taken : translated(body)) texts.push_back(taken.text);
  return texts;
}

/// What the check finds of each point.
class Faults final : public SeriesResolver {
 public:
  Faults(const wire::prometheus::TranslatorSettings& settings, SeriesCache& cache, bool admits)
      : SeriesResolver(*CustomerId::parse("cliente-a"), settings, cache), admits_(admits) {}
  std::vector<RejectReason> faults;
  std::string why;

 private:
  bool admits_verbatim() const override { return admits_; }
  void on_point(const ResolvedPoint& point) override {
    faults.push_back(point.fault);
    if (!point.why.empty()) why = std::string(point.why);
  }
  bool admits_;
};

struct Found {
  RejectReason fault;
  std::string why;
};

/// Of the first point; asked twice, since the cache knows the series the second time.
Found fault_of(const std::string& body, bool admits = true) {
  const SystemClock clock;
  SeriesCache cache({}, clock);
  const wire::prometheus::TranslatorSettings settings;
  Found found{};
  for (int round = 0; round < 2; ++round) {
    Faults faults(settings, cache, admits);
    EXPECT_TRUE(faults.run(body));
    if (faults.faults.empty()) return {RejectReason::kUntranslatable, "no point"};
    if (round == 1) {
      EXPECT_EQ(found.fault, faults.faults.front());
      EXPECT_EQ(found.why, faults.why) << "told the first time only";
    }
    found = {faults.faults.front(), faults.why};
  }
  return found;
}

RejectReason fault_of(std::vector<Label> labels) {
  return fault_of(body_of(sample_of(std::move(labels), 1))).fault;
}

// C21, R-RW-2: names and labels as they stand, with the token's customer; nothing of OTLP's
// suffixes, scopes, jobs or target_info.
TEST(PrometheusBody, NamesAndLabelsComeBackAsTheyWere) {
  const std::string message = sample_of({{"__name__", "http_requests:rate5m"},
                                         {"Instance", "x"},
                                         {"_under", "y"},
                                         {"instance", "10.0.0.1:9100"},
                                         {"job", "node"},
                                         {"le", "0.5"}},
                                        0.25);
  EXPECT_THAT(texts_of(body_of(message)),
              ElementsAre("http_requests:rate5m{Instance=\"x\",_under=\"y\","
                          "customer_id=\"cliente-a\",instance=\"10.0.0.1:9100\",job=\"node\","
                          "le=\"0.5\"} 0.25 @1800000000123"));
}

// A Prometheus before 3 would leave these out without a word.
TEST(PrometheusBody, Utf8IsTakenWhereEveryStoreTakesIt) {
  const std::string body = body_of(sample_of({{"__name__", "a.b"}, {"c.d", "e"}}, 1));
  EXPECT_EQ(fault_of(body).fault, RejectReason::kUntranslatable);
  EXPECT_EQ(fault_of({{"__name__", "m"}, {"c.d", "e"}}), RejectReason::kUntranslatable);
  const auto taken = translated(body, {.strategy = wire::prometheus::Strategy::kNone});
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_THAT(taken[0].text, HasSubstr("\"c.d\"=\"e\""));
  EXPECT_FALSE(wire::prometheus::takes_utf8({.strategies = 0b1001}));
  EXPECT_TRUE(wire::prometheus::takes_utf8({.strategies = 0b1100}));
}

// R-RW-4.
TEST(PrometheusBody, ValuesComeBackBitForBit) {
  for (const double value :
       {0.0, -0.0, 1e308, std::numeric_limits<double>::denorm_min(),
        std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::bit_cast<double>(kNormalNanBits), stale_mark()}) {
    class Bits final : public SeriesSink {
     public:
      void take(const SeriesPoint& point) override {
        bits = std::bit_cast<std::uint64_t>(point.value);
      }
      std::uint64_t bits = 1;
    } sink;
    const SystemClock clock;
    SeriesCache cache({}, clock);
    ASSERT_TRUE(Translator({}, cache).translate(*CustomerId::parse("cliente-a"),
                                                body_of(sample_of({{"__name__", "m"}}, value)),
                                                Verdicts(1), sink));
    EXPECT_EQ(sink.bits, std::bit_cast<std::uint64_t>(value)) << value;
  }
}

// Lengths of a byte are written apart from longer ones.
TEST(PrometheusBody, LabelsOfAnyLengthComeBack) {
  for (const std::size_t length : {1U, 100U, 117U, 118U, 119U, 120U, 121U, 127U, 128U, 300U}) {
    const std::string value(length, 'v');
    EXPECT_THAT(texts_of(body_of(sample_of({{"__name__", "m"}, {"a", value}}, 1))),
                ElementsAre("m{a=\"" + value + "\",customer_id=\"cliente-a\"} 1 @1800000000123"));
  }
}

TEST(PrometheusBody, OrderOfLabelsMakesNoOtherSeries) {
  const std::string message = sample_of({{"b", "2"}, {"__name__", "m"}, {"a", "1"}}, 1) +
                              sample_of({{"__name__", "m"}, {"a", "1"}, {"b", "2"}}, 2);
  const auto taken = translated(body_of(message));
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].hash, taken[1].hash);
  EXPECT_EQ(taken[0].text, "m{a=\"1\",b=\"2\",customer_id=\"cliente-a\"} 1 @1800000000123");
}

// R-PM-14: the label comes from the token alone.
TEST(PrometheusBody, CustomersAreFenced) {
  EXPECT_EQ(fault_of({{"__name__", "m"}, {"customer_id", "cliente-a"}}), RejectReason::kNone);
  for (const char* name : {"customer_id", "customer.id", "customer-id", "customer__id"})
    EXPECT_EQ(fault_of({{"__name__", "m"}, {name, "cliente-b"}}), RejectReason::kForeign) << name;
  EXPECT_THAT(texts_of(body_of(sample_of({{"__name__", "m"}, {"customer.id", "cliente-a"}}, 1))),
              ElementsAre("m{customer_id=\"cliente-a\"} 1 @1800000000123"));
}

// R-SEC: what rules and pages of the provider go by cannot be forged.
TEST(PrometheusBody, ReservedNamesAreRefused) {
  for (const char* name : {"ALERTS", "ALERTS_FOR_STATE", "vigia_hot_heartbeat", "vigia:own_outage",
                           "agent_collector_reachable", "otelcol_exporter_queue_size"})
    EXPECT_EQ(fault_of({{"__name__", name}, {"job", "a"}}), RejectReason::kReserved) << name;
  for (const char* job : {"customer-agents", "otel-collector"})
    EXPECT_EQ(fault_of({{"__name__", "m"}, {"job", job}}), RejectReason::kReserved) << job;
  EXPECT_EQ(fault_of({{"__name__", "m"}, {"__rollup__", "1h:sum"}}), RejectReason::kReserved);
}

TEST(PrometheusBody, WhatAPrometheusTellsOfItsTargetsIsTakenOfTheirOwnJobs) {
  for (const char* name : {"up", "scrape_duration_seconds"}) {
    EXPECT_EQ(fault_of({{"__name__", name}, {"job", "node"}}), RejectReason::kNone);
    EXPECT_EQ(fault_of({{"__name__", name}}), RejectReason::kReserved);
    for (const char* job : {"customer-agents", "otel-collector", "vigia-storage"})
      EXPECT_EQ(fault_of({{"__name__", name}, {"job", job}}), RejectReason::kReserved) << job;
  }
}

// B2: two series that differ in a label that rules write over would stop the rules of all.
TEST(PrometheusBody, LabelsOfRulesAreRenamedAsOfOtlp) {
  EXPECT_THAT(texts_of(body_of(sample_of({{"__name__", "m"}, {"severity", "error"}}, 1))),
              ElementsAre("m{customer_id=\"cliente-a\",key_severity=\"error\"} 1 @1800000000123"));
}

TEST(PrometheusBody, BadSeriesAreRefusedAlone) {
  EXPECT_EQ(fault_of({{"a", "b"}}), RejectReason::kInvalid);
  EXPECT_EQ(fault_of({{"__name__", ""}}), RejectReason::kInvalid);
  EXPECT_EQ(fault_of({{"__name__", "m"}, {"a", "1"}, {"a", "2"}}), RejectReason::kInvalid);
  EXPECT_EQ(fault_of({{"__name__", "m"}, {"__name__", "n"}}), RejectReason::kInvalid);
  EXPECT_EQ(fault_of({{"__name__", "m"}, {"", "b"}}), RejectReason::kInvalid);
  EXPECT_EQ(fault_of({{"__name__", "m"}, {"a", "\xff"}}), RejectReason::kInvalid);
  EXPECT_EQ(fault_of({{"__name__", "m\xff"}}), RejectReason::kInvalid);
  EXPECT_THAT(fault_of(body_of(sample_of({{"__name__", "m"}, {"a", "1"}, {"a", "2"}}, 1))).why,
              HasSubstr("stands twice: \"a\""));
  EXPECT_EQ(fault_of(body_of(sample_of({{"__name__", "m"}}, 1, 0))).fault,
            RejectReason::kUntranslatable);
  EXPECT_EQ(fault_of(body_of(sample_of({{"__name__", "m"}}, 1, -1))).fault,
            RejectReason::kUntranslatable);
  // A label without a value is no label.
  EXPECT_THAT(texts_of(body_of(sample_of({{"__name__", "m"}, {"a", ""}}, 1))),
              ElementsAre("m{customer_id=\"cliente-a\"} 1 @1800000000123"));
}

// The form is our own: by OTLP it is refused, so that it may change.
TEST(PrometheusBody, NoOtherDoorMayMakeIt) {
  const auto found = fault_of(body_of(sample_of({{"__name__", "m"}}, 1)), false);
  EXPECT_EQ(found.fault, RejectReason::kReserved);
  EXPECT_THAT(found.why, HasSubstr("schema_url"));
}

std::string histogram_of(std::int32_t schema) {
  protocol::NativeHistogram histogram;
  histogram.schema = schema;
  histogram.sum = 7.5;
  histogram.count = 3;
  histogram.positive = {{{2, 2}}, {1, 1}, {}};
  if (schema == protocol::kCustomSchema) {
    histogram.positive.spans = {{0, 2}};
    histogram.custom_bounds = {0.5, 1};
  }
  histogram.reset_hint = protocol::ResetHint::kGauge;
  return protocol::encode_histogram(histogram, kTimeMs);
}

// R-RW-5: with what OTLP has no word for: custom buckets, floats, hints of resets.
TEST(PrometheusBody, HistogramsComeBackAsTheyWere) {
  for (const std::int32_t schema : {3, protocol::kCustomSchema}) {
    std::string message;
    protocol::append_histogram(message, protocol::encode_labels(Labels::from({{"__name__", "h"}})),
                               histogram_of(schema));
    const auto taken = translated(body_of(message));
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].histogram, histogram_of(schema));
  }
}

// No check looks at what stands beside the mark, and a Prometheus that gets it would refuse it once
// it is acknowledged.
TEST(PrometheusBody, AStaleHistogramIsNothingButItsMark) {
  protocol::NativeHistogram stale;
  stale.sum = stale_mark();
  const std::string bare = protocol::encode_histogram(stale, kTimeMs);
  stale.schema = 99;
  stale.zero_threshold = -1;
  stale.count = 7;
  stale.positive = {{{2, 9}}, {1}, {}};
  stale.custom_bounds = {3, 1};
  std::string message;
  protocol::append_histogram(message, protocol::encode_labels(Labels::from({{"__name__", "h"}})),
                             protocol::encode_histogram(stale, kTimeMs));
  const auto taken = translated(body_of(message));
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].histogram, bare);
}

TEST(PrometheusBody, BadHistogramsAreRefused) {
  std::string message;
  protocol::append_histogram(message, protocol::encode_labels(Labels::from({{"__name__", "h"}})),
                             histogram_of(52));
  const auto found = fault_of(body_of(message));
  EXPECT_EQ(found.fault, RejectReason::kInvalid);
  EXPECT_THAT(found.why, HasSubstr("schema is 52"));
}

TEST(PrometheusBody, ExemplarsComeWithoutAValue) {
  std::string exemplar;
  protocol::append_exemplar(exemplar, Labels::from({{"trace_id", "abc"}}), {kTimeMs, 0.5});
  std::string message;
  const std::string labels = protocol::encode_labels(Labels::from({{"__name__", "m"}}));
  labels.copy(protocol::append_exemplars_around(message, labels.size(), exemplar), labels.size());
  const auto taken = translated(body_of(message));
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].exemplars, exemplar);
}

std::string message_2(std::uint32_t type, bool is_mixed = false) {
  std::string message;
  pbf_writer writer(message);
  for (const char* symbol : {"", "__name__", "hits_total", "node_id", "n1", "help", "unit"})
    writer.add_string(4, symbol);
  pbf_writer series(writer, 5);
  const std::vector<std::uint32_t> references{1, 2, 3, 4};
  series.add_packed_uint32(1, references.begin(), references.end());
  {
    pbf_writer sample(series, 2);
    sample.add_double(1, 4);
    sample.add_int64(2, kTimeMs);
    sample.add_int64(3, kTimeMs - 1000);
  }
  if (is_mixed) series.add_message(3, histogram_of(3));
  pbf_writer metadata(series, 5);
  metadata.add_uint32(1, type);
  metadata.add_uint32(3, 5);
  metadata.add_uint32(4, 6);
  return message;
}

// R-RW-5: and what is said of the type, today or never, makes no other series.
TEST(PrometheusBody, StartTimesAndMetadataOf2Point0AreKept) {
  class Sink final : public SeriesSink {
   public:
    bool wants_hashes() const override { return true; }
    void take(const SeriesPoint& point) override {
      start_ms = point.start_ms;
      const Family& family = point.family->family();
      text = family.name + "|" + family.help + "|" + family.unit;
      type = family.type;
    }
    TimestampMs start_ms = 0;
    std::string text;
    wire::prometheus::FamilyType type = {};
  } sink;
  const SystemClock clock;
  SeriesCache cache({}, clock);
  Translator translator({}, cache);
  for (const std::uint32_t type : {1U, 2U}) {
    ASSERT_TRUE(translator.translate(*CustomerId::parse("cliente-a"),
                                     body_of(message_2(type), WriteVersion::k2), Verdicts(1),
                                     sink));
    EXPECT_EQ(sink.start_ms, kTimeMs - 1000);
    EXPECT_EQ(sink.text, "hits_total|help|unit");
    EXPECT_EQ(sink.type, static_cast<wire::prometheus::FamilyType>(type));
  }
  EXPECT_EQ(cache.stats().series, 1U);
}

TEST(PrometheusBody, SamplesAndHistogramsOfOneSeriesAreRefused) {
  const auto found = fault_of(body_of(message_2(1, true), WriteVersion::k2));
  EXPECT_EQ(found.fault, RejectReason::kInvalid);
  EXPECT_THAT(found.why, HasSubstr("samples and histograms"));
}

// R-RW-5: of a series that refers to a symbol that is not there its values are refused, and said.
TEST(PrometheusBody, AReferenceThatLeadsNowhereIsToldOfItsValues) {
  std::string message;
  pbf_writer writer(message);
  for (const char* symbol : {"", "__name__", "up"}) writer.add_string(4, symbol);
  for (const std::vector<std::uint32_t>& references :
       {std::vector<std::uint32_t>{1, 9}, std::vector<std::uint32_t>{9, 9},
        std::vector<std::uint32_t>{1}}) {
    std::string one = message;
    pbf_writer request(one);
    pbf_writer series(request, 5);
    series.add_packed_uint32(1, references.begin(), references.end());
    // Of one without a value, too.
    if (references.size() == 2) series.add_message(2, "\x10\x01", 2);
    series.commit();
    const auto found = fault_of(body_of(one, WriteVersion::k2));
    EXPECT_EQ(found.fault, RejectReason::kInvalid);
    EXPECT_THAT(found.why, testing::AnyOf(HasSubstr("no symbol"), HasSubstr("no value")));
  }
}

TEST(PrometheusBody, SeriesOfANodeStandUnderIt) {
  const auto taken = translated(body_of(message_2(1), WriteVersion::k2));
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].text, "hits_total{customer_id=\"cliente-a\",node_id=\"n1\"} 4 @1800000000123");
}

// B4: a few bytes for each value, with all labels of its series beside it.
TEST(PrometheusBody, WhatBecomesTooMuchIsRefusedBeforeItIsThere) {
  std::string series = protocol::encode_labels(
      Labels::from({{"__name__", "m"}, {"long", std::string(60'000, 'x')}}));
  for (int i = 0; i < 10'000; ++i) series += std::string("\x12\x02\x10\x01", 4);
  std::string message;
  pbf_writer(message).add_message(1, series);
  const auto made = read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1,
                                      protocol::compress_request(message));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kTooLarge);
}

// B4: by the length that it declares.
TEST(PrometheusBody, ABombIsRefusedByItsOwnWord) {
  const std::string bomb = protocol::compress_request(std::string(17U << 20U, 'a'));
  const auto made = read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1, bomb);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kTooLarge);
  EXPECT_FALSE(read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1, "\xff\xff"));
  EXPECT_THAT(texts_of(body_of("")), IsEmpty());
}

// Two bytes on the wire, 32 in memory: 16 MiB of them were half a GiB.
TEST(PrometheusBody, LabelsOfExemplarsAreBounded) {
  std::string labels;
  for (int i = 0; i < 16'000; ++i) labels += std::string_view("\x0a\x00", 2);
  std::string series;
  pbf_writer writer(series);
  for (int i = 0; i < 5; ++i) writer.add_message(3, labels);
  std::string message;
  pbf_writer(message).add_message(1, series);
  const auto made = read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1,
                                      protocol::compress_request(message));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(made.error().message, HasSubstr("exemplars of a series"));
}

TEST(PrometheusBody, AHistogramOfManyBytesIsRefusedUnread) {
  std::string label;
  pbf_writer(label).add_string(1, "__name__");
  pbf_writer(label).add_string(2, "h");
  std::string histogram;
  pbf_writer(histogram).add_bytes(12, std::string(65U << 10U, '\0'));
  std::string series;
  pbf_writer(series).add_message(1, label);
  pbf_writer(series).add_message(4, histogram);
  std::string message;
  pbf_writer(message).add_message(1, series);
  const auto found = fault_of(body_of(message));
  EXPECT_EQ(found.fault, RejectReason::kInvalid);
  EXPECT_THAT(found.why, HasSubstr("65536 may be"));
}

// More than a piece of it: one metric is several then, and each point stands as it did.
TEST(PrometheusBody, ManyPointsOfOneMetricAreAllThere) {
  std::string series = protocol::encode_labels(Labels::from({{"__name__", "m"}}));
  for (int i = 1; i <= 50'000; ++i) {
    std::string sample;
    pbf_writer(sample).add_double(1, i);
    pbf_writer(sample).add_int64(2, 1'800'000'000'000 + i);
    pbf_writer(series).add_message(2, sample);
  }
  std::string message;
  pbf_writer(message).add_message(1, series);
  const auto body = body_of(message);
  EXPECT_EQ(wire::otlp::count_items(Signal::kMetrics, body).value(), 50'000U);
  const auto taken = translated(body);
  ASSERT_EQ(taken.size(), 50'000U);
  EXPECT_EQ(taken.front().text, "m{customer_id=\"cliente-a\"} 1 @1800000000001");
  EXPECT_EQ(taken.back().text, "m{customer_id=\"cliente-a\"} 50000 @1800000050000");
}

TEST(PrometheusBody, AHistogramOfManySpansIsRefusedWithoutThem) {
  std::string label;
  pbf_writer(label).add_string(1, "__name__");
  pbf_writer(label).add_string(2, "h");
  std::string histogram;
  for (int i = 0; i < 2'049; ++i) pbf_writer(histogram).add_message(11, std::string());
  std::string series;
  pbf_writer(series).add_message(1, label);
  pbf_writer(series).add_message(4, histogram);
  std::string message;
  pbf_writer(message).add_message(1, series);
  const auto body = body_of(message);
  EXPECT_LT(body.size(), 500U);
  const auto found = fault_of(body);
  EXPECT_EQ(found.fault, RejectReason::kInvalid);
  EXPECT_THAT(found.why, HasSubstr("2049 spans, 2048 may be"));
}

// Each has a resource of its own in the body, some 100 bytes beside its point.
TEST(PrometheusBody, ResourcesOfManyNodesCountAsBytes) {
  std::string message;
  for (int node = 0; node < 100; ++node)
    message += sample_of({{"__name__", "a"}, {"node_id", std::to_string(node)}}, 1);
  PrometheusBodyLimits limits;
  limits.body_bytes_max = 20'000;
  const auto made = read_remote_write(*CustomerId::parse("cliente-a"), WriteVersion::k1,
                                      protocol::compress_request(message), limits);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace vigia::series
