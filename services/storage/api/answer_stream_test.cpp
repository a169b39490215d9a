#include "services/storage/api/answer_stream.hpp"

#include <memory>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/read/remote_read.hpp"
#include "services/storage/read/testing/read_frames.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::api {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr int kSeries = 80;
constexpr int kSamples = 20'000;  // random: some 160 KB a series, so 13 MB in all

// A client, the readers' threads and their turns, all played by the test.
class AnswerStreamTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    storage_ = std::make_unique<StorageFixture>();
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> value;
    std::vector<Sample> samples(kSamples);
    for (int series = 0; series < kSeries; ++series) {
      for (int i = 0; i < kSamples; ++i) samples[i] = {kNow + i * 15'000LL, value(random)};
      storage_->write("cliente-a", "m" + std::to_string(1000 + series), samples);
    }
  }
  static void TearDownTestSuite() { storage_.reset(); }

  net::Response begin() {
    auto pieces = remote_read_.chunks("cliente-a", customer_, asked(), limit_).value();
    const auto stream =
        std::make_shared<AnswerStream>(std::move(pieces), gone_, [this](Task<void()> job) {
          if (are_lanes_stopped_) return false;
          jobs_.push_back(std::move(job));
          return true;
        });
    EXPECT_TRUE(stream->begin().has_value());
    net::Response response;
    stream->send_by(response);
    return response;
  }
  static wire::remote_read::ReadRequest asked() {
    return {{{0, INT64_MAX, {{MatchType::kEqual, "node_id", "n1"}}}},
            wire::remote_read::ResponseType::kStreamedXorChunks};
  }
  std::size_t run_jobs() {
    const auto jobs = std::exchange(jobs_, {});
    for (const auto& job : jobs) job();
    return jobs.size();
  }
  std::size_t held() const { return storage_->answers().taken(); }

  static std::unique_ptr<StorageFixture> storage_;
  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  const read::RemoteRead remote_read_{
      storage_->cold().catalog(), storage_->reader(), {}, storage_->answers()};
  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<const store::WorkLimit> limit_ =
      std::make_shared<store::WorkLimit>(storage_->clock(), std::chrono::minutes(2), gone_);
  std::vector<Task<void()>> jobs_;
  bool are_lanes_stopped_ = false;
};
std::unique_ptr<StorageFixture> AnswerStreamTest::storage_;

// R-RR-5
TEST_F(AnswerStreamTest, AClientThatTakesNothingHasLittleMadeAndHoldsNoThread) {
  const net::Response response = begin();  // it has returned: the thread is free
  EXPECT_TRUE(jobs_.empty());
  EXPECT_GT(held(), AnswerStream::kAheadBytes);
  EXPECT_LT(held(), AnswerStream::kAheadBytes + (2U << 20U));
}

TEST_F(AnswerStreamTest, AllOfItComesInOrderAndIsHeldInSmallParts) {
  net::Response response = begin();
  std::string body;
  std::size_t turns = 0;
  std::size_t most = 0;
  while (true) {
    const auto piece = response.stream();
    ASSERT_TRUE(piece.has_value());
    most = std::max(most, held());
    if (!piece->has_value()) {
      ASSERT_GT(run_jobs(), 0U) << "nothing is ready, and nobody makes more";
      ++turns;
      continue;
    }
    if ((*piece)->empty()) break;
    body += **piece;
  }
  const auto frames = read::read_frames(body);
  ASSERT_EQ(frames.size(), static_cast<std::size_t>(kSeries));
  std::vector<int> samples;
  for (int i = 0; i < kSeries; ++i) {
    EXPECT_EQ(frames[i].metric, "m" + std::to_string(1000 + i));
    int found = 0;
    for (const auto& chunk : frames[i].chunks) {
      found += static_cast<int>(chunk::read_samples(chunk.data).value().size());
    }
    samples.push_back(found);
  }
  EXPECT_THAT(samples, Each(kSamples));
  EXPECT_GT(body.size(), 2 * AnswerStream::kAheadBytes);
  EXPECT_GT(turns, 1U);
  EXPECT_LT(most, AnswerStream::kAheadBytes + (2U << 20U));
  response.stream = nullptr;
  EXPECT_EQ(held(), 0U);
}

TEST_F(AnswerStreamTest, MoreIsMadeBeforeTheClientHasTakenAllThatIsReady) {
  const net::Response response = begin();
  std::size_t taken = 0;
  while (jobs_.empty()) taken += response.stream().value().value().size();
  EXPECT_GT(taken, AnswerStream::kAheadBytes - AnswerStream::kResumeBytes);
  EXPECT_LT(taken, AnswerStream::kAheadBytes);
  for (int i = 0; i < 3 && response.stream().value().has_value(); ++i) EXPECT_EQ(jobs_.size(), 1U);
}

// However much there is to make, others come to the thread.
TEST_F(AnswerStreamTest, ATurnEndsAndTheNextGoesOnWhereItWas) {
  auto found = remote_read_.chunks("cliente-a", customer_, asked(), limit_).value();
  const std::chrono::steady_clock::time_point over{};
  std::string body;
  std::size_t cut_short = 0;
  while (true) {
    const auto piece = found->next(over).value();
    if (!piece) {
      ++cut_short;
      found->pause();
      continue;
    }
    if (piece->empty()) break;
    found->memory().release(piece->size());
    body += *piece;
  }
  EXPECT_GT(cut_short, 30U);
  std::vector<std::string> metrics;
  for (const auto& frame : read::read_frames(body)) metrics.push_back(frame.metric);
  ASSERT_EQ(metrics.size(), static_cast<std::size_t>(kSeries));
  for (int i = 0; i < kSeries; ++i) EXPECT_EQ(metrics[i], "m" + std::to_string(1000 + i));
}

TEST_F(AnswerStreamTest, AClientThatTakesALittleNowAndThenHoldsItNoLongerThanTheWorkMayTake) {
  const net::Response response = begin();
  ASSERT_TRUE(response.stream().value().has_value());
  storage_->clock().advance(std::chrono::minutes(3));
  const auto late = response.stream();
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kDeadline);
  EXPECT_TRUE(limit_->has_timed_out());
}

TEST_F(AnswerStreamTest, WhenItsClientIsGoneNoMoreIsMadeAndNothingIsHeld) {
  {
    net::Response response = begin();
    while (jobs_.empty()) ASSERT_TRUE(response.stream().value().has_value());
  }
  EXPECT_TRUE(*gone_);
  EXPECT_GT(held(), 0U);  // until the thread comes to it
  run_jobs();
  EXPECT_EQ(held(), 0U);
  EXPECT_FALSE(limit_->has_timed_out());
}

TEST_F(AnswerStreamTest, WhereNoThreadWillEverComeItIsBrokenOff) {
  const net::Response response = begin();
  are_lanes_stopped_ = true;
  auto piece = response.stream();
  while (piece && piece->has_value()) piece = response.stream();
  ASSERT_FALSE(piece.has_value());
  EXPECT_THAT(piece.error().message, HasSubstr("was not made"));
}

TEST_F(AnswerStreamTest, ATurnThatIsDroppedBreaksItOff) {
  const net::Response response = begin();
  while (jobs_.empty()) ASSERT_TRUE(response.stream().value().has_value());
  jobs_.clear();  // as a stop does at its deadline
  auto piece = response.stream();
  while (piece && piece->has_value()) piece = response.stream();
  EXPECT_FALSE(piece.has_value());
}

// Others' answers, or the customer's own, have taken the share meanwhile.
TEST_F(AnswerStreamTest, WithoutRoomForMoreItIsBrokenOffWithAReason) {
  const net::Response response = begin();
  const std::size_t left = storage_->answers().amount_max() - held();
  ASSERT_TRUE(storage_->answers().take("cliente-b", left).has_value());
  while (jobs_.empty()) ASSERT_TRUE(response.stream().value().has_value());
  while (run_jobs() > 0) continue;  // a turn may be over before it meets the bound
  auto piece = response.stream();
  while (piece && piece->has_value()) piece = response.stream();
  storage_->answers().give_back("cliente-b", left);
  ASSERT_FALSE(piece.has_value());
  EXPECT_EQ(piece.error().code, ErrorCode::kUnavailable);
}

TEST_F(AnswerStreamTest, AnErrorBeforeTheFirstPieceIsTheAnswer) {
  auto over = std::make_shared<std::atomic<bool>>(true);
  const auto limit =
      std::make_shared<store::WorkLimit>(storage_->clock(), std::chrono::minutes(2), over);
  const auto pieces = remote_read_.chunks("cliente-a", customer_, asked(), limit);
  EXPECT_FALSE(pieces.has_value());  // the search for its series
  auto found = remote_read_.chunks("cliente-a", customer_, asked(), limit_).value();
  *gone_ = true;
  const auto stream =
      std::make_shared<AnswerStream>(std::move(found), gone_, [](Task<void()>) { return false; });
  const auto begun = stream->begin();
  ASSERT_FALSE(begun.has_value());
  EXPECT_THAT(begun.error().message, HasSubstr("gone"));
}

}  // namespace
}  // namespace vigia::storage::api
