#include "libs/tenancy/directory.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"

namespace vigia::tenancy {
namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;  // 2027-01-15

std::shared_ptr<const Directory> parsed(std::string_view text) {
  auto directory = Directory::parse(text, "customers.yaml");
  EXPECT_TRUE(directory.has_value()) << directory.error().message;
  return directory ? *directory : nullptr;
}

std::string refusal(std::string_view text) {
  auto directory = Directory::parse(text, "customers.yaml");
  EXPECT_FALSE(directory.has_value());
  return directory ? "" : directory.error().message;
}

TEST(Directory, ReadsTheFileOfTheDesign) {
  ::setenv("VIGIA_TEST_TOKEN_A", "secret-a", 1);
  const auto directory = parsed(R"(
customers:
  - id: cliente-a
    name: Empresa XYZ
    hot_shard: hot-1
    limits: {points_per_second: 50000, active_series: 200000}
    tokens: [{token: "${env:VIGIA_TEST_TOKEN_A}", scope: ingest}, {token: read-a, scope: read}]
  - {id: cliente-b}
operators: [{token: op, scope: read}]
)");
  ASSERT_TRUE(directory);
  const auto ingest = directory->authenticate("secret-a", kNow);
  ASSERT_TRUE(ingest.has_value());
  EXPECT_EQ(ingest->customer->text(), "cliente-a");
  EXPECT_EQ(ingest->scope, Scope::kIngest);
  EXPECT_EQ(directory->authenticate("read-a", kNow)->scope, Scope::kRead);
  EXPECT_TRUE(directory->authenticate("op", kNow)->is_operator());
  const Customer* customer = directory->find(*CustomerId::parse("cliente-a"));
  ASSERT_NE(customer, nullptr);
  EXPECT_EQ(customer->hot_shard, "hot-1");
  EXPECT_EQ(customer->limits.active_series, 200000U);
  EXPECT_EQ(directory->find(*CustomerId::parse("cliente-b"))->name, "cliente-b");
  EXPECT_EQ(directory->find(*CustomerId::parse("cliente-c")), nullptr);
  EXPECT_EQ(directory->customers().size(), 2U);
}

TEST(Directory, LimitsThatAreLeftOutOrZeroAreTheDefaults) {
  const auto directory = parsed(R"(
customers:
  - id: all
    limits: {points_per_second: 1, spans_per_second: 2, log_records_per_second: 3,
             bytes_per_second: 4, active_series: 5, label_value_bytes: 6, labels_per_series: 7,
             query_range_seconds: 8, query_steps: 9, query_series: 10, query_samples: 11,
             query_bytes: 12, query_seconds: 13, log_query_lines: 14, log_query_bytes: 15,
             log_query_cpu_seconds: 16}
  - {id: none}
  - {id: zero, limits: {bytes_per_second: 0, label_value_bytes: 0, labels_per_series: 0}}
)");
  ASSERT_TRUE(directory);
  const Limits all = directory->find(*CustomerId::parse("all"))->limits;
  EXPECT_EQ(all.points_per_second, 1U);
  EXPECT_EQ(all.spans_per_second, 2U);
  EXPECT_EQ(all.log_records_per_second, 3U);
  EXPECT_EQ(all.bytes_per_second, 4U);
  EXPECT_EQ(all.active_series, 5U);
  EXPECT_EQ(all.label_value_bytes, 6U);
  EXPECT_EQ(all.labels_per_series, 7U);
  EXPECT_EQ(all.query_range_seconds, 8U);
  EXPECT_EQ(all.query_steps, 9U);
  EXPECT_EQ(all.query_series, 10U);
  EXPECT_EQ(all.query_samples, 11U);
  EXPECT_EQ(all.query_bytes, 12U);
  EXPECT_EQ(all.query_seconds, 13U);
  EXPECT_EQ(all.log_query_lines, 14U);
  EXPECT_EQ(all.log_query_bytes, 15U);
  EXPECT_EQ(all.log_query_cpu_seconds, 16U);
  for (const char* id : {"none", "zero"}) {
    const Limits limits = directory->find(*CustomerId::parse(id))->limits;
    EXPECT_EQ(limits.spans_per_second, 0U);
    EXPECT_EQ(limits.bytes_per_second, 0U);
    EXPECT_EQ(limits.label_value_bytes, 2048U);
    EXPECT_EQ(limits.labels_per_series, 64U);
    EXPECT_EQ(limits.query_samples, 0U);
  }
}

TEST(Directory, AnExpiryMayCarryAnOffset) {
  const auto directory = parsed(
      "customers: [{id: a, tokens: [{token: t, scope: read, "
      "expires: \"2027-01-15T10:00:00+02:00\"}]}]");
  ASSERT_TRUE(directory);
  EXPECT_TRUE(directory->authenticate("t", kNow - 1).has_value());
  EXPECT_FALSE(directory->authenticate("t", kNow).has_value());
}

TEST(Directory, AnUnknownAndAnExpiredTokenLookTheSame) {
  const auto directory = parsed(
      "customers: [{id: a, tokens: [{token: t, scope: ingest, expires: 2027-01-15T08:00:00Z}]}]");
  ASSERT_TRUE(directory);
  EXPECT_TRUE(directory->authenticate("t", kNow - 1).has_value());
  const auto expired = directory->authenticate("t", kNow);
  const auto unknown = directory->authenticate("T", kNow - 1);
  ASSERT_FALSE(expired.has_value());
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(expired.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(expired.error().message, unknown.error().message);
  EXPECT_FALSE(directory->authenticate("", kNow).has_value());
  EXPECT_FALSE(directory->authenticate(std::string(1U << 20U, 'x'), kNow).has_value());
}

TEST(Directory, TakesHashesAsTheMonitorSendsThem) {
  const auto directory = parsed(R"({"customers": [{"id": "a", "tokens": [{"token_sha256": ")" +
                                sha256_hex("t") + R"(", "scope": "ingest"}]}], "operators": []})");
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->authenticate("t", kNow)->customer->text(), "a");
}

TEST(Directory, NamesTheLineOfAFault) {
  EXPECT_EQ(refusal("customers:\n  - id: a\n  - id: a\n"),
            "customers.yaml:3: customers[1].id: customer \"a\" is given twice");
  EXPECT_NE(refusal("customers:\n  - id: _provider\n").find("customers.yaml:2"), std::string::npos);
  EXPECT_NE(refusal("customers:\n  - id: a\n    tokens: [{token: t, scope: write}]\n")
                .find("must be ingest or read"),
            std::string::npos);
  EXPECT_NE(refusal("operators: [{token: t, scope: ingest}]").find("operators send no data"),
            std::string::npos);
  EXPECT_NE(refusal("customers: [{id: a, tokens: [{token: t, scope: read}, {token: t, scope: "
                    "ingest}]}]")
                .find("given twice"),
            std::string::npos);
  EXPECT_NE(refusal("customers: [{id: a, tokens: [{scope: read}]}]").find("either token or"),
            std::string::npos);
  EXPECT_NE(refusal("customers: [{id: a, tokens: [{token_sha256: ABC, scope: read}]}]")
                .find("lower-case hex"),
            std::string::npos);
  EXPECT_NE(refusal("customers: [{id: a, tokens: [{token: t, scope: read, expires: soon}]}]")
                .find("such as 2027"),
            std::string::npos);
  EXPECT_NE(refusal("customers: [{id: a, colour: red}]").find("colour"), std::string::npos);
}

TEST(BearerToken, NobodyHasAnEmptyOrAnEndlessOne) {
  EXPECT_EQ(*hash_token("abc"), sha256("abc"));
  EXPECT_TRUE(hash_token(std::string(4096, 'a')).has_value());
  for (const std::string& bad : {std::string(), std::string(4097, 'a')}) {
    ASSERT_FALSE(hash_token(bad).has_value());
    EXPECT_EQ(hash_token(bad).error().code, ErrorCode::kUnauthenticated);
  }
}

TEST(BearerToken, ThatNoHeaderCarriesIsRefusedWhereItIsWritten) {
  const std::string why =
      refusal("customers: [{id: a, tokens: [{token: \"a b\", scope: read}]}]\n");
  EXPECT_NE(why.find("no Authorization header"), std::string::npos) << why;
}

TEST(Directory, ACustomerMayHaveSeveralShards) {
  const auto read = [](const std::string& keys) {
    return Directory::parse("customers: [{id: a, " + keys + "}]\n", "customers.yaml");
  };
  const auto several = read("hot_shards: [hot-1, hot-2]");
  ASSERT_TRUE(several.has_value()) << several.error().message;
  const Customer& customer = (*several)->customers()[0];
  EXPECT_EQ(customer.hot_shard, "hot-1");
  EXPECT_EQ(customer.shards(), (std::vector<std::string>{"hot-1", "hot-2"}));
  EXPECT_TRUE((*read("hot_shards: [hot-1]"))->customers()[0].hot_shards.empty());
  EXPECT_EQ((*read("hot_shard: hot-3"))->customers()[0].shards(),
            std::vector<std::string>{"hot-3"});
  for (const char* wrong : {"hot_shards: []", "hot_shards: [x, x]", "hot_shards: [\"a,b\"]",
                            "hot_shard: x, hot_shards: [x, y]"}) {
    EXPECT_FALSE(read(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace vigia::tenancy
