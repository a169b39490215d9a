#include "services/collector/delivery/shared_requests.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::delivery {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");

std::shared_ptr<const SharedRequests::Encoded> encoded(std::string body) {
  return std::make_shared<const SharedRequests::Encoded>(SharedRequests::Encoded{std::move(body)});
}

TEST(SharedRequests, WhatOneHasMadeTheOtherTakesOnce) {
  SharedRequests requests;
  requests.join();
  EXPECT_FALSE(requests.key_of(kA, "m").has_value()) << "nobody would take it";
  requests.join();
  const auto key = requests.key_of(kA, "m");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(requests.take(*key), nullptr);
  requests.put(*key, encoded("body"));
  const auto taken = requests.take(*requests.key_of(kA, "m"));
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->body, "body");
  EXPECT_EQ(requests.take(*key), nullptr) << "both have it";
  EXPECT_EQ(requests.stats().bytes, 0U);
  EXPECT_EQ(requests.stats().taken, 1U);
}

TEST(SharedRequests, TheSameBytesOfAnotherCustomerAreOthers) {
  SharedRequests requests;
  requests.join();
  requests.join();
  requests.put(*requests.key_of(kA, "m"), encoded("of a"));
  EXPECT_EQ(requests.take(*requests.key_of(kB, "m")), nullptr);
  EXPECT_EQ(requests.take(*requests.key_of(kA, "n")), nullptr);
  SharedRequests another;
  another.join();
  another.join();
  EXPECT_NE(another.key_of(kA, "m")->second, requests.key_of(kA, "m")->second)
      << "the hash has a key of its own";
}

TEST(SharedRequests, TheOldestGoWhereThereIsNoRoom) {
  SharedRequests requests(100);
  requests.join();
  requests.join();
  const auto put = [&](const std::string& message, std::size_t bytes) {
    const auto key = *requests.key_of(kA, message);
    requests.put(key, encoded(std::string(bytes, 'x')));
    return key;
  };
  const auto first = put("1", 60);
  const auto second = put("2", 60);
  EXPECT_EQ(requests.take(first), nullptr);
  EXPECT_EQ(requests.stats().bytes, 60U);
  const auto larger = put("3", 101);
  EXPECT_EQ(requests.take(larger), nullptr);
  put("2", 60);  // sent again: it is there
  EXPECT_EQ(requests.stats().bytes, 60U);
  EXPECT_NE(requests.take(second), nullptr);
}

}  // namespace
}  // namespace vigia::collector::delivery
