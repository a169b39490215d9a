#include "services/storage/store/rocksdb/events/arrival_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/api/log_arrival_api.hpp"
#include "services/storage/store/rocksdb/events/event_table.hpp"
#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const CustomerId& customer(const char* id) {
  static std::map<std::string, CustomerId> known;
  return known.emplace(id, CustomerId::parse(id).value()).first->second;
}

class ArrivalBookTest : public ::testing::Test {
 protected:
  /// A request of one record comes and is written.
  std::uint64_t come(const char* id, TimestampNs time_ns) {
    ArrivalBook::Arrival arrival = book_.open(customer(id), clock_.wall_ms());
    TimeSpans times;
    times.add(time_ns);
    arrival.note(times);
    return arrival.number();
  }
  std::uint64_t upto(const char* id) { return book_.since(customer(id), std::nullopt).upto; }
  std::vector<TimeSpan> times(const char* id, std::uint64_t after) {
    return book_.since(customer(id), after).times;
  }

  ManualClock clock_{static_cast<std::int64_t>(kNowNs)};
  ArrivalBook book_{clock_};
};

TEST_F(ArrivalBookTest, WhatHasComeSinceIsKnownByItsTimes) {
  const auto begin = upto("cliente-a");
  EXPECT_THAT(times("cliente-a", begin), IsEmpty());
  come("cliente-a", kNowNs);
  clock_.advance(std::chrono::seconds(1));
  const auto first = upto("cliente-a");
  come("cliente-a", kNowNs - 3600 * kSecondNs);
  EXPECT_THAT(times("cliente-a", begin),
              ElementsAre(TimeSpan{kNowNs - 3600 * kSecondNs, kNowNs - 3600 * kSecondNs},
                          TimeSpan{kNowNs, kNowNs}));
  EXPECT_THAT(times("cliente-a", first),
              ElementsAre(TimeSpan{kNowNs - 3600 * kSecondNs, kNowNs - 3600 * kSecondNs}));
  EXPECT_THAT(times("cliente-a", upto("cliente-a")), IsEmpty());
}

TEST_F(ArrivalBookTest, AnothersRecordsAreNothingNew) {
  const auto begin = upto("cliente-a");
  come("cliente-b", kNowNs);
  EXPECT_THAT(times("cliente-a", begin), IsEmpty());
}

TEST_F(ArrivalBookTest, WhatIsBeingWrittenHoldsBackWhatCameBehindIt) {
  const auto begin = upto("cliente-a");
  std::uint64_t quick = 0;
  {
    ArrivalBook::Arrival slow = book_.open(customer("cliente-a"), clock_.wall_ms());
    clock_.advance(std::chrono::seconds(1));
    quick = come("cliente-a", kNowNs);
    EXPECT_LT(upto("cliente-a"), slow.number());
    EXPECT_GE(upto("cliente-b"), quick) << "of another customer it does not";
    TimeSpans late;
    late.add(kNowNs - 60 * kSecondNs);
    slow.note(late);
  }
  EXPECT_GE(upto("cliente-a"), quick);
  EXPECT_THAT(times("cliente-a", begin),
              ElementsAre(TimeSpan{kNowNs - 60 * kSecondNs, kNowNs - 60 * kSecondNs},
                          TimeSpan{kNowNs, kNowNs}));
}

TEST_F(ArrivalBookTest, OfWhatCameWhileNobodyAskedTenMinutesAreLookedThrough) {
  const std::uint64_t before = upto("cliente-b");
  come("cliente-a", kNowNs);
  const auto all = times("cliente-a", before);
  ASSERT_THAT(all, Not(IsEmpty()));
  EXPECT_LE(all.back().from_ns, kNowNs - 599 * kSecondNs);
  EXPECT_GE(all.back().to_ns, kNowNs);
  // From here on it is known.
  const auto asked = upto("cliente-a");
  come("cliente-a", kNowNs);
  EXPECT_THAT(times("cliente-a", asked), ElementsAre(TimeSpan{kNowNs, kNowNs}));
}

TEST_F(ArrivalBookTest, ManyStepsAreFewerAndLeaveNothingOut) {
  const auto begin = upto("cliente-a");
  for (TimestampNs i = 0; i < 1000; ++i) {
    come("cliente-a", kNowNs + i * kSecondNs);
    clock_.advance(std::chrono::milliseconds(100));
  }
  const auto all = times("cliente-a", begin);
  EXPECT_THAT(all, ElementsAre(TimeSpan{kNowNs, kNowNs + 999 * kSecondNs}));
  const auto asked = upto("cliente-a");
  come("cliente-a", kNowNs);
  EXPECT_THAT(times("cliente-a", asked), ElementsAre(TimeSpan{kNowNs, kNowNs}));
}

TEST_F(ArrivalBookTest, NumbersGrowWhateverTheClockSays) {
  const auto first = come("cliente-a", kNowNs);
  EXPECT_EQ(come("cliente-a", kNowNs), first + 1);
  EXPECT_EQ(book_.open(customer("cliente-a"), 0).number(), first + 2);
}

// The numbers are those of the records.
class FollowedLogsTest : public EventTableTest {
 protected:
  void write(const std::string& id, TimestampNs time_ns, const std::string& text) {
    written(*logs_, *index_, id, request_of(id, {log_record(time_ns, text)}));
    clock_.advance(std::chrono::milliseconds(1));
  }
  std::uint64_t upto() { return logs_->log_arrivals(customer("cliente-a"), std::nullopt).upto; }
  std::string lines(std::uint64_t after, std::uint64_t until) {
    return get_logs("cliente-a", "start=0&end=9999999999&arrived_after=" + std::to_string(after) +
                                     "&arrived_upto=" + std::to_string(until));
  }
};

TEST_F(FollowedLogsTest, OnlyWhatCameBetweenIsGiven) {
  const auto begin = upto();
  write("cliente-a", kNowNs, "uno");
  const auto first = upto();
  write("cliente-a", kNowNs - 3600 * kSecondNs, "tarde");
  write("cliente-a", kNowNs, "dos");
  const auto second = upto();
  write("cliente-a", kNowNs, "tres");
  EXPECT_THAT(lines(begin, first), HasSubstr("uno"));
  EXPECT_THAT(lines(begin, first), Not(HasSubstr("dos")));
  const std::string next = lines(first, second);
  EXPECT_THAT(next, Not(HasSubstr("uno")));
  EXPECT_THAT(next, HasSubstr("tarde"));
  EXPECT_THAT(next, HasSubstr("dos"));
  EXPECT_THAT(next, Not(HasSubstr("tres")));
  EXPECT_THAT(lines(upto(), UINT64_MAX), HasSubstr("\"data\":[]"));
}

TEST_F(FollowedLogsTest, WhatCameBeforeAStartIsFoundBehindTheNumberOfBefore) {
  write("cliente-a", kNowNs, "uno");
  const auto seen = upto();
  write("cliente-a", kNowNs, "dos");
  reopen();
  const auto arrivals = logs_->log_arrivals(customer("cliente-a"), seen);
  EXPECT_GT(arrivals.upto, seen);
  ASSERT_THAT(arrivals.times, Not(IsEmpty()));
  EXPECT_LE(arrivals.times.back().from_ns, kNowNs);
  EXPECT_GE(arrivals.times.back().to_ns, kNowNs);
  EXPECT_THAT(lines(seen, arrivals.upto), HasSubstr("dos"));
  EXPECT_THAT(lines(seen, arrivals.upto), Not(HasSubstr("uno")));
}

TEST_F(FollowedLogsTest, TheInterfaceSaysSo) {
  net::Request request;
  request.method = "GET";
  request.headers.add("x-vigia-customer", "cliente-a");
  const std::string begin = std::to_string(upto());
  write("cliente-a", kNowNs, "uno");
  request.query = "after=" + begin;
  const std::string end = std::to_string(upto());
  const auto answer = api::log_arrivals(cold_->events(), request);
  EXPECT_EQ(answer.body, R"({"status":"success","data":{"upto":")" + end +
                             R"(","times":[["1764043200000000000","1764043200000000000"]]}})");
  request.query = "after=" + end;
  EXPECT_EQ(api::log_arrivals(cold_->events(), request).body,
            R"({"status":"success","data":{"upto":")" + end + R"(","times":[]}})");
  request.query = "after=x";
  EXPECT_EQ(api::log_arrivals(cold_->events(), request).status, 400);
  net::Request nobodys;
  nobodys.method = "GET";
  EXPECT_EQ(api::log_arrivals(cold_->events(), nobodys).status, 400);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
