#include "services/router/spool/arriving_body.hpp"

#include <deque>

#include <gtest/gtest.h>
#include <unistd.h>

namespace vigia::router::spool {
namespace {

using net::PieceVerdict;

constexpr std::size_t kPiece = 64U << 10U;

/// What may wait for a disk is done when the test says.
class ArrivingBodyTest : public testing::Test {
 protected:
  ArrivingBodyTest() = default;
  ArrivingBodyTest(const ArrivingBodyTest&) = delete;
  ArrivingBodyTest& operator=(const ArrivingBodyTest&) = delete;
  /// What is let go may give more: the end of its file.
  ~ArrivingBodyTest() override {
    while (!works.empty()) {
      const Task<void()> let_go = std::move(works.front());
      works.pop_front();
    }
  }

  std::shared_ptr<ArrivingBody> arriving(std::uint64_t disk_bytes_max = 1U << 30U,
                                         std::uint64_t memory_bytes_max = 1U << 30U) {
    spool.emplace(SpoolSettings{.folder = testing::TempDir(),
                                .bytes_max = disk_bytes_max,
                                .bytes_total_max = 3 * disk_bytes_max},
                  metrics, clock);
    memory.emplace(access::ByteShareSettings{memory_bytes_max, memory_bytes_max});
    return std::make_shared<ArrivingBody>(
        *spool, ArrivingBody::Shares{memory->hold("a"), spool->hold("a")},
        [this](Task<void()> work) { works.push_back(std::move(work)); });
  }
  void work_once() {
    const Task<void()> work = std::move(works.front());
    works.pop_front();
    work();
  }
  void work() {
    while (!works.empty()) work_once();
  }
  /// Offers all of it in pieces, works whenever it has to wait, and gives what was said last.
  PieceVerdict offer(ArrivingBody& body, std::string_view text) {
    PieceVerdict said = PieceVerdict::kTaken;
    while (!text.empty() && said != PieceVerdict::kRefused) {
      said = body.take(text.substr(0, kPiece));
      if (said == PieceVerdict::kTaken) text.remove_prefix(std::min(kPiece, text.size()));
      if (said == PieceVerdict::kLater) work_once();
    }
    return said;
  }
  std::optional<Result<void>> finish(ArrivingBody& body) {
    body.finish([this](Result<void> kept) { finished = std::move(kept); });
    return finished;
  }

  std::deque<Task<void()>> works;
  ManualClock clock{0};
  service::MetricRegistry metrics;
  std::optional<Spool> spool;
  std::optional<access::ByteShares> memory;
  std::optional<Result<void>> finished;
};

std::string answer_of(std::size_t bytes) {
  return R"({"status":"success","data":[")" + std::string(bytes, 'x') + R"("]})";
}

TEST_F(ArrivingBodyTest, ASmallOneStaysInMemoryAndCostsNoThread) {
  const auto body = arriving();
  const std::string text = answer_of(kSpooledBytesMin - 100);
  EXPECT_EQ(offer(*body, text), PieceVerdict::kTaken);
  ASSERT_TRUE(finish(*body).has_value());
  EXPECT_TRUE(finished->has_value());
  EXPECT_FALSE(body->is_stored());
  EXPECT_EQ(body->take_text(), text);
  EXPECT_TRUE(works.empty());
  EXPECT_EQ(memory->bytes(), text.size());
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ArrivingBodyTest, ALargeOneIsInTheFileByteForByte) {
  const auto body = arriving();
  const std::string text = answer_of(5U << 20U);
  EXPECT_EQ(offer(*body, text), PieceVerdict::kTaken);
  EXPECT_LE(memory->bytes(), kSpooledBytesMin) << "of memory it takes no more, whatever its size";
  EXPECT_EQ(spool->bytes(), text.size());
  EXPECT_FALSE(finish(*body).has_value()) << "the end is not written";
  work();
  ASSERT_TRUE(finished.has_value() && finished->has_value());
  auto envelope = body->take_envelope();
  ASSERT_TRUE(envelope.has_value());
  std::string stored;
  while (stored.size() < text.size()) {
    envelope->stored()->read_later(stored.size(), kPiece, [&stored](Result<std::string> piece) {
      ASSERT_TRUE(piece.has_value());
      stored += *piece;
    });
    work();
  }
  EXPECT_TRUE(stored == text);
  EXPECT_EQ(envelope->data_size(), (5U << 20U) + 4);
}

// A disk that is slower than the store: nobody's memory is where the difference piles up.
TEST_F(ArrivingBodyTest, TheStoreWaitsForTheDisk) {
  const auto body = arriving();
  const std::string piece(kPiece, 'x');
  ASSERT_EQ(body->take(R"({"status":"success","data":[")"), PieceVerdict::kTaken);
  std::size_t taken = 0;
  while (body->take(piece) == PieceVerdict::kTaken) taken += kPiece;
  EXPECT_LE(taken, kSpooledBytesMin + kPiece);
  EXPECT_EQ(works.size(), 1U) << "one batch at a time";
  EXPECT_EQ(body->take(piece), PieceVerdict::kLater);
  int resumed = 0;
  body->on_room([&resumed] { ++resumed; });
  EXPECT_EQ(resumed, 1) << "it waited before anybody could be told";
  EXPECT_EQ(body->take(piece), PieceVerdict::kLater);
  work_once();
  EXPECT_EQ(resumed, 2);
  EXPECT_EQ(body->take(piece), PieceVerdict::kTaken);
}

TEST_F(ArrivingBodyTest, EachByteCountsWhenItComes) {
  {
    const auto body = arriving(4U << 20U);
    EXPECT_EQ(offer(*body, answer_of(5U << 20U)), PieceVerdict::kRefused);
    ASSERT_TRUE(body->fault().has_value());
    EXPECT_EQ(body->fault()->code, ErrorCode::kOverLimit);
    EXPECT_LE(spool->bytes(), 4U << 20U);
    works.clear();
  }
  EXPECT_EQ(spool->bytes(), 0U);
  const auto body = arriving(1U << 30U, 100'000);
  EXPECT_EQ(offer(*body, answer_of(200'000)), PieceVerdict::kRefused);
  EXPECT_EQ(body->fault()->code, ErrorCode::kOverLimit);
}

TEST_F(ArrivingBodyTest, WhatIsNoAnswerIsRefusedOnItsWay) {
  const auto body = arriving();
  int resumed = 0;
  body->on_room([&resumed] { ++resumed; });
  EXPECT_EQ(offer(*body, "<html>" + std::string(5U << 20U, 'x')), PieceVerdict::kRefused);
  EXPECT_EQ(body->fault()->code, ErrorCode::kCorrupt);
  EXPECT_GT(resumed, 0);
  const auto cut = arriving();
  ASSERT_EQ(offer(*cut, answer_of(2U << 20U).substr(0, 2U << 20U)), PieceVerdict::kTaken);
  finish(*cut);
  work();
  ASSERT_TRUE(finished && finished->has_value());
  EXPECT_EQ(cut->take_envelope().error().code, ErrorCode::kCorrupt);
}

TEST_F(ArrivingBodyTest, WhereNoThreadComesWhoeverWaitsIsLetGo) {
  const auto body = arriving();
  ASSERT_EQ(offer(*body, answer_of(2U << 20U)), PieceVerdict::kTaken);
  const auto held = std::make_shared<int>(0);
  body->finish([held, body](const Result<void>&) { FAIL() << "it is not kept"; });
  EXPECT_GT(held.use_count(), 1);
  works.clear();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(body->take("x"), PieceVerdict::kRefused);
}

TEST_F(ArrivingBodyTest, WhatNobodyWaitsForIsWrittenNoMore) {
  const auto body = arriving();
  ASSERT_EQ(offer(*body, answer_of(2U << 20U)), PieceVerdict::kTaken);
  body->abandon();
  work();
  EXPECT_EQ(body->take("x"), PieceVerdict::kRefused);
}

}  // namespace
}  // namespace vigia::router::spool
