#include "services/router/api/loki/stream_cache.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

class StreamCacheTest : public ::testing::Test {
 protected:
  static StreamCache::Streams streams(std::uint64_t lines, int count = 1) {
    StreamCache::Streams all;
    for (int i = 0; i < count; ++i) {
      all.emplace_back(
          std::make_shared<const Labels>(Labels::from({{"service_name", fmt::format("s{}", i)}})),
          LineAmounts{lines, 10 * lines});
    }
    return all;
  }
  std::uint64_t lines_of(const std::string& customer, const std::string& selector,
                         std::uint64_t stretch) {
    const auto found = cache_.find(customer, selector, stretch);
    return found ? found->front().second.lines : 0;
  }

  ManualClock clock_{0};
  StreamCache cache_{clock_};
};

TEST_F(StreamCacheTest, EachHasHisOwn) {
  cache_.keep("a", "{}", 7, {streams(1)});
  cache_.keep("b", "{}", 7, {streams(2)});
  cache_.keep("a", "{x}", 7, {streams(3)});
  cache_.keep("a", "{}", 8, {{}});
  EXPECT_EQ(lines_of("a", "{}", 7), 1U);
  EXPECT_EQ(lines_of("b", "{}", 7), 2U);
  EXPECT_EQ(lines_of("a", "{x}", 7), 3U);
  EXPECT_EQ(cache_.find("b", "{x}", 7), nullptr);
  EXPECT_EQ(cache_.find("b", "{}", 8), nullptr);
  EXPECT_THAT(cache_.find("a", "{}", 8), ::testing::Pointee(::testing::SizeIs(0)));
}

TEST_F(StreamCacheTest, NothingIsKeptForLong) {
  cache_.keep("a", "{}", 7, {streams(1)});
  clock_.advance(std::chrono::seconds(kStretchKept) / 2);
  cache_.keep("a", "{}", 8, {streams(2)});
  clock_.advance(std::chrono::seconds(kStretchKept) / 2);
  EXPECT_EQ(cache_.find("a", "{}", 7), nullptr);
  EXPECT_EQ(lines_of("a", "{}", 8), 2U);
  cache_.keep("a", "{}", 7, {streams(3)});
  EXPECT_EQ(lines_of("a", "{}", 7), 3U);
  clock_.advance(kStretchKept);
  cache_.keep("a", "{other}", 7, {{}});
  EXPECT_LT(cache_.bytes(), 1'000U);
}

TEST_F(StreamCacheTest, ACustomerHasAShare) {
  cache_.keep("b", "{}", 1, {streams(1)});
  const auto all = streams(1, 1'000);
  cache_.keep("a", "{}", 0, {1'000, all});
  std::uint64_t kept = 0;
  for (std::uint64_t stretch = 0; stretch < 1'000; ++stretch) {
    kept += cache_.find("a", "{}", stretch) != nullptr ? 1 : 0;
  }
  EXPECT_GT(kept, 50U);
  EXPECT_LT(kept, 500U);
  EXPECT_LE(cache_.bytes(), StreamCache::kCustomerBytesMax + 1'000);
  cache_.keep("a", "{other}", 1, {streams(5, 2'000)});
  EXPECT_EQ(lines_of("a", "{other}", 1), 5U) << "what was used last goes before others";
  EXPECT_EQ(cache_.find("a", "{}", 1), nullptr);
  EXPECT_EQ(lines_of("b", "{}", 1), 1U);
}

TEST_F(StreamCacheTest, AllOfThemHaveABound) {
  for (int customer = 0; customer < 20; ++customer) {
    clock_.advance(std::chrono::seconds(1));
    const auto all = streams(1, 1'000);
    cache_.keep(fmt::format("c{}", customer), "{}", 0, {200, all});
  }
  EXPECT_LE(cache_.bytes(), StreamCache::kBytesMax);
  EXPECT_NE(cache_.find("c19", "{}", 0), nullptr);
  EXPECT_EQ(cache_.find("c0", "{}", 0), nullptr);
}

}  // namespace
}  // namespace vigia::router::api::loki
