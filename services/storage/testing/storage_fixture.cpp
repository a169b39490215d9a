#include "services/storage/testing/storage_fixture.hpp"

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "libs/base/check.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/heads/restored_chunks.hpp"
#include "services/storage/read/testing/read_series.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage {
namespace {

constexpr auto kDeadline = std::chrono::seconds(120);
constexpr auto kSweepInterval = std::chrono::milliseconds(300);

void copy_folder(const std::string& from, const std::string& to) {
  std::filesystem::copy(
      from, to,
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
}

CustomerId id_of(const std::string& customer) {
  return customer.empty() ? CustomerId::provider() : *CustomerId::parse(customer);
}

}  // namespace

Labels labels_of(const std::string& customer, const std::string& metric) {
  return Labels::from({{"__name__", metric}, {"customer_id", customer}, {"node_id", "n1"}});
}

StorageFixture::StorageFixture(const std::string& folder) {
  copy_folder(folder, folder_->path());
  open();
}

void StorageFixture::open() {
  store_ = store::rocksdb::kv::open_rocksdb({folder_->path()}).value();
  cold_ = store::rocksdb::RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
  quarantine_ = std::make_unique<quarantine::ChunkQuarantine>(
      quarantine::QuarantineSettings{folder_->path() + "/quarantine/chunks"},
      disk_log::system_files(), clock_);
  stored_series_ =
      std::make_unique<heads::StoredSeries>(cold_->chunks(), *cold_, nullptr, quarantine_.get());
  heads::restore_chunks(*quarantine_, *stored_series_);
  heads_ = std::make_unique<heads::HeadSet>(*stored_series_, clock_);
  ingest::IngesterSettings settings;
  settings.log_directory = folder_->path() + "/wal";
  settings.sweep_interval = kSweepInterval;
  ingester_ = ingest::Ingester::open(settings, {*heads_, cold_->chunks(), times_, clock_}).value();
  reader_ = std::make_unique<read::SeriesReader>(*heads_, cold_->chunks());
}

void StorageFixture::close() {
  reader_.reset();
  ingester_.reset();
  heads_.reset();
  stored_series_.reset();
  cold_.reset();
  store_.reset();
}

void StorageFixture::restart() {
  close();
  open();
}

void StorageFixture::kill_and_restart() {
  auto copy = std::make_unique<TemporaryFolder>();
  copy_folder(folder_->path(), copy->path());
  close();
  folder_ = std::move(copy);
  open();
}

ingest::SeriesBatch StorageFixture::resolve(const std::string& customer,
                                            const std::string& metric) {
  const CustomerId id = id_of(customer);
  const customers::CustomerNumber number = cold_->number_of(id).value();
  const std::uint64_t seed = cold_->catalog().seed_of(id).value();
  std::vector<store::NewSeries> unresolved(1);
  unresolved[0].labels = labels_of(customer, metric);
  unresolved[0].wire_hash = store::hash_labels(seed, metric);
  CHECK(cold_->catalog().resolve(id, unresolved).has_value());
  return {number, unresolved[0].id, unresolved[0].is_new, {}, {}};
}

heads::AppendCounts StorageFixture::write(ingest::SeriesBatch series) {
  ingest::IngestBatch batch;
  batch.series.push_back(std::move(series));
  std::promise<Result<heads::AppendCounts>> done;
  ingester_->write(std::move(batch),
                   [&](Result<heads::AppendCounts> counts) { done.set_value(std::move(counts)); });
  auto future = done.get_future();
  CHECK(future.wait_for(kDeadline) == std::future_status::ready);
  return future.get().value();
}

heads::AppendCounts StorageFixture::write(const std::string& customer, const std::string& metric,
                                          const std::vector<Sample>& samples) {
  ingest::SeriesBatch series = resolve(customer, metric);
  series.samples.assign(samples.begin(), samples.end());
  return write(std::move(series));
}

heads::AppendCounts StorageFixture::write_histograms(
    const std::string& customer, const std::string& metric,
    const std::vector<chunk::HistogramSample>& samples) {
  ingest::SeriesBatch series = resolve(customer, metric);
  series.histograms = samples;
  return write(std::move(series));
}

void StorageFixture::set_aside(const std::string& customer, const std::string& metric,
                               const std::vector<Sample>& samples) {
  const ingest::SeriesBatch series = resolve(customer, metric);
  chunk::ChunkWriter writer;
  for (const Sample& sample : samples) writer.append(sample);
  const store::ChunkRow row{series.id,       writer.first_ms(),        writer.last_ms(),
                            store::kInOrder, store::Encoding::kFloats, std::string(writer.bytes())};
  CHECK(quarantine_->keep({series.customer, id_of(customer), 0, row}).has_value());
}

read::SeriesData StorageFixture::read_raw(const std::string& customer, const std::string& metric) {
  const ingest::SeriesBatch series = resolve(customer, metric);
  lanes::AnswerMemory memory(answers_, customer);
  return read::read_series(*reader_, id_of(customer), {metric, series.id}, memory).value();
}

std::map<TimestampMs, double> StorageFixture::read(const std::string& customer,
                                                   const std::string& metric) {
  std::map<TimestampMs, double> values;
  const read::SeriesData data = read_raw(customer, metric);
  const auto samples = read::samples_of(data.chunks, 0, INT64_MAX).value();
  for (const Sample& sample : samples) {
    CHECK(values.emplace(sample.timestamp_ms, sample.value).second);  // in order, one a time
    CHECK(values.rbegin()->first == sample.timestamp_ms);
  }
  return values;
}

std::size_t StorageFixture::stored_values(const std::string& customer, const std::string& metric) {
  const ingest::SeriesBatch series = resolve(customer, metric);
  const heads::HeadView head = heads_->read(series.id);
  std::size_t values = head.late.size() + chunk::read_samples(head.chunk)->size();
  CHECK(heads_->await_stored(kDeadline).has_value());
  const auto rows =
      store::read_rows(cold_->chunks(), id_of(customer), {metric, series.id}, {0, INT64_MAX})
          .value();
  for (const store::ChunkRow& row : rows) values += chunk::read_samples(row.data)->size();
  return values;
}

void StorageFixture::advance(Duration step) {
  const auto sweep = [this](Duration by) {
    const std::uint64_t before = ingester_->stats().sweeps;
    clock_.advance(by);
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (ingester_->stats().sweeps == before) {
      CHECK(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  };
  sweep(step);
  // What it closed is stored behind it, and the next one lets the log of that go.
  CHECK(heads_->await_stored(kDeadline).has_value());
  sweep(kSweepInterval);
}

}  // namespace vigia::storage
