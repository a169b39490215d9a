#include "services/storage/customers/past_writes.hpp"

#include <gtest/gtest.h>

namespace vigia::storage::customers {
namespace {

constexpr CustomerNumber kAcme{1};
constexpr CustomerNumber kOther{2};

bool is_acme(CustomerNumber customer) { return customer == kAcme; }

TEST(PastWrites, CountsWhatIsNotLaterThanTheEdge) {
  PastWrites past;
  EXPECT_EQ(past.tell(1'000, is_acme).writes, 0U);
  past.note(kAcme, 1'001);
  EXPECT_EQ(past.tell(1'000, is_acme).writes, 0U);
  past.note(kAcme, 1'000);
  EXPECT_EQ(past.tell(1'000, is_acme).writes, 1U);
  past.note(kAcme, 1);
  EXPECT_EQ(past.tell(1'000, is_acme).writes, 2U);
}

TEST(PastWrites, OfOneCustomerAlone) {
  PastWrites past;
  (void)past.tell(1'000, is_acme);
  past.note(kOther, 1);
  EXPECT_EQ(past.tell(1'000, is_acme).writes, 0U);
}

// A clock that was ahead by days made people keep what was not past: what comes of that time must
// still be counted when the clock is right again.
TEST(PastWrites, TheEdgeNeverGoesBack) {
  PastWrites past;
  EXPECT_EQ(past.tell(9'000, is_acme).edge_ms, 9'000);
  EXPECT_EQ(past.tell(1'000, is_acme).edge_ms, 9'000);
  past.note(kAcme, 5'000);
  EXPECT_EQ(past.tell(1'000, is_acme).writes, 1U);
}

TEST(PastWrites, BeforeAnybodyWasToldAnEdgeNothingIsCounted) {
  PastWrites past;
  past.note(kAcme, 0);
  EXPECT_EQ(past.tell(1'000, is_acme).writes, 0U) << "who is told it now reads behind that";
}

}  // namespace
}  // namespace vigia::storage::customers
