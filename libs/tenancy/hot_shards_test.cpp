#include "libs/tenancy/hot_shards.hpp"

#include <map>

#include <gtest/gtest.h>

namespace vigia::tenancy {
namespace {

std::string node(int number) { return "prod-web-" + std::to_string(number); }

TEST(HotShards, ANodeStaysWhereItIsWhereAShardIsAddedOrTheyAreNamedOtherwise) {
  const std::vector<std::string> two{"hot-0", "hot-1"};
  const std::vector<std::string> three{"hot-2", "hot-1", "hot-0"};
  std::map<std::string, int> count;
  for (int i = 0; i < 3'000; ++i) {
    const std::string& before = two[shard_of_node(two, node(i))];
    const std::string& after = three[shard_of_node(three, node(i))];
    if (after != "hot-2") {
      EXPECT_EQ(after, before) << node(i);
    }
    ++count[after];
  }
  for (const auto& [shard, nodes] : count) {
    EXPECT_GT(nodes, 850) << shard;
    EXPECT_LT(nodes, 1'150) << shard;
  }
}

// What was written lies where it was said then.
TEST(HotShards, TheyAreTheSameForEver) {
  const std::vector<std::string> shards{"hot-0", "hot-1"};
  std::string places;
  for (int i = 0; i < 16; ++i) places += std::to_string(shard_of_node(shards, node(i)));
  places += std::to_string(shard_of_node(shards, ""));
  EXPECT_EQ(places, "01011110010000011");
  EXPECT_EQ(shard_of_node({"hot-7"}, "x"), 0U);
}

TEST(HotShards, NamesThatCannotBeAreRefused) {
  EXPECT_TRUE(check_hot_shards({"hot-0"}).has_value());
  EXPECT_TRUE(check_hot_shards({"hot-0", "hot-1"}).has_value());
  EXPECT_FALSE(check_hot_shards({}).has_value());
  EXPECT_FALSE(check_hot_shards({"a", "b", "c", "d", "e", "f", "g", "h", "i"}).has_value());
  EXPECT_FALSE(check_hot_shards({"a", "a"}).has_value());
  EXPECT_FALSE(check_hot_shards({"a", ""}).has_value());
  EXPECT_FALSE(check_hot_shards({"a,b"}).has_value());
  EXPECT_FALSE(check_hot_shards({std::string(200, 'a'), std::string(41, 'b')}).has_value());
}

TEST(HotShards, SeveralAreOneText) {
  const std::vector<std::string> shards{"hot-0", "hot-1", "hot-10"};
  EXPECT_EQ(join_hot_shards(shards), "hot-0,hot-1,hot-10");
  EXPECT_EQ(join_hot_shards(shards, 0b101), "hot-0,hot-10");
  EXPECT_EQ(join_hot_shards(shards, ~0U), "hot-0,hot-1,hot-10");
  EXPECT_EQ(join_hot_shards({"hot-0"}), "hot-0");
  for (const std::string& shard : shards) {
    EXPECT_TRUE(is_among_hot_shards("hot-0,hot-1,hot-10", shard));
    EXPECT_TRUE(is_among_hot_shards(shard, shard));
  }
  EXPECT_FALSE(is_among_hot_shards("hot-0,hot-10", "hot-1"));
  EXPECT_FALSE(is_among_hot_shards("hot-10", "hot-1"));
  EXPECT_FALSE(is_among_hot_shards("", "hot-1"));
}

}  // namespace
}  // namespace vigia::tenancy
