#include "services/router/access/interest.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace vigia::router::access {
namespace {

TEST(Interest, WhoAskedIsToldOnceAndWhoComesLateAtOnce) {
  Interest interest;
  std::string told;
  const auto work = std::make_shared<int>();
  interest.on_lost(work, [&] { told += "a"; });
  interest.on_lost(work, [&] {
    told += interest.is_lost() ? "b" : "?";
    interest.on_lost(work, [&] { told += "c"; });
  });
  EXPECT_FALSE(interest.is_lost());
  EXPECT_EQ(told, "");
  interest.lose();
  interest.lose();
  EXPECT_EQ(told, "abc");
  interest.on_lost(work, [&] { told += "d"; });
  EXPECT_EQ(told, "abcd");
}

TEST(Interest, WhatHasGoneIsNotTold) {
  Interest interest;
  std::string told;
  auto gone = std::make_shared<int>();
  const auto left = std::make_shared<int>();
  interest.on_lost(gone, [&] { told += "a"; });
  interest.on_lost(left, [&] { told += "b"; });
  gone.reset();
  interest.lose();
  EXPECT_EQ(told, "b");
  interest.on_lost(std::weak_ptr<int>(), [&] { told += "c"; });
  EXPECT_EQ(told, "b");
}

// A live tail asks each second for an hour, a log query page by page: all in one client's interest.
TEST(Interest, OneClientsWorksOfBeforeAreForgotten) {
  Interest interest;
  int told = 0;
  const auto stays = std::make_shared<int>();
  interest.on_lost(stays, [&] { ++told; });
  std::size_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    interest.on_lost(std::make_shared<int>(i), [&] { ++told; });
    most = std::max(most, interest.listeners());
  }
  EXPECT_LT(most, 50U);
  interest.lose();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace vigia::router::access
