// What is past its retention is not given, although it still lies there (C46).
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <snappy.h>

#include "libs/base/hex.hpp"
#include "libs/base/testing/dose.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/api/event_api.hpp"
#include "services/storage/api/label_api.hpp"
#include "services/storage/read/remote_read.hpp"
#include "services/storage/read/testing/read_frames.hpp"
#include "services/storage/retention/retention_guard.hpp"
#include "services/storage/store/rocksdb/testing/counted_store.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::api {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace remote_read = wire::remote_read;

constexpr TimestampMs kMinute = 60'000;
constexpr TimestampMs kDay = 24 * 60 * kMinute;
constexpr TimestampMs kKeep = kDay;  // of everything here
constexpr TimestampMs kEdge = kNow - kKeep;
const std::string kTrace(16, 'T');

store::TimestampNs ns(TimestampMs time_ms) {
  return static_cast<store::TimestampNs>(time_ms) * 1'000'000;
}

class KeptReadsTest : public testing::Test {
 protected:
  KeptReadsTest() {
    std::vector<Sample> samples;  // one chunk over the edge, and one sample now
    for (TimestampMs i = -30; i < 30; ++i) samples.push_back({kEdge + i * kMinute, 1.0});
    storage_.write("cliente-a", "over_the_edge", samples);
    storage_.write("cliente-a", "gone", {{kEdge - 2 * kDay, 1}});
    note_now();
    EXPECT_FALSE(guard_.now(newest_ms_).has_value());  // no time is known yet
    EXPECT_TRUE(guard_.confirm());
    EXPECT_TRUE(guard_.now(newest_ms_).has_value());
  }
  void resolve(const std::string& metric, TimestampMs at_ms) {
    std::vector<store::NewSeries> series(1);
    series[0].labels =
        Labels::from({{"__name__", metric}, {"customer_id", "cliente-b"}, {"node_id", "n1"}});
    series[0].wire_hash = store::hash_labels(1, metric);
    series[0].days = {store::day_of(at_ms), store::day_of(at_ms)};
    const CustomerId customer = CustomerId::parse("cliente-b").value();
    EXPECT_TRUE(storage_.cold().catalog().resolve(customer, series).has_value());
  }
  void note_now() { newest_ms_ = storage_.clock().wall_ms(); }
  TimestampMs kept_from_ms() const { return guard_.known_ms(newest_ms_) - kKeep; }
  /// cliente-l's class keeps everything here.
  TimestampMs kept_from_ms(const CustomerId& customer) const {
    return customer.text() == "cliente-l" ? kept_from_ms() - 10 * kDay : kept_from_ms();
  }

  std::vector<TimestampMs> times_of_chunks(const std::string& metric) {
    return times_of_chunks(remote_read(), metric);
  }
  std::vector<TimestampMs> times_of_chunks(const read::RemoteRead& read,
                                           const std::string& metric) {
    std::string body;
    auto stream = read.chunks("cliente-a", customer_,
                              asked(metric, remote_read::ResponseType::kStreamedXorChunks),
                              std::make_shared<store::WorkLimit>())
                      .value();
    const auto no_end = std::chrono::steady_clock::time_point::max();
    for (std::string piece; !(piece = stream->next(no_end).value().value()).empty();) body += piece;
    std::vector<TimestampMs> times;
    for (const read::Frame& frame : read::read_frames(body)) {
      for (const read::FrameChunk& chunk : frame.chunks) {
        const auto samples = chunk::read_samples(chunk.data).value();
        for (const Sample& sample : samples) times.push_back(sample.timestamp_ms);
      }
    }
    return times;
  }
  std::size_t samples_bytes(const std::string& metric) {
    std::string body;
    const auto made = remote_read().samples("cliente-a", customer_,
                                            asked(metric, remote_read::ResponseType::kSamples));
    EXPECT_TRUE(snappy::Uncompress(made->body.data(), made->body.size(), &body));
    return body.size();
  }
  static remote_read::ReadRequest asked(const std::string& metric, remote_read::ResponseType type) {
    return {{{0, INT64_MAX, {{MatchType::kEqual, "__name__", metric}}}}, type};
  }
  const read::RemoteRead& remote_read() {
    remote_read_.emplace(
        storage_.cold().catalog(), storage_.reader(), read::ReadLimits(), storage_.answers(),
        [this](const CustomerId& customer, Resolution) { return kept_from_ms(customer); });
    return *remote_read_;
  }
  std::string label_values(const std::string& parameters) {
    const LabelApi api(storage_.cold().catalog(), storage_.answers(), {},
                       [this](const CustomerId& customer) { return kept_from_ms(customer); });
    net::Request asked = request(parameters);
    asked.headers = {{"x-vigia-customer", "cliente-b"}};
    return api.values(asked, "__name__").body;
  }
  EventApi event_api() {
    return EventApi(storage_.cold().events(), storage_.cold().catalog(), storage_.answers(), {},
                    {[this](const CustomerId& customer) { return kept_from_ms(customer); },
                     [this](const CustomerId& customer) { return kept_from_ms(customer); }});
  }
  void write_events(Signal signal, const std::vector<std::string>& items) {
    const auto counts =
        storage_.cold().events().write(customer_, signal, store::export_of("cliente-a", items));
    EXPECT_EQ(counts.value().stored, items.size());
  }
  static net::Request request(const std::string& parameters) {
    net::Request request;
    request.headers.add("x-vigia-customer", "cliente-a");
    request.query = parameters;
    return request;
  }

  StorageFixture storage_;
  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  std::optional<read::RemoteRead> remote_read_;
  TemporaryFolder folder_;
  retention::RetentionGuard guard_{folder_.path() + "/retention", hours(24), storage_.clock()};
  TimestampMs newest_ms_ = 0;
};

TEST_F(KeptReadsTest, OfAChunkOverTheEdgeOnlyWhatIsKeptIsRead) {
  auto times = times_of_chunks("over_the_edge");
  ASSERT_EQ(times.size(), 30U);
  EXPECT_EQ(times.front(), kEdge);
  const std::size_t bytes = samples_bytes("over_the_edge");
  storage_.clock().advance(minutes(10));
  note_now();
  times = times_of_chunks("over_the_edge");
  ASSERT_EQ(times.size(), 20U);
  EXPECT_EQ(times.front(), kEdge + 10 * kMinute);
  EXPECT_LT(samples_bytes("over_the_edge"), bytes);
  EXPECT_EQ(times_of_chunks("gone").size(), 0U);
}

// C46, as its case is written: they lie in the place that the live ones lie in, a day of a series.
TEST_F(KeptReadsTest, ManyExpiredRowsBesideTenLiveOnesAreNotReadC46) {
  const auto expired = static_cast<std::size_t>(dose(20'001, 100'001));
  constexpr std::size_t kLive = 10;
  const TimestampMs day_ms = kEdge - kEdge % kDay;
  std::vector<store::NewSeries> series(1);
  series[0].labels = labels_of("cliente-a", "expired");
  series[0].days = {store::day_of(day_ms), store::day_of(day_ms)};
  ASSERT_TRUE(storage_.cold().catalog().resolve(customer_, series).has_value());
  std::vector<store::ClosedChunk> rows;
  const auto add = [&](TimestampMs time_ms) {
    chunk::ChunkWriter chunk;
    chunk.append({time_ms, 1});
    rows.push_back({"expired",
                    {series[0].id, time_ms, time_ms, store::kInOrder, store::Encoding::kFloats,
                     std::string(chunk.bytes())},
                    Resolution::kRaw});
  };
  for (std::size_t i = 0; i < expired; ++i) add(day_ms + static_cast<TimestampMs>(i));
  for (std::size_t i = 0; i < kLive; ++i) add(kEdge + static_cast<TimestampMs>(i) * kMinute);
  ASSERT_TRUE(store::put_now(storage_.cold().chunks(), customer_, rows).has_value());

  store::rocksdb::CountedStore counted(storage_.store());
  const auto cold =
      store::rocksdb::RocksDbColdStore::open(counted, storage_.clock(), 1U << 20U).value();
  const read::SeriesReader reader(storage_.heads(), cold->chunks());
  const auto rows_read = [&](const read::KeptFrom& kept_from, std::size_t wanted) {
    const read::RemoteRead read(cold->catalog(), reader, read::ReadLimits(), storage_.answers(),
                                kept_from);
    counted.take_rows();
    EXPECT_EQ(times_of_chunks(read, "expired").size(), wanted);
    return counted.take_rows();
  };
  EXPECT_GT(rows_read({}, expired + kLive), expired) << "or nothing is counted";
  const auto kept_from = [this](const CustomerId& customer, Resolution) {
    return kept_from_ms(customer);
  };
  EXPECT_LT(rows_read(kept_from, kLive), 2 * kLive) << "its series, too";
}

// Whoever asks for all of them is given of each what is his.
TEST_F(KeptReadsTest, EachIsGivenWhatHisClassKeeps) {
  for (const char* customer : {"cliente-a", "cliente-l"}) {
    storage_.write(customer, "both", {{kEdge - kMinute, 1}, {kEdge + kMinute, 2}});
  }
  const auto times = [&](const std::optional<CustomerId>& fence) {
    std::string body;
    auto asked_for = asked("both", remote_read::ResponseType::kStreamedXorChunks);
    auto stream =
        remote_read().chunks("", fence, asked_for, std::make_shared<store::WorkLimit>()).value();
    const auto no_end = std::chrono::steady_clock::time_point::max();
    for (std::string piece; !(piece = stream->next(no_end).value().value()).empty();) {
      body += piece;
    }
    std::vector<std::size_t> counts;
    for (const read::Frame& frame : read::read_frames(body)) {
      std::size_t count = 0;
      for (const read::FrameChunk& chunk : frame.chunks) {
        count += chunk::read_samples(chunk.data).value().size();
      }
      counts.push_back(count);
    }
    return counts;
  };
  EXPECT_THAT(times(customer_), testing::ElementsAre(1U));
  EXPECT_THAT(times(CustomerId::parse("cliente-l").value()), testing::ElementsAre(2U));
  EXPECT_THAT(times(std::nullopt), testing::ElementsAre(1U, 2U));
}

TEST_F(KeptReadsTest, AClockThatIsAheadHidesNothing) {
  storage_.clock().set_wall_ns((kNow + 400 * kDay) * 1'000'000);
  EXPECT_LE(kept_from_ms(), kEdge + 60 * kMinute) << "records may be an hour behind a right clock";
  note_now();  // now the records are ahead, too
  EXPECT_EQ(times_of_chunks("over_the_edge").size(), 30U);
}

TEST_F(KeptReadsTest, DaysThatAreOverHaveNoLabels) {
  resolve("kept", kEdge);
  resolve("over", kEdge - kDay);
  for (const char* matcher : {"", "matcher=node_id%3D~n.*&"}) {
    EXPECT_THAT(label_values(matcher), AllOf(HasSubstr("kept"), Not(HasSubstr("over")))) << matcher;
    const std::string before = "end=" + std::to_string((kEdge - kDay) / 1000);
    EXPECT_THAT(label_values(matcher + before), HasSubstr(R"("data":[])")) << matcher;
  }
}

TEST_F(KeptReadsTest, SpansOfBeforeAreNotShown) {
  write_events(Signal::kTraces, {store::span_of(kTrace, 'a', ns(kEdge - kMinute)),
                                 store::span_of(kTrace, 'b', ns(kEdge + kMinute))});
  const auto trace = [&] { return event_api().trace(request(""), to_hex(kTrace)); };
  EXPECT_THAT(trace().body,
              AllOf(HasSubstr("6262626262626262"), Not(HasSubstr("6161616161616161"))));
  storage_.clock().advance(minutes(2));
  note_now();
  EXPECT_EQ(trace().status, 404);
}

TEST_F(KeptReadsTest, LogRecordsOfBeforeAreNotShown) {
  write_events(Signal::kLogs, {store::log_record_of(ns(kEdge - kMinute), "before"),
                               store::log_record_of(ns(kEdge + kMinute), "behind")});
  const std::string second = std::to_string((kEdge - kMinute) / 1000);
  for (const char* direction : {"forward", "backward"}) {
    const std::string parameters =
        std::string("direction=") + direction + "&start=" + second + "&end=";
    const auto logs = [&](TimestampMs end_ms) {
      return event_api().logs(request(parameters + std::to_string(end_ms / 1000))).body;
    };
    EXPECT_THAT(logs(kNow), AllOf(HasSubstr("behind"), Not(HasSubstr("before"))));
    EXPECT_THAT(logs(kEdge - kMinute), HasSubstr(R"("data":[])"));
  }
}

}  // namespace
}  // namespace vigia::storage::api
