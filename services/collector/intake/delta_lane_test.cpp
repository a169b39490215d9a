// R-PM-5: deltas of direct senders become cumulative on their way into the log.
#include "services/collector/intake/delta_lane.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/collector/intake/testing/delta_bodies.hpp"
#include "services/collector/intake/testing/intake_fixture.hpp"

namespace vigia::collector::intake {
namespace {

class DeltaLaneTest : public IntakeTest {
 protected:
  DeltaLaneTest() {
    settings_.deltas = DeltaSettings{.directory = folder_.path()};
    begin_s_ = static_cast<std::uint64_t>(now() / 1000) - 1000;
  }
  ~DeltaLaneTest() override {
    if (intake_) intake_->stop();
  }
  Result<Receipt> send(std::vector<DeltaValue> values) {
    for (DeltaValue& value : values) value.time_s += begin_s_;
    return take(delta_request(values).SerializeAsString());
  }
  ExportMetricsServiceRequest gauge_request(std::uint64_t second,
                                            const std::string& description) const {
    auto request = delta_request({});
    auto* gauge = request.mutable_resource_metrics(0)->mutable_scope_metrics(0)->add_metrics();
    gauge->set_name("g");
    gauge->set_description(description);
    auto* point = gauge->mutable_gauge()->add_data_points();
    point->set_time_unix_nano((begin_s_ + second) * 1'000'000'000);
    point->set_as_int(1);
    return request;
  }
  /// Of the next record of a body.
  std::vector<DeltaValue> next_sums() {
    const auto record = next_record();
    if (!record) return {};
    auto values = accepted_sums(*record);
    for (DeltaValue& value : values) value.time_s -= begin_s_;
    return values;
  }
  /// As after a kill: nothing is written at the end.
  void kill() {
    intake_.reset();
    log_.reset();
  }
  void restart() {
    intake_->stop();
    kill();
  }

  std::uint64_t begin_s_ = 0;
  std::atomic<bool> is_failing_{false};
};

/// One point of each stream, of an exponential histogram, with so many full buckets.
ExportMetricsServiceRequest exponential_request(std::uint64_t time_s, int first, int end,
                                                int buckets) {
  auto request = delta_request({});
  auto* scope = request.mutable_resource_metrics(0)->mutable_scope_metrics(0);
  for (int stream = first; stream < end; ++stream) {
    auto* metric = scope->add_metrics();
    metric->set_name("e" + std::to_string(stream));
    auto* histogram = metric->mutable_exponential_histogram();
    histogram->set_aggregation_temporality(pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA);
    auto* point = histogram->add_data_points();
    point->set_start_time_unix_nano((time_s - 10) * 1'000'000'000);
    point->set_time_unix_nano(time_s * 1'000'000'000);
    constexpr std::uint64_t kInEach = 1ULL << 35U;  // six bytes as a varint
    for (int bucket = 0; bucket < buckets; ++bucket)
      point->mutable_positive()->add_bucket_counts(kInEach);
    point->set_count(kInEach * static_cast<std::uint64_t>(buckets));
    point->set_sum(1);
  }
  return request;
}

std::vector<std::int64_t> values_of(const std::vector<DeltaValue>& points) {
  std::vector<std::int64_t> values;
  for (const DeltaValue& point : points) values.push_back(point.value);
  return values;
}

TEST_F(DeltaLaneTest, SumsGoOnFromRequestToRequest) {
  ASSERT_TRUE(send({{"a", 10, 5}, {"b", 10, 1}}));
  ASSERT_TRUE(send({{"a", 20, 2}}));
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(5, 1));
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(7));
  EXPECT_EQ(books().received, 3U);
  EXPECT_EQ(books().queued, 3U);
}

// C07: a batch that stands newest first, and a start that is that of the first.
TEST_F(DeltaLaneTest, ABatchIsAddedInOrderOfTime) {
  ASSERT_TRUE(send({{"a", 30, 5}, {"a", 20, 3}, {"a", 10, 2}}));
  const auto points = next_sums();
  EXPECT_THAT(values_of(points), ::testing::ElementsAre(2, 5, 10));
  EXPECT_EQ(points.at(0).time_s, 10U);
  EXPECT_EQ(points.at(2).time_s, 30U);
}

// C07: live streams go on, one too many is refused and counted.
TEST_F(DeltaLaneTest, OneStreamTooManyIsRefusedAndTheOthersGoOn) {
  settings_.deltas->streams_per_customer = 2;
  ASSERT_TRUE(send({{"a", 10, 1}, {"b", 10, 1}}));
  const auto receipt = send({{"a", 20, 1}, {"b", 20, 1}, {"c", 20, 1}});
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_THAT(receipt->message, ::testing::HasSubstr("delta_streams"));
  EXPECT_EQ(books().rejected, 1U);
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(1, 1));
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(2, 2));
}

TEST_F(DeltaLaneTest, ARepeatIsToldAndAddedOnce) {
  ASSERT_TRUE(send({{"a", 10, 5}}));
  const auto receipt = send({{"a", 10, 5}});
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_THAT(receipt->message, ::testing::HasSubstr("repeated"));
  ASSERT_TRUE(send({{"a", 20, 1}}));
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(5));
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(6));
}

// A point that waited while others went on: as long as it is known that it was not added, it is.
TEST_F(DeltaLaneTest, WhatTooManyHaveOvertakenIsRefusedAndTold) {
  for (std::uint64_t turn = 2; turn <= 17; ++turn) ASSERT_TRUE(send({{"a", turn * 10, 1}}));
  const auto late = send({{"a", 10, 1}});
  ASSERT_TRUE(late);
  EXPECT_EQ(late->rejected, 0U);
  ASSERT_TRUE(send({{"a", 180, 1}}));
  const auto too_late = send({{"a", 5, 1}});
  ASSERT_TRUE(too_late);
  EXPECT_EQ(too_late->rejected, 1U);
  EXPECT_THAT(too_late->message, ::testing::HasSubstr("sixteen newer ones"));
  EXPECT_EQ(books().rejected, 1U);
  std::vector<std::int64_t> last;
  for (int record = 0; record < 18; ++record) last = values_of(next_sums());
  EXPECT_THAT(last, ::testing::ElementsAre(18));
}

TEST_F(DeltaLaneTest, AfterAKillStreamsGoOn) {
  ASSERT_TRUE(send({{"a", 10, 5}}));
  ASSERT_TRUE(send({{"a", 20, 5}}));
  kill();
  EXPECT_EQ(send({{"a", 20, 5}})->rejected, 1U);
  ASSERT_TRUE(send({{"a", 30, 1}}));
  next_sums();
  next_sums();
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(11));
}

TEST_F(DeltaLaneTest, ACheckpointStandsForTheLogBeforeIt) {
  ASSERT_TRUE(send({{"a", 10, 5}}));
  restart();
  // What lies there, damaged: the stream begins anew, and that is shown.
  {
    const std::string path = folder_.path() + "/delta-states";
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file.is_open());
    file.seekp(30);
    file.put('\x7f');
  }
  ASSERT_TRUE(send({{"a", 20, 1}}));
  EXPECT_EQ(metrics_.gauge("vigia_delta_states_damaged", "").value(), 1);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/delta-states.damaged"));
  next_sums();
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(1));
}

// It was refused together with those that shared its write.
TEST_F(DeltaLaneTest, WhatTouchesTooMuchIsRefusedAloneAndAddsNothing) {
  constexpr int kHalf = 8'500;  // of streams, whose states are some KiB each
  ASSERT_TRUE(take(exponential_request(begin_s_, 0, kHalf, 160).SerializeAsString()));
  ASSERT_TRUE(take(exponential_request(begin_s_, kHalf, 2 * kHalf, 160).SerializeAsString()));
  std::vector<std::future<Result<Receipt>>> answers;
  const auto take_beside = [&](const std::string& body) {
    auto promise = std::make_shared<std::promise<Result<Receipt>>>();
    answers.push_back(promise->get_future());
    intake().take(customer_, {Signal::kMetrics, "grpc", body},
                  [promise](Result<Receipt> receipt) { promise->set_value(std::move(receipt)); });
  };
  const auto small = [this](std::uint64_t time_s) {
    return delta_request({{"a", begin_s_ + time_s, 1}}).SerializeAsString();
  };
  take_beside(small(10));
  take_beside(small(20));
  take_beside(exponential_request(begin_s_ + 10, 0, 2 * kHalf, 1).SerializeAsString());
  take_beside(small(30));
  EXPECT_TRUE(answers[0].get());
  EXPECT_TRUE(answers[1].get());
  const auto refused = answers[2].get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("send fewer"));
  EXPECT_TRUE(answers[3].get());
}

TEST_F(DeltaLaneTest, ACheckpointThatIsGoneIsTold) {
  ASSERT_TRUE(send({{"a", 10, 5}}));
  EXPECT_EQ(metrics_.gauge("vigia_delta_states_damaged", "").value(), 0);
  restart();
  ASSERT_TRUE(std::filesystem::remove(folder_.path() + "/delta-states"));
  ASSERT_TRUE(send({{"a", 20, 1}}));
  EXPECT_EQ(metrics_.gauge("vigia_delta_states_damaged", "").value(), 1);
}

TEST_F(DeltaLaneTest, AStoppedOneGoesOnFromItsCheckpoint) {
  ASSERT_TRUE(send({{"a", 10, 5}}));
  restart();
  ASSERT_TRUE(send({{"a", 20, 1}}));
  next_sums();
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(6));
  EXPECT_EQ(metrics_.gauge("vigia_delta_states_damaged", "").value(), 0);
}

TEST_F(DeltaLaneTest, WhatTheDiskDoesNotTakeAddsNothing) {
  use_memory_ = true;
  settings_.deltas->directory = folder_.path();
  ASSERT_TRUE(send({{"a", 10, 5}}));
  is_failing_ = true;
  files_.fail_when([this](std::string_view call, const std::string&) {
    return is_failing_ && (call == "write" || call == "sync" || call == "create");
  });
  const auto refused = send({{"a", 20, 3}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  is_failing_ = false;
  clock_.advance(std::chrono::seconds(2));
  ASSERT_TRUE(send({{"a", 20, 3}}));
  next_sums();
  EXPECT_THAT(values_of(next_sums()), ::testing::ElementsAre(8));
}

// C26: of ten points one is refused, with its reason, and nine are kept; then ten good ones; then
// nothing.
TEST_F(DeltaLaneTest, WhereSeveralCollectorsShareThemDeltasAreRefusedAlone) {
  settings_.deltas.reset();
  settings_.collectors = 2;
  const auto ten = [&](bool has_delta) {
    auto request = delta_request({});
    auto* scope = request.mutable_resource_metrics(0)->mutable_scope_metrics(0);
    for (int point = 0; point < 10; ++point) {
      auto* sum = scope->add_metrics();
      sum->set_name("m" + std::to_string(point));
      sum->mutable_sum()->set_aggregation_temporality(
          has_delta && point == 3 ? pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA
                                  : pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
      sum->mutable_sum()->add_data_points()->set_time_unix_nano(begin_s_ * 1'000'000'000);
      sum->mutable_sum()->mutable_data_points(0)->set_as_int(1);
    }
    return take(request.SerializeAsString());
  };
  const auto partly = ten(true);
  ASSERT_TRUE(partly);
  EXPECT_EQ(partly->rejected, 1U);
  EXPECT_THAT(partly->message,
              ::testing::AllOf(::testing::HasSubstr("1 of 10"), ::testing::HasSubstr("temporality"),
                               ::testing::HasSubstr("sticky_senders")));
  EXPECT_EQ(books().queued, 9U);
  const auto all = ten(false);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->rejected, 0U);
  EXPECT_EQ(all->message, "");
  const auto nothing = take("");
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->items, 0U);
}

// A segment that is kept longer than its exporters need it is given once more to one that is named
// anew.
TEST_F(DeltaLaneTest, WhatHasNoDeltasIsNotKeptForThem) {
  const auto end_behind_another = [this](std::uint64_t records) {
    EXPECT_TRUE(take(gauge_request(records, "").SerializeAsString()));
    disk_log::LogPosition end;
    for (std::uint64_t number = 0; number < records; ++number) end = next_record()->header.next;
    return end;
  };
  const auto killed_at = end_behind_another(1);
  kill();
  intake();
  EXPECT_EQ(log_->cursor(kDeltasCursor).committed(), killed_at);
  const auto stopped_at = end_behind_another(2);
  intake_->stop();
  EXPECT_EQ(log_->cursor(kDeltasCursor).committed(), stopped_at);
}

TEST_F(DeltaLaneTest, OthersRecordsLetTheCheckpointMoveOn) {
  ASSERT_TRUE(send({{"a", 10, 5}}));
  // Other segments: what no compression makes small, and no series has as a label.
  std::mt19937_64 random(1);
  for (std::uint64_t second = 0; second < 5; ++second) {
    std::string noise;
    while (noise.size() < 60'000) noise += std::to_string(random());
    const auto receipt = take(gauge_request(second, noise).SerializeAsString());
    ASSERT_TRUE(receipt);
    ASSERT_EQ(receipt->rejected, 0U);
  }
  clock_.advance(std::chrono::minutes(1));
  const auto has_moved = [this] { return log_->cursor(kDeltasCursor).committed().segment > 1; };
  for (int turn = 0; turn < 200 && !has_moved(); ++turn)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(has_moved());
}

}  // namespace
}  // namespace vigia::collector::intake
