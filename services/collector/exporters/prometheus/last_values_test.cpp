#include "services/collector/exporters/prometheus/last_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::exporters::prometheus {
namespace {

namespace prometheus = wire::prometheus;

class FixedFamily final : public series::FamilySource {
 public:
  explicit FixedFamily(series::Family family) : family_(std::move(family)) {}
  const series::Family& family() override { return family_; }

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
  for (std::string piece = values.next_piece(place); !piece.empty();
       piece = values.next_piece(place), ++pieces) {
    EXPECT_LE(piece.size(), LastValues::kPieceBytes + 300);
    EXPECT_EQ(piece.back(), '\n');
    all += piece;
  }
  EXPECT_GT(pieces, 3);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2002);
  EXPECT_EQ(all.find("# TYPE even"), all.rfind("# TYPE even"));
}

}  // namespace
}  // namespace vigia::collector::exporters::prometheus
