// A roller on a store in memory, for its tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"

namespace vigia::storage::rolling {

/// The first of a period of every resolution.
inline constexpr std::uint32_t kDay = 19'968;
inline constexpr TimestampMs kStart = TimestampMs{kDay} * store::kDayMs;
inline constexpr TimestampMs kHour = 3'600'000;

/// Counts how often marks are looked at and forgotten. Thread contract: one thread.
class CountingDueDays final : public store::DueDays {
 public:
  explicit CountingDueDays(store::DueDays& due_days) : due_days_(due_days) {}
  int looks = 0;
  int forgets = 0;

  void set_marking(bool is_marking) override { due_days_.set_marking(is_marking); }
  Result<std::vector<store::DueDay>> due(const CustomerId& customer, const store::DuePlace& from,
                                         std::size_t max) override {
    ++looks;
    return due_days_.due(customer, from, max);
  }
  Result<void> done(const CustomerId& customer, std::span<const store::DueDay> days) override {
    ++forgets;
    return due_days_.done(customer, days);
  }
  Result<void> set_lost(const CustomerId& customer, std::span<const store::DueDay> days) override {
    return due_days_.set_lost(customer, days);
  }
  Result<std::size_t> forget_before(std::uint32_t day) override {
    ++forgets;
    return due_days_.forget_before(day);
  }
  std::uint32_t take_first_marked(const CustomerId& customer) override {
    return due_days_.take_first_marked(customer);
  }
  Result<std::string> mark_stored(const std::string& place) override {
    return due_days_.mark_stored(place);
  }
  Result<std::string> note() override { return due_days_.note(); }
  Result<void> set_note(const std::string& note) override { return due_days_.set_note(note); }

 private:
  store::DueDays& due_days_;
};

/// One series' rows may be refused. Thread contract: one thread.
class RefusingStore final : public store::ColdStore {
 public:
  store::SeriesId refused{};

  store::Catalog& catalog() override { return memory_.catalog(); }
  store::ChunkStore& chunks() override { return chunks_; }
  store::EventStore& events() override { return memory_.events(); }
  CountingDueDays& counting() { return due_days_; }

 private:
  class NoRows final : public store::ChunkCursor {
   public:
    Result<std::vector<store::ChunkRow>> next() override {
      return fail(ErrorCode::kUnavailable, "not now");
    }
    std::size_t at() const override { return 0; }
  };
  class Chunks final : public store::WatchedChunks {
   public:
    Chunks(store::ChunkStore& chunks, const store::SeriesId& refused, store::DueDays& due_days)
        : store::WatchedChunks(chunks), refused_(refused), due_days_(due_days) {}
    store::DueDays* due_days() override { return &due_days_; }
    std::unique_ptr<store::ChunkCursor> read(const CustomerId& customer,
                                             std::span<const store::SeriesKey> series,
                                             const store::ChunkQuery& query) override {
      if (series.front().id == refused_) return std::make_unique<NoRows>();
      return store::WatchedChunks::read(customer, series, query);
    }

   private:
    const store::SeriesId& refused_;
    store::DueDays& due_days_;
  };
  store::MemoryColdStore memory_;
  CountingDueDays due_days_{*memory_.chunks().due_days()};
  Chunks chunks_{memory_.chunks(), refused, due_days_};
};

class RollerTest : public ::testing::Test {
 protected:
  RollerTest() {
    series_ = resolve(customer_, "m");
    open({true, true, true});
  }
  void open(const MadeResolutions& made) {
    roller_.reset();
    book_ = RollupBook::open(*cold_.chunks().due_days(), made).value();
    RollerSources sources;
    sources.now_ms = [this] { return now_ms_; };
    sources.first_day = [this] { return first_day_; };
    sources.own_first_days = [this] { return own_first_days_; };
    sources.damage = [this] { return damage_; };
    sources.is_whole = [this] {
      return is_whole_ &&
             (looks_until_damage_ == 0 || cold_.counting().looks < looks_until_damage_);
    };
    sources.is_writable = [this] { return is_writable_; };
    RollerSettings settings;
    settings.memory_max = 64U << 10U;
    settings.pause_per_mark = Duration(0);
    settings.round_max = round_max_;
    roller_ = std::make_unique<Roller>(cold_, *book_, std::move(sources), settings);
  }
  store::SeriesKey resolve(const CustomerId& customer, const std::string& metric) {
    std::vector<store::NewSeries> series(1);
    series[0].labels = Labels::from({{"__name__", metric}});
    series[0].wire_hash = store::hash_labels(1, customer.text() + metric);
    series[0].days = {kDay, kDay};
    EXPECT_TRUE(cold_.catalog().resolve(customer, series).has_value());
    return {"", series[0].id};  // WatchedChunks asks for no metrics
  }
  void put(const CustomerId& customer, const store::SeriesKey& key,
           const std::vector<Sample>& samples, std::uint64_t version = store::kInOrder) {
    chunk::ChunkWriter writer;
    for (const Sample& sample : samples) writer.append(sample);
    const store::ClosedChunk chunk{key.metric,
                                   {key.id, writer.first_ms(), writer.last_ms(), version,
                                    store::Encoding::kFloats, std::string(writer.bytes())},
                                   Resolution::kRaw};
    ASSERT_TRUE(store::put_now(cold_.chunks(), customer, {&chunk, 1}).has_value());
  }
  void put(const std::vector<Sample>& samples, std::uint64_t version = store::kInOrder) {
    put(customer_, series_, samples, version);
  }
  std::vector<store::ChunkRow> rows(Resolution resolution) {
    return store::read_rows(cold_.chunks(), customer_, series_, {0, INT64_MAX, resolution}).value();
  }
  // end → sum
  std::map<TimestampMs, double> sums(Resolution resolution) {
    std::map<TimestampMs, double> sums;
    const StoredWindows stored = windows_of_rows(rows(resolution), resolution).value();
    for (const Window& window : stored.windows) {
      sums.emplace(window.end_ms, window.sum);
    }
    return sums;
  }
  std::vector<store::DueDay> due() {
    return cold_.chunks().due_days()->due(customer_, {}, 1'000).value();
  }

  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  RefusingStore cold_;
  store::SeriesKey series_;
  std::unique_ptr<RollupBook> book_;
  std::unique_ptr<Roller> roller_;
  TimestampMs now_ms_ = kStart + 10 * store::kDayMs;
  std::uint32_t first_day_ = 0;
  CustomerDays own_first_days_;
  std::uint64_t damage_ = 0;
  bool is_writable_ = true;
  bool is_whole_ = true;
  int looks_until_damage_ = 0;  // at marks; 0: none comes
  Duration round_max_ = std::chrono::hours(1);
};

}  // namespace vigia::storage::rolling
