#include "services/router/api/prometheus/exposition.hpp"

#include <gtest/gtest.h>

namespace vigia::router::api::prometheus {
namespace {

const std::optional<CustomerId> kA = *CustomerId::parse("a");

std::string cut(const std::string& page) {
  return exposition_of(page, kA).value_or("cannot be read");
}

TEST(Exposition, WhatIsAllTheCustomersStaysAsItIs) {
  const std::string page =
      "# TYPE up untyped\n"
      "up{customer_id=\"a\",instance=\"\",job=\"x\"} 1 1700000000000\n"
      "up{job=\"a \\\"quoted\\\\\",customer_id=\"a\"} NaN\n"
      "# HELP y what\n# TYPE y untyped\ny{customer_id=\"a\",} +Inf 1\n";
  EXPECT_EQ(cut(page), page);
  EXPECT_EQ(cut(""), "");
  EXPECT_EQ(exposition_of("anything", std::nullopt), "anything");
}

TEST(Exposition, NothingOfAnotherCustomers) {
  EXPECT_EQ(cut("# TYPE up untyped\n"
                "up{customer_id=\"b\"} 1 5\n"
                "up{customer_id=\"a\"} 2 5\n"
                "up{customer_id=\"c\"} 3 5\n"
                "# TYPE secret untyped\n"
                "secret{customer_id=\"b\"} 1 5\n"
                "# TYPE z untyped\n"
                "z 1\n"
                "# TYPE y untyped\n"
                "y{customer_id=\"a\"} 4 5\n"),
            "# TYPE up untyped\nup{customer_id=\"a\"} 2 5\n"
            "# TYPE y untyped\ny{customer_id=\"a\"} 4 5\n");
  EXPECT_EQ(cut("up{customer_id=\"ab\"} 1\nup{xcustomer_id=\"a\"} 1\nup{customer_id=\"A\"} 1"), "");
}

// A value that looks like the end of its labels.
TEST(Exposition, TextInAValueIsNoLabel) {
  EXPECT_EQ(cut("up{job=\"\\\",customer_id=\\\"a\",customer_id=\"b\"} 1\n"), "");
  EXPECT_EQ(cut("up{job=\"} 1 customer_id=\\\"a\\\"\",customer_id=\"b\"} 1\n"), "");
  EXPECT_EQ(cut("up{job=\"\\\\\",customer_id=\"a\"} 1\n"),
            "up{job=\"\\\\\",customer_id=\"a\"} 1\n");
  EXPECT_EQ(cut("{\"a.b\",customer_id=\"a\",\"x.y\"=\"1\"} 1\n"),
            "{\"a.b\",customer_id=\"a\",\"x.y\"=\"1\"} 1\n");
  EXPECT_EQ(cut("{\"customer_id\",job=\"a\"} 1\n"), "");
}

TEST(Exposition, WhatIsNoPageIsRefusedWhole) {
  for (const char* page :
       {"up", "<html>\n", "{\"status\":\"error\"}\n", "up{customer_id=\"a\"} 1\nup{job=\"x\n",
        "up{customer_id=\"a\"", "up{customer_id=\"a\"}1\n", "up{customer_id=a} 1\n",
        "up{=\"a\"} 1\n", "up{customer_id=\"a\" job=\"x\"} 1\n"}) {
    EXPECT_EQ(cut(page), "cannot be read") << page;
  }
}

TEST(Exposition, PagesOfSeveralShardsAreOne) {
  EXPECT_EQ(merge_pages({"# TYPE a untyped\na{n=\"1\"} 1 5\n# TYPE c untyped\nc{n=\"1\"} 1 5\n",
                         "# TYPE a untyped\na{n=\"2\"} 2 5\n# TYPE b untyped\nb{} 1 7\n"}),
            "# TYPE a untyped\na{n=\"1\"} 1 5\na{n=\"2\"} 2 5\n# TYPE b untyped\nb{} 1 7\n"
            "# TYPE c untyped\nc{n=\"1\"} 1 5\n");
  EXPECT_EQ(merge_pages({"a{n=\"} 1\"} 1 6\na 1 5\n", "a{n=\"} 1\"} 2 7\na 2 4"}),
            "a 1 5\na{n=\"} 1\"} 2 7\n")
      << "of two samples of one series the latest";
  EXPECT_EQ(merge_pages({"", ""}), "");
  EXPECT_EQ(merge_pages({"# HELP a x\n# TYPE a gauge\na 1 5\n", ""}),
            "# HELP a x\n# TYPE a gauge\na 1 5\n");
}

}  // namespace
}  // namespace vigia::router::api::prometheus
