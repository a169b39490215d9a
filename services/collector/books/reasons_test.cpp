#include "services/collector/books/reasons.hpp"

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace vigia::collector::books {
namespace {

std::string page(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// All values of the label in vigia_items_rejected_total.
std::set<std::string> refusals() {
  std::set<std::string> labels;
  for (std::size_t reason = 1; reason < kRejectReasonCount; ++reason)
    labels.emplace(WhyRejected(static_cast<RejectReason>(reason)).label());
  for (const RequestReason reason : kRequestReasons) labels.emplace(WhyRejected(reason).label());
  return labels;
}

TEST(Reasons, EachHasAWordOfItsOwn) {
  EXPECT_EQ(refusals().size(), kRejectReasonCount - 1 + kRequestReasons.size());
  std::set<std::string> drops;
  for (const DropCause cause : kDropCauses) drops.emplace(to_string(cause));
  EXPECT_EQ(drops.size(), kDropCauses.size());
}

TEST(Reasons, TheServicesPageNamesEachOfThem) {
  const std::string text = page("services/collector/README.md");
  ASSERT_FALSE(text.empty()) << "run from the checkout's root";
  for (const std::string& word : refusals())
    EXPECT_NE(text.find("`" + word + "`"), std::string::npos) << word;
}

TEST(Reasons, TheExportersPageNamesWhatIsGivenUp) {
  const std::string text = page("services/collector/exporters/README.md");
  for (const DropCause cause : kDropCauses)
    EXPECT_NE(text.find("\"" + std::string(to_string(cause)) + "\""), std::string::npos)
        << to_string(cause);
}

}  // namespace
}  // namespace vigia::collector::books
