#include "services/storage/peers/open_message.hpp"

#include <gtest/gtest.h>

namespace vigia::storage::peers {
namespace {

const std::vector<store::SeriesId> kIds = {{1}, {UINT64_MAX}};
const read::OpenQuestion kQuestion{kIds, -5, INT64_MAX};

std::string answer_of(std::size_t answered, store::Encoding encoding = store::Encoding::kFloats,
                      TimestampMs first_ms = 10) {
  std::string body;
  append_row(body, {{UINT64_MAX}, first_ms, 20, UINT64_MAX, encoding, std::string("\0a", 2)});
  append_answered(body, answered);
  return body;
}

TEST(OpenMessageTest, AQuestionAndAnAnswerAreReadAsTheyWereWritten) {
  const auto asked = parse_question(encode_question(kQuestion)).value();
  EXPECT_EQ(asked.series, kIds);
  EXPECT_EQ(asked.from_ms, -5);
  EXPECT_EQ(asked.to_ms, INT64_MAX);
  const auto answer = parse_answer(answer_of(1), kQuestion).value();
  EXPECT_EQ(answer.series, 1U);
  ASSERT_EQ(answer.rows.size(), 1U);
  const store::ChunkRow& row = answer.rows[0];
  EXPECT_EQ(row.series.value, UINT64_MAX);
  EXPECT_EQ(row.first_ms, 10);
  EXPECT_EQ(row.last_ms, 20);
  EXPECT_EQ(row.version, UINT64_MAX);
  EXPECT_EQ(row.encoding, store::Encoding::kFloats);
  EXPECT_EQ(row.data, std::string("\0a", 2));
}

TEST(OpenMessageTest, WhatIsNoneIsRefused) {
  const std::vector<store::SeriesId> many(kSeriesMax + 1);
  EXPECT_FALSE(parse_question(encode_question({many, 0, 1})).has_value());
  EXPECT_FALSE(parse_question("\x19only").has_value());
  EXPECT_FALSE(parse_answer("<html>", kQuestion).has_value());
  EXPECT_FALSE(parse_answer("", kQuestion).has_value()) << "nothing is answered";
  EXPECT_FALSE(parse_answer(answer_of(3), kQuestion).has_value()) << "more than was asked for";
  EXPECT_FALSE(parse_answer(answer_of(2, store::Encoding::kWindows), kQuestion).has_value());
  EXPECT_FALSE(parse_answer(answer_of(2, store::Encoding::kFloats, 21), kQuestion).has_value());
  EXPECT_TRUE(parse_answer("", {{}, 0, 1}).has_value()) << "who only asks who is there";
}

TEST(OpenMessageTest, FieldsOfAnotherWireTypeAreUnknownAndNoFault) {
  const std::string text = "\x0a\x01x\x12\x01x\x1a\x01x\x22\x01x\x2a\x01x\x32\x01x";
  const std::string numbers = "\x08\x01\x10\x01\x18\x01\x20\x01\x28\x01\x30\x01";
  EXPECT_EQ(parse_question(text).value().series.size(), 0U);
  EXPECT_EQ(parse_question(numbers).value().series.size(), 0U);
  EXPECT_FALSE(parse_answer(text, kQuestion).has_value());
  const std::string row = "\x12" + std::string(1, static_cast<char>(text.size())) + text;
  const auto answer = parse_answer(row + answer_of(1), kQuestion).value();
  ASSERT_EQ(answer.rows.size(), 2U);
  EXPECT_EQ(answer.rows[0].series.value, 0U);
  EXPECT_EQ(answer.rows[0].data, "x") << "the one that has its own type";
}

TEST(OpenMessageTest, ACutAnswerIsNoneOrLess) {
  const std::string whole = answer_of(2);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_answer(whole.substr(0, size), kQuestion).has_value()) << size;
  }
}

}  // namespace
}  // namespace vigia::storage::peers
