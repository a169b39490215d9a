#include "services/storage/keep/store_copy.hpp"

#include <fstream>
#include <set>

#include <gmock/gmock.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/keep/event_copy.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/row_merge.hpp"
#include "services/storage/store/testing/contract_stores.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::keep {
namespace {

using store::kDayMs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kDay = 20'000;
constexpr TimestampMs kStart = kDay * kDayMs;
constexpr store::TimestampNs kStartNs = store::TimestampNs{kStart} * 1'000'000;
constexpr store::TimestampNs kDayNs = store::TimestampNs{kDayMs} * 1'000'000;
constexpr TimestampMs kHourMs = 3'600'000;
const std::string kTrace(store::kTraceIdBytes, '\x0a');

// RocksDB whose time is that of a copy.
struct CopiedInto {
  store::ColdStore& cold() { return *store; }
  TemporaryFolder folder;
  CopyClock clock;
  std::unique_ptr<store::rocksdb::kv::OrderedStore> kv =
      store::rocksdb::kv::open_rocksdb({folder.path()}).value();
  std::unique_ptr<store::rocksdb::RocksDbColdStore> store =
      store::rocksdb::RocksDbColdStore::open(*kv, clock, 1U << 20U).value();
};

template <typename From, typename To>
struct Pair {
  using Source = From;
  using Destination = To;
};

struct MemoryInto : store::InMemory {
  CopyClock clock;
};

template <typename Stores>
class StoreCopyTest : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;

  static store::NewSeries resolve(store::ColdStore& cold, const CustomerId& customer,
                                  const Labels& labels, const store::DayRange& days) {
    const std::uint64_t seed = cold.catalog().seed_of(customer).value();
    std::vector<store::NewSeries> series = {
        {labels, store::hash_labels(seed, store::encode_labels(labels)), days, {}, false}};
    EXPECT_TRUE(cold.catalog().resolve(customer, series).has_value());
    return series[0];
  }
  static Labels labels(const std::string& metric, const CustomerId& customer) {
    return Labels::from({{"__name__", metric}, {"customer_id", customer.text()}});
  }
  static std::string floats(TimestampMs first_ms, std::size_t count, double value) {
    chunk::ChunkWriter writer;
    for (std::size_t i = 0; i < count; ++i) {
      writer.append(
          {first_ms + static_cast<TimestampMs>(i) * 60'000, value + 0.25 * static_cast<double>(i)});
    }
    return std::string(writer.bytes());
  }
  static void put(store::ColdStore& cold, const CustomerId& customer, const std::string& metric,
                  store::ChunkRow row) {
    row.series = resolve(cold, customer, labels(metric, customer),
                         {store::day_of(row.first_ms), store::day_of(row.last_ms)})
                     .id;
    const std::vector<store::ClosedChunk> some = {{metric, std::move(row)}};
    ASSERT_TRUE(store::put_now(cold.chunks(), customer, some).has_value());
  }
  static void put_floats(store::ColdStore& cold, const CustomerId& customer,
                         const std::string& metric, TimestampMs first_ms, double value,
                         std::uint64_t version = store::kInOrder) {
    put(cold, customer, metric,
        {{},
         first_ms,
         first_ms + 59 * 60'000,
         version,
         store::Encoding::kFloats,
         floats(first_ms, 60, value)});
  }
  static void write(store::ColdStore& cold, const CustomerId& customer, Signal signal,
                    const std::vector<std::string>& items, const std::string& node = "n1") {
    const auto counts = cold.events().write(
        customer, signal, store::export_of(customer.text(), items, {{"node.id", node}}));
    ASSERT_TRUE(counts.has_value());
    ASSERT_EQ(counts->stored, items.size());
  }

  // Two days of everything, over midnight, in conflict, late, equal, and of one time.
  void fill(const CustomerId& customer) {
    store::ColdStore& cold = from_.cold();
    for (const std::string metric : {"m1", "m2"}) {
      for (int hour = 0; hour < 47; hour += 5) {
        put_floats(cold, customer, metric, kStart + hour * kHourMs + kHourMs / 2, hour);
      }
      put_floats(cold, customer, metric, kStart + 6 * kHourMs, 1'000, 7);
      put_floats(cold, customer, metric, kStart + 6 * kHourMs, 2'000, 9);
    }
    put_floats(cold, customer, "m1", kStart + 23 * kHourMs + kHourMs / 2, 5);  // over midnight
    put(cold, customer, "h",
        {{},
         kStart,
         kStart + 5,
         store::kInOrder,
         store::Encoding::kHistograms,
         chunk::write_histograms({{kStart, "abc"}, {kStart + 5, "de"}})});
    if (cold.metadata() != nullptr) {
      const std::vector<store::MetricMetadata> metrics = {
          {"cpu", 1, "s", "of " + customer.text(), kDay + 1}, {"up", 2, "", "is there", kDay + 1}};
      ASSERT_TRUE(cold.metadata()->put(customer, metrics).has_value());
    }
    if (cold.exemplars() != nullptr) {
      const auto series = resolve(cold, customer, labels("m1", customer), {kDay, kDay + 1});
      std::vector<store::NewExemplar> some;
      for (int i = 0; i < 1'200; ++i) {
        some.push_back({series.id,
                        {kStart + i * 100'000, 1.0 * i},
                        store::encode_labels(Labels::from({{"trace_id", std::to_string(i)}}))});
      }
      ASSERT_TRUE(cold.exemplars()->put(customer, some).has_value());
    }
    const std::string other(store::kTraceIdBytes, '\x0b');
    write(cold, customer, Signal::kTraces,
          {store::span_of(kTrace, '1', kStartNs), store::span_of(other, '2', kStartNs + 7)});
    write(cold, customer, Signal::kTraces, {store::span_of(kTrace, '3', kStartNs + kDayNs)}, "n2");
    for (const char* node : {"n1", "n2", "n1"}) {
      const std::string text = node + std::string(" in its turn ") + std::to_string(turn_++);
      write(
          cold, customer, Signal::kLogs,
          {store::log_record_of(kStartNs + 3, text), store::log_record_of(kStartNs + kDayNs, text),
           store::log_record_of(kStartNs + 4, text), store::log_record_of(kStartNs + 4, text)},
          node);
    }
  }

  CopyJob job(const std::vector<CustomerId>& customers) {
    return {from_.cold(), to_.cold(), to_.clock, customers, {}, "", "one"};
  }
  CopyTold told() {
    return {[](const std::string&) {},
            [this](const std::string& what) { damage_.push_back(what); }};
  }
  CopyCounts copy(const CopyJob& job) {
    const auto counts = copy_store(job, told());
    EXPECT_TRUE(counts.has_value()) << (counts ? "" : counts.error().message);
    return counts.value_or(CopyCounts());
  }
  // "customer kind day items", of what differs with "!" before it.
  Lines compare(const CopyJob& job, bool is_equal) {
    Lines lines;
    const auto note = [&](const ComparedDay& day) {
      const std::string head = day.from == day.to ? "" : "!";
      lines.push_back(head + day.customer.text() + " " + std::string(day.kind) + " " +
                      std::to_string(day.day - kDay) + " " + std::to_string(day.from.items));
    };
    const auto equal = compare_stores(job, told(), note);
    EXPECT_TRUE(equal.has_value());
    EXPECT_EQ(equal.value_or(!is_equal), is_equal);
    return lines;
  }
  // As read, each with what it says of its origin.
  static Lines records(store::ColdStore& cold, const CustomerId& customer) {
    Lines lines;
    const store::LogQuery query{0, UINT64_MAX / 2};
    const auto note = [&](const store::LogRecordView& record) {
      lines.push_back(std::to_string(record.place.time_ns) + std::string(record.event.resource) +
                      std::string(record.event.scope) + std::string(record.event.item));
      return true;
    };
    EXPECT_TRUE(cold.events().read_logs(customer, query, note, {}).has_value());
    return lines;
  }
  static std::vector<std::pair<TimestampMs, double>> samples(store::ColdStore& cold,
                                                             const CustomerId& customer,
                                                             const std::string& metric) {
    const auto series = resolve(cold, customer, labels(metric, customer), {kDay, kDay});
    const auto rows =
        store::read_rows(cold.chunks(), customer, {metric, series.id}, {0, INT64_MAX}).value();
    std::vector<std::pair<TimestampMs, double>> all;
    const auto merged = store::merge_rows(rows).value();
    for (const Sample& sample : merged.samples) {
      all.emplace_back(sample.timestamp_ms, sample.value);
    }
    return all;
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
  typename Stores::Source from_;
  typename Stores::Destination to_;
  Lines damage_;
  TemporaryFolder folder_;
  int turn_ = 0;
};
using Pairs = testing::Types<Pair<store::InMemory, CopiedInto>, Pair<store::OnRocksDb, CopiedInto>,
                             Pair<store::OnRocksDb, MemoryInto>>;
TYPED_TEST_SUITE(StoreCopyTest, Pairs);

TYPED_TEST(StoreCopyTest, EverythingIsThereInItsOrderAndEqual) {
  this->fill(this->b_);
  this->fill(this->a_);
  const CopyJob job = this->job({this->a_, this->b_});
  const CopyCounts counts = this->copy(job);
  EXPECT_EQ(counts.rows, 2 * 26U);
  EXPECT_EQ(counts.exemplars, 2 * 1'200U);
  EXPECT_EQ(counts.metadata, 2 * 2U);
  EXPECT_EQ(counts.spans, 2 * 3U);
  EXPECT_EQ(counts.records, 2 * 12U);
  EXPECT_EQ(counts.rows_there + counts.repeats + counts.damaged + counts.refused, 0U);
  const auto lines = this->compare(job, true);
  EXPECT_EQ(lines.size(), 18U);
  EXPECT_THAT(lines, testing::Contains("cliente-a samples 0 692"));
  EXPECT_THAT(lines, testing::Contains("cliente-b log records 0 9"));
  for (const CustomerId& customer : {this->a_, this->b_}) {
    EXPECT_EQ(this->records(this->to_.cold(), customer),
              this->records(this->from_.cold(), customer));
    EXPECT_EQ(this->samples(this->to_.cold(), customer, "m1"),
              this->samples(this->from_.cold(), customer, "m1"));
  }
  EXPECT_THAT(this->damage_, IsEmpty());
}

TYPED_TEST(StoreCopyTest, AgainWritesNothingAndACustomerGoesAlone) {
  this->fill(this->a_);
  this->fill(this->b_);
  const CopyJob job = this->job({this->a_});
  const CopyCounts first = this->copy(job);
  const CopyCounts again = this->copy(job);
  EXPECT_EQ(again.rows + again.spans + again.records, 0U);
  EXPECT_EQ(again.rows_there, first.rows);
  EXPECT_EQ(again.repeats, first.spans + first.records);
  EXPECT_EQ(this->compare(job, true).size(), 9U);
  EXPECT_THAT(this->to_.cold().catalog().customers(), ElementsAre(this->a_));
  EXPECT_THAT(this->records(this->to_.cold(), this->b_), IsEmpty());
}

TYPED_TEST(StoreCopyTest, ADamagedRowIsOneRowAndIsNamed) {
  this->fill(this->a_);
  this->put(this->from_.cold(), this->a_, "m1",
            {{}, kStart + 3 * kHourMs, kStart + 3 * kHourMs, 3, store::Encoding::kFloats, "bad"});
  const CopyJob job = this->job({this->a_});
  const CopyCounts counts = this->copy(job);
  EXPECT_EQ(counts.damaged, 1U);
  EXPECT_EQ(counts.rows, 26U);
  EXPECT_THAT(this->damage_, ElementsAre(testing::AllOf(HasSubstr("cliente-a"), HasSubstr("m1"),
                                                        HasSubstr("version 3"))));
  this->compare(job, true);
}

TYPED_TEST(StoreCopyTest, WhatIsThereIsNeverReplaced) {
  this->put_floats(this->from_.cold(), this->a_, "m1", kStart, 1);
  this->put_floats(this->from_.cold(), this->a_, "m1", kStart, 2, 1);
  this->put(this->to_.cold(), this->a_, "m1",
            {{}, kStart, kStart, 0, store::Encoding::kFloats, this->floats(kStart, 1, 77)});
  const CopyJob job = this->job({this->a_});
  for (const std::uint64_t written : {2U, 0U}) {
    const CopyCounts counts = this->copy(job);
    EXPECT_EQ(counts.rows, written);
    EXPECT_EQ(counts.rows_behind, written);
    const auto samples = this->samples(this->to_.cold(), this->a_, "m1");
    ASSERT_EQ(samples.size(), 60U);
    EXPECT_EQ(samples[0].second, 77) << "that of the destination";
    EXPECT_EQ(samples[1].second, 1.25) << "of the two that came that with the lower version";
  }
  EXPECT_THAT(this->compare(job, false), ElementsAre("!cliente-a samples 0 60"));
}

TYPED_TEST(StoreCopyTest, WhatIsOlderThanIsKeptIsCounted) {
  this->fill(this->a_);
  CopyJob job = this->job({this->a_});
  job.kept = [](const CustomerId&) { return CopyKept{kDay + 1, kDay + 1, kDay + 1}; };
  const CopyCounts counts = this->copy(job);
  EXPECT_EQ(counts.old_events, 2U + 9U);
  EXPECT_EQ(counts.spans, 1U);
  EXPECT_EQ(counts.records, 3U);
  EXPECT_EQ(counts.old_exemplars, 864U);
  EXPECT_EQ(counts.exemplars, 1'200U - 864U);
  EXPECT_EQ(counts.old_rows + counts.rows, 26U);
  EXPECT_GT(counts.old_rows, 10U);
  const auto lines = this->compare(job, true);
  EXPECT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines, testing::Each(HasSubstr(" 1 ")));
}

TYPED_TEST(StoreCopyTest, EachCustomerIsKeptInHisOwnWay) {
  this->fill(this->a_);
  this->fill(this->b_);
  CopyJob job = this->job({this->a_, this->b_});
  job.kept = [this](const CustomerId& customer) {
    return customer == this->b_ ? CopyKept() : CopyKept{kDay + 1, kDay + 1, kDay + 1};
  };
  const CopyCounts counts = this->copy(job);
  EXPECT_EQ(counts.records, 3U + 12U);
  EXPECT_EQ(counts.spans, 1U + 3U);
  const auto lines = this->compare(job, true);
  EXPECT_EQ(lines.size(), 5U + 9U);
  EXPECT_THAT(lines, testing::Contains("cliente-b log records 0 9"));
}

TYPED_TEST(StoreCopyTest, GoesOnWhereItWasEndedWhereverThatIs) {
  this->fill(this->a_);
  this->fill(this->b_);
  CopyJob job = this->job({this->a_, this->b_});
  job.state_file = this->folder_.path() + "/state";
  struct Ended {};
  for (std::size_t steps = 1;; ++steps) {  // more each time
    std::vector<std::string> states;       // at the beginning of each
    CopyTold told = this->told();
    told.progress = [&](const std::string&) {
      std::ifstream file(job.state_file);
      states.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
      if (states.size() > steps) throw Ended();
    };
    try {
      const auto counts = copy_store(job, told);
      ASSERT_TRUE(counts.has_value());
      EXPECT_LE(counts->rows_there + counts->repeats, 26U) << "days that are done are not read";
      break;
    } catch (const Ended&) {
      ASSERT_LT(steps, 100U);
      // As a kill after the step and before its note leaves it.
      std::ofstream(job.state_file) << states[steps - 1];
      if (states[steps - 1].empty()) std::remove(job.state_file.c_str());
    }
  }
  this->compare(job, true);
  const CopyCounts after = this->copy(job);
  EXPECT_EQ(after.rows + after.rows_there + after.repeats, 0U) << "all is done";
  job.state_file.clear();
  const CopyCounts anew = this->copy(job);
  EXPECT_EQ(anew.rows + anew.spans + anew.records, 0U);
  EXPECT_EQ(anew.rows_there, 52U);
}

TYPED_TEST(StoreCopyTest, AnotherCopysStateIsRefused) {
  CopyJob job = this->job({this->a_});
  job.state_file = this->folder_.path() + "/state";
  this->copy(job);
  job.name = "another";
  const auto refused = copy_store(job, this->told());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  std::ofstream(job.state_file) << "vigia copy 1\nanother\ncliente-a 9 1\n";
  EXPECT_FALSE(copy_store(job, this->told()).has_value());
}

TYPED_TEST(StoreCopyTest, EachDifferenceIsNamedByItsDay) {
  this->fill(this->a_);
  const CopyJob job = this->job({this->a_});
  this->copy(job);
  store::ColdStore& to = this->to_.cold();
  this->put_floats(to, this->a_, "m1", kStart + 30 * kHourMs, 5, 8);
  this->write(to, this->a_, Signal::kLogs, {store::log_record_of(kStartNs + 9, "more")});
  this->write(to, this->a_, Signal::kTraces, {store::span_of(kTrace, '9', kStartNs + kDayNs)});
  const std::vector<store::MetricMetadata> later = {{"up", 2, "", "said later", kDay + 2}};
  ASSERT_TRUE(to.metadata()->put(this->a_, later).has_value());
  EXPECT_EQ(this->copy(job).metadata, 0U) << "what the destination noted later stays";
  std::set<std::string> different;
  for (const std::string& line : this->compare(job, false)) {
    if (line.starts_with("!")) different.insert(line.substr(0, line.rfind(' ')));
  }
  EXPECT_THAT(different,
              ElementsAre("!cliente-a log records 0", "!cliente-a metadata 1",
                          "!cliente-a metadata 2", "!cliente-a samples 1", "!cliente-a spans 1"));
}

// What names no time lies where it came: on the day of the copy it would outlive its retention.
TEST(StoreCopyOfRocksDb, WhatNamesNoTimeStaysUnderItsDay) {
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  store::OnRocksDb from;  // whose clock stands at kStart
  CopiedInto to;
  const std::vector<std::string> items = {store::log_record_of(0, "no time"),
                                          store::log_record_of(kStartNs + 9 * kDayNs, "far ahead"),
                                          store::log_record_of(kStartNs + kDayNs / 2, "soon")};
  ASSERT_TRUE(
      from.cold().events().write(customer, Signal::kLogs, store::export_of("cliente-a", items)));
  const CopyJob job{from.cold(), to.cold(), to.clock, {customer}, {}, "", ""};
  const CopyTold told{[](const std::string&) {}, [](const std::string&) {}};
  ASSERT_EQ(copy_store(job, told)->records, 3U);
  EXPECT_EQ(next_day_with_records(to.cold().events(), customer, 0).value(), kDay);
  EXPECT_EQ(next_day_with_records(to.cold().events(), customer, kDay + 1).value(), std::nullopt);
  EXPECT_EQ(compare_stores(job, told, [](const ComparedDay&) {}).value(), true);
}

TEST(StoreCopyOfRocksDb, ASeriesIsNotTakenForTheLabelsOfItsExemplar) {
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  store::OnRocksDb from;
  CopiedInto to;
  const Labels one = Labels::from({{"__name__", "m1"}});
  const Labels other = Labels::from({{"__name__", "m2"}});
  const auto put = [&](store::ColdStore& cold, const Labels& series, const Labels& exemplar) {
    const std::uint64_t seed = cold.catalog().seed_of(customer).value();
    std::vector<store::NewSeries> known = {
        {series, store::hash_labels(seed, store::encode_labels(series)), {kDay, kDay}, {}, false}};
    ASSERT_TRUE(cold.catalog().resolve(customer, known).has_value());
    const std::vector<store::NewExemplar> some = {
        {known[0].id, {kStart, 1}, store::encode_labels(exemplar)}};
    ASSERT_TRUE(cold.exemplars()->put(customer, some).has_value());
  };
  put(from.cold(), one, other);
  put(to.cold(), other, one);
  const CopyJob job{from.cold(), to.cold(), to.clock, {customer}, {}, "", ""};
  const CopyTold told{[](const std::string&) {}, [](const std::string&) {}};
  EXPECT_EQ(compare_stores(job, told, [](const ComparedDay&) {}).value(), false);
}

TEST(SaidOnceTest, EachTextIsSaidOnce) {
  std::vector<std::string> said;
  const SayDamage say = said_once([&said](const std::string& what) { said.push_back(what); });
  const SayDamage copied = say;
  for (const char* what : {"a", "b", "a"}) copied(what);
  say("b");
  EXPECT_THAT(said, ElementsAre("a", "b"));
}

// What is damaged both lack: the sums are equal, and a run that copies nothing counts nothing.
TEST(StoreCopyOfRocksDb, ADamagedRecordIsNoticedWhoeverReadsIt) {
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  store::OnRocksDb from;
  CopiedInto to;
  const std::vector<std::string> items = {store::log_record_of(kStartNs, "first"),
                                          store::log_record_of(kStartNs + 1, "second")};
  ASSERT_TRUE(
      from.cold().events().write(customer, Signal::kLogs, store::export_of("cliente-a", items)));
  using store::rocksdb::kv::Durability;
  using store::rocksdb::kv::Family;
  std::vector<store::rocksdb::kv::KeyValue> damaged;
  const auto scan = from.kv->scan(Family::kLogs, "", "");
  while (scan->next()) {
    if (scan->value().find("second") == std::string_view::npos) continue;
    damaged.push_back({Family::kLogs, std::string(scan->key()), "\x02" + std::string(20, '\xff')});
  }
  ASSERT_EQ(damaged.size(), 1U);
  ASSERT_TRUE(from.kv->put(damaged, Durability::kNow));
  const CopyJob job{from.cold(), to.cold(), to.clock, {customer}, {}, "", ""};
  const CopyTold told{[](const std::string&) {}, [](const std::string&) {}};
  ASSERT_EQ(copy_store(job, told)->records, 1U);
  const std::uint64_t before = items_left_out(from.cold());
  EXPECT_GT(before, 0U);
  EXPECT_EQ(compare_stores(job, told, [](const ComparedDay&) {}).value(), true);
  EXPECT_GT(items_left_out(from.cold()), before);
  EXPECT_EQ(items_left_out(to.cold()), 0U);
}

// Past a batch, and of one time: equal ones stay as many.
TEST(StoreCopyOfRocksDb, ManyEqualRecordsOfOneTimeStayAsMany) {
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  store::OnRocksDb from;
  CopiedInto to;
  const std::vector<std::string> items(25'000, store::log_record_of(kStartNs, "same"));
  ASSERT_TRUE(
      from.cold().events().write(customer, Signal::kLogs, store::export_of("cliente-a", items)));
  const CopyJob job{from.cold(), to.cold(), to.clock, {customer}, {}, "", ""};
  const CopyTold told{[](const std::string&) {}, [](const std::string&) {}};
  EXPECT_EQ(copy_store(job, told)->records, 25'000U);
  EXPECT_EQ(compare_stores(job, told, [](const ComparedDay&) {}).value(), true);
}

}  // namespace
}  // namespace vigia::storage::keep
