#include "libs/model/customer_signal.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vigia {
namespace {

std::string longest_customer() {
  std::string text = "a";
  for (int i = 1; i < 63; ++i) text += "-9";
  return text;
}

std::vector<CustomerId> customers() {
  return {CustomerId::parse("a").value(),
          CustomerId::parse("7").value(),
          CustomerId::parse("cliente-a").value(),
          CustomerId::parse(std::string(63, 'z')).value(),
          CustomerId::parse(longest_customer()).value(),
          CustomerId::provider()};
}

TEST(CustomerSignalTest, EveryCustomerAndSignalComesBackAsItWasKept) {
  for (const CustomerId& customer : customers()) {
    for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
      const auto back = kept_customer_signal(customer.text(), kept_number(signal));
      ASSERT_TRUE(back) << customer.text();
      EXPECT_EQ(*back, (CustomerSignal{customer, signal}));
    }
  }
}

// docs/formats/disk-log.md and side-queue.md have these numbers: files of before must read as then.
TEST(CustomerSignalTest, TheNumbersAreThoseOnDisk) {
  EXPECT_EQ(kept_number(Signal::kMetrics), 1);
  EXPECT_EQ(kept_number(Signal::kTraces), 2);
  EXPECT_EQ(kept_number(Signal::kLogs), 3);
}

TEST(CustomerSignalTest, WhatIsNobodysIdOrNoSignalIsNothing) {
  for (const std::string& text :
       {std::string(), std::string("Cliente"), std::string("-a"), std::string("a--b"),
        std::string("_provider2"), std::string("_"), std::string("a\0b", 3), std::string(64, 'z'),
        longest_customer() + "-1", std::string("\xff\xfe")}) {
    EXPECT_FALSE(kept_customer(text)) << text;
    EXPECT_FALSE(kept_customer_signal(text, kept_number(Signal::kLogs))) << text;
  }
  for (int number = 0; number <= 255; ++number) {
    const auto kind = static_cast<std::uint8_t>(number);
    const bool is_signal = number >= 1 && number <= 3;
    EXPECT_EQ(kept_signal(kind).has_value(), is_signal) << number;
    EXPECT_EQ(kept_customer_signal("cliente-a", kind).has_value(), is_signal) << number;
  }
}

}  // namespace
}  // namespace vigia
