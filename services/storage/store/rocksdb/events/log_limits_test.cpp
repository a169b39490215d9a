// Where a limit or a bound ends a walk over log records, and where the next one goes on.
#include <algorithm>
#include <atomic>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/events/log_block.hpp"
#include "services/storage/store/rocksdb/events/log_walk.hpp"
#include "services/storage/store/rocksdb/events/testing/log_index_fixture.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using ::testing::IsEmpty;

// Of a stream with few records a search that is ended comes further each time.
TEST_F(LogIndexTest, ALimitEndsTheSearchBehindWhatItHasPassed) {
  for (int i = 0; i < 40; ++i) {
    write({log_record_of(kNowNs + static_cast<TimestampNs>(i) * 20 * kSecondNs, "x")},
          i == 39 ? "rare" : fmt::format("other-{}", i));
  }
  const LabelMatchers matchers = service("rare");
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    LogQuery query{0, UINT64_MAX, direction};
    query.stream = &matchers;
    std::size_t found = 0;
    bool is_whole = false;
    int pages = 0;
    for (; pages < 40 && !is_whole; ++pages) {
      const CountedClock clock;
      const WorkLimit limit(clock, std::chrono::seconds(60), nullptr);
      LogEnd end;
      found += read(query, &end, limit).size();
      is_whole = end.is_whole;
      query.after = end.looked_at;
    }
    EXPECT_TRUE(is_whole);
    EXPECT_GT(pages, 1);
    EXPECT_EQ(found, 1U);
  }
}

// Of ten records of one time not all are put in order at once: a limit may end a walk among those
// that the page before has given.
TEST_F(LogIndexTest, ALimitLeadsNoCursorBack) {
  std::vector<std::string> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back(log_record_of(kNowNs, std::to_string(i) + std::string(1U << 20U, 'x')));
  }
  write(records, "shop");
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    LogQuery query{0, UINT64_MAX, direction};
    query.after = LogPlace{kNowNs, 7};
    bool has_ended = false;
    bool is_whole = false;
    for (int seconds = 1; seconds < 60 && !is_whole; ++seconds) {
      const CountedClock clock;
      const WorkLimit limit(clock, std::chrono::seconds(seconds), nullptr);
      LogEnd end;
      read(query, &end, limit);
      is_whole = end.is_whole;
      if (is_whole) continue;
      has_ended = true;
      EXPECT_TRUE(!end.looked_at || end.looked_at->number > 7) << seconds;
    }
    EXPECT_TRUE(has_ended && is_whole);
  }
}

// Whoever asked for one of these pages was given the same cursor for ever.
TEST_F(LogIndexTest, ALimitMovesTheCursorAmongRecordsOfOneTime) {
  constexpr int kRecords = 12;
  std::vector<std::string> records;
  for (int i = 0; i < kRecords; ++i) {
    records.push_back(log_record_of(kNowNs, fmt::format("{:02}", i) + std::string(1U << 20U, 'x')));
  }
  write(records, "shop");
  write({log_record_of(kNowNs + kDayNs / 2, "the last")}, "shop");
  for (const char* other : {"bank", "post"}) write({log_record_of(kNowNs + 1, other)}, other);
  const LabelMatchers matchers = service("shop");
  for (const LabelMatchers* stream : {static_cast<const LabelMatchers*>(nullptr), &matchers}) {
    for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
      LogQuery query{0, UINT64_MAX, direction};
      query.stream = stream;
      std::set<std::string> found;
      std::size_t given = 0;
      int pages = 0;
      for (bool is_whole = false; !is_whole && pages < 60; ++pages) {
        const CountedClock clock;
        const WorkLimit limit(clock, std::chrono::seconds(12), nullptr);
        LogEnd end;
        for (const Given& one : read(query, &end, limit)) {
          found.insert(one.item);
          ++given;
        }
        is_whole = end.is_whole;
        ASSERT_TRUE(is_whole || (end.looked_at && end.looked_at != query.after)) << pages;
        query.after = end.looked_at;
      }
      EXPECT_GT(pages, 1);
      EXPECT_EQ(found.size(), kRecords + (stream == nullptr ? 3U : 1U));
      EXPECT_EQ(given, found.size());
    }
  }
}

// Who has gone holds no thread, however many records have one time.
TEST_F(LogIndexTest, AClientThatHasGoneEndsTheWalkAmongRecordsOfOneTime) {
  std::vector<std::string> records;
  for (int i = 0; i < 50; ++i) records.push_back(log_record_of(kNowNs, fmt::format("{}", i)));
  write(records, "shop");
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  class LeavingClock final : public Clock {
   public:
    explicit LeavingClock(std::atomic<bool>& gone) : gone_(gone) {}
    std::int64_t wall_ns() const override { return 0; }
    TimePoint steady() const override {
      gone_ = ++looks_ > 10;
      return TimePoint();
    }

   private:
    std::atomic<bool>& gone_;
    mutable int looks_ = 0;
  };
  const LeavingClock clock(*gone);
  const WorkLimit limit(clock, std::chrono::seconds(1), gone);
  LogEnd end;
  EXPECT_THAT(read({0, UINT64_MAX}, &end, limit), IsEmpty());
  EXPECT_FALSE(end.is_whole);
}

// A bucket of the index that reaches over midnight has a block on both days.
TEST_F(LogIndexTest, ABlockOfTheDayBeforeLeadsNoCursorBack) {
  const TimestampNs midnight = kNowNs / kDayNs * kDayNs;
  ASSERT_EQ(log_block::bucket_of(midnight - 1), log_block::bucket_of(midnight + 2));
  for (int i = 0; i < 4; ++i) {
    write({log_record_of(midnight + static_cast<TimestampNs>(i), "x")}, fmt::format("s{}", i));
    write({log_record_of(midnight - 1 - static_cast<TimestampNs>(i), "x")}, fmt::format("s{}", i));
  }
  const LabelMatchers matchers = service("s3");
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    const bool is_backward = direction == LogDirection::kBackward;
    LogQuery query{0, UINT64_MAX, direction};
    query.stream = &matchers;
    query.after = LogPlace{is_backward ? midnight - 2 : midnight + 1, 0};
    bool is_whole = false;
    for (int seconds = 1; seconds < 100 && !is_whole; ++seconds) {
      const CountedClock clock;
      const WorkLimit limit(clock, std::chrono::seconds(seconds), nullptr);
      LogEnd end;
      read(query, &end, limit);
      is_whole = end.is_whole;
      if (is_whole || !end.looked_at) continue;
      if (is_backward) {
        EXPECT_LE(end.looked_at->time_ns, query.after->time_ns) << seconds;
      } else {
        EXPECT_GE(end.looked_at->time_ns, query.after->time_ns) << seconds;
      }
    }
    EXPECT_TRUE(is_whole);
  }
}

// Whoever looks for what is rare in much goes on with the cursor; each page comes further, also
// where many records have one time.
TEST_F(LogIndexTest, ABoundEndsTheWalkAndTheNextGoesOn) {
  std::vector<std::string> records;
  for (int i = 0; i < 50; ++i) {
    const TimestampNs time_ns = kNowNs + static_cast<TimestampNs>(i < 20 ? 0 : i) * kSecondNs;
    records.push_back(log_record_of(time_ns, fmt::format("{}", i)));
  }
  write(records, "shop");
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    LogQuery query{0, UINT64_MAX, direction};
    std::vector<std::string> all;
    int pages = 0;
    for (bool is_whole = false; !is_whole && pages < 100; ++pages) {
      std::atomic<std::uint64_t> count{0};
      DamagedItems damaged(count);
      const EventStore::LogVisit visit = [&](const LogRecordView& record) {
        all.emplace_back(record.event.item);
        return true;
      };
      const WorkLimit unlimited;
      kv::DaySet days(*store_, kv::Family::kLogs);
      ASSERT_TRUE(days.load().has_value());
      const auto end =
          LogWalk(*store_, customer(), query, visit, damaged, {.rows = 7})
              .run(days.between(0, UINT32_MAX), [](std::uint32_t) { return true; }, unlimited);
      ASSERT_TRUE(end.has_value());
      is_whole = end->is_whole;
      ASSERT_TRUE(is_whole || end->looked_at);
      query.after = end->looked_at;
    }
    EXPECT_GT(pages, 3);
    if (direction == LogDirection::kBackward) std::reverse(all.begin(), all.end());
    EXPECT_EQ(all, records);
  }
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
