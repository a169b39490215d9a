#include "services/router/run/fan_out.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "services/router/testing/scripted_store.hpp"

namespace vigia::router::run {
namespace {

using testing::data_of;
using testing::ScriptedStore;

/// "0:[1] 1:!away …", in the order in which the answers came, and how often it ended.
struct Said {
  std::string text;
  int ends = 0;
};

class Listening final : public Gathering<std::string> {
 public:
  explicit Listening(Said& said) : said_(said) {}
  Result<std::string> read(std::size_t /*number*/, const Answer& answer) const override {
    if (!answer) return tl::unexpected<Error>(answer.error());
    return std::string(answer->data());
  }
  void take(std::size_t number, const Answer& answer, Result<std::string> piece) override {
    EXPECT_EQ(answer.has_value(), piece.has_value());
    said_.text +=
        std::to_string(number) + ":" + (piece ? *piece : "!" + piece.error().message) + " ";
  }
  void finish() override { ++said_.ends; }

 private:
  Said& said_;
};

upstream::Ask ask_for(const std::string& path) { return {std::nullopt, path}; }

TEST(FanOut, EndsOnceWhenTheLastAnswerIsThereInWhateverOrder) {
  ScriptedStore first;
  ScriptedStore second;
  Said said;
  fan_out<std::string>({{&first, ask_for("/a")}, {&second, ask_for("/b")}},
                       std::make_shared<Listening>(said));
  ASSERT_EQ(first.asks().size(), 1U);
  EXPECT_EQ(first.asks()[0].path, "/a");
  EXPECT_EQ(second.asks()[0].path, "/b");
  second.answer(0, data_of("[2]"));
  EXPECT_EQ(said.ends, 0);
  first.answer(0, data_of("[1]"));
  EXPECT_EQ(said.text, "1:[2] 0:[1] ");
  EXPECT_EQ(said.ends, 1);
}

TEST(FanOut, AFailureIsAnAnswerToo) {
  ScriptedStore first;
  ScriptedStore second;
  Said said;
  fan_out<std::string>({{&first, ask_for("/")}, {&second, ask_for("/")}},
                       std::make_shared<Listening>(said));
  first.answer(0, tl::unexpected<Error>(Error{ErrorCode::kUnavailable, "away"}));
  EXPECT_EQ(said.ends, 0) << "the other may have something";
  second.answer(0, data_of("[]"));
  EXPECT_EQ(said.text, "0:!away 1:[] ");
  EXPECT_EQ(said.ends, 1);
}

TEST(FanOut, AnAnswerMayBeThereBeforeTheNextStoreIsAsked) {
  ScriptedStore prompt;
  prompt.always(data_of("1"));
  ScriptedStore slow;
  Said said;
  fan_out<std::string>({{&prompt, ask_for("/")}, {&slow, ask_for("/")}, {&prompt, ask_for("/")}},
                       std::make_shared<Listening>(said));
  EXPECT_EQ(said.ends, 0);
  slow.answer(0, data_of("2"));
  EXPECT_EQ(said.text, "0:1 2:1 1:2 ");
  EXPECT_EQ(said.ends, 1);
  Said alone;
  fan_out<std::string>({{&prompt, ask_for("/")}}, std::make_shared<Listening>(alone));
  EXPECT_EQ(alone.ends, 1);
}

TEST(FanOut, WhatGathersLivesUntilTheLastAnswer) {
  ScriptedStore store;
  Said said;
  std::weak_ptr<Listening> watched;
  {
    auto gathering = std::make_shared<Listening>(said);
    watched = gathering;
    fan_out<std::string>({{&store, ask_for("/")}}, std::move(gathering));
  }
  EXPECT_FALSE(watched.expired());
  store.answer(0, data_of("1"));
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace vigia::router::run
