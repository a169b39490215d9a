#include "services/router/json/envelope.hpp"

#include <gtest/gtest.h>

namespace vigia::router {
namespace {

TEST(Envelope, DataStaysAsItCame) {
  const auto read = Envelope::read(
      R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1.5,"0.10"]}]},)"
      R"("warnings":["w \"1\""],"infos":["i"]})");
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_success());
  EXPECT_EQ(read->data(), R"({"resultType":"vector","result":[{"value":[1.5,"0.10"]}]})");
  EXPECT_EQ(read->warnings(), std::vector<std::string>{"w \"1\""});
  EXPECT_EQ(read->infos(), std::vector<std::string>{"i"});
}

TEST(Envelope, SurvivesBeingMoved) {
  auto read = Envelope::read(R"({"status":"success","data":"x"})");
  ASSERT_TRUE(read.has_value());
  const Envelope moved = std::move(*read);
  EXPECT_EQ(moved.data(), "\"x\"");
}

TEST(Envelope, ErrorsCarryTypeAndText) {
  const auto read =
      Envelope::read(R"({"status":"error","errorType":"bad_data","error":"1:2: no"})");
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_success());
  EXPECT_EQ(read->error_type(), "bad_data");
  EXPECT_EQ(read->error(), "1:2: no");
}

TEST(Envelope, AnythingElseIsCorrupt) {
  for (const auto* text :
       {"", "x", "[]", "{}", "{\"status\":1}", "<html>", "{\"status\":\"succ", "{\"data\":{}}"}) {
    const auto read = Envelope::read(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace vigia::router
