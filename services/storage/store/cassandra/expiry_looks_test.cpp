#include "services/storage/store/cassandra/expiry_looks.hpp"

#include <gtest/gtest.h>

namespace vigia::storage::store::cassandra {
namespace {

class ExpiryLooksTest : public ::testing::Test {
 protected:
  /// Whose days are looked through by these cuts, of a and b.
  std::string look(const CutDays& cuts) {
    if (!looks_.begin(cuts)) return "none";
    std::string due;
    for (const CustomerId& customer : {a_, b_}) {
      if (looks_.is_due(customer.text())) due += customer.text();
    }
    looks_.end();
    return due;
  }

  const CustomerId a_ = CustomerId::parse("a").value();
  const CustomerId b_ = CustomerId::parse("b").value();
  ExpiryLooks looks_;
};

TEST_F(ExpiryLooksTest, NothingIsLookedThroughTwice) {
  EXPECT_EQ(look({10}), "ab");
  EXPECT_EQ(look({10}), "none");
  EXPECT_EQ(look({11}), "ab");
  EXPECT_EQ(look({9}), "");
  EXPECT_EQ(look({10}), "ab") << "it was not looked at as far as 9 alone says";
}

TEST_F(ExpiryLooksTest, EachCustomerGoesByHisOwnCut) {
  EXPECT_EQ(look({10, {{"b", 5}}}), "ab");
  EXPECT_EQ(look({10, {{"b", 6}}}), "b");
  EXPECT_EQ(look({11, {{"b", 6}}}), "a");
  EXPECT_EQ(look({11}), "b") << "his own has gone";
  EXPECT_EQ(look({11, {{"a", 0}}}), "");
}

TEST_F(ExpiryLooksTest, WhatComesLateIsLookedFor) {
  EXPECT_EQ(look({10, {{"b", 5}}}), "ab");
  looks_.note(b_, 5);
  EXPECT_EQ(look({10, {{"b", 5}}}), "none") << "it is kept";
  looks_.note(b_, 4);
  EXPECT_EQ(look({10, {{"b", 5}}}), "b");
  EXPECT_EQ(look({10, {{"b", 5}}}), "none");
  looks_.note(b_, 7);
  EXPECT_EQ(look({10}), "b");
}

TEST_F(ExpiryLooksTest, WhatComesWhileALookIsUnderWayIsLookedForByTheNext) {
  ASSERT_TRUE(looks_.begin({10}));
  looks_.note(a_, 3);
  looks_.end();
  EXPECT_EQ(look({10}), "a");
}

TEST_F(ExpiryLooksTest, ALookThatFailsIsBegunAnew) {
  EXPECT_EQ(look({10}), "ab");
  looks_.note(a_, 3);
  ASSERT_TRUE(looks_.begin({10}));  // and does not end
  EXPECT_EQ(look({10}), "a");
  ASSERT_TRUE(looks_.begin({12}));
  EXPECT_EQ(look({12}), "ab");
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
