#include "libs/tenancy/directory_document.hpp"

#include <fstream>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "libs/base/hex.hpp"

namespace vigia::tenancy {
namespace {

constexpr std::int64_t kExpiry = 1'800'000'001'000;  // 2027-01-15T08:00:01Z

SnapshotMark mark() { return {"00112233445566778899aabbccddeeff", 42, 3, 41}; }

/// Two customers, of whom one is all at its defaults, with tokens of every kind.
std::string written() {
  Limits limits;
  std::uint64_t next = 0;
  for (auto* limit :
       {&limits.points_per_second, &limits.spans_per_second, &limits.log_records_per_second,
        &limits.bytes_per_second, &limits.active_series, &limits.label_value_bytes,
        &limits.labels_per_series, &limits.query_range_seconds, &limits.query_steps,
        &limits.query_series, &limits.query_samples, &limits.query_bytes, &limits.query_seconds,
        &limits.log_query_lines, &limits.log_query_bytes, &limits.log_query_cpu_seconds}) {
    *limit = ++next;
  }
  DocumentWriter writer(mark());
  writer.customer({*CustomerId::parse("cliente-a"), "Empresa \"A\" $5 ñ", "hot-1", limits, 17});
  writer.token(sha256_hex("ingest-a"), Scope::kIngest, 0);
  writer.token(sha256_hex("read-a"), Scope::kRead, kExpiry + 999);
  writer.customer({*CustomerId::parse("cliente-b"), "cliente-b", "hot-0", Limits(), 0});
  writer.operators();
  writer.token(sha256_hex("op"), Scope::kRead, 0);
  return writer.finish();
}

TEST(DirectoryDocument, WhatIsWrittenIsReadAgain) {
  std::string text = written();
  const auto read = read_document(text, "document");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->left_out, 0U);
  EXPECT_EQ(read->mark.database, mark().database);
  EXPECT_EQ(read->mark.revision, 42);
  EXPECT_EQ(read->mark.customers_removed, 3);
  EXPECT_EQ(read->mark.confirmed_revision, 41);
  const Directory& directory = *read->directory;
  ASSERT_EQ(directory.customers().size(), 2U);
  const Customer& a = directory.customers()[0];
  EXPECT_EQ(a.id.text(), "cliente-a");
  EXPECT_EQ(a.name, "Empresa \"A\" $5 ñ");
  EXPECT_EQ(a.hot_shard, "hot-1");
  EXPECT_EQ(a.assigned_ms, 17);
  EXPECT_EQ(a.limits.points_per_second, 1U);
  EXPECT_EQ(a.limits.spans_per_second, 2U);
  EXPECT_EQ(a.limits.log_records_per_second, 3U);
  EXPECT_EQ(a.limits.bytes_per_second, 4U);
  EXPECT_EQ(a.limits.active_series, 5U);
  EXPECT_EQ(a.limits.label_value_bytes, 6U);
  EXPECT_EQ(a.limits.labels_per_series, 7U);
  EXPECT_EQ(a.limits.query_range_seconds, 8U);
  EXPECT_EQ(a.limits.query_steps, 9U);
  EXPECT_EQ(a.limits.query_series, 10U);
  EXPECT_EQ(a.limits.query_samples, 11U);
  EXPECT_EQ(a.limits.query_bytes, 12U);
  EXPECT_EQ(a.limits.query_seconds, 13U);
  EXPECT_EQ(a.limits.log_query_lines, 14U);
  EXPECT_EQ(a.limits.log_query_bytes, 15U);
  EXPECT_EQ(a.limits.log_query_cpu_seconds, 16U);
  EXPECT_EQ(directory.customers()[1].limits.label_value_bytes, Limits().label_value_bytes);
  EXPECT_EQ(directory.authenticate("ingest-a", kExpiry * 2)->scope, Scope::kIngest);
  EXPECT_EQ(directory.authenticate("read-a", kExpiry - 1)->customer->text(), "cliente-a");
  EXPECT_FALSE(directory.authenticate("read-a", kExpiry).has_value());
  EXPECT_TRUE(directory.authenticate("op", 0)->is_operator());
}

std::string golden(int version) {
  std::ifstream file(fmt::format("tests/golden/tenancy/document-v{}.json", version));
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(DirectoryDocument, VersionTwoIsPinned) { EXPECT_EQ(written(), golden(2)); }

TEST(DirectoryDocument, VersionOneIsReadWithTheDefaultsOfWhatItLacks) {
  std::string text = golden(1);
  const auto read = read_document(text, "document");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const Limits& limits = read->directory->find(*CustomerId::parse("cliente-a"))->limits;
  EXPECT_EQ(limits.labels_per_series, 7U);
  EXPECT_EQ(limits.query_steps, 0U);
  EXPECT_EQ(limits.log_query_cpu_seconds, 0U);
}

TEST(DirectoryDocument, ACustomerMayHaveSeveralShards) {
  DocumentWriter writer(mark());
  Customer several{*CustomerId::parse("cliente-a"), "A", "hot-1", Limits(), 0, {"hot-1", "hot-2"}};
  writer.customer(several);
  std::string text = writer.finish();
  EXPECT_NE(text.find(R"("hot_shard":"hot-1","hot_shards":["hot-1","hot-2"],)"), std::string::npos)
      << text;
  const auto read = read_document(text, "document");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->directory->customers()[0].hot_shards, several.hot_shards);
  EXPECT_EQ(read->directory->customers()[0].hot_shard, "hot-1");
  std::string bad = R"({"customers":[{"id":"a","hot_shards":["x","x"],"tokens":[]},)"
                    R"({"id":"b","hot_shards":["x"],"tokens":[]}],"operators":[]})";
  const auto left = read_document(bad, "document");
  ASSERT_TRUE(left.has_value()) << left.error().message;
  EXPECT_EQ(left->left_out, 1U);
  EXPECT_NE(left->first_problem.find("the hot shard x stands there twice"), std::string::npos);
  ASSERT_EQ(left->directory->customers().size(), 1U);
  EXPECT_EQ(left->directory->customers()[0].hot_shard, "x");
  EXPECT_EQ(left->directory->customers()[0].shards(), std::vector<std::string>{"x"});
}

TEST(DirectoryDocument, OfNobodyItIsWholeToo) {
  std::string text = DocumentWriter(SnapshotMark()).finish();
  const auto read = read_document(text, "document");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_TRUE(read->directory->customers().empty());
}

TEST(DirectoryDocument, AnEndThatCannotBeWrittenIsNoLifeForEver) {
  DocumentWriter writer(mark());
  writer.operators();
  writer.token(sha256_hex("op"), Scope::kRead, std::numeric_limits<std::int64_t>::max());
  std::string text = writer.finish();
  const auto read = read_document(text, "document");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->left_out, 1U);
  EXPECT_FALSE(read->directory->authenticate("op", 0).has_value());
}

TEST(DirectoryDocument, OneMoreOperatorStandsBesideTheOthers) {
  EXPECT_EQ(with_operator(R"({"customers":[{"name":"\"operators\":["}],"operators":[]})", "ff"),
            R"({"customers":[{"name":"\"operators\":["}],"operators":[)"
            R"({"token_sha256":"ff","scope":"read"}]})");
  EXPECT_EQ(with_operator(R"({"operators":[{"token_sha256":"aa","scope":"read"}]})", "ff"),
            R"({"operators":[{"token_sha256":"ff","scope":"read"},)"
            R"({"token_sha256":"aa","scope":"read"}]})");
}

TEST(DirectoryDocument, AnEarlierVersionIsAnotherContentOfTheSameRevision) {
  EXPECT_TRUE(are_of_one_version(written(), DocumentWriter(SnapshotMark()).finish()));
  EXPECT_FALSE(are_of_one_version(written(), R"({"database":"d","revision":42})"));
  EXPECT_FALSE(are_of_one_version(written(), R"({"document":1,"database":"d"})"));
}

TEST(DirectoryDocument, ABadEntryOfADocumentIsLeftOutAndTheRestTaken) {
  std::string text = R"({"operators":[{"scope":"read","token_sha256":")" + sha256_hex("op") +
                     R"("},{"scope":"ingest","token_sha256":")" + sha256_hex("op2") +
                     R"("}],"new_key":{"x":[1]},"customers":[
      {"id":"Bad Id","tokens":[]},
      {"tokens":[{"token_sha256":"xyz","scope":"ingest"},
                 {"token_sha256":")" +
                     sha256_hex("t") + R"(","scope":"ingest","created_at":"?"},
                 {"token_sha256":")" +
                     sha256_hex("r") + R"(","scope":"read","expires":"2027-01-15T08:00:01Z"}],
       "limits":{"points_per_second":7,"labels_per_series":0,"new":1},"id":"a","name":"A $5"}]})";
  const std::string before = text;
  const auto snapshot = read_document(text, "snapshot");
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message;
  EXPECT_EQ(text, before);
  EXPECT_EQ(snapshot->left_out, 3U);
  EXPECT_EQ(snapshot->first_problem,
            "operators: a token without a good token_sha256, scope or expires");
  const Directory& directory = *snapshot->directory;
  ASSERT_EQ(directory.customers().size(), 1U);
  EXPECT_EQ(directory.customers()[0].name, "A $5");
  EXPECT_EQ(directory.customers()[0].limits.points_per_second, 7U);
  EXPECT_EQ(directory.customers()[0].limits.labels_per_series, Limits().labels_per_series);
  EXPECT_EQ(directory.authenticate("t", kExpiry)->customer->text(), "a");
  EXPECT_EQ(directory.authenticate("r", kExpiry - 1)->scope, Scope::kRead);
  EXPECT_FALSE(directory.authenticate("r", kExpiry).has_value());
  EXPECT_TRUE(directory.authenticate("op", 0)->is_operator());
  EXPECT_FALSE(directory.authenticate("op2", 0).has_value());
}

TEST(DirectoryDocument, ACustomerOrATokenGivenTwiceRefusesTheWholeDocument) {
  const std::string token = R"({"token_sha256":")" + sha256_hex("t") + R"(","scope":"read"})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"customers":[{"id":"a"},{"id":"b"},{"id":"a"}]})",
       "snapshot: a: the customer is given twice"},
      {R"({"customers":[{"id":"a","tokens":[)" + token + R"(]},{"id":"b","tokens":[)" + token +
           "]}]}",
       "snapshot: b: a token is given twice"},
      {R"({"operators":[)" + token + R"(],"customers":[{"id":"a","tokens":[)" + token + "]}]}",
       "snapshot: a: a token is given twice"}};
  for (auto [text, reason] : cases) {
    const auto snapshot = read_document(text, "snapshot");
    ASSERT_FALSE(snapshot.has_value()) << text;
    EXPECT_EQ(snapshot.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(snapshot.error().message, reason);
  }
}

TEST(DirectoryDocument, ADocumentSaysWhereItStands) {
  std::string text =
      R"({"database":"d","revision":7,"customers_removed":2,"confirmed_revision":6,"customers":[]})";
  const auto snapshot = read_document(text, "snapshot");
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(snapshot->mark.database, "d");
  EXPECT_EQ(snapshot->mark.revision, 7);
  EXPECT_EQ(snapshot->mark.customers_removed, 2);
  EXPECT_EQ(snapshot->mark.confirmed_revision, 6);
}

TEST(DirectoryDocument, ADocumentThatIsNoJsonIsRefusedWhole) {
  for (std::string text : {"{", "{\"customers\":7}", "{} {}", "{\"customers\":[{\"id\":\"a\"]}"}) {
    EXPECT_FALSE(read_document(text, "snapshot").has_value()) << text;
  }
}

}  // namespace
}  // namespace vigia::tenancy
