// One customer of whose data the destination refuses much:
// docs/decisions/0020-refusals-have-a-share.md.
#include <algorithm>
#include <atomic>
#include <map>

#include <gmock/gmock.h>

#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr int kBad = 12;
constexpr std::uint64_t kRate = 128;  // a burst of 8 KiB: some twenty refusals

class ExportersRefusalsTest : public ExportersTest {
 protected:
  /// Refuses what holds one series that is called bad, as Prometheus does a duplicate.
  void refuse_bad_series() {
    destination_.answer_by([this](const net::Request& request) {
      const auto names = series_names(request.body);
      const auto bad = std::count_if(names.begin(), names.end(),
                                     [](const auto& name) { return name.starts_with("bad"); });
      net::Response response;
      response.status = 204;
      if (bad == 0) return response;
      ++refusals_;
      if (names.size() == 1) ++alone_[names[0]];
      response.status = 400;
      response.body = "duplicate sample for timestamp";
      return response;
    });
  }
  void accept_bad_and_good() {
    collector::testing::MetricsBody body;
    body.resource("cliente-a");
    for (int i = 0; i < kBad; ++i)
      body.gauge("bad_" + std::to_string(i), kStartMs).gauge("good_" + std::to_string(i), kStartMs);
    accept(body.bytes(), Verdicts(2 * kBad));
  }
  bool has(const std::string& metric) const {
    return metrics_->expose(false).find(metric) != std::string::npos;
  }
  bool is_waiting() const {
    return has("vigia_exporter_side_items{exporter=\"" + settings_.id + "\"}") &&
           !has("vigia_exporter_side_items{exporter=\"" + settings_.id + "\"} 0");
  }
  bool has_come(const std::string& name) const {
    const auto found = destination_.series(false);
    return std::find(found.begin(), found.end(), name + "@" + std::to_string(kStartMs)) !=
           found.end();
  }

  std::atomic<int> refusals_{0};
  std::map<std::string, int> alone_;  // how often each was refused alone; by the server's thread
};

TEST_F(ExportersRefusalsTest, ItsSearchWaitsForItsShareNobodyElseDoesAndNothingIsLost) {
  sender_.push.refused_bytes_per_second = kRate;
  refuse_bad_series();
  begin();
  accept_bad_and_good();
  eventually([this] { return is_waiting(); });
  const int refused_at_once = refusals_;
  // A line is 256 bytes and a series'; six more end the search that was under way.
  EXPECT_LE(refused_at_once, 64 * static_cast<int>(kRate) / 256 + 6);
  // What comes of it meanwhile joins what waits; its neighbour's goes on.
  accept_gauge("later");
  accept(collector::testing::one_gauge("cliente-b", "well", kStartMs), Verdicts(1),
         Signal::kMetrics, "cliente-b");
  eventually([this] { return has_come("well"); });
  EXPECT_FALSE(has_come("later"));
  EXPECT_EQ(refusals_, refused_at_once);
  // In steps that leave each turn the time that it may take.
  int looks = 0;
  eventually([this, &looks] {
    if (++looks % 50 == 0) clock_.advance(std::chrono::seconds(5));
    return line().queued == 0;
  });
  EXPECT_TRUE(has_come("later"));
  settle();
  EXPECT_EQ(line().sent, kBad + 1U);
  EXPECT_EQ(line().dropped, std::uint64_t{kBad});
  end();
  EXPECT_EQ(alone_.size(), std::size_t{kBad});
  EXPECT_THAT(alone_, Each(Pair(::testing::_, 1))) << "what is refused for good is not sent again";
}

TEST_F(ExportersRefusalsTest, TheMetricsSayWhoseRefusalsCostWhatAndWaited) {
  sender_.push.refused_bytes_per_second = kRate;
  refuse_bad_series();
  begin();
  const std::string of_a = "{customer_id=\"cliente-a\",exporter=\"" + settings_.id + "\"}";
  accept_gauge("good");
  settle();
  EXPECT_FALSE(has("vigia_exporter_refused_bytes_total" + of_a));
  accept_bad_and_good();
  eventually([this] { return is_waiting(); });
  EXPECT_TRUE(has("vigia_exporter_refused_bytes_total" + of_a));
  const std::string waited = "vigia_exporter_refusals_waited_seconds_total" + of_a + " ";
  clock_.advance(std::chrono::seconds(5));
  EXPECT_TRUE(has(waited));
  EXPECT_FALSE(has(waited + "0\n"));
}

TEST_F(ExportersRefusalsTest, WithinItsShareNothingWaits) {
  refuse_bad_series();
  begin();
  accept_bad_and_good();
  settle();
  EXPECT_EQ(line().sent, std::uint64_t{kBad});
  EXPECT_EQ(line().dropped, std::uint64_t{kBad});
}

TEST_F(ExportersRefusalsTest, OfManyValuesOfOneSeriesAndTimeOneIsSent) {
  refuse_bad_series();
  begin();
  collector::testing::MetricsBody body;
  body.resource("cliente-a");
  for (int i = 0; i < kBad; ++i) body.gauge("bad", kStartMs, {}, i);
  body.gauge("good", kStartMs);
  accept(body.bytes(), Verdicts(kBad + 1));
  settle();
  EXPECT_EQ(line().sent, 1U);
  EXPECT_EQ(line().dropped, std::uint64_t{kBad});
  EXPECT_LE(refusals_, 3) << "all of it, what is left of it, and the one";
  EXPECT_THAT(dead_letters(), HasSubstr("another value of that series and time"));
}

}  // namespace
}  // namespace vigia::collector::exporters
