#include "services/router/api/loki/stream_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

std::vector<std::string> texts_of(const StreamList& list) {
  std::vector<std::string> texts;
  for (const auto& [labels, counts] : list.streams) {
    texts.push_back(to_string(labels) + " " + std::to_string(counts.lines) + " " +
                    std::to_string(counts.bytes));
  }
  return texts;
}

TEST(StreamList, WordsOfOneLevelAreOneStream) {
  StreamList list;
  const auto read = read_streams(*CustomerId::parse("acme"), R"({"data":[
{"severity":"WARN","service_name":"shop","node_id":"n1","environment":"","records":2,"bytes":10},
{"severity":"warning","service_name":"shop","node_id":"n1","environment":"","records":1,"bytes":5},
{"severity":"","service_name":"shop","node_id":"","environment":"test","records":7,"bytes":0}],
"warnings":["it is short"]})",
                                 list);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_THAT(
      texts_of(list),
      ::testing::UnorderedElementsAre(
          R"({customer_id="acme",level="warn",node_id="n1",service_name="shop"} 3 15)",
          R"({customer_id="acme",environment="test",level="unknown",service_name="shop"} 7 0)"));
  EXPECT_THAT(list.warnings, ::testing::ElementsAre("it is short"));
}

TEST(StreamList, WhatIsNoneIsTold) {
  for (const char* text : {"", "{}", R"({"data":[{}]})", R"({"data":[{"severity":"INFO"}]})"}) {
    StreamList list;
    const auto read = read_streams(*CustomerId::parse("acme"), text, list);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace vigia::router::api::loki
