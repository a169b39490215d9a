#include "libs/series/forms_pool.hpp"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::series {
namespace {

TEST(FormsPool, EqualBytesAreKeptOnceUntilTheLastLetsThemGo) {
  FormsPool pool;
  const std::string text = "device=eth0";
  EXPECT_GT(pool.bytes_for(text), text.size());
  const char* first = pool.keep(text);
  const std::uint64_t bytes = pool.bytes();
  EXPECT_EQ(pool.bytes_for(text), 0U);
  EXPECT_EQ(pool.keep(std::string(text)), first);
  EXPECT_NE(pool.keep("device=eth1"), first);
  pool.release(first, text.size());
  EXPECT_EQ(std::string_view(first, text.size()), text);
  EXPECT_EQ(pool.bytes(), 2 * bytes);
  pool.release(first, text.size());
  EXPECT_EQ(pool.bytes(), bytes);
  EXPECT_GT(pool.bytes_for(text), 0U);
}

TEST(FormsPool, NothingIsKeptOfNothing) {
  FormsPool pool;
  EXPECT_EQ(pool.keep(""), nullptr);
  EXPECT_EQ(pool.bytes_for(""), 0U);
  pool.release(nullptr, 0);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(FormsPool, CountsAsItsModelUnderRandomUse) {
  FormsPool pool;
  std::mt19937 random(5);
  std::vector<std::pair<const char*, std::string>> held;
  for (int step = 0; step < 20'000; ++step) {
    if (held.size() < 200 && random() % 2 == 0) {
      std::string text(1 + random() % 40, static_cast<char>('a' + random() % 3));
      held.emplace_back(pool.keep(text), text);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      EXPECT_EQ(std::string_view(held.back().first, held.back().second.size()), held.back().second);
      pool.release(held.back().first, held.back().second.size());
      held.pop_back();
    }
  }
  std::map<std::string, const char*> places;
  for (const auto& [place, text] : held) {
    EXPECT_EQ(places.try_emplace(text, place).first->second, place);
  }
  for (const auto& [place, text] : held) pool.release(place, text.size());
  EXPECT_EQ(pool.bytes(), 0U);
}

}  // namespace
}  // namespace vigia::series
