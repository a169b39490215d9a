#include "services/storage/ingest/ingester.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <random>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/read/testing/read_series.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/storage_fixture.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::ingest {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr TimestampMs kStep = 15'000;
constexpr TimestampMs kHour = 3'600'000;

class IngesterTest : public testing::Test {
 protected:
  // `count` samples from `first` on, 15 s apart; the value says which.
  heads::AppendCounts write_run(TimestampMs first, int count) {
    std::vector<Sample> samples;
    for (int i = 0; i < count; ++i) samples.push_back(numbered(first + i * kStep));
    return storage_.write("cliente-a", "m", samples);
  }
  static Sample numbered(TimestampMs time) { return {time, static_cast<double>(time % 1'000'003)}; }
  void expect_numbered(std::size_t count) {
    const auto values = storage_.read("cliente-a", "m");
    EXPECT_EQ(values.size(), count);
    for (const auto& [time, value] : values) EXPECT_EQ(value, numbered(time).value) << time;
  }

  StorageFixture storage_;
};

TEST_F(IngesterTest, WhatIsWrittenIsReadBack) {
  const heads::AppendCounts counts = storage_.write("cliente-a", "m", {{kNow, 1}, {kNow + 1, 2}});
  EXPECT_EQ(counts.stored, 2U);
  EXPECT_EQ(counts.late, 0U);
  EXPECT_THAT(storage_.read("cliente-a", "m"), ElementsAre(Pair(kNow, 1), Pair(kNow + 1, 2)));
  EXPECT_TRUE(storage_.read("cliente-b", "m").empty());
}

TEST_F(IngesterTest, AnEqualRepeatVanishesAndIsCounted) {
  write_run(kNow, 10);
  const heads::AppendCounts counts = write_run(kNow, 10);
  EXPECT_EQ(counts.stored, 0U);
  EXPECT_EQ(counts.repeats, 10U);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 10U);
}

TEST_F(IngesterTest, OfConflictingValuesTheFirstStays) {
  storage_.write("cliente-a", "m", {{kNow, 1}, {kNow + kStep, 2}});
  const heads::AppendCounts counts =
      storage_.write("cliente-a", "m", {{kNow, 5}, {kNow + 2 * kStep, 3}});
  EXPECT_EQ(counts.conflicts, 1U);
  EXPECT_EQ(counts.stored, 1U);
  EXPECT_THAT(storage_.read("cliente-a", "m"),
              ElementsAre(Pair(kNow, 1), Pair(kNow + kStep, 2), Pair(kNow + 2 * kStep, 3)));
}

TEST_F(IngesterTest, AConflictWithAClosedChunkIsSeenToo) {
  write_run(kNow - 3 * kHour, 3 * 240);
  EXPECT_GE(storage_.read_raw("cliente-a", "m").chunks.size(), 2U);
  EXPECT_EQ(storage_.write("cliente-a", "m", {{kNow - 3 * kHour, -1}}).conflicts, 1U);
  EXPECT_EQ(write_run(kNow - 3 * kHour, 20).repeats, 20U);
  expect_numbered(3 * 240);
}

TEST_F(IngesterTest, LateSamplesAreMergedOnRead) {
  write_run(kNow, 10);
  write_run(kNow - 20 * kHour, 4 * 240);
  const heads::AppendCounts counts = write_run(kNow - kHour, 100);
  EXPECT_EQ(counts.late, 100U);
  expect_numbered(10 + 4 * 240 + 100);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 10U + 4 * 240 + 100);
}

// R-RW-4.
TEST_F(IngesterTest, SpecialValuesSurvive) {
  storage_.write("cliente-a", "m", {{kNow, stale_mark()}});
  EXPECT_TRUE(is_stale_mark(storage_.read("cliente-a", "m").at(kNow)));
  EXPECT_EQ(storage_.write("cliente-a", "m", {{kNow, stale_mark()}}).repeats, 1U);
}

TEST_F(IngesterTest, ARestartLosesAndDoublesNothing) {
  write_run(kNow - 5 * kHour, 5 * 240);
  write_run(kNow - 9 * kHour, 100);
  storage_.restart();
  expect_numbered(5 * 240 + 100);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 5U * 240 + 100);
  EXPECT_EQ(write_run(kNow - 5 * kHour, 5 * 240).repeats, 5U * 240);
  EXPECT_EQ(write_run(kNow, 1).stored, 1U);
  storage_.restart();
  expect_numbered(5 * 240 + 100 + 1);
}

TEST_F(IngesterTest, ARecordThatNamesNobodyIsDamageAndTheOthersAreReplayed) {
  const TemporaryFolder folder;
  disk_log::DiskLogSettings settings;
  settings.directory = folder.path() + "/wal";
  settings.cursors = {{.name = "heads"}};
  const SystemClock clock;
  const std::string empty = IngestBatch().encode();
  auto log = *disk_log::DiskLog::open(settings, clock);
  for (const disk_log::RecordTag& tag : {disk_log::RecordTag{.owner = "Not an id", .kind = 1},
                                         disk_log::RecordTag{.owner = "_provider", .kind = 9},
                                         disk_log::RecordTag{.owner = "_provider", .kind = 1}})
    ASSERT_TRUE(log->append_and_wait({{.tag = tag}, empty}));
  log.reset();
  StorageFixture storage(folder.path());
  const IngesterStats stats = storage.ingester().stats();
  EXPECT_EQ(stats.log.damaged_records, 2U);
  EXPECT_TRUE(stats.log.is_damage_recent);
  EXPECT_EQ(stats.replay_damaged, 0U);
  EXPECT_EQ(storage.write("cliente-a", "m", {{kNow, 1}}).stored, 1U);
}

TEST_F(IngesterTest, AKillLosesAndDoublesNothing) {
  write_run(kNow - 5 * kHour, 5 * 240);
  storage_.kill_and_restart();
  expect_numbered(5 * 240);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 5U * 240);
}

TEST_F(IngesterTest, WhatIsOverIsWrittenOutAndTheLogLetGo) {
  write_run(kNow, 10);
  write_run(kNow - kHour, 5);
  EXPECT_GT(storage_.ingester().stats().log.cursors.at(0).queued_records, 0U);
  storage_.advance(std::chrono::hours(3));
  EXPECT_EQ(storage_.ingester().stats().log.cursors.at(0).queued_records, 0U);
  expect_numbered(15);
  storage_.advance(std::chrono::hours(4));
  EXPECT_EQ(storage_.heads().stats().open_series, 0U);
  expect_numbered(15);
  EXPECT_EQ(write_run(kNow, 10).repeats, 10U);
  storage_.restart();
  expect_numbered(15);
}

TEST_F(IngesterTest, HistogramsAreKeptAsTheyCame) {
  storage_.write_histograms("cliente-a", "h", {{kNow, "one"}, {kNow + kStep, "two"}});
  const heads::AppendCounts late =
      storage_.write_histograms("cliente-a", "h", {{kNow - kStep, "zero"}});
  EXPECT_EQ(late.late, 1U);
  EXPECT_EQ(storage_.write_histograms("cliente-a", "h", {{kNow, "one"}}).histogram_repeats, 1U);
  EXPECT_EQ(storage_.write_histograms("cliente-a", "h", {{kNow, "other"}}).conflicts, 1U);
  storage_.restart();
  storage_.advance(std::chrono::hours(4));
  const read::SeriesData data = storage_.read_raw("cliente-a", "h");
  ASSERT_EQ(data.histograms.size(), 3U);
  EXPECT_EQ(data.histograms[0].encoded, "zero");
  EXPECT_EQ(data.histograms[1].encoded, "one");
  EXPECT_EQ(data.histograms[2].encoded, "two");
}

// Case A3 (a): rows of the last hours that cannot be read.
TEST_F(IngesterTest, DamagedRowsOfASeriesKeepNeitherItNorAReplayFromGoingOn) {
  write_run(kNow - 3 * kHour, 3 * 240);
  ASSERT_TRUE(storage_.heads().await_stored(std::chrono::seconds(20)));
  const auto scan = storage_.store().scan(store::rocksdb::kv::Family::kChunks, "", "");
  std::vector<store::rocksdb::kv::KeyValue> damaged;
  while (scan->next())
    damaged.push_back({store::rocksdb::kv::Family::kChunks, std::string(scan->key()), "\x7f"});
  ASSERT_THAT(damaged, testing::Not(testing::IsEmpty()));
  ASSERT_TRUE(storage_.store().put(damaged, store::rocksdb::kv::Durability::kNow));
  storage_.kill_and_restart();
  EXPECT_GT(storage_.heads().stats().unread_series, 0U);
  EXPECT_EQ(write_run(kNow, 10).stored, 10U);
  EXPECT_EQ(storage_.write("cliente-b", "m", {{kNow, 1}}).stored, 1U);
  EXPECT_EQ(storage_.read("cliente-b", "m").size(), 1U);
}

// Case A4 (f).
TEST_F(IngesterTest, AStepOfTheWallClockAheadAndBackLeavesNoChunkOpen) {
  storage_.clock().set_wall_ns((kNow + 24 * kHour) * 1'000'000);
  write_run(kNow, 10);
  storage_.advance(std::chrono::minutes(1));
  storage_.clock().set_wall_ns(kNow * 1'000'000);
  write_run(kNow + 10 * kStep, 10);
  write_run(kNow - kHour, 5);
  storage_.advance(std::chrono::hours(3));
  EXPECT_EQ(storage_.ingester().stats().log.cursors.at(0).queued_records, 0U);
  expect_numbered(25);
}

// Case A4 (a): a whole stream ahead of our clock is right; a lone sample ahead of it is kept apart.
TEST_F(IngesterTest, WhatLiesFarAheadMakesNothingLate) {
  storage_.clock().set_wall_ns((kNow - 48 * kHour) * 1'000'000);
  EXPECT_EQ(write_run(kNow, 10).late, 0U);
  storage_.write("cliente-b", "m", {{kNow + 10 * kStep, 1}});
  EXPECT_EQ(write_run(kNow + 9000 * kHour, 1).late, 1U);  // one of two customers says so
  EXPECT_EQ(write_run(kNow + 10 * kStep, 10).late, 0U);
  expect_numbered(21);
}

// A chunk store that does what a test says when it is asked for a series.
class ScriptedStore final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  std::function<Result<void>(store::SeriesId)> on_newest = [](store::SeriesId) {
    return Result<void>();
  };
  std::atomic<int> put_faults{0};
  std::function<void()> on_put = [] {};

  void put(const CustomerId& customer, std::span<const store::ClosedChunk> chunks,
           Done done) override {
    on_put();
    if (put_faults > 0) {
      --put_faults;
      throw std::runtime_error("a fault of ours");
    }
    store::WatchedChunks::put(customer, chunks, std::move(done));
  }
  Result<std::optional<TimestampMs>> newest(const CustomerId& customer,
                                            const store::SeriesKey& series,
                                            TimestampMs from_ms) override {
    if (auto done = on_newest(series.id); !done) return forward(done);
    return store::WatchedChunks::newest(customer, series, from_ms);
  }
};

// The kill came when the chunk was in its file and the log had not let go of its samples.
TEST_F(IngesterTest, WhatLiesInQuarantineAndInTheLogIsStoredOnce) {
  write_run(kNow, 10);
  std::vector<Sample> samples;
  for (int i = 0; i < 10; ++i) samples.push_back(numbered(kNow + i * kStep));
  storage_.set_aside("cliente-a", "m", samples);
  storage_.set_aside("cliente-b", "m", {{kNow, 7}});
  storage_.kill_and_restart();
  EXPECT_EQ(storage_.quarantine().stats().chunks, 0U);
  expect_numbered(10);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 10U);
  EXPECT_THAT(storage_.read("cliente-b", "m"), ElementsAre(Pair(kNow, 7)));
}

// The log has gone; what came after it lies in the log, and what is sent again is a repeat.
TEST_F(IngesterTest, WhatWasOnlyInQuarantineIsThereAfterAStartAndKnownAgain) {
  std::vector<Sample> samples;
  for (int i = 0; i < 10; ++i) samples.push_back(numbered(kNow + i * kStep));
  storage_.set_aside("cliente-a", "m", samples);
  write_run(kNow + 10 * kStep, 10);
  storage_.kill_and_restart();
  expect_numbered(20);
  EXPECT_EQ(write_run(kNow, 20).repeats, 20U);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 20U);
  storage_.restart();
  expect_numbered(20);
}

class ScriptedIngesterTest : public testing::Test {
 protected:
  void start(const heads::HeadSet::Memory& memory = {}) {
    heads_ = std::make_unique<heads::HeadSet>(stored_series_, clock_, memory);
    settings_.log_directory = folder_.path() + "/wal";
    ingester_ = Ingester::open(settings_, {*heads_, store_, times_, clock_}).value();
  }
  static IngestBatch batch(std::initializer_list<std::uint64_t> series) {
    IngestBatch batch;
    for (const std::uint64_t id : series) {
      batch.series.push_back({{1}, {id}, false, {{kNow, 1}, {kNow + kStep, 2}}, {}});
    }
    return batch;
  }
  std::future<Result<heads::AppendCounts>> write(IngestBatch batch) {
    auto done = std::make_shared<std::promise<Result<heads::AppendCounts>>>();
    ingester_->write(std::move(batch), [done](Result<heads::AppendCounts> counts) {
      done->set_value(std::move(counts));
    });
    return done->get_future();
  }

  // As the collector repeats what is answered with 503.
  heads::AppendCounts write_until_taken(const IngestBatch& batch) {
    for (int tries = 0; tries < 10'000; ++tries) {
      auto counts = write(batch).get();
      if (counts) return *counts;
      EXPECT_TRUE(is_retryable(counts.error())) << counts.error().message;
      std::this_thread::yield();
    }
    ADD_FAILURE() << "the log stays full";
    return {};
  }

  lanes::CustomerShares answers_{"answers", 64U << 20U};
  TemporaryFolder folder_;
  store::MemoryColdStore memory_;
  ScriptedStore store_{memory_.chunks()};
  TestNumbers numbers_;
  heads::StoredSeries stored_series_{store_, numbers_};
  ManualClock clock_{kNow * 1'000'000};
  customers::RecordTimes times_;
  IngesterSettings settings_;
  std::unique_ptr<heads::HeadSet> heads_;
  std::unique_ptr<Ingester> ingester_;
};

TEST_F(ScriptedIngesterTest, WhatThrowsCostsItsSeriesAlone) {
  const auto is_bad = [](store::SeriesId series) -> Result<void> {
    if (series.value == 7) throw std::runtime_error("a fault of ours");
    return {};
  };
  store_.on_newest = is_bad;
  start();
  const std::uint64_t faults = fault_count();
  const auto counts = write(batch({6, 7, 8})).get().value();
  EXPECT_EQ(counts.set_aside, 2U);
  EXPECT_EQ(counts.stored, 4U);
  EXPECT_EQ(fault_count(), faults + 1);
  EXPECT_EQ(write(batch({9})).get().value().stored, 2U);
  ingester_.reset();
  start();  // the replay meets it again
  EXPECT_EQ(ingester_->stats().replayed, 8U);
  EXPECT_EQ(heads_->read({8}).chunk.empty(), false);
}

TEST_F(ScriptedIngesterTest, AThrowWhileChunksAreClosedKeepsThemAndTheSweepGoesOn) {
  settings_.sweep_interval = std::chrono::milliseconds(30);
  start();
  write(batch({1, 2})).get().value();
  const std::uint64_t faults = fault_count();
  store_.put_faults = 1;
  clock_.advance(std::chrono::hours(4));
  const CustomerId customer = numbers_.id_of({1}).value();
  const auto rows = [&](std::uint64_t id) {
    return store::read_rows(store_, customer, {"", {id}}, {0, INT64_MAX})->size();
  };
  for (int tries = 0; tries < 1'000'000 && rows(1) + rows(2) < 2; ++tries) {
    std::this_thread::yield();
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(fault_count(), faults + 1);
  EXPECT_EQ(rows(1) + rows(2), 2U);
  EXPECT_EQ(write(batch({3})).get().value().stored, 2U);
}

TEST_F(ScriptedIngesterTest, AThrowOfWhoIsAnsweredEndsNoThread) {
  start();
  const std::uint64_t faults = fault_count();
  ingester_->write(batch({1}), [](const Result<heads::AppendCounts>&) {
    throw std::runtime_error("a fault of ours");
  });
  EXPECT_EQ(write(batch({2})).get().value().stored, 2U);
  EXPECT_EQ(fault_count(), faults + 1);
  EXPECT_EQ(ingester_->stats().items_pending, 0U);
}

// It was logged before the store refused it, and the log gives it back first.
TEST_F(ScriptedIngesterTest, WhatWasRefusedIsNoStrongerAfterAKillThanBefore) {
  const auto values = [&] {
    std::vector<double> all;
    const auto samples = chunk::read_samples(heads_->read({1}).chunk).value();
    for (const Sample& sample : samples) all.push_back(sample.value);
    return all;
  };
  start();
  store_.on_newest = [&](store::SeriesId) -> Result<void> {
    return fail(ErrorCode::kUnavailable, "no space left on the disk");
  };
  EXPECT_FALSE(write(batch({1})).get().has_value());
  EXPECT_FALSE(write(batch({1})).get().has_value());
  EXPECT_EQ(ingester_->stats().owed.items, 2U) << "once";
  store_.on_newest = [](store::SeriesId) { return Result<void>(); };
  IngestBatch others = batch({1});
  others.series[0].samples = {{kNow, 10}, {kNow + kStep, 20}, {kNow + 2 * kStep, 30}};
  const auto counts = write(others).get().value();
  EXPECT_EQ(counts.stored, 1U);
  EXPECT_EQ(counts.conflicts, 2U);
  EXPECT_EQ(ingester_->stats().owed.items, 0U);
  EXPECT_THAT(values(), ElementsAre(1, 2, 30));
  EXPECT_EQ(write(batch({1})).get().value().repeats, 2U);
  ingester_.reset();
  start();
  EXPECT_THAT(values(), ElementsAre(1, 2, 30));
}

TEST_F(ScriptedIngesterTest, AReplayWaitsForAStoreThatRefuses) {
  start();
  write(batch({1, 2})).get().value();
  ingester_.reset();
  int refusals = 3;
  store_.on_newest = [&](store::SeriesId) -> Result<void> {
    if (refusals-- > 0) return fail(ErrorCode::kUnavailable, "no space left on the disk");
    return {};
  };
  start();
  EXPECT_LT(refusals, 0);
  EXPECT_FALSE(heads_->read({1}).chunk.empty());
  EXPECT_FALSE(heads_->read({2}).chunk.empty());
}

// The store beside a map: whatever is written, in whatever order, with whatever restarts between,
// is there once, the first value of a time.
TEST_F(IngesterTest, BehavesAsAMapUnderAnyWrites) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](unsigned bound) { return random() % bound; };
  std::map<TimestampMs, double> model;
  TimestampMs clock = kNow - 30 * kHour;
  for (int round = 0; round < 150; ++round) {
    TimestampMs time = below(4) == 0 ? kNow - 30 * kHour + below(20) * kHour : clock;
    std::vector<Sample> samples;
    for (unsigned i = 0; i < 1 + below(120); ++i) {
      samples.push_back({time, static_cast<double>(below(3))});
      time += kStep * (1 + (below(30) == 0 ? below(500) : 0));
    }
    clock = std::max(clock, std::min(time, kNow));
    heads::AppendCounts expected;
    for (const Sample& sample : samples) {
      const auto [at, is_added] = model.emplace(sample.timestamp_ms, sample.value);
      ++(is_added ? expected.stored
                  : (at->second == sample.value ? expected.repeats : expected.conflicts));
    }
    const heads::AppendCounts counts = storage_.write("cliente-a", "m", samples);
    ASSERT_EQ(counts.stored, expected.stored) << round;
    ASSERT_EQ(counts.repeats, expected.repeats) << round;
    ASSERT_EQ(counts.conflicts, expected.conflicts) << round;
    if (below(40) == 0) storage_.restart();
    if (below(40) == 0) storage_.kill_and_restart();
    if (below(20) == 0) storage_.advance(std::chrono::minutes(20));
  }
  EXPECT_EQ(storage_.read("cliente-a", "m"), model);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), model.size());
}

// Past three quarters of its cap the log would fill although nothing is over: chunks are closed
// early, part by part, and what is theirs is let go.
TEST_F(ScriptedIngesterTest, ANearlyFullLogIsEmptiedByClosingChunks) {
  settings_.log_bytes_max = 1U << 20U;
  settings_.log_segment_bytes = 32U << 10U;
  settings_.sweep_interval = std::chrono::milliseconds(30);
  start();
  std::size_t stored = 0;
  for (int step = 0; step < 500; ++step) {
    IngestBatch batch;
    for (std::uint64_t id = 1; id <= 500; ++id) {
      batch.series.push_back({{1}, {id}, step == 0, {{kNow + step * 1000, step + 0.1}}, {}});
    }
    const auto counts = write_until_taken(batch);
    stored += counts.stored + counts.repeats;
  }
  EXPECT_EQ(stored, 500U * 500);
  EXPECT_LT(ingester_->stats().log.bytes, settings_.log_bytes_max);
  ingester_.reset();
  start();  // what the log still has is a repeat of what was closed
  for (const std::uint64_t id : {1, 77, 500}) {
    lanes::AnswerMemory memory(answers_, "a");
    const auto data = read::read_series(read::SeriesReader(*heads_, store_),
                                        numbers_.id_of({1}).value(), {"", {id}}, memory)
                          .value();
    EXPECT_EQ(read::samples_of(data.chunks, 0, INT64_MAX)->size(), 500U);
  }
}

// A backfill of one sample for each window closes a chunk with each: room is asked for in between,
// not only before the request.
TEST_F(ScriptedIngesterTest, ASeriesOfManyWindowsWaitsForRoomOnItsWay) {
  constexpr int kWindows = 20'000;
  constexpr std::uint64_t kAtOnce = 4'096;
  std::uint64_t most = 0;
  bool is_begun = false;
  store_.on_put = [&] {
    // The store is slow until much waits.
    while (!is_begun && heads_->stats().closed.chunks < kAtOnce / 2) std::this_thread::yield();
    is_begun = true;
    most = std::max(most, heads_->stats().closed.chunks);
  };
  start({.closed_max = 100'000});
  IngestBatch batch;
  batch.series.push_back({{1}, {7}, true, {}, {}});
  for (int i = 0; i < kWindows; ++i) {
    batch.series[0].samples.push_back({kNow - (kWindows - i) * 2 * kHour, 1.0});
  }
  EXPECT_EQ(write(batch).get().value().stored, static_cast<std::uint64_t>(kWindows));
  ASSERT_TRUE(heads_->await_stored(std::chrono::seconds(60)));
  EXPECT_LT(most, kAtOnce + 1'000);
}

}  // namespace
}  // namespace vigia::storage::ingest
