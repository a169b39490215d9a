#include "services/router/plan/bound_nodes.hpp"

#include <gtest/gtest.h>

#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

/// "a b", or "" where it is not bound.
std::string nodes_of(const std::string& query) {
  const auto nodes = bound_nodes(*testing::instant(query).expr);
  std::string text;
  if (!nodes) return text;
  for (const std::string& node : *nodes) text += (text.empty() ? "" : " ") + node;
  return text;
}

TEST(BoundNodes, AreThoseThatEverySelectorNames) {
  EXPECT_EQ(nodes_of(R"x(up{node_id="a"})x"), "a");
  EXPECT_EQ(nodes_of(R"x(up{node_id="a"} + on () rate(x{job="y",node_id="b"}[5m]))x"), "a b");
  EXPECT_EQ(nodes_of(R"x(sum(max_over_time(up{node_id="a"}[1h:1m])))x"), "a");
  EXPECT_EQ(nodes_of(R"x(up{node_id="a"} and up)x"), "") << "one names none";
  EXPECT_EQ(nodes_of(R"x(up{node_id=""})x"), "") << "whatever has no node";
  EXPECT_EQ(nodes_of(R"x(up{node_id!="a"})x"), "");
  EXPECT_EQ(nodes_of(R"x(up{node_region="a"})x"), "");
  EXPECT_EQ(nodes_of("1 + 1"), "");
}

TEST(BoundNodes, ARegularExpressionOfNamesAloneBinds) {
  EXPECT_EQ(nodes_of(R"x(up{node_id=~"a"})x"), "a");
  EXPECT_EQ(nodes_of(R"x(up{node_id=~"a|b-1"})x"), "a b-1");
  EXPECT_EQ(nodes_of(R"x(up{node_id=~"(a|b)"})x"), "a b");
  EXPECT_EQ(nodes_of(R"x(up{node_id=~"db\\.1|b"})x"), "b db.1");
  for (const char* more :
       {"a.*", "db.1", "a|", "|a", "", "()", "(a)|(b)", "a+", "[ab]", "(?i)a", "a\\\\d", "^a$"}) {
    EXPECT_EQ(nodes_of(std::string("up{node_id=~\"") + more + "\"} or up{node_id=\"c\"}"), "")
        << more;
  }
  EXPECT_EQ(nodes_of(R"x(up{node_id=~".+",node_id="a"})x"), "a");
}

}  // namespace
}  // namespace vigia::router::plan
