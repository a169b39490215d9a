// Which series histograms become, and native ones: buckets, their bounds, and what does not add up.
#include <cmath>
#include <limits>
#include <optional>

#include <gtest/gtest.h>

#include "libs/series/testing/translation_fixture.hpp"
#include "libs/wire/otlp/field_reader.hpp"

namespace vigia::series {
namespace {

TEST(Translator, ManyBucketsDoNotRepeatLargeLabels) {
  Request request;
  auto* point = request.histogram("h");
  for (int i = 0; i < 9'000; ++i) {
    point->add_explicit_bounds(i);
    point->add_bucket_counts(0);
  }
  point->add_bucket_counts(0);
  set(point->mutable_attributes(), "k", std::string(50'000, 'v'));
  EXPECT_EQ(translated(request.body()).size(), 0U);
}

// A1: the resource's labels stand on every bucket as the point's own do.
TEST(Translator, ManyBucketsDoNotRepeatTheResourcesLargeLabels) {
  Request request;
  auto* point = request.histogram("h");
  for (int i = 0; i < 9'000; ++i) {
    point->add_explicit_bounds(i);
    point->add_bucket_counts(0);
  }
  point->add_bucket_counts(0);
  set(request.resource(), "node.region", std::string(2'000, 'v'));
  EXPECT_EQ(translated(request.body()).size(), 0U);
}

// R-PM-7, C05.
TEST(Translator, HistogramBucketsAddUpAndTheLastEqualsTheCount) {
  Request request;
  auto* point = request.histogram("latency", "s");
  point->add_explicit_bounds(0.5);
  point->add_explicit_bounds(1);
  for (int i = 0; i < 3; ++i) point->add_bucket_counts(1);
  point->set_count(4);
  point->set_sum(2.25);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(latency_seconds_bucket{customer_id="cliente-a",le="0.5"} 1 @1800000000123)",
                   R"(latency_seconds_bucket{customer_id="cliente-a",le="1.0"} 2 @1800000000123)",
                   R"(latency_seconds_bucket{customer_id="cliente-a",le="+Inf"} 4 @1800000000123)",
                   R"(latency_seconds_sum{customer_id="cliente-a"} 2.25 @1800000000123)",
                   R"(latency_seconds_count{customer_id="cliente-a"} 4 @1800000000123)"}));
}

// C05.
TEST(Translator, AHistogramWithoutBucketsHasOne) {
  Request request;
  auto* point = request.histogram("h");
  point->set_count(3);
  point->set_sum(6);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(h_bucket{customer_id="cliente-a",le="+Inf"} 3 @1800000000123)",
                   R"(h_sum{customer_id="cliente-a"} 6 @1800000000123)",
                   R"(h_count{customer_id="cliente-a"} 3 @1800000000123)"}));
}

/// Fields of an encoded prometheus.Histogram.
struct Native {
  std::uint64_t count = 0, zero_count = 0;
  double sum = 0, zero_threshold = 0;
  std::int64_t schema = 0;
  std::vector<std::pair<std::int32_t, std::uint32_t>> spans;
  std::vector<std::int64_t> deltas;
};

Native read_native(const std::string& bytes) {
  Native native;
  protozero::pbf_reader reader(bytes.data(), bytes.size());
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        native.count = reader.get_uint64();
        break;
      case 3:
        native.sum = reader.get_double();
        break;
      case 4:
        native.schema = reader.get_sint32();
        break;
      case 5:
        native.zero_threshold = reader.get_double();
        break;
      case 6:
        native.zero_count = reader.get_uint64();
        break;
      case 11: {
        auto span = reader.get_message();
        std::int32_t offset = 0;
        std::uint32_t length = 0;
        while (span.next()) {
          if (span.tag() == 1) {
            offset = span.get_sint32();
          } else {
            length = span.get_uint32();
          }
        }
        native.spans.emplace_back(offset, length);
        break;
      }
      case 12:
        for (const auto delta : reader.get_packed_sint64()) native.deltas.push_back(delta);
        break;
      default:
        reader.skip();
    }
  }
  return native;
}

// R-PM-8, C01.
TEST(Translator, AnExponentialHistogramKeepsItsZeroThreshold) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(3);
  point->set_zero_threshold(0.02);
  point->set_zero_count(4);
  point->set_count(7);
  point->set_sum(9.5);
  point->mutable_positive()->add_bucket_counts(2);
  point->mutable_positive()->add_bucket_counts(1);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 3);
  EXPECT_EQ(native.zero_threshold, 0.02);
  EXPECT_EQ(native.zero_count, 4U);
  EXPECT_EQ(native.count, 7U);
  EXPECT_EQ(native.sum, 9.5);
  EXPECT_EQ(native.spans, (std::vector<std::pair<std::int32_t, std::uint32_t>>{{1, 2}}));
  EXPECT_EQ(native.deltas, (std::vector<std::int64_t>{2, -1}));
}

// D-F7: a sum of 0 would lie, the stale mark would hide the point.
TEST(Translator, AnExponentialHistogramWithoutSumHasNaN) {
  Request request;
  auto* point = request.exponential("h");
  point->set_count(3);
  point->mutable_positive()->add_bucket_counts(3);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_TRUE(std::isnan(native.sum));
  EXPECT_FALSE(is_stale_mark(native.sum));
  EXPECT_EQ(native.count, 3U);
}

// A store works on every bucket for each sample, and Prometheus 2.42 counts them as one.
TEST(Translator, AWideExponentialHistogramIsMergedDown) {
  constexpr std::uint32_t kSent = 16'000;
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(10);
  point->set_count(kSent);
  point->set_sum(1);
  point->mutable_positive()->set_offset(-3);
  for (std::uint32_t i = 0; i < kSent; ++i) point->mutable_positive()->add_bucket_counts(1);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 4) << "six halvings: 16,000 / 64 = 250";
  EXPECT_EQ(native.count, kSent);
  ASSERT_EQ(native.spans.size(), 1U);
  EXPECT_EQ(native.spans[0].first, 0) << "the bucket that ends at 1";
  EXPECT_LE(native.spans[0].second, 320U);
  std::int64_t in_bucket = 0;
  std::int64_t total = 0;
  for (const auto delta : native.deltas) total += in_bucket += delta;
  EXPECT_EQ(total, kSent) << "nothing is lost";
  EXPECT_EQ(native.deltas[0], 3) << "-3, -2, -1 lie below 1";
  EXPECT_EQ(native.deltas[1], 61) << "then 64 each";
}

// Two values far apart need no coarser buckets: what lies between them is not written.
TEST(Translator, AWideExponentialHistogramOfFewBucketsKeepsItsResolution) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(8);
  point->set_count(642);
  point->set_sum(1);
  auto* counts = point->mutable_positive();
  for (int i = 0; i < 9'000; ++i) counts->add_bucket_counts(0);
  counts->set_bucket_counts(0, 1);
  counts->set_bucket_counts(8'999, 1);
  for (int i = 0; i < 640; i += 4) point->mutable_negative()->add_bucket_counts(4);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 8);
  EXPECT_EQ(native.spans,
            (std::vector<std::pair<std::int32_t, std::uint32_t>>{{1, 1}, {8'998, 1}}));
  EXPECT_EQ(native.deltas, (std::vector<std::int64_t>{1, 0}));
}

TEST(Translator, OfManyBucketsWithGapsAsFewAreMergedAsMustBe) {
  const auto schema_of = [](int buckets, int gap) {
    Request request;
    auto* point = request.exponential("h");
    point->set_scale(8);
    point->set_count(static_cast<std::uint64_t>(buckets));
    point->set_sum(1);
    for (int i = 0; i < buckets; ++i) {
      point->mutable_positive()->add_bucket_counts(1);
      for (int empty = 0; empty < gap; ++empty) point->mutable_positive()->add_bucket_counts(0);
    }
    const Native native = read_native(translated(request.body()).at(0).histogram);
    EXPECT_LE(native.deltas.size(), 320U);
    EXPECT_LE(native.spans.size(), 320U);
    return native.schema;
  };
  EXPECT_EQ(schema_of(320, 0), 8);
  EXPECT_EQ(schema_of(321, 0), 7);
  EXPECT_EQ(schema_of(320, 3), 8) << "each a span of its own";
  EXPECT_EQ(schema_of(107, 2), 8) << "320 with the gaps, of which the last counts for nothing";
  EXPECT_EQ(schema_of(108, 2), 7);
  EXPECT_EQ(schema_of(321, 30), 3) << "32 neighbours: one of each, and so on until they meet";
}

TEST(Translator, AWideExponentialHistogramThatCannotBeMergedIsRefused) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(-4);
  point->set_count(321);
  point->set_sum(1);
  for (int i = 0; i < 321; ++i) point->mutable_positive()->add_bucket_counts(1);
  EXPECT_TRUE(translated(request.body()).empty());
  point->set_scale(-3);
  EXPECT_EQ(translated(request.body()).size(), 1U);
}

struct CountCase {
  std::uint64_t count, zero_count;
  std::vector<std::uint64_t> positive, negative;
  std::optional<double> sum;
  bool is_taken;
};

// D01: Prometheus answers 500 to these for ever, and everybody's data waits behind them.
TEST(Translator, ACountThatDoesNotFitTheBucketsIsRefused) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr std::uint64_t kLarge = 1ULL << 62U;
  const std::vector<CountCase> cases{
      {10, 0, {10, 10, 7}, {}, 50, false},  // d01.json
      {27, 0, {10, 10, 7}, {}, 50, true},
      {28, 0, {10, 10, 7}, {}, 50, false},  // 2.42 takes it, 3.x does not
      {30, 3, {10, 10}, {7}, 50, true},
      {3, 5, {}, {}, 0, false},   // zero_count over count
      {0, 0, {1}, {}, 1, false},  // no count, but buckets
      {7, 0, {}, {}, 1, false},   // a count, but no buckets
      {0, 0, {}, {}, 0, true},
      {0, 0, {0, 0}, {0}, 0, true},
      {5, 0, {6}, {}, kNan, false},  // no sum: no less
      {7, 0, {6}, {}, kNan, true},
      {7, 0, {6}, {}, std::nullopt, true},
      {5, 0, {6}, {}, std::nullopt, false},
      {kLarge, 0, {kLarge}, {}, 1, true},
      {0, kLarge, {kLarge, kLarge}, {kLarge}, 1, false},  // adds up to 0 in 64 bits
      {0, 0, {1ULL << 63U, 1ULL << 63U}, {}, 1, false},
      {1ULL << 63U, 1ULL << 63U, {}, {}, 1, false},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const CountCase& one = cases[i];
    Request request;
    auto* point = request.exponential("h");
    point->set_count(one.count);
    point->set_zero_count(one.zero_count);
    for (const auto count : one.positive) point->mutable_positive()->add_bucket_counts(count);
    for (const auto count : one.negative) point->mutable_negative()->add_bucket_counts(count);
    if (one.sum) point->set_sum(*one.sum);
    EXPECT_EQ(translated(request.body()).size(), one.is_taken ? 1U : 0U) << "case " << i;
  }
}

// Some senders spell out the last bound; its bucket and the count's were two values of one series.
TEST(Translator, AnInfiniteLastBoundIsTheCountsBucket) {
  Request request;
  auto* point = request.histogram("h");
  point->add_explicit_bounds(1);
  point->add_explicit_bounds(std::numeric_limits<double>::infinity());
  for (const std::uint64_t count : {1, 2, 0}) point->add_bucket_counts(count);
  point->set_count(3);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(h_bucket{customer_id="cliente-a",le="1.0"} 1 @1800000000123)",
                   R"(h_bucket{customer_id="cliente-a",le="+Inf"} 3 @1800000000123)",
                   R"(h_count{customer_id="cliente-a"} 3 @1800000000123)"}));
}

// R-PM-8, C01: no threshold is 1e-128.
TEST(Translator, FinerScalesAreMergedAndGapsBecomeSpans) {
  Request request;
  auto* point = request.exponential("h");
  point->set_scale(9);
  point->set_count(11);
  point->set_sum(1);
  auto* positive = point->mutable_positive();
  positive->set_offset(-3);
  for (const std::uint64_t count : {1, 2, 3}) positive->add_bucket_counts(count);  // -3, -2, -1
  for (int i = 0; i < 10; ++i) positive->add_bucket_counts(0);
  positive->add_bucket_counts(5);  // index 10
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_EQ(native.schema, 8);
  EXPECT_EQ(native.zero_threshold, 1e-128);
  // -3 → -2, -2 and -1 → -1, 10 → 5; one more in Prometheus' counting.
  EXPECT_EQ(native.spans, (std::vector<std::pair<std::int32_t, std::uint32_t>>{{-1, 2}, {5, 1}}));
  EXPECT_EQ(native.deltas, (std::vector<std::int64_t>{1, 4, 0}));
}

// R-PM-10.
TEST(Translator, AStaleNativeHistogramIsTheMarkInItsSum) {
  Request request;
  auto* point = request.exponential("h");
  point->set_flags(1);
  const Native native = read_native(translated(request.body()).at(0).histogram);
  EXPECT_TRUE(is_stale_mark(native.sum));
  EXPECT_EQ(native.count, 0U);
}

// R-PM-11.
TEST(Translator, AnExemplarGoesToItsBucketWithItsTrace) {
  Request request;
  auto* point = request.histogram("h");
  point->add_explicit_bounds(1);
  point->add_bucket_counts(1);
  point->add_bucket_counts(0);
  point->set_count(1);
  auto* exemplar = point->add_exemplars();
  exemplar->set_as_double(0.5);
  exemplar->set_trace_id(std::string(16, '\x5b'));
  exemplar->set_span_id(std::string(8, '\x01'));
  set(exemplar->mutable_filtered_attributes(), "trace.id", "forged");
  set(exemplar->mutable_filtered_attributes(), "long", std::string(100, 'x'));
  const auto taken = translated(request.body());
  EXPECT_NE(taken.at(0).exemplars.find(std::string(32, '5').replace(1, 1, "b").substr(0, 2)),
            std::string::npos);
  EXPECT_EQ(taken.at(0).exemplars.find("forged"), std::string::npos);
  EXPECT_EQ(taken.at(0).exemplars.find("long"), std::string::npos);
  EXPECT_EQ(taken.at(1).exemplars, "");
}

// Bytes of fields 2 and 3 of the exemplars that the point became, by their times.
std::vector<TimestampMs> exemplar_times(const std::string& fields) {
  std::vector<TimestampMs> times;
  for (protozero::pbf_reader series(fields); series.next();) {
    for (protozero::pbf_reader exemplar = series.get_message(); exemplar.next();) {
      if (exemplar.tag() == 3) {
        times.push_back(exemplar.get_int64());
      } else {
        exemplar.skip();
      }
    }
  }
  return times;
}

TEST(Translator, OfAnyNumberOfExemplarsTheNewestAreGivenInOrder) {
  Request request;
  auto* point = request.exponential("h");
  std::vector<TimestampMs> expected;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const std::uint64_t ago_ms = (i * 7'919) % 1'000;  // each of 0 to 999 once, in no order
    point->add_exemplars()->set_time_unix_nano(kTimeNs - ago_ms * 1'000'000);
  }
  const auto times = exemplar_times(translated(request.body()).at(0).exemplars);
  for (TimestampMs ago = 19; ago >= 0; --ago)
    expected.push_back(static_cast<TimestampMs>(kTimeNs / 1'000'000) - ago);
  EXPECT_EQ(times, expected);
}

// A customer chooses it; it would make days in the index on which its series had nothing.
TEST(Translator, AnExemplarLiesBesideItsPoint) {
  Request request;
  auto* point = request.exponential("h");
  constexpr std::uint64_t kHourNs = 3'600'000'000'000;
  for (const std::uint64_t time_ns :
       {std::uint64_t{0}, UINT64_MAX, kTimeNs - 25 * kHourNs, kTimeNs + kHourNs}) {
    point->add_exemplars()->set_time_unix_nano(time_ns);
  }
  point->add_exemplars()->set_time_unix_nano(kTimeNs - 23 * kHourNs);
  const auto at = static_cast<TimestampMs>(kTimeNs / 1'000'000);
  EXPECT_EQ(exemplar_times(translated(request.body()).at(0).exemplars),
            (std::vector<TimestampMs>{at - 23 * 3'600'000, at, at, at, at}));
}

// The sample beside it was acknowledged, and no store takes what is made of nine megabytes.
TEST(Translator, AnExemplarThatIsTooLargeKeepsNoMoreThanItsIds) {
  Request request;
  auto* point = request.exponential("h");
  point->add_exemplars()->set_trace_id(std::string(9U << 20U, 'x'));
  auto* exemplar = point->add_exemplars();
  exemplar->set_trace_id(std::string(16, '\x5b'));
  exemplar->set_span_id(std::string(7, '\x01'));
  for (int i = 0; i < 10'000; ++i) set(exemplar->mutable_filtered_attributes(), "a", "");
  const std::string fields = translated(request.body()).at(0).exemplars;
  EXPECT_LT(fields.size(), 200U);
  EXPECT_NE(fields.find("5b5b"), std::string::npos);
  EXPECT_EQ(fields.find("span_id"), std::string::npos);
}

TEST(Translator, AnExponentialHistogramIsAClassicOneWhereAskedFor) {
  Request request;
  auto* point = request.exponential("m");
  point->set_count(6);
  point->set_sum(9.5);
  point->set_zero_count(2);
  point->mutable_positive()->add_bucket_counts(1);
  point->mutable_positive()->add_bucket_counts(3);
  auto* exemplar = point->add_exemplars();
  exemplar->set_as_double(3);
  exemplar->set_trace_id(std::string(16, 'x'));
  wire::prometheus::TranslatorSettings settings;
  settings.exponential = wire::prometheus::ExponentialForm::kClassic;
  const auto taken = translated(request.body(), settings);
  EXPECT_EQ(texts(taken), (Texts{R"(m_bucket{customer_id="cliente-a",le="0.0"} 2 @1800000000123)",
                                 R"(m_bucket{customer_id="cliente-a",le="1.0"} 2 @1800000000123)",
                                 R"(m_bucket{customer_id="cliente-a",le="2.0"} 3 @1800000000123)",
                                 R"(m_bucket{customer_id="cliente-a",le="4.0"} 6 @1800000000123)",
                                 R"(m_bucket{customer_id="cliente-a",le="+Inf"} 6 @1800000000123)",
                                 R"(m_sum{customer_id="cliente-a"} 9.5 @1800000000123)",
                                 R"(m_count{customer_id="cliente-a"} 6 @1800000000123)"}));
  ASSERT_EQ(taken.size(), 7U);
  EXPECT_NE(taken[3].exemplars, "");
  EXPECT_EQ(taken[4].exemplars, "");
  EXPECT_EQ(taken[0].histogram, "");
}

}  // namespace
}  // namespace vigia::series
