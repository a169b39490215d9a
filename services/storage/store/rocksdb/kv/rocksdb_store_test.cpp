#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

std::vector<std::string> keys(OrderedStore& store, std::string_view from, std::string_view to) {
  std::vector<std::string> found;
  const auto scan = store.scan(Family::kChunks, from, to);
  while (scan->next()) found.emplace_back(scan->key());
  EXPECT_TRUE(scan->status().has_value());
  return found;
}

TEST(RocksDbStoreTest, KeepsWhatWasPutOverAReopen) {
  const TemporaryFolder folder;
  {
    auto store = open_rocksdb({folder.path()});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    ASSERT_TRUE(
        (*store)->put({{Family::kIndex, "a", "1"}, {Family::kLogs, "a", "2"}}, Durability::kNow));
  }
  auto store = open_rocksdb({folder.path()});
  ASSERT_TRUE(store.has_value());
  EXPECT_EQ((*store)->get(Family::kIndex, "a")->value(), "1");
  EXPECT_EQ((*store)->get(Family::kLogs, "a")->value(), "2");
  EXPECT_FALSE((*store)->get(Family::kChunks, "a")->has_value());
}

TEST(RocksDbStoreTest, ScansARangeAndSeeksInside) {
  const TemporaryFolder folder;
  auto store = open_rocksdb({folder.path()});
  ASSERT_TRUE(store.has_value());
  std::vector<KeyValue> writes;
  for (const char* key : {"a", "b", "c", "d", "e"}) writes.push_back({Family::kChunks, key, ""});
  ASSERT_TRUE((*store)->put(writes, Durability::kLater).has_value());
  EXPECT_THAT(keys(**store, "b", "d"), testing::ElementsAre("b", "c"));
  EXPECT_THAT(keys(**store, "d", ""), testing::ElementsAre("d", "e"));
  const auto scan = (*store)->scan(Family::kChunks, "a", "");
  ASSERT_TRUE(scan->next());
  scan->seek("cc");
  ASSERT_TRUE(scan->next());
  EXPECT_EQ(scan->key(), "d");
  ASSERT_TRUE((*store)->drop_range(Family::kChunks, "b", "d").has_value());
  EXPECT_THAT(keys(**store, "", ""), testing::ElementsAre("a", "d", "e"));
}

// Values of 64 MiB altogether: what one look may hold is passed many times.
TEST(RocksDbStoreTest, ManyKeysAreLookedForAtOnceHoweverLargeTheirValues) {
  const TemporaryFolder folder;
  const auto store = open_rocksdb({folder.path()}).value();
  std::vector<std::string> keys;
  for (int i = 0; i < 1'000; ++i) keys.push_back("key" + std::to_string(i));
  for (int i = 0; i < 1'000; i += 2) {
    const std::string value(i % 8 == 0 ? 512U << 10U : 10, 'v');
    ASSERT_TRUE(store->put({{Family::kSpans, keys[i], value}}, Durability::kLater));
    if (i != 500) continue;
    ASSERT_TRUE(store->compact());  // some in files, some in memory
  }
  const auto found = store->contains(Family::kSpans, {keys.begin(), keys.end()}).value();
  ASSERT_EQ(found.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(found[i], i % 2 == 0) << i;
  EXPECT_TRUE(store->contains(Family::kSpans, {}).value().empty());
}

TEST(RocksDbStoreTest, AFolderInUseIsNamed) {
  const TemporaryFolder folder;
  auto first = open_rocksdb({folder.path()});
  ASSERT_TRUE(first.has_value());
  const auto second = open_rocksdb({folder.path()});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, testing::HasSubstr("another process holds " + folder.path()));
}

TEST(KeyTest, ByteOrderIsNumberOrder) {
  std::string previous;
  for (const std::int64_t value : {std::int64_t{-5'000'000'000}, std::int64_t{-1}, std::int64_t{0},
                                   std::int64_t{255}, std::int64_t{256}}) {
    std::string key;
    append_key_i64(key, value);
    EXPECT_LT(previous, key);
    std::string_view rest = key;
    bool ok = true;
    EXPECT_EQ(take_key_i64(rest, ok), value);
    EXPECT_TRUE(ok);
    previous = key;
  }
  std::string_view shorter = "abc";
  bool ok = true;
  take_key_u32(shorter, ok);
  EXPECT_FALSE(ok);
}

TEST(KeyTest, AfterPrefixCarriesOver) {
  EXPECT_EQ(after_prefix("ab"), "ac");
  EXPECT_EQ(after_prefix("a\xff"), "b");
  EXPECT_EQ(after_prefix("\xff\xff"), "");
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
