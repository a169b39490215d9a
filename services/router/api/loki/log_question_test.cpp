#include "services/router/api/loki/log_question.hpp"

#include <gtest/gtest.h>

#include "libs/logql/printer.hpp"
#include "services/router/testing/questions.hpp"

namespace vigia::router::api::loki {
namespace {

using testing::acme;
using testing::kNowMs;
using testing::parameters_of;

std::string fenced(const access::Caller& caller, const std::string& query) {
  const auto read = read_query(caller, parameters_of({{"query", query}}));
  if (!read) return read.error().message;
  return (read->customer ? read->customer->text() : "nobody") + ": " + logql::print(*read->expr);
}

TEST(LogQuery, IsInsideItsCustomersData) {
  EXPECT_EQ(fenced(acme(), R"({service_name="shop"} |= "x")"),
            R"(acme: {service_name="shop",customer_id="acme"} |= "x")");
  EXPECT_EQ(fenced(acme(), R"({customer_id="other"})"),
            R"(acme: {customer_id="other",customer_id="acme"})");
  EXPECT_EQ(fenced(acme(), R"(rate({service_name="a"}[5m]) / rate({node_id="b"}[5m]))"),
            R"(acme: rate({service_name="a",customer_id="acme"}[5m]) / )"
            R"(rate({node_id="b",customer_id="acme"}[5m]))");
  EXPECT_EQ(fenced(acme(), "vector(1)+vector(1)").substr(0, 7), "nobody:");
}

TEST(LogQuery, AnOperatorNamesOneCustomer) {
  const access::Caller operators;
  const std::string nobody = "logs are read of one customer at a time";
  EXPECT_EQ(fenced(operators, R"({customer_id="acme"})"), R"(acme: {customer_id="acme"})");
  for (const char* query :
       {R"({service_name="shop"})", R"({customer_id=~"acme"})",
        R"({customer_id!="acme",node_id="n1"})",
        R"(rate({customer_id="acme"}[5m]) + rate({customer_id="other"}[5m]))",
        R"(rate({customer_id="acme"}[5m]) + rate({service_name="shop"}[5m]))"}) {
    EXPECT_EQ(fenced(operators, query).substr(0, nobody.size()), nobody) << query;
  }
  EXPECT_EQ(fenced(operators, R"({customer_id="../x"})").find("acme"), std::string::npos);
}

// A row each, whether or not the query reads anybody's lines.
TEST(LogQuery, IsPaidByItsCaller) {
  const std::string of_acme = R"({customer_id="acme"})";
  for (const std::string& query : {std::string("vector(1)"), of_acme}) {
    EXPECT_EQ(read_query(acme(), parameters_of({{"query", query}}))->payer, "acme") << query;
    EXPECT_EQ(read_query(access::Caller(), parameters_of({{"query", query}}))->payer, "") << query;
  }
}

TEST(LogQuestion, IsReadWithItsParameters) {
  request::Form form{
      {"query", R"({service_name="shop",level="error"} |= "x")"}, {"limit", "7"}, {"cursor", "0a"}};
  form.front().second = "(" + form.front().second + ")";
  auto query = read_query(acme(), parameters_of(form));
  ASSERT_TRUE(query.has_value());
  const auto question = read_question(std::move(*query), parameters_of(form), kNowMs);
  ASSERT_TRUE(question.has_value()) << question.error().message;
  EXPECT_EQ(question->customer.text(), "acme");
  EXPECT_EQ(question->payer, "acme");
  EXPECT_EQ(question->streams.streams, R"({service_name="shop",customer_id="acme"})");
  EXPECT_EQ(question->streams.severity, "severity=~(?i)(error|err|severe)[1-4]?");
  EXPECT_EQ(question->wish.lines, 7U);
  EXPECT_EQ(question->cursor, "0a");
  EXPECT_TRUE(question->stages.leave_lines_out());
  form.back().second = "0A; drop";
  query = read_query(acme(), parameters_of(form));
  EXPECT_FALSE(read_question(std::move(*query), parameters_of(form), kNowMs).has_value());
}

TEST(LogQuery, WhatCannotBeReadIsRefused) {
  for (const char* query : {"", "{", "{}", R"({service_name=~".*"})", "up", "sum(1"}) {
    const auto read = read_query(acme(), parameters_of({{"query", query}}));
    ASSERT_FALSE(read.has_value()) << query;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid) << query;
  }
}

}  // namespace
}  // namespace vigia::router::api::loki
