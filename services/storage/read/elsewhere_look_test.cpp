#include "services/storage/read/elsewhere_look.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace vigia::storage::read {
namespace {

// Answers so many series at a time, with a row each.
class FakeTalk final : public OpenTalk {
 public:
  Result<OpenAnswer> ask(const CustomerId& customer, const OpenQuestion& question,
                         lanes::AnswerMemory& /*memory*/) override {
    asked.emplace_back(customer.text(), question.series.size());
    OpenAnswer answer{{}, std::min(at_once, question.series.size())};
    for (const store::SeriesId id : question.series) {  // also of those it does not answer
      answer.rows.push_back({id, 1, 2, store::kInOrder, store::Encoding::kFloats, "data"});
    }
    answer.rows.push_back({{9'999}, 1, 2, store::kInOrder, store::Encoding::kFloats, "nobody's"});
    return answer;
  }
  bool lacks_some() const override { return lacks; }

  std::vector<std::pair<std::string, std::size_t>> asked;
  std::size_t at_once = 100;
  bool lacks = false;
};

class ElsewhereLookTest : public testing::Test {
 protected:
  ElsewhereLookTest() {
    auto talk = std::make_unique<FakeTalk>();
    talk_ = talk.get();
    look_ = std::make_unique<ElsewhereLook>(std::move(talk), memory_);
    for (std::uint64_t id = 0; id < 5; ++id) series_.push_back({a_, {id}, {}});
    for (std::uint64_t id = 5; id < 8; ++id) series_.push_back({b_, {id}, {}});
  }
  bool prepare(std::size_t place) { return look_->prepare(series_, place, 0, 10).has_value(); }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
  std::vector<SelectedSeries> series_;
  lanes::CustomerShares shares_{"answers", 64U << 20U};
  lanes::AnswerMemory memory_{shares_, "cliente-a"};
  FakeTalk* talk_ = nullptr;
  std::unique_ptr<ElsewhereLook> look_;
};

TEST_F(ElsewhereLookTest, ManyOfOneCustomerAreAskedForAtOnce) {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    ASSERT_TRUE(prepare(i));
    ASSERT_TRUE(look_->knows(series_[i].customer, series_[i].id));
    ASSERT_NE(look_->rows_of(series_[i].id), nullptr);
    EXPECT_EQ(look_->rows_of(series_[i].id)->size(), 1U);
  }
  ASSERT_EQ(talk_->asked.size(), 2U);
  EXPECT_EQ(talk_->asked[0], (std::pair<std::string, std::size_t>("cliente-a", 5)));
  EXPECT_EQ(talk_->asked[1], (std::pair<std::string, std::size_t>("cliente-b", 3)));
  EXPECT_FALSE(look_->knows(b_, {9'999}));
}

TEST_F(ElsewhereLookTest, WhatIsNotAnsweredIsAskedForWhenItsTurnComes) {
  talk_->at_once = 2;
  ASSERT_TRUE(prepare(0));
  EXPECT_TRUE(look_->knows(a_, {1}));
  EXPECT_FALSE(look_->knows(a_, {2}));
  ASSERT_TRUE(prepare(2));
  EXPECT_TRUE(look_->knows(a_, {3}));
  EXPECT_FALSE(look_->knows(a_, {0}));
  EXPECT_EQ(talk_->asked.size(), 2U);
  EXPECT_FALSE(look_->knows(b_, {3})) << "of another customer nothing was asked";
}

TEST_F(ElsewhereLookTest, AnotherRangeIsAskedForAnew) {
  ASSERT_TRUE(prepare(0));
  ASSERT_TRUE(look_->prepare(series_, 0, 0, 11).has_value());
  EXPECT_EQ(talk_->asked.size(), 2U);
}

TEST_F(ElsewhereLookTest, MemoryIsHeldForWhatIsKnownAndLetGo) {
  ASSERT_TRUE(prepare(0));
  EXPECT_GT(look_->held_bytes(), 5 * sizeof(store::ChunkRow));
  EXPECT_EQ(memory_.used(), look_->held_bytes());
  look_.reset();
  EXPECT_EQ(memory_.used(), 0U);
}

TEST_F(ElsewhereLookTest, WhatIsMissingIsToldBeforeTheFirstByteOrIsAnError) {
  talk_->lacks = true;
  ASSERT_TRUE(prepare(0));
  EXPECT_TRUE(look_->settle());
  EXPECT_TRUE(prepare(5)) << "it was told";
}

TEST_F(ElsewhereLookTest, WhoIsMissingBehindTheFirstByteBreaksTheAnswerOff) {
  ASSERT_TRUE(prepare(0));
  EXPECT_FALSE(look_->settle());
  talk_->lacks = true;
  const auto looked = look_->prepare(series_, 5, 0, 10);
  ASSERT_FALSE(looked.has_value());
  EXPECT_EQ(looked.error().code, ErrorCode::kUnavailable);
}

TEST_F(ElsewhereLookTest, WithoutATalkNobodyElseHasAnythingOpen) {
  ElsewhereLook alone(nullptr, memory_);
  ASSERT_TRUE(alone.prepare(series_, 0, 0, 10).has_value());
  EXPECT_TRUE(alone.knows(a_, {0}));
  EXPECT_EQ(alone.rows_of({0}), nullptr);
  EXPECT_FALSE(alone.settle());
}

}  // namespace
}  // namespace vigia::storage::read
