#include "libs/disk_log/log_contents.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vigia::disk_log {
namespace {

RecordHeader header_of(const std::string& owner, std::uint64_t segment) {
  RecordHeader header{.tag = {.owner = owner}};
  header.position.segment = segment;
  header.items = 1;
  header.stored_bytes = 100;
  return header;
}

// Customers and routes come and go for years; each was kept for as long as the process lived.
TEST(LogContentsTest, KnowsNoMoreThanLiesInTheLog) {
  constexpr std::uint64_t kSegments = 3;
  LogContents contents(1U << 20U, 0.5, "customer");
  for (std::uint64_t segment = 1; segment <= 2'000; ++segment) {
    contents.recover(header_of(fmt::format("customer-{}", segment), segment));
    contents.recover(header_of("always-there", segment));
    contents.recover(header_of("always-there", segment));
    if (segment <= kSegments) continue;
    contents.pass(segment - kSegments + 1);
    contents.forget(segment - kSegments);
    EXPECT_LE(contents.sorts(), kSegments + 1);
  }
  const auto last = contents.of_segment(2'000);
  ASSERT_EQ(last.size(), 2U);
  for (const RecordSums& sums : last) {
    EXPECT_EQ(sums.records, sums.owner == "always-there" ? 2U : 1U);
  }
  EXPECT_TRUE(contents.of_segment(1).empty());
  EXPECT_EQ(contents.held_by_owner().size(), kSegments + 1);
}

}  // namespace
}  // namespace vigia::disk_log
