#include "services/collector/exporters/last_values.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector {
namespace {

namespace prometheus = wire::prometheus;

class FixedFamily final : public prometheus::FamilySource {
 public:
  explicit FixedFamily(prometheus::Family family) : family_(std::move(family)) {}
  const prometheus::Family& family() override { return family_; }

 private:
  prometheus::Family family_;
};

class LastValuesTest : public testing::Test {
 protected:
  void take(std::string_view name, std::string_view node, double value,
            prometheus::FamilyType type = prometheus::FamilyType::kGauge) {
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", std::string(name)}, {"node_id", std::string(node)}}));
    FixedFamily family(
        {.name = std::string(name), .help = "Help \\ and\nmore", .unit = "", .type = type});
    prometheus::SeriesPoint point;
    point.series_hash = std::hash<std::string>{}(labels);
    point.labels = prometheus::LabelPieces::whole(labels);
    point.value = value;
    point.family = &family;
    values_.take(point);
  }
  LastValues values_{3};
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
  EXPECT_EQ(values_.over_limit(), 1U);
}

}  // namespace
}  // namespace vigia::collector
