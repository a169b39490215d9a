// What a graph over two years costs on a cluster, and how fast its roll-ups are made: one metric of
// a hundred nodes, on the node that VIGIA_CASSANDRA names, VIGIA_COPIES (1) of each. Through remote
// read in chunks, without its network.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <sys/resource.h>

#include "libs/base/check.hpp"
#include "libs/base/random.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "libs/disk_log/file_system.hpp"
#include "services/storage/customers/number_file.hpp"
#include "services/storage/read/remote_read.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/store/cassandra/cassandra_cold_store.hpp"
#include "services/storage/store/cassandra/schema.hpp"
#include "services/storage/store/cassandra/testing/node_fixture.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint32_t kFirstDay = 19'710;
constexpr std::uint32_t kDays = 730;
constexpr int kTriesMax = 20;
constexpr TimestampMs kStart = TimestampMs{kFirstDay} * kDayMs;
constexpr TimestampMs kEnd = kStart + kDays * kDayMs;
constexpr TimestampMs kStep = 15'000;
constexpr int kNodes = 100;
constexpr std::size_t kSamplesOfRow = 240;
constexpr int kReads = 11;

double ms_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

/// Of this process, the driver's threads among it, and by the clock.
struct Taken {
  double cpu_ms = 0;
  double clock_ms = 0;
  static Taken now() {
    rusage usage{};
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return {ms_of(usage.ru_utime) + ms_of(usage.ru_stime),
            std::chrono::duration<double, std::milli>(since).count()};
  }
  Taken since(const Taken& before) const {
    return {cpu_ms - before.cpu_ms, clock_ms - before.clock_ms};
  }
};

// The most memory that this process has had since the last call, in MiB; 0 where it is not told.
double peak_mib() {
  double kib = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) kib = std::stod(line.substr(6));
  }
  std::ofstream("/proc/self/clear_refs") << "5";
  return kib / 1024;
}

// A gauge of memory, in pages.
class Gauge {
 public:
  explicit Gauge(std::uint64_t seed)
      : state_(static_cast<std::uint32_t>(seed) * 2'654'435'761U + 1) {}
  double next() {
    state_ = state_ * 1'664'525U + 1'013'904'223U;
    value_ += static_cast<double>(static_cast<int>(state_ >> 20U) - 2'048) * 4'096;
    return value_;
  }

 private:
  std::uint32_t state_;
  double value_ = 4e9;
};

class Bench {
 public:
  explicit Bench(vigia::cassandra::Session& session, const ColdStoreSettings& settings)
      : cold_(CassandraColdStore::open(session, settings, clock_).value()) {
    rolling::RollupNote note;
    note.raw_gone_day = kFirstDay + kDays - 400;
    note.is_marked = true;
    note.made_from = {0, 0, 0};
    CHECK(cold_->chunks().due_days()->set_note(write_note(note)).has_value());
    book_ = rolling::RollupBook::open(*cold_->chunks().due_days(), {true, true, true}).value();
    remote_read_.use_rollups(*book_);
  }

  void bring() {
    const std::uint64_t seed = cold_->catalog().seed_of(customer_).value();
    std::vector<NewSeries> series;
    for (int node = 0; node < kNodes; ++node) {
      Labels labels = Labels::from({{"__name__", "metric"},
                                    {"customer_id", customer_.text()},
                                    {"node_id", fmt::format("prod-node-{:05}", node)}});
      const auto hash = hash_labels(seed, to_string(labels));
      series.push_back({std::move(labels), hash, {kFirstDay, kFirstDay + kDays}, {}, false});
    }
    CHECK(cold_->catalog().resolve(customer_, series).has_value());
    for (const NewSeries& one : series) put_rollups({"metric", one.id});
    for (const NewSeries& one : series) put_raw({"metric", one.id});
  }

  // The series' days, of the one that raw was put of.
  std::uint64_t roll() {
    rolling::RollerSources sources;
    sources.now_ms = [] { return kEnd + 2 * kDayMs; };
    sources.first_day = [] { return 0U; };
    rolling::Roller roller(*cold_, *book_, std::move(sources));
    while (roller.roll_round()) {
    }
    return roller.stats().days;
  }

  std::size_t read(const std::string& rollup, TimestampMs from_ms) {
    wire::remote_read::Query query{from_ms, kEnd - 1, {{MatchType::kEqual, "__name__", "metric"}}};
    if (!rollup.empty()) query.matchers.push_back({MatchType::kEqual, "__rollup__", rollup});
    auto stream = remote_read_
                      .chunks(customer_.text(), customer_,
                              {{query}, wire::remote_read::ResponseType::kStreamedXorChunks},
                              std::make_shared<const WorkLimit>())
                      .value();
    std::size_t bytes = 0;
    for (;;) {
      const auto piece = stream->next(std::chrono::steady_clock::time_point::max()).value();
      if (piece->empty()) return bytes;
      bytes += piece->size();
      stream->memory().release(piece->size());
    }
  }

 private:
  // Of a sample each five minutes: how many there are changes only how long this takes.
  void put_rollups(const SeriesKey& key) {
    constexpr TimestampMs kEach = 300'000;
    Gauge gauge(key.id.value);
    std::vector<Sample> samples;
    for (TimestampMs at = kStart + kEach; at <= kEnd - kDayMs; at += kEach) {
      samples.push_back({at, gauge.next()});
    }
    std::vector<ClosedChunk> rows;
    for (const Resolution resolution : {Resolution::kHour, Resolution::kDay}) {
      std::map<std::uint32_t, std::vector<rolling::Window>> periods;
      for (const auto& window : rollup::windows_of(samples, rollup::width_ms(resolution))) {
        const std::uint32_t day = rolling::day_of_window(window.end_ms);
        periods[rolling::period_of(resolution, day)].push_back(window);
      }
      for (const auto& [period, windows] : periods) {
        rows.push_back(rolling::window_row(key, resolution, windows));
        rows.back().replaces = 0;
      }
    }
    for (const ClosedChunk& row : rows) put_rollup(row);
  }
  // A node that has just begun may not answer so many light-weight transactions in time. What one
  // did whose answer was late is known by its row, which the next try finds.
  void put_rollup(const ClosedChunk& row) {
    Result<void> put;
    for (int tries = 0; tries < kTriesMax; ++tries) {
      std::vector<ClosedChunk> one{row};
      put = put_now(cold_->chunks(), customer_, one);
      if (put || (tries > 0 && put.error().message.find("meanwhile") != std::string::npos)) return;
    }
    std::fprintf(stderr, "%s\n", put.error().message.c_str());
    CHECK(put.has_value());
  }
  // Of the last day.
  void put_raw(const SeriesKey& key) {
    Gauge gauge(key.id.value);
    std::vector<ClosedChunk> rows;
    for (TimestampMs at = kEnd - kDayMs + kStep; at <= kEnd;) {
      chunk::ChunkWriter writer;
      for (std::size_t i = 0; i < kSamplesOfRow; ++i, at += kStep) {
        writer.append({at, gauge.next()});
      }
      rows.push_back({key.metric,
                      {key.id, writer.first_ms(), writer.last_ms(), kInOrder, Encoding::kFloats,
                       std::string(writer.bytes())},
                      Resolution::kRaw});
    }
    CHECK(put_now(cold_->chunks(), customer_, rows).has_value());
  }

  SystemClock clock_;
  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  std::unique_ptr<CassandraColdStore> cold_;
  TemporaryFolder folder_;
  std::unique_ptr<customers::NumberFile> numbers_ =
      customers::NumberFile::open(folder_.path() + "/numbers", disk_log::system_files()).value();
  heads::StoredSeries stored_{cold_->chunks(), *numbers_, &cold_->catalog()};
  heads::HeadSet heads_{stored_, clock_};
  read::SeriesReader reader_{heads_, cold_->chunks()};
  lanes::CustomerShares answers_{"answers", 256U << 20U};
  read::RemoteRead remote_read_{cold_->catalog(), reader_, read::ReadLimits(), answers_};
  std::unique_ptr<rolling::RollupBook> book_;
};

void time_reads(Bench& bench, const char* what, const std::string& rollup, TimestampMs from_ms) {
  std::vector<double> cpu;
  std::vector<double> clock;
  std::size_t bytes = 0;
  peak_mib();
  for (int i = 0; i < kReads; ++i) {
    const Taken before = Taken::now();
    bytes = bench.read(rollup, from_ms);
    const Taken taken = Taken::now().since(before);
    cpu.push_back(taken.cpu_ms);
    clock.push_back(taken.clock_ms);
  }
  std::sort(cpu.begin(), cpu.end());
  std::sort(clock.begin(), clock.end());
  fmt::print(
      "{}: {} bytes; CPU {:.0f} ms (least {:.0f}); clock {:.0f} ms (least {:.0f}); {:.0f} MiB at "
      "most\n",
      what, bytes, cpu[kReads / 2], cpu[0], clock[kReads / 2], clock[0], peak_mib());
}

int run() {
  std::setvbuf(stdout, nullptr, _IOLBF,
               BUFSIZ);  // what is measured is said, whatever comes after it
  const auto session = connected();
  CHECK(session != nullptr);  // VIGIA_CASSANDRA names no node
  SchemaSettings schema;
  schema.keyspace = fresh_keyspace();
  const char* const copies = std::getenv("VIGIA_COPIES");
  schema.replication_factor = copies == nullptr ? 1 : static_cast<std::uint32_t>(std::atoi(copies));
  const SystemClock clock;
  CHECK(migrate(*session, schema, 1, clock).has_value());
  ColdStoreSettings settings;
  settings.keyspace = schema.keyspace;
  settings.classes.fill(class_of("chunks", Duration()).value());
  settings.writer = random_u64() >> 1U;
  Bench bench(*session, settings);
  Taken before = Taken::now();
  bench.bring();
  Taken taken = Taken::now().since(before);
  fmt::print("brought in {:.1f} s\n", taken.clock_ms / 1e3);
  time_reads(bench, "two years x 100 nodes from 1 d, the last day marked", "1d:sum", kStart);
  before = Taken::now();
  const std::uint64_t days = bench.roll();
  taken = Taken::now().since(before);
  fmt::print("rolled up: {} series' days of 5,760 samples; {:.1f} ms of CPU each, {:.1f} ms each\n",
             days, taken.cpu_ms / static_cast<double>(days),
             taken.clock_ms / static_cast<double>(days));
  time_reads(bench, "two years x 100 nodes from 1 d", "1d:sum", kStart);
  time_reads(bench, "two years x 100 nodes from 1 h", "1h:sum", kStart);
  time_reads(bench, "a day of raw x 100 nodes", "", kEnd - kDayMs);
  CHECK(session->run("DROP KEYSPACE " + schema.keyspace).has_value());
  return 0;
}

}  // namespace
}  // namespace vigia::storage::store::cassandra

int main() { return vigia::storage::store::cassandra::run(); }
