// Roll-ups of instances that share a cluster: who marks, who makes them, and what neither loses.
#include <atomic>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/store/cassandra/testing/contract_stores.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kDay = 20'000;
constexpr TimestampMs kStart = kDay * kDayMs;
constexpr std::uint32_t kDays = 3;
constexpr TimestampMs kStepMs = 3'600'000;

/// A store of its own on the keyspace, with a clock of its own.
struct Instance {
  Instance(SharedKeyspace& keyspace, TimestampMs now_ms)
      : clock(now_ms * 1'000'000),
        store(CassandraColdStore::open(*keyspace.session, OnCassandra::settings_of(keyspace), clock)
                  .value()) {}
  ChunkStore& chunks() { return store->chunks(); }
  DueDays& due_days() { return *store->chunks().due_days(); }

  ManualClock clock;
  std::unique_ptr<CassandraColdStore> store;
};

/// Its roller, which takes the time from what is told.
struct Rolling {
  explicit Rolling(Instance& instance)
      : book(rolling::RollupBook::open(instance.due_days(), {true, true, true}).value()) {
    rolling::RollerSources sources;
    sources.now_ms = [] { return kStart + 10 * kDayMs; };
    sources.first_day = [] { return 0U; };
    rolling::RollerSettings settings;
    settings.pause_per_mark = Duration(0);
    roller =
        std::make_unique<rolling::Roller>(*instance.store, *book, std::move(sources), settings);
  }
  std::unique_ptr<rolling::RollupBook> book;
  std::unique_ptr<rolling::Roller> roller;
};

class SharedRollUps : public ::testing::Test {
 protected:
  SeriesKey series(const std::string& pod) {
    const Labels labels = Labels::from({{"__name__", "m"}, {"pod", pod}});
    const std::uint64_t seed = one_.store->catalog().seed_of(a_).value();
    std::vector<NewSeries> made = {
        {labels, hash_labels(seed, to_string(labels)), {kDay, kDay + kDays}, {}, false}};
    EXPECT_TRUE(one_.store->catalog().resolve(a_, made).has_value());
    return {"m", made.front().id};
  }
  // Samples each so many ms from then on; their values say by whom.
  static ClosedChunk chunk(const SeriesKey& key, TimestampMs first_ms, int count, double value,
                           std::uint64_t version) {
    chunk::ChunkWriter writer;
    for (int i = 0; i < count; ++i) writer.append({first_ms + i * 60'000, value + i});
    return {key.metric,
            {key.id, first_ms, first_ms + (count - 1) * 60'000, version, Encoding::kFloats,
             std::string(writer.bytes())},
            Resolution::kRaw};
  }
  void put(Instance& instance, const ClosedChunk& closed) {
    ASSERT_TRUE(put_now(instance.chunks(), a_, {&closed, 1}).has_value());
  }
  std::vector<DuePlace> due(Instance& instance) {
    std::vector<DuePlace> places;
    const auto days = instance.due_days().due(a_, {}, 10'000).value();
    for (const DueDay& day : days) places.push_back(day.place);
    return places;
  }
  std::vector<rolling::Window> stored(const SeriesKey& key, Resolution resolution) {
    const auto rows = read_rows(one_.chunks(), a_, key, {0, INT64_MAX, resolution}).value();
    return rolling::windows_of_rows(rows, resolution).value().windows;
  }
  std::vector<rolling::Window> of_raw(const SeriesKey& key, Resolution resolution) {
    const auto rows = read_rows(one_.chunks(), a_, key, {0, INT64_MAX}).value();
    return rollup::windows_of(merge_rows(rows).value().samples, rollup::width_ms(resolution));
  }
  void expect_as_raw(const SeriesKey& key) {
    for (const Resolution resolution : rolling::kRolledUp) {
      SCOPED_TRACE(to_string(resolution));
      const auto found = stored(key, resolution);
      const auto wanted = of_raw(key, resolution);
      ASSERT_EQ(found.size(), wanted.size());
      ASSERT_FALSE(found.empty());
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].end_ms, wanted[i].end_ms);
        EXPECT_EQ(found[i].count, wanted[i].count);
        EXPECT_EQ(found[i].sum, wanted[i].sum);
        EXPECT_EQ(found[i].first, wanted[i].first);
        EXPECT_EQ(found[i].last, wanted[i].last);
        EXPECT_EQ(found[i].resets, wanted[i].resets);
      }
    }
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  SharedKeyspace& shared_ = empty_keyspace();
  Instance one_{shared_, kStart + 10 * kDayMs};
  Instance two_{shared_, kStart + 9 * kDayMs};  // whose clock is a day behind
};

// Its stamp may be lower than the one that was read: it is another's row.
TEST_F(SharedRollUps, WhatAnotherInstanceMarksMeanwhileStaysDue) {
  const SeriesKey key{"m", {7}};
  put(one_, chunk(key, kStart + 1, 2, 1, kInOrder));
  const auto read = two_.due_days().due(a_, {}, 9).value();
  ASSERT_EQ(read.size(), 1U);
  put(two_, chunk(key, kStart + 5, 2, 2, 9));
  ASSERT_TRUE(one_.due_days().done(a_, read));
  const auto both = one_.due_days().due(a_, {}, 9).value();
  ASSERT_EQ(both.size(), 1U) << "marked by two, one day";
  EXPECT_NE(both.front().stamp, read.front().stamp);
  put(one_, chunk(key, kStart + 9, 2, 2, 10));
  ASSERT_TRUE(two_.due_days().done(a_, both));
  EXPECT_THAT(due(two_), ElementsAre(DuePlace{{7}, kDay}));
  ASSERT_TRUE(two_.due_days().done(a_, one_.due_days().due(a_, {}, 9).value()));
  EXPECT_THAT(due(one_), IsEmpty());
}

TEST_F(SharedRollUps, OneAtATimeIsToMakeACustomers) {
  const CustomerId other = CustomerId::parse("cliente-b").value();
  EXPECT_TRUE(one_.due_days().claim(a_).value());
  EXPECT_TRUE(one_.due_days().claim(a_).value());
  one_.clock.advance(std::chrono::minutes(2));
  EXPECT_TRUE(one_.due_days().claim(a_).value()) << "claimed anew, and still its own";
  EXPECT_FALSE(two_.due_days().claim(a_).value());
  EXPECT_TRUE(two_.due_days().claim(other).value());
  two_.due_days().let_go(a_);  // not its own
  EXPECT_FALSE(two_.due_days().claim(a_).value());
  one_.due_days().let_go(a_);
  EXPECT_TRUE(two_.due_days().claim(a_).value());
}

TEST_F(SharedRollUps, MarksOfManySeriesAreAskedForAtOnce) {
  std::vector<SeriesId> asked;
  for (std::uint64_t i = 1; i <= 40; ++i) {  // all over the partitions
    const SeriesKey key{"m", {i << 57U | i}};
    if (i % 3 == 0) put(one_, chunk(key, kStart + 1, 2, 1, kInOrder));
    if (i % 6 == 0) put(two_, chunk(key, kStart + kDayMs + 1, 2, 1, kInOrder));
    asked.push_back(key.id);
  }
  std::vector<DuePlace> wanted;
  for (const SeriesId one : asked) {
    const auto days = due_days_of(one_.due_days(), a_, one, kAllDays).value();
    for (const DueDay& day : days) wanted.push_back(day.place);
  }
  EXPECT_EQ(wanted.size(), 13U + 6U);
  std::vector<DuePlace> found;
  const auto days = two_.due_days().due_of(a_, asked, kAllDays).value();
  for (const DueDay& day : days) found.push_back(day.place);
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(due(one_).size(), wanted.size());
  EXPECT_EQ(two_.due_days().due_of(a_, asked, {kDay + 1, kDay + 1}).value().size(), 6U);
}

// Marks of one partition go together, as many as there are: 64, 16, 4, one.
TEST_F(SharedRollUps, MarksOfOnePutAreAllThereAndGoAsTheyWereRead) {
  std::vector<ClosedChunk> chunks;
  std::vector<DuePlace> wanted;
  const auto add = [&](std::uint64_t id) {
    // The last one over the end of its day.
    const TimestampMs first_ms = kStart + (id == 150 ? kDayMs - 60'000 : 1);
    chunks.push_back(chunk({"m", {id}}, first_ms, 3, 1, kInOrder));
    wanted.push_back({{id}, kDay});
    if (id == 150) wanted.push_back({{id}, kDay + 1});
  };
  for (std::uint64_t id = 1; id <= 150; ++id) add(id);
  for (std::uint64_t part = 1; part < 16; ++part) {
    for (std::uint64_t id = 0; id < part; ++id) add(part << 59U | id);
  }
  ASSERT_TRUE(put_now(one_.chunks(), a_, chunks).has_value());
  EXPECT_EQ(due(two_), wanted);
  const auto read = two_.due_days().due(a_, {}, 10'000).value();
  put(two_, chunks[70]);
  ASSERT_TRUE(one_.due_days().done(a_, read));
  EXPECT_THAT(due(one_), ElementsAre(wanted[70])) << "another has marked it meanwhile";
}

// What a run has left behind that was killed after its marks, any other makes.
TEST_F(SharedRollUps, AnotherMakesWhatTheOneThatIsGoneHasMarked) {
  const SeriesKey key = series("a");
  Rolling second(two_);
  (void)second.roller->roll_round();  // it knows of no mark yet
  {
    Instance gone(shared_, kStart + 10 * kDayMs);
    put(gone, chunk(key, kStart + 1, 90, 1, kInOrder));
    EXPECT_TRUE(gone.due_days().claim(a_).value());
  }
  Instance next(shared_, kStart + 10 * kDayMs);
  EXPECT_FALSE(next.due_days().claim(a_).value()) << "until a minute is over";
  ASSERT_TRUE(shared_.session->run("TRUNCATE " + shared_.settings.keyspace +
                                   ".rollup_claims"));  // they are
  Rolling third(next);
  for (int i = 0; i < 9 && !due(next).empty(); ++i) (void)third.roller->roll_round();
  EXPECT_THAT(due(next), IsEmpty());
  expect_as_raw(key);
}

// Both write late samples of the same series and days while both make roll-ups of them in turns.
TEST_F(SharedRollUps, WhateverBothWriteAndMakeAtOnceTheyEndAsRawSays) {
  std::vector<SeriesKey> keys;
  for (const char* const pod : {"a", "b", "c"}) keys.push_back(series(pod));
  Rolling first(one_);
  Rolling second(two_);
  std::atomic<int> writing = 2;
  std::atomic<int> rounds = 0;
  const auto write = [&](Instance& instance, std::uint32_t seed) {
    std::mt19937 random(seed);
    for (std::uint64_t i = 0; i < 60; ++i) {
      const TimestampMs at_ms =
          kStart + static_cast<TimestampMs>(random() % (kDays * 24)) * kStepMs;
      // Times of its own, so that no value is another's to settle.
      put(instance, chunk(keys[random() % keys.size()], at_ms + 1 + seed * 7 + i * 13, 5,
                          static_cast<double>(random() % 100), seed * 1'000 + i));
    }
    --writing;
  };
  const auto roll = [&](Instance& instance, Rolling& rolling) {
    while (writing > 0) {
      instance.due_days().let_go(a_);
      (void)rolling.roller->roll_round();
      ++rounds;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { write(one_, 1); });
  threads.emplace_back([&] { write(two_, 2); });
  threads.emplace_back([&] { roll(one_, first); });
  threads.emplace_back([&] { roll(two_, second); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(rounds, 2);
  for (int i = 0; i < 100 && !due(one_).empty(); ++i) {
    (void)first.roller->roll_round();
    (void)second.roller->roll_round();
  }
  EXPECT_THAT(due(one_), IsEmpty());
  for (const SeriesKey& key : keys) expect_as_raw(key);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
