#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

#include <set>

#include "services/storage/store/rocksdb/catalog_by_names.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

kv::DayCuts by_number(const index::SeriesIndex& index, const ExpiryCuts& cuts) {
  kv::DayCuts numbered(cuts.before_ms);
  numbered.earliest_ms = cuts.earliest_ms();
  numbered.latest_ms = cuts.latest_ms();
  // Before the names are looked up: whoever gets his number in between is nobody yet, and not one
  // of all others, though he may keep longer than they do.
  std::set<std::uint32_t> given;
  for (const index::Customer& customer : index.customers()) given.insert(customer.number.value);
  for (const auto& [customer, cut_ms] : cuts.own) {
    if (const auto number = index.find_customer(customer)) numbered.own[number->value] = cut_ms;
  }
  numbered.is_given = [given = std::move(given)](std::uint32_t number) {
    return given.contains(number);
  };
  return numbered;
}

class NoRows final : public ChunkCursor {
 public:
  Result<std::vector<ChunkRow>> next() override { return std::vector<ChunkRow>(); }
  std::size_t at() const override { return 0; }
};

class RowCursor final : public ChunkCursor {
 public:
  RowCursor(const KvChunkStore& rows, customers::CustomerNumber customer,
            std::span<const SeriesKey> series, const ChunkQuery& query)
      : rows_(rows), customer_(customer), series_(series), query_(query) {}

  Result<std::vector<ChunkRow>> next() override {
    std::vector<ChunkRow> page;
    std::size_t bytes = 0;
    while (bytes < query_.page_bytes && !error_.has_value()) {
      if (!walk_.has_value()) {
        if (!page.empty() || next_ == series_.size()) break;
        at_ = next_++;
        walk_.emplace(rows_.walk(customer_, series_[at_].id,
                                 {query_.from_ms, query_.to_ms, query_.wants_data}));
      }
      auto row = walk_->next();
      if (!row) error_ = row.error();
      if (!row || !row->has_value()) {
        walk_.reset();
        continue;
      }
      bytes += sizeof(ChunkRow) + (*row)->data.size();
      page.push_back(std::move(**row));
    }
    if (!page.empty() || !error_.has_value()) return page;
    // After the rows that were read before it.
    Error error = std::move(*error_);
    error_.reset();
    return tl::unexpected<Error>(std::move(error));
  }
  std::size_t at() const override { return at_; }

 private:
  const KvChunkStore& rows_;
  customers::CustomerNumber customer_;
  std::span<const SeriesKey> series_;
  ChunkQuery query_;
  std::size_t at_ = 0;    // of the series that was walked last
  std::size_t next_ = 0;  // that is walked next
  std::optional<RowWalk> walk_;
  std::optional<Error> error_;
};

class DueDaysByNames final : public DueDays {
 public:
  DueDaysByNames(KvDueDays& marks, const index::SeriesIndex& index)
      : marks_(marks), index_(index) {}

  void set_marking(bool is_marking) override { marks_.set_marking(is_marking); }
  Result<std::vector<DueDay>> due(const CustomerId& customer, const DuePlace& from,
                                  std::size_t max) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return std::vector<DueDay>();
    return marks_.due(*number, from, max);
  }
  Result<std::vector<DueDay>> due_of(const CustomerId& customer, std::span<const SeriesId> series,
                                     const DayRange& days) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return std::vector<DueDay>();
    return marks_.due_of(*number, series, days);
  }
  Result<void> done(const CustomerId& customer, std::span<const DueDay> days) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return {};
    return marks_.done(*number, days);
  }
  Result<void> set_lost(const CustomerId& customer, std::span<const DueDay> days) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return {};
    return marks_.set_lost(*number, days);
  }
  Result<std::size_t> forget_before(std::uint32_t day) override {
    return marks_.forget_before(day);
  }
  std::uint32_t take_first_marked(const CustomerId& customer) override {
    const auto number = index_.find_customer(customer);
    return number.has_value() ? marks_.take_first_marked(*number) : UINT32_MAX;
  }
  Result<std::string> mark_stored(const std::string& place) override {
    return marks_.mark_stored(place);
  }
  Result<std::string> note() override { return marks_.note(); }
  Result<void> set_note(const std::string& note) override { return marks_.set_note(note); }

 private:
  KvDueDays& marks_;
  const index::SeriesIndex& index_;
};

class ChunksByNames final : public ChunkStore {
 public:
  ChunksByNames(KvChunks& rows, index::SeriesIndex& index)
      : rows_(rows), index_(index), due_days_(rows.due_days(), index) {}

  bool has(Resolution /*resolution*/) const override { return true; }
  void put(const CustomerId& customer, std::span<const ClosedChunk> chunks, Done done) override {
    const auto number = index_.number_of(customer);
    done(number ? rows_.put(*number, chunks) : tl::unexpected<Error>(number.error()));
  }
  std::unique_ptr<ChunkCursor> read(const CustomerId& customer, std::span<const SeriesKey> series,
                                    const ChunkQuery& query) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return std::make_unique<NoRows>();
    return std::make_unique<RowCursor>(rows_.of(query.resolution), *number, series, query);
  }
  Result<std::optional<TimestampMs>> newest(const CustomerId& customer, const SeriesKey& series,
                                            TimestampMs from_ms) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return std::optional<TimestampMs>();
    return rows_.of(Resolution::kRaw).newest(*number, series.id, from_ms);
  }
  Result<void> sync() override { return rows_.sync(); }
  Result<std::size_t> expire(Resolution resolution, const ExpiryCuts& cuts) override {
    return rows_.of(resolution).expire(by_number(index_, cuts));
  }
  std::uint64_t disk_bytes() const override { return rows_.disk_bytes(); }
  DueDays* due_days() override { return &due_days_; }

 private:
  KvChunks& rows_;
  index::SeriesIndex& index_;
  DueDaysByNames due_days_;
};

class EventsByNames final : public EventStore, public SpanDays {
 public:
  EventsByNames(events::EventTable& spans, events::EventTable& logs, index::SeriesIndex& index)
      : spans_(spans), logs_(logs), index_(index) {}

  Result<EventCounts> write(const CustomerId& customer, Signal signal,
                            std::string_view body) override {
    const auto number = index_.number_of(customer);
    if (!number) return tl::unexpected<Error>(number.error());
    return table(signal).write(customer, *number, body);
  }
  Result<bool> read_trace(const CustomerId& customer, std::string_view trace_id,
                          const SpanVisit& visit, const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return true;
    return spans_.read_trace(*number, trace_id, visit, limit);
  }
  Result<std::vector<std::uint32_t>> days_with_spans(const CustomerId& /*customer*/) override {
    return spans_.days();
  }
  Result<bool> read_day(const CustomerId& customer, std::uint32_t day, const SpanVisit& visit,
                        const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return true;
    return spans_.read_day(*number, day, visit, limit);
  }
  Result<LogEnd> read_logs(const CustomerId& customer, const LogQuery& query, const LogVisit& visit,
                           const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return LogEnd{};
    return logs_.read_logs(*number, query, visit, limit);
  }
  Result<LogArrivals> log_arrivals(const CustomerId& customer,
                                   std::optional<std::uint64_t> after) override {
    return logs_.log_arrivals(customer, after);
  }
  Result<TraceEnd> find_traces(const CustomerId& customer, const TraceQuery& query,
                               const TraceVisit& visit, const WorkLimit& limit) override {
    if (query.service.empty()) return fail(ErrorCode::kInvalid, "a search names a service");
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return TraceEnd{};
    return spans_.find_traces(*number, query, visit, limit);
  }
  Result<TextPage> services(const CustomerId& customer, const ServiceQuery& query,
                            const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return TextPage{{}, true};
    return spans_.services(*number, query, limit);
  }
  Result<OperationPage> operations(const CustomerId& customer, std::string_view service,
                                   const OperationQuery& query, const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return OperationPage{{}, true};
    return spans_.operations(*number, service, query, limit);
  }
  Result<std::size_t> expire(Signal signal, const ExpiryCuts& cuts) override {
    return table(signal).expire(by_number(index_, cuts));
  }
  bool is_writable() const override { return spans_.is_writable(); }
  std::uint64_t disk_bytes(Signal signal) const override { return table(signal).disk_bytes(); }
  std::uint64_t damaged_items(Signal signal) const override {
    return table(signal).damaged_items();
  }

 private:
  events::EventTable& table(Signal signal) const {
    return signal == Signal::kTraces ? spans_ : logs_;
  }

  events::EventTable& spans_;
  events::EventTable& logs_;
  index::SeriesIndex& index_;
};

class ExemplarsByNames final : public ExemplarStore {
 public:
  ExemplarsByNames(KvExemplars& rows, index::SeriesIndex& index) : rows_(rows), index_(index) {}

  Result<void> put(const CustomerId& customer, std::span<const NewExemplar> exemplars) override {
    const auto number = index_.number_of(customer);
    if (!number) return tl::unexpected<Error>(number.error());
    return rows_.put(*number, exemplars);
  }
  Result<void> sync() override { return rows_.sync(); }
  Result<std::vector<SeriesId>> having(const CustomerId& customer, std::span<const SeriesId> series,
                                       const ExemplarRange& range,
                                       const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return std::vector<SeriesId>();
    return rows_.having(*number, series, range, limit);
  }
  Result<void> read(const CustomerId& customer, SeriesId series, const ExemplarRange& range,
                    const Visit& visit, const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return {};
    return rows_.read({*number, series}, range, visit, limit);
  }
  Result<std::size_t> expire(const ExpiryCuts& cuts) override {
    return rows_.expire(by_number(index_, cuts));
  }
  std::uint64_t disk_bytes() const override { return rows_.disk_bytes(); }
  std::uint64_t damaged() const override { return rows_.damaged(); }

 private:
  KvExemplars& rows_;
  index::SeriesIndex& index_;
};

class MetadataByNames final : public MetadataStore {
 public:
  MetadataByNames(KvMetadata& rows, index::SeriesIndex& index) : rows_(rows), index_(index) {}

  Result<void> put(const CustomerId& customer, std::span<const MetricMetadata> metrics) override {
    const auto number = index_.number_of(customer);
    if (!number) return tl::unexpected<Error>(number.error());
    return rows_.put(*number, metrics);
  }
  Result<void> sync() override { return rows_.sync(); }
  Result<void> read(const CustomerId& customer, std::string_view metric, const Visit& visit,
                    const WorkLimit& limit) override {
    const auto number = index_.find_customer(customer);
    if (!number.has_value()) return {};
    return rows_.read(*number, metric, visit, limit);
  }
  Result<std::size_t> expire(const ExpiryCuts& cuts) override {
    return rows_.expire(by_number(index_, cuts));
  }
  std::uint64_t disk_bytes() const override { return rows_.disk_bytes(); }
  std::uint64_t damaged() const override { return rows_.damaged(); }

 private:
  KvMetadata& rows_;
  index::SeriesIndex& index_;
};

}  // namespace

class RocksDbColdStore::ByNames {
 public:
  ByNames(RocksDbColdStore& own, kv::OrderedStore& store)
      : catalog(*own.index_, store),
        chunks(*own.chunk_rows_, *own.index_),
        events(*own.spans_, *own.logs_, *own.index_),
        exemplars(*own.exemplar_rows_, *own.index_),
        metadata(*own.metadata_rows_, *own.index_) {}

  CatalogByNames catalog;
  ChunksByNames chunks;
  EventsByNames events;
  ExemplarsByNames exemplars;
  MetadataByNames metadata;
};

RocksDbColdStore::RocksDbColdStore(Key /*key*/) {}
RocksDbColdStore::~RocksDbColdStore() = default;

Result<std::unique_ptr<RocksDbColdStore>> RocksDbColdStore::open(kv::OrderedStore& store,
                                                                 const Clock& clock,
                                                                 std::size_t index_memory_max) {
  auto opened = std::make_unique<RocksDbColdStore>(Key{});
  auto chunks = KvChunks::open(store);
  if (!chunks) return forward(chunks);
  opened->chunk_rows_ = std::move(*chunks);
  auto index = index::SeriesIndex::open(store, index_memory_max);
  if (!index) return forward(index);
  opened->index_ = std::move(*index);
  for (const Signal signal : {Signal::kTraces, Signal::kLogs}) {
    auto events = events::EventTable::open(store, clock, signal);
    if (!events) return forward(events);
    (signal == Signal::kTraces ? opened->spans_ : opened->logs_) = std::move(*events);
  }
  auto exemplars = KvExemplars::open(store);
  if (!exemplars) return forward(exemplars);
  opened->exemplar_rows_ = std::move(*exemplars);
  opened->metadata_rows_ = std::make_unique<KvMetadata>(store);
  opened->by_names_ = std::make_unique<ByNames>(*opened, store);
  return opened;
}

Catalog& RocksDbColdStore::catalog() { return by_names_->catalog; }
ChunkStore& RocksDbColdStore::chunks() { return by_names_->chunks; }
EventStore& RocksDbColdStore::events() { return by_names_->events; }
ExemplarStore* RocksDbColdStore::exemplars() { return &by_names_->exemplars; }
MetadataStore* RocksDbColdStore::metadata() { return &by_names_->metadata; }
SpanDays* RocksDbColdStore::span_days() { return &by_names_->events; }

Result<customers::CustomerNumber> RocksDbColdStore::number_of(const CustomerId& customer) {
  return index_->number_of(customer);
}

std::optional<CustomerId> RocksDbColdStore::id_of(customers::CustomerNumber number) const {
  return index_->id_of(number);
}

// Keys name customers by number, so the rows lie where their customer's would.
Result<void> RocksDbColdStore::keep_unowned(customers::CustomerNumber number,
                                            std::span<const ClosedChunk> chunks) {
  return chunk_rows_->put(number, chunks);
}

void RocksDbColdStore::use_record_times(customers::RecordTimes& times) {
  spans_->use_record_times(times);
  logs_->use_record_times(times);
}

void RocksDbColdStore::use_oldest(Signal signal,
                                  std::function<TimestampMs(const CustomerId&)> oldest_ms) {
  (signal == Signal::kTraces ? spans_ : logs_)->use_oldest(std::move(oldest_ms));
}

}  // namespace vigia::storage::store::rocksdb
