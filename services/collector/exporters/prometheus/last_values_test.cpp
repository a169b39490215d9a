#include "services/collector/exporters/prometheus/last_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::exporters::prometheus {
namespace {

namespace prometheus = wire::prometheus;
namespace pb = opentelemetry::proto;

class FixedFamily final : public series::FamilySource {
 public:
  explicit FixedFamily(series::Family family) : family_(std::move(family)) {}
  const series::Family& family() override { return family_; }
  series::FamilyWords words() const override { return {family_.type, family_.help, family_.unit}; }
  std::uint64_t number() const override { return 1; }

 private:
  series::Family family_;
};

class LastValuesTest : public testing::Test {
 protected:
  void take(std::string_view name, std::string_view node, double value,
            prometheus::FamilyType type = prometheus::FamilyType::kGauge) {
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", std::string(name)}, {"node_id", std::string(node)}}));
    FixedFamily family(
        {.name = std::string(name), .help = "Help \\ and\nmore", .unit = "", .type = type});
    series::SeriesPoint point;
    point.series_hash = std::hash<std::string>{}(labels);
    point.labels = prometheus::LabelPieces::whole(labels);
    point.value = value;
    point.family = &family;
    values_.take(point);
  }
  LastValues values_{{.series_max = 3}};
};

TEST_F(LastValuesTest, ShowsTheLastValueOfEachSeriesByFamily) {
  values_.set_received_ms(1000);
  take("b_total", "n1", 1, prometheus::FamilyType::kCounter);
  take("a", "n2", 2.5);
  take("a", "n1", 1);
  take("a", "n1", 3);
  EXPECT_EQ(
      values_.expose(),
      "# HELP a Help \\\\ and\\nmore\n# TYPE a gauge\n"
      "a{node_id=\"n1\"} 3\na{node_id=\"n2\"} 2.5\n"
      "# HELP b_total Help \\\\ and\\nmore\n# TYPE b_total counter\nb_total{node_id=\"n1\"} 1\n");
}

TEST_F(LastValuesTest, ForgetsWhatHasEndedAndWhatIsOld) {
  values_.set_received_ms(1000);
  take("a", "n1", 1);
  take("a", "n2", 1);
  take("a", "n1", stale_mark());
  EXPECT_EQ(values_.series(), 1U);
  values_.set_received_ms(2000);
  take("a", "n3", 1);
  values_.expire(1500);
  EXPECT_EQ(values_.series(), 1U);
  values_.expire(9000);
  EXPECT_EQ(values_.expose(), "");
}

TEST_F(LastValuesTest, SpellsSpecialValuesAsTheFormatDoes) {
  take("a", "n1", std::numeric_limits<double>::infinity());
  take("a", "n2", -std::numeric_limits<double>::infinity());
  take("a", "n3", std::nan(""));
  const std::string text = values_.expose();
  EXPECT_NE(text.find("{node_id=\"n1\"} +Inf\n"), std::string::npos);
  EXPECT_NE(text.find("{node_id=\"n2\"} -Inf\n"), std::string::npos);
  EXPECT_NE(text.find("{node_id=\"n3\"} NaN\n"), std::string::npos);
}

TEST_F(LastValuesTest, IsBounded) {
  take("a", "n1", 1);
  take("a", "n2", 1);
  take("a", "n3", 1);
  take("a", "n4", 1);
  take("a", "n1", 2);
  EXPECT_EQ(values_.series(), 3U);
  EXPECT_EQ(values_.take_over_limit()[""], 1U);
}

/// A node id so long that two such series are over half of kBytesMax.
const std::string kLong(3000, 'n');
constexpr std::size_t kBytesMax = 12'000;

TEST(LastValuesShare, LargeLabelsOfOneCustomerLeaveTheOthersTheirRoom) {  // A1
  LastValues values({.bytes_max = kBytesMax});
  const auto take = [&values](const std::string& customer, const std::string& node) {
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", "a"}, {"customer_id", customer}, {"node_id", node}}));
    FixedFamily family({.name = "a", .help = "", .unit = "", .type = {}});
    series::SeriesPoint point;
    point.series_hash = std::hash<std::string>{}(labels);
    point.labels = prometheus::LabelPieces::whole(labels);
    point.value = 1;
    point.family = &family;
    values.set_customer(*CustomerId::parse(customer));
    values.take(point);
  };
  for (int i = 0; i < 20; ++i) take("large", std::to_string(i) + kLong);
  for (int i = 0; i < 8; ++i) take("small", std::to_string(i));
  EXPECT_LE(values.bytes(), kBytesMax);
  const std::string text = values.expose();
  for (int i = 0; i < 8; ++i)
    EXPECT_NE(text.find("{customer_id=\"small\",node_id=\"" + std::to_string(i) + "\"}"),
              std::string::npos);
  const auto over = values.take_over_limit();
  EXPECT_EQ(over.count("small"), 0U);
  EXPECT_EQ(over.at("large"), 19U);
  values.expire(1);
  EXPECT_EQ(values.bytes(), 0U);
}

class LastValuesFamilies : public testing::Test {
 protected:
  void take(const std::string& customer, const std::string& name, double value = 1) {
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", name}, {"customer_id", customer}}));
    FixedFamily family({.name = name, .help = std::string(5000, 'h'), .unit = "", .type = {}});
    series::SeriesPoint point;
    point.series_hash = std::hash<std::string>{}(labels);
    point.labels = prometheus::LabelPieces::whole(labels);
    point.value = value;
    point.family = &family;
    values_.set_customer(*CustomerId::parse(customer));
    values_.take(point);
  }
  static constexpr std::size_t kLeast = LastValues::kHelpBytesMax + LastValues::kFamilyBytes;
  LastValues values_{{.bytes_max = 40'000}};
};

TEST_F(LastValuesFamilies, CountForWhoMakesThem) {
  for (int i = 0; i < 100; ++i) take("large", "large_" + std::to_string(i));
  EXPECT_LE(values_.series(), 20'000 / kLeast);
  EXPECT_GT(values_.series(), 5U);
  for (int i = 0; i < 5; ++i) take("small", "small_" + std::to_string(i));
  const auto over = values_.take_over_limit();
  EXPECT_EQ(over.count("small"), 0U);
  EXPECT_EQ(over.at("large"), 105 - values_.series());
  EXPECT_LE(values_.bytes(), 40'000U);
}

TEST_F(LastValuesFamilies, CountForWhoIsLeftInThem) {
  take("first", "a");
  const std::size_t whole = values_.bytes();
  EXPECT_GT(whole, kLeast);
  take("second", "a");
  take("second", "b");
  take("first", "a", stale_mark());
  EXPECT_GT(values_.bytes(), 2 * kLeast);
  for (int i = 0; i < 100; ++i) take("second", "more_" + std::to_string(i));
  const std::uint64_t full = values_.series();
  values_.expire(1);
  EXPECT_EQ(values_.bytes(), 0U);
  for (int i = 0; i < 100; ++i) take("second", "more_" + std::to_string(i));
  EXPECT_EQ(values_.series(), full) << "all that was counted for it was given back";
}

TEST_F(LastValuesTest, AnExpositionComesInPiecesOfWholeLines) {
  LastValues values;
  for (int i = 0; i < 2000; ++i) {
    const std::string name = i % 2 == 0 ? "even" : "odd";
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", name}, {"node_id", std::to_string(i) + std::string(100, 'x')}}));
    FixedFamily family({.name = name, .help = "", .unit = "", .type = {}});
    series::SeriesPoint point;
    point.series_hash = std::hash<std::string>{}(labels);
    point.labels = prometheus::LabelPieces::whole(labels);
    point.family = &family;
    values.take(point);
  }
  LastValues::Bookmark place;
  std::string all;
  int pieces = 0;
  for (std::string piece = values.next_piece({}, place); !piece.empty();
       piece = values.next_piece({}, place), ++pieces) {
    EXPECT_LE(piece.size(), LastValues::kPieceBytes + 300);
    EXPECT_EQ(piece.back(), '\n');
    all += piece;
  }
  EXPECT_GT(pieces, 3);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2002);
  EXPECT_EQ(all.find("# TYPE even"), all.rfind("# TYPE even"));
}

/// Values as a translator gives them of real requests.
class LastValuesOfRequests : public testing::Test {
 protected:
  void send(const std::string& customer,
            const pb::collector::metrics::v1::ExportMetricsServiceRequest& request) {
    const std::string body = request.SerializeAsString();
    values_.set_customer(*CustomerId::parse(customer));
    wire::prometheus::TranslatorSettings settings;
    settings.exponential = wire::prometheus::ExponentialForm::kClassic;
    const auto items = wire::otlp::count_items(Signal::kMetrics, body);
    ASSERT_TRUE(series::Translator(settings, cache_)
                    .translate(*CustomerId::parse(customer), body, Verdicts(*items), values_));
  }
  static pb::metrics::v1::ScopeMetrics* scope(
      pb::collector::metrics::v1::ExportMetricsServiceRequest& request,
      const std::string& customer = "cliente-a") {
    auto* resource = request.add_resource_metrics();
    auto* attribute = resource->mutable_resource()->add_attributes();
    attribute->set_key("customer.id");
    attribute->mutable_value()->set_string_value(customer);
    return resource->add_scope_metrics();
  }
  static std::string open(const LastValues& values) {
    Exposition exposition;
    exposition.is_open_metrics = true;
    return values.expose(exposition);
  }
  const SystemClock clock_;
  series::SeriesCache cache_{{}, clock_};
  LastValues values_;
};

constexpr std::uint64_t kTimeNs = 1'800'000'000'123'000'000ULL;

TEST_F(LastValuesOfRequests, HistogramsAndSummariesHaveTheirSamplesTogetherAndInOrder) {
  pb::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto* metrics = scope(request);
  auto* histogram = metrics->add_metrics();
  histogram->set_name("h");
  histogram->mutable_histogram()->set_aggregation_temporality(
      pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  for (const char* zone : {"b", "a"}) {
    auto* point = histogram->mutable_histogram()->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    auto* attribute = point->add_attributes();
    attribute->set_key("zone");
    attribute->mutable_value()->set_string_value(zone);
    for (const double bound : {-1.0, 2.0, 10.0}) point->add_explicit_bounds(bound);
    for (const std::uint64_t count : {1, 2, 3, 4}) point->add_bucket_counts(count);
    point->set_count(10);
    point->set_sum(5);
  }
  auto* summary = metrics->add_metrics();
  summary->set_name("s");
  auto* point = summary->mutable_summary()->add_data_points();
  point->set_time_unix_nano(kTimeNs);
  point->set_count(1);
  for (const double quantile : {0.9, 0.05}) point->add_quantile_values()->set_quantile(quantile);
  send("cliente-a", request);
  EXPECT_EQ(open(values_),
            "# TYPE h histogram\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"a\",le=\"-1.0\"} 1\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"a\",le=\"2.0\"} 3\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"a\",le=\"10.0\"} 6\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"a\",le=\"+Inf\"} 10\n"
            "h_sum{customer_id=\"cliente-a\",zone=\"a\"} 5\n"
            "h_count{customer_id=\"cliente-a\",zone=\"a\"} 10\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"b\",le=\"-1.0\"} 1\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"b\",le=\"2.0\"} 3\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"b\",le=\"10.0\"} 6\n"
            "h_bucket{customer_id=\"cliente-a\",zone=\"b\",le=\"+Inf\"} 10\n"
            "h_sum{customer_id=\"cliente-a\",zone=\"b\"} 5\n"
            "h_count{customer_id=\"cliente-a\",zone=\"b\"} 10\n"
            "# TYPE s summary\n"
            "s{customer_id=\"cliente-a\",quantile=\"0.05\"} 0\n"
            "s{customer_id=\"cliente-a\",quantile=\"0.9\"} 0\n"
            "s_sum{customer_id=\"cliente-a\"} 0\n"
            "s_count{customer_id=\"cliente-a\"} 1\n"
            "# EOF\n");
}

TEST_F(LastValuesOfRequests, CountersAndBucketsHaveTheirNewestExemplar) {
  pb::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto* metrics = scope(request);
  auto* sum = metrics->add_metrics();
  sum->set_name("requests");
  sum->mutable_sum()->set_is_monotonic(true);
  sum->mutable_sum()->set_aggregation_temporality(
      pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  auto* gauge = metrics->add_metrics();
  gauge->set_name("g");
  for (auto* point :
       {sum->mutable_sum()->add_data_points(), gauge->mutable_gauge()->add_data_points()}) {
    point->set_time_unix_nano(kTimeNs);
    point->set_as_double(7);
    for (int i = 0; i < 2; ++i) {
      auto* exemplar = point->add_exemplars();
      exemplar->set_as_double(i);
      exemplar->set_time_unix_nano(kTimeNs - 1'000'000'000ULL + static_cast<std::uint64_t>(i));
      exemplar->set_span_id(std::string(8, static_cast<char>(i + 1)));
    }
  }
  send("cliente-a", request);
  EXPECT_EQ(open(values_),
            "# TYPE g gauge\ng{customer_id=\"cliente-a\"} 7\n"
            "# TYPE requests counter\nrequests_total{customer_id=\"cliente-a\"} 7"
            " # {span_id=\"0202020202020202\"} 1 1799999999.123\n# EOF\n");
  EXPECT_EQ(values_.expose().find('#', values_.expose().find("requests_total{")),
            std::string::npos);
  values_.expire(1);
  EXPECT_EQ(values_.bytes(), 0U);
}

TEST_F(LastValuesTest, OfTwoFamiliesOfANameTheFirstStaysAndIsToldOnce) {
  values_.set_customer(*CustomerId::parse("cliente-a"));
  take("a", "n1", 1);
  values_.set_customer(*CustomerId::parse("cliente-b"));
  for (int i = 0; i < 3; ++i) take("a", "n2", 2, prometheus::FamilyType::kCounter);
  take("a_sum", "n3", 3);
  take("a_sum", "n4", 3, prometheus::FamilyType::kHistogram);
  EXPECT_EQ(values_.series(), 2U);
  const auto conflicts = values_.take_conflicts();
  EXPECT_EQ(conflicts.of_type, (std::map<std::string, std::uint64_t>{{"cliente-b", 4}}));
  ASSERT_EQ(conflicts.news.size(), 2U);
  EXPECT_EQ(conflicts.news[0], (Conflict{"a", "cliente-b", true}));
  take("a", "n2", 2, prometheus::FamilyType::kCounter);
  EXPECT_TRUE(values_.take_conflicts().news.empty());
}

TEST(LastValuesNames, AHistogramsSamplesAreNoOtherFamilysNames) {
  LastValues values;
  const auto take = [&values](const std::string& family, const std::string& name,
                              prometheus::FamilyType type, const char* help = "") {
    const std::string labels =
        wire::remote_write::encode_labels(Labels::from({{"__name__", name}, {"n", "1"}}));
    FixedFamily source({.name = family, .help = help, .unit = "", .type = type});
    series::SeriesPoint point;
    point.series_hash = std::hash<std::string>{}(labels);
    point.labels = prometheus::LabelPieces::whole(labels);
    point.family = &source;
    values.take(point);
  };
  using prometheus::FamilyType;
  take("h", "h_sum", FamilyType::kHistogram);
  take("h_count", "h_count", FamilyType::kGauge);  // is a sample of h
  take("x_bucket", "x_bucket", FamilyType::kGauge);
  take("x", "x_sum", FamilyType::kHistogram);  // would make x_bucket
  take("x", "x_sum", FamilyType::kSummary);    // would not
  EXPECT_EQ(values.take_conflicts().of_type, (std::map<std::string, std::uint64_t>{{"", 2}}));
  take("h", "h_count", FamilyType::kHistogram, "another");
  const auto conflicts = values.take_conflicts();
  EXPECT_EQ(conflicts.of_help, (std::map<std::string, std::uint64_t>{{"", 1}}));
  EXPECT_EQ(values.series(), 4U);
}

TEST(LastValuesNames, OfNamesThatAreOneToTheReaderOneIsShown) {
  LastValues values;
  for (const char* name : {"a.b", "a_b", "a-b", "c.d", "c-d"}) {
    const std::string labels =
        wire::remote_write::encode_labels(Labels::from({{"__name__", name}}));
    FixedFamily source({.name = name, .help = "", .unit = "", .type = {}});
    series::SeriesPoint point;
    point.series_hash = std::hash<std::string>{}(labels);
    point.labels = prometheus::LabelPieces::whole(labels);
    point.family = &source;
    values.take(point);
  }
  EXPECT_EQ(values.expose(), "# TYPE a_b untyped\na_b 0\n# TYPE c_d untyped\nc_d 0\n");
  Exposition utf8;
  utf8.escaping = Escaping::kAllowUtf8;
  EXPECT_NE(values.expose(utf8).find("# TYPE \"a.b\" untyped\n{\"a.b\"} 0\n"), std::string::npos);
}

}  // namespace
}  // namespace vigia::collector::exporters::prometheus
