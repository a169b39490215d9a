#include "services/storage/store/cassandra/cassandra_instance.hpp"

#include <utility>

#include "libs/base/random.hpp"
#include "services/storage/store/cassandra/schema.hpp"
#include "services/storage/store/patience.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

}  // namespace

CassandraInstance::CassandraInstance(CassandraSettings settings, const Clock& clock,
                                     std::size_t index_memory_max)
    : settings_(std::move(settings)),
      clock_(clock),
      index_memory_max_(index_memory_max),
      writer_(random_u64() >> 1U) {}

Result<std::unique_ptr<instance::StoreInstance>> CassandraInstance::open(
    const CassandraSettings& settings, const Clock& clock, std::size_t index_memory_max) {
  if (auto checked = check_expiries(settings, clock.wall_ms() / kMsPerSecond); !checked) {
    return forward(checked);
  }
  auto opened = std::make_unique<CassandraInstance>(settings, clock, index_memory_max);
  if (auto taken = opened->take_folder(); !taken) return forward(taken);
  return opened;
}

Result<void> CassandraInstance::take_folder() {
  disk_log::FileSystem& files = disk_log::system_files();
  if (auto made = files.create_directory(settings_.directory); !made) return made;
  auto lock = files.lock(settings_.directory);
  if (!lock) return forward(lock);
  lock_ = *std::move(lock);
  auto numbers = customers::NumberFile::open(settings_.directory + "/vigia-customers", files);
  if (!numbers) return forward(numbers);
  numbers_ = *std::move(numbers);
  return {};
}

// A cluster that starts answers late, or says that it has too few replicas: both pass.
Result<void> CassandraInstance::load() {
  return patiently("the Cassandra cluster", [this] {
    auto connected = connect();
    if (!connected && connected.error().code == ErrorCode::kDeadline) {
      connected.error().code = ErrorCode::kUnavailable;
    }
    return connected;
  });
}

Result<void> CassandraInstance::connect() {
  if (!session_) {
    auto driver = vigia::cassandra::connect(settings_.connection);
    if (!driver) return tl::unexpected<Error>(with_context("store.cassandra", driver.error()));
    vigia::cassandra::SessionLimits limits;
    limits.speculative_after = settings_.speculative_after;
    session_ = std::make_unique<vigia::cassandra::Session>(*std::move(driver), limits);
  }
  auto migrated = migrate(*session_, settings_.schema, writer_, clock_);
  if (!migrated) return migrated;
  if (auto checked = check_start(*session_, settings_.schema, writer_); !checked) return checked;
  const ColdStoreSettings wanted{settings_.schema.keyspace, settings_.classes, settings_.events,
                                 writer_, index_memory_max_};
  auto cold = CassandraColdStore::open(*session_, wanted, clock_);
  if (!cold) return forward(cold);
  auto instances = std::make_unique<InstanceList>(*session_);
  Preparation preparation(*session_, settings_.schema.keyspace);
  if (auto prepared = instances->prepare(preparation); !prepared) return prepared;
  cold_ = *std::move(cold);
  instances_ = std::move(instances);
  return {};
}

// Before anything expires, which waits until it is known what the others keep.
Result<void> CassandraInstance::share_retention(std::uint64_t number) {
  auto shared = std::make_unique<SharedRetention>(*session_, clock_, number, cold_->keeps());
  Preparation preparation(*session_, settings_.schema.keyspace);
  if (auto prepared = shared->prepare(preparation); !prepared) return prepared;
  retention_ = std::move(shared);
  cold_->use_shared(retention_.get());
  retention_->look();
  return {};
}

Result<OpenRows*> CassandraInstance::open_rows(std::uint64_t number) {
  const std::uint64_t own = InstanceLease::first_number(number);
  auto shared = patiently("the Cassandra cluster, to know what other instances keep",
                          [&] { return share_retention(own); });
  if (!shared) return forward(shared);
  const OpenRowSettings wanted{settings_.schema.keyspace, own, writer_, settings_.lease,
                               [this] { retention_->look(); }};
  auto opened = patiently("the Cassandra cluster, to be known to other instances",
                          [&] { return CassandraOpenRows::open(*session_, wanted, clock_); });
  if (!opened) return forward(opened);
  open_rows_ = *std::move(opened);
  return open_rows_.get();
}

void CassandraInstance::end_requests_by(TimePoint time) {
  if (session_ != nullptr) session_->end_by(time);
}

std::optional<SharingNumber> CassandraInstance::sharing_number() const {
  return open_rows_ == nullptr ? std::nullopt : open_rows_->number();
}

Result<std::vector<SharingNumber>> CassandraInstance::sharing_numbers() {
  return instances_->read();
}

void CassandraInstance::use_record_times(customers::RecordTimes& times) {
  cold_->own_events().use_times({[this, &times] { return times.latest_ms(clock_); },
                                 [this, &times](const CustomerId& customer, TimestampMs newest_ms) {
                                   const auto number = numbers_->number_of(customer);
                                   if (number) times.note_claimed(*number, newest_ms, clock_);
                                 }});
}

void CassandraInstance::use_oldest(Signal signal,
                                   std::function<TimestampMs(const CustomerId&)> oldest_ms) {
  cold_->own_events().use_oldest(signal, std::move(oldest_ms));
}

void CassandraInstance::note_used(SeriesId /*series*/, customers::CustomerNumber customer) {
  numbers_->note_used(customer);
}

DamageStats CassandraInstance::damage() const {
  DamageStats damage;
  damage.found["row"] = cold_->own_catalog().malformed_rows();
  return damage;
}

instance::SecondRequestStats CassandraInstance::second_requests() const {
  if (session_ == nullptr) return {};
  const vigia::cassandra::SecondRequestCounts counts = session_->second_requests();
  return {counts.sent, counts.answered_first, counts.held_back};
}

instance::CatalogStats CassandraInstance::catalog_stats() const {
  const CassandraCatalog& catalog = std::as_const(*cold_).own_catalog();
  return {catalog.known_series(), catalog.memory_bytes(), 0};
}

}  // namespace vigia::storage::store::cassandra
