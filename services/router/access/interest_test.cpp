#include "services/router/access/interest.hpp"

#include <string>

#include <gtest/gtest.h>

namespace vigia::router::access {
namespace {

TEST(Interest, WhoAskedIsToldOnceAndWhoComesLateAtOnce) {
  Interest interest;
  std::string told;
  interest.on_lost([&] { told += "a"; });
  interest.on_lost([&] {
    told += interest.is_lost() ? "b" : "?";
    interest.on_lost([&] { told += "c"; });
  });
  EXPECT_FALSE(interest.is_lost());
  EXPECT_EQ(told, "");
  interest.lose();
  interest.lose();
  EXPECT_EQ(told, "abc");
  interest.on_lost([&] { told += "d"; });
  EXPECT_EQ(told, "abcd");
}

}  // namespace
}  // namespace vigia::router::access
