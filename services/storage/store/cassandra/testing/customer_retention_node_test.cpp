// Customers who are kept for other times than all others: where their rows go, when these end, and
// what every instance gives of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/testing/contract_stores.hpp"
#include "services/storage/store/cassandra/testing/kept_by.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using vigia::cassandra::BoundCells;

constexpr TimestampMs kNow = 20'000 * kDayMs;  // as OnCassandra's clock
constexpr std::int64_t kDaySeconds = 86'400;
const std::string kTraceId(kTraceIdBytes, '\x0a');

Duration days(int count) { return std::chrono::hours(24 * count); }
TimestampMs days_before(int count) { return kNow - count * kDayMs; }

KeptByKind kept(int raw, int hours, int traces) {
  KeptByKind all;
  for (std::size_t i = 0; i < kResolutions; ++i)
    all[kind_of(static_cast<Resolution>(i))] = days(raw);
  all[kind_of(Resolution::kHour)] = days(hours);
  all["traces"] = all["logs"] = days(traces);
  return all;
}

class CustomerRetentionTest : public ::testing::Test {
 protected:
  CustomerRetentionTest() {
    first_.store->use_retention(kept_);
    opened_->use_retention(kept_);
    kept_.set(long_, kept(401, 401, 90));
  }
  static ClosedChunk chunk(TimestampMs first_ms, const std::string& data,
                           Resolution resolution = Resolution::kRaw) {
    return {"m", {{7}, first_ms, first_ms + 9, kInOrder, Encoding::kFloats, data}, resolution};
  }
  void put(const CustomerId& customer, const ClosedChunk& chunk) {
    const auto put = put_now(first_.cold().chunks(), customer, {&chunk, 1});
    EXPECT_TRUE(put.has_value()) << put.error().message;
  }
  /// What that one of the two instances reads.
  static std::vector<std::string> read(ColdStore& by, const CustomerId& customer,
                                       Resolution resolution = Resolution::kRaw) {
    std::vector<std::string> found;
    const auto rows = read_rows(by.chunks(), customer, {"m", {7}}, {0, INT64_MAX, resolution});
    for (const ChunkRow& row : rows.value()) found.push_back(row.data);
    return found;
  }
  /// By the cuts of who is kept so long.
  void expire(Resolution resolution = Resolution::kRaw) {
    ExpiryCuts cuts(days_before(count(kept_.keep_of_others(resolution))));
    for (const CustomerId& customer : kept_.own()) {
      cuts.own[customer] = days_before(count(kept_.keep_of(customer, resolution)));
    }
    const auto expired = first_.cold().chunks().expire(resolution, cuts);
    EXPECT_TRUE(expired.has_value()) << expired.error().message;
    // What has expired others look up again.
    first_.clock.advance(std::chrono::minutes(2));
  }
  static int count(Duration keep) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::hours>(keep).count() / 24);
  }
  /// Numbers of the first column: whatever is there.
  std::vector<std::int64_t> ask(const std::string& cql, bool is_wide) {
    const std::string& keyspace = first_.shared.settings.keyspace;
    const auto statement =
        first_.shared.session->prepare({fmt::format(fmt::runtime(cql), keyspace)}).value();
    const auto page =
        first_.shared.session->fetch({*statement, {}, "", std::chrono::seconds(20)}).value();
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i < page.rows(); ++i) {
      auto row = page.row(i);
      numbers.push_back(is_wide ? row.read_bigint() : row.read_int());
    }
    return numbers;
  }
  std::int64_t rows_in(const std::string& table, const CustomerId& customer) {
    return static_cast<std::int64_t>(ask("SELECT first_ms FROM {}." + table +
                                             " WHERE customer_id = '" + customer.text() +
                                             "' ALLOW FILTERING",
                                         true)
                                         .size());
  }

  const CustomerId plain_ = CustomerId::parse("plain").value();
  const CustomerId long_ = CustomerId::parse("long").value();
  const WorkLimit unlimited_;
  KeptBy kept_{kept(30, 90, 7)};
  OnCassandra first_;
  std::unique_ptr<CassandraColdStore> opened_ =
      CassandraColdStore::open(*first_.shared.session, OnCassandra::settings_of(first_.shared),
                               first_.clock)
          .value();
};

TEST_F(CustomerRetentionTest, ChunksAndRollUpsGoIntoTheTableOfTheirCustomersClass) {
  for (const CustomerId& customer : {plain_, long_}) {
    put(customer, chunk(days_before(1), "raw"));
    put(customer, chunk(days_before(1), "hours", Resolution::kHour));
  }
  EXPECT_EQ(rows_in("chunks_90d", plain_), 1);
  EXPECT_EQ(rows_in("rollups_90d", plain_), 1);
  EXPECT_EQ(rows_in("chunks_90d", long_), 0);
  EXPECT_EQ(rows_in("chunks_2y", long_), 1);
  EXPECT_EQ(rows_in("rollups_2y", long_), 1);
  // Another class from now on, of the same day: all of it is found, by all.
  kept_.set(long_, kept(400, 400, 90));
  put(long_, chunk(days_before(1) + 100, "another"));
  EXPECT_EQ(rows_in("chunks_400d", long_), 1);
  for (ColdStore* const store : {&first_.cold(), static_cast<ColdStore*>(opened_.get())}) {
    EXPECT_THAT(read(*store, long_), ElementsAre("raw", "another"));
    EXPECT_THAT(read(*store, plain_), ElementsAre("raw"));
  }
}

// There and back: in each table lies a row of an earlier edition.
TEST_F(CustomerRetentionTest, ARollUpIsMadeAnewInWhateverClassTheOneBeforeLies) {
  ClosedChunk row = chunk(days_before(1), "0", Resolution::kHour);
  put(long_, row);
  const std::array turns = {kept(30, 30, 7), kept(401, 401, 90), kept(30, 30, 7),
                            kept(400, 400, 7)};
  for (std::size_t i = 0; i < turns.size(); ++i) {
    kept_.set(long_, turns[i]);
    const ChunkQuery query{0, INT64_MAX, Resolution::kHour};
    const auto rows = read_rows(opened_->chunks(), long_, {"m", {7}}, query).value();
    ASSERT_EQ(rows.size(), 1U);
    row.replaces = rows.front().edition;
    row.row.data = std::to_string(i + 1);
    put(long_, row);
    EXPECT_THAT(read(*opened_, long_, Resolution::kHour), ElementsAre(row.row.data));
    // From what was read before that: another has made it meanwhile.
    ClosedChunk late = row;
    late.row.data = "late";
    EXPECT_FALSE(put_now(first_.cold().chunks(), long_, {&late, 1}));
  }
}

TEST_F(CustomerRetentionTest, EachSeesWhatHeKeepsOnAllInstances) {
  for (const int age : {500, 200, 10}) {
    for (const CustomerId& customer : {plain_, long_}) {
      put(customer, chunk(days_before(age), std::to_string(age)));
      put(customer, chunk(days_before(age), std::to_string(age), Resolution::kHour));
    }
  }
  expire();
  for (ColdStore* const store : {&first_.cold(), static_cast<ColdStore*>(opened_.get())}) {
    EXPECT_THAT(read(*store, plain_), ElementsAre("10"));
    EXPECT_THAT(read(*store, long_), ElementsAre("200", "10"));
    EXPECT_THAT(read(*store, plain_, Resolution::kHour), ElementsAre("500", "200", "10"))
        << "roll-ups go by what is set of them";
  }
  expire(Resolution::kHour);
  EXPECT_THAT(read(*opened_, plain_, Resolution::kHour), ElementsAre("10"));
  EXPECT_THAT(read(*opened_, long_, Resolution::kHour), ElementsAre("200", "10"));
  const auto later = CassandraColdStore::open(*first_.shared.session,
                                              OnCassandra::settings_of(first_.shared), first_.clock)
                         .value();
  later->use_retention(kept_);
  EXPECT_THAT(read(*later, plain_), ElementsAre("10"));
  EXPECT_THAT(read(*later, long_), ElementsAre("200", "10"));
}

TEST_F(CustomerRetentionTest, WhoIsKeptLongerFindsWhatIsPutFromThenOn) {
  put(plain_, chunk(days_before(200), "before"));
  put(long_, chunk(days_before(200), "before"));
  expire();
  EXPECT_THAT(read(first_.cold(), plain_), IsEmpty());
  kept_.set(plain_, kept(401, 401, 90));
  EXPECT_THAT(read(first_.cold(), plain_), IsEmpty()) << "what has gone does not come back";
  put(plain_, chunk(days_before(200), "again"));
  for (int round = 0; round < 2; ++round) {  // and after a look by his new cut
    EXPECT_THAT(read(first_.cold(), plain_), ElementsAre("again"));
    EXPECT_THAT(read(*opened_, plain_), ElementsAre("again"));
    expire();
  }
  // Shorter again: what lies in the table of the longer class is not given.
  kept_.set(plain_, kept(20, 20, 7));
  expire();
  EXPECT_THAT(read(first_.cold(), plain_), IsEmpty());
  EXPECT_THAT(read(*opened_, plain_), IsEmpty());
  EXPECT_THAT(read(*opened_, long_), ElementsAre("before"));
}

TEST_F(CustomerRetentionTest, LabelsAreCutByTheirCustomerOnAllInstances) {
  const auto resolve = [&](const CustomerId& customer, const std::string& pod, int age) {
    Catalog& catalog = first_.cold().catalog();
    const Labels labels = Labels::from({{"__name__", "m"}, {"pod", pod}});
    const std::uint64_t seed = catalog.seed_of(customer).value();
    const std::uint32_t day = day_of(days_before(age));
    std::vector<NewSeries> series = {
        {labels, hash_labels(seed, to_string(labels)), {day, day}, {}, false}};
    EXPECT_TRUE(catalog.resolve(customer, series).has_value());
  };
  const auto pods = [&](ColdStore& by, const CustomerId& customer) {
    return by.catalog().label_values(customer, "pod", {}, unlimited_).value().texts;
  };
  kept_.set(long_, kept(401, 401, 90));
  for (const CustomerId& customer : {plain_, long_}) {
    for (const int age : {200, 10}) resolve(customer, std::to_string(age), age);
  }
  const auto expire = [&] {
    ExpiryCuts cuts(days_before(count(kept_.index_keep_of_others())));
    for (const CustomerId& customer : kept_.own()) {
      cuts.own[customer] = days_before(count(kept_.index_keep_of(customer)));
    }
    EXPECT_TRUE(first_.cold().catalog().expire(cuts, kNow).has_value());
    first_.clock.advance(std::chrono::minutes(2));
  };
  expire();
  EXPECT_THAT(pods(*opened_, plain_), ElementsAre("10"));
  EXPECT_THAT(pods(*opened_, long_), ElementsAre("10", "200"));
  // Longer from now on: what comes of those days is listed, as long as it is kept.
  kept_.set(plain_, kept(401, 401, 90));
  resolve(plain_, "again", 200);
  resolve(plain_, "200", 200);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(pods(first_.cold(), plain_), ElementsAre("10", "200", "again"));
    EXPECT_THAT(pods(*opened_, plain_), ElementsAre("10", "200", "again"));
    expire();
  }
}

TEST_F(CustomerRetentionTest, RowsOfEventsAndExemplarsEndByTheirCustomersTime) {
  const TimestampNs now_ns = TimestampNs{kNow} * 1'000'000;
  for (const CustomerId& customer : {plain_, long_}) {
    ASSERT_TRUE(first_.cold().events().write(
        customer, Signal::kTraces, export_of(customer.text(), {span_of(kTraceId, 's', now_ns)})));
    ASSERT_TRUE(first_.cold().events().write(
        customer, Signal::kLogs, export_of(customer.text(), {log_record_of(now_ns, "text")})));
    const NewExemplar exemplar{{7}, {kNow, 1.0}, ""};
    (void)first_.cold().exemplars()->put(customer, {&exemplar, 1});
  }
  const auto live = [&](const std::string& table, const std::string& column,
                        const CustomerId& customer) {
    const auto left = ask("SELECT TTL(" + column + ") FROM {}." + table + " WHERE customer_id = '" +
                              customer.text() + "' ALLOW FILTERING",
                          false);
    // In days, of the first row: seconds have passed.
    return left.empty() ? -1 : (left.front() + kDaySeconds - 1) / kDaySeconds;
  };
  for (const auto& [table, column] :
       std::vector<std::pair<std::string, std::string>>{{"spans", "item"},
                                                        {"log_rows", "item"},
                                                        {"event_origins", "bytes"},
                                                        {"trace_ids", "ids"},
                                                        {"log_times", "times"}}) {
    EXPECT_EQ(live(table, column, plain_), 7 + 2) << table;
    EXPECT_EQ(live(table, column, long_), 90 + 2) << table;
  }
  EXPECT_EQ(live("exemplars", "labels", plain_), 30 + 2);
  EXPECT_EQ(live("exemplars", "labels", long_), 401 + 2);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
