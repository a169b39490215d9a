// A cold store in memory, for tests: what the contract asks for and nothing else. Ids follow from
// customer and labels, and chunks lie under their metric, as in a store that instances share.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::store {

/// Thread contract: as ColdStore. Nothing outlives it.
class MemoryColdStore final : public ColdStore {
 public:
  Catalog& catalog() override { return catalog_; }
  ChunkStore& chunks() override { return chunks_; }
  EventStore& events() override { return events_; }
  ExemplarStore* exemplars() override { return &exemplars_; }
  MetadataStore* metadata() override { return &metadata_; }
  SpanDays* span_days() override { return &events_; }

 private:
  class MemoryCatalog final : public Catalog {
   public:
    Result<std::uint64_t> seed_of(const CustomerId& customer) override;
    std::optional<KnownSeries> find(const LabelsHash& wire_hash) const override;
    Result<void> resolve(const CustomerId& customer, std::vector<NewSeries>& series) override;
    Result<std::vector<std::string>> metrics_of(const CustomerId& customer,
                                                const std::vector<SeriesId>& ids) const override;
    std::vector<CustomerId> customers() const override;
    std::unique_ptr<SeriesCursor> select(const CustomerId& customer, const SeriesQuery& query,
                                         const WorkLimit& limit) const override;
    Result<TextPage> label_names(const CustomerId& customer, const TextQuery& query,
                                 const WorkLimit& limit) const override;
    Result<TextPage> label_values(const CustomerId& customer, std::string_view name,
                                  const TextQuery& query, const WorkLimit& limit) const override;
    Result<std::size_t> expire(const ExpiryCuts& cuts, TimestampMs now_ms) override;

   private:
    struct Known {
      Labels labels;
      DayRange days = kNoDays;
    };
    struct OfCustomer {
      std::map<SeriesId, Known> series;
      std::map<std::string, std::map<std::string, DayRange>, std::less<>> values;
      std::uint32_t expired_until = 0;
      bool is_on(const DayRange& days, const DayRange& wanted) const;
    };
    void note(OfCustomer& of, Known& known, const DayRange& days) const;

    mutable std::mutex mutex_;
    std::map<CustomerId, OfCustomer> customers_;
    std::map<LabelsHash, KnownSeries> known_;
  };

  class MemoryChunks final : public ChunkStore {
   public:
    bool needs_metric() const override { return true; }
    bool has(Resolution /*resolution*/) const override { return true; }
    void put(const CustomerId& customer, std::span<const ClosedChunk> chunks, Done done) override;
    std::unique_ptr<ChunkCursor> read(const CustomerId& customer, std::span<const SeriesKey> series,
                                      const ChunkQuery& query) override;
    Result<std::optional<TimestampMs>> newest(const CustomerId& customer, const SeriesKey& series,
                                              TimestampMs from_ms) override;
    Result<void> sync() override { return {}; }
    Result<std::size_t> expire(Resolution resolution, const ExpiryCuts& cuts) override;
    std::uint64_t disk_bytes() const override { return 0; }
    DueDays* due_days() override { return &due_days_; }

   private:
    class MemoryDueDays final : public DueDays {
     public:
      explicit MemoryDueDays(MemoryChunks& chunks) : chunks_(chunks) {}
      void set_marking(bool is_marking) override;
      Result<std::vector<DueDay>> due(const CustomerId& customer, const DuePlace& from,
                                      std::size_t max) override;
      Result<void> done(const CustomerId& customer, std::span<const DueDay> days) override;
      Result<void> set_lost(const CustomerId& customer, std::span<const DueDay> days) override;
      Result<std::size_t> forget_before(std::uint32_t day) override;
      std::uint32_t take_first_marked(const CustomerId& customer) override;
      Result<std::string> mark_stored(const std::string& place) override;
      Result<std::string> note() override;
      Result<void> set_note(const std::string& note) override;
      /// The lock is held.
      void mark_put(const CustomerId& customer, const ChunkRow& row) {
        if (is_marking_) mark(customer, row, DueKind::kPut);
      }
      void mark(const CustomerId& customer, const ChunkRow& row, DueKind kind);

     private:
      struct Mark {
        std::uint64_t stamp = 0;
        DueKind kind = DueKind::kPut;
      };
      MemoryChunks& chunks_;
      std::map<CustomerId, std::map<DuePlace, Mark>> marks_;
      std::map<CustomerId, std::uint32_t> first_marked_;
      std::uint64_t next_stamp_ = 0;
      bool is_marking_ = true;
      std::string note_;
    };
    using RowKey = std::tuple<TimestampMs, std::uint64_t, Encoding>;  // first, version
    using Rows = std::map<RowKey, ChunkRow>;
    using Place = std::tuple<CustomerId, std::string, Resolution, SeriesId>;
    std::vector<ChunkRow> rows_of(const Place& place, const ChunkQuery& query) const;

    mutable std::mutex mutex_;
    std::map<Place, Rows> places_;
    MemoryDueDays due_days_{*this};
  };

  class MemoryEvents final : public EventStore, public SpanDays {
   public:
    Result<EventCounts> write(const CustomerId& customer, Signal signal,
                              std::string_view body) override;
    Result<bool> read_trace(const CustomerId& customer, std::string_view trace_id,
                            const SpanVisit& visit, const WorkLimit& limit) override;
    Result<std::vector<std::uint32_t>> days_with_spans(const CustomerId& customer) override;
    Result<bool> read_day(const CustomerId& customer, std::uint32_t day, const SpanVisit& visit,
                          const WorkLimit& limit) override;
    Result<LogEnd> read_logs(const CustomerId& customer, const LogQuery& query,
                             const LogVisit& visit, const WorkLimit& limit) override;
    Result<TraceEnd> find_traces(const CustomerId& customer, const TraceQuery& query,
                                 const TraceVisit& visit, const WorkLimit& limit) override;
    Result<TextPage> services(const CustomerId& customer, const ServiceQuery& query,
                              const WorkLimit& limit) override;
    Result<OperationPage> operations(const CustomerId& customer, std::string_view service,
                                     const OperationQuery& query, const WorkLimit& limit) override;
    Result<std::size_t> expire(Signal signal, const ExpiryCuts& cuts) override;
    bool is_writable() const override { return true; }
    std::uint64_t disk_bytes(Signal /*signal*/) const override { return 0; }
    std::uint64_t damaged_items(Signal /*signal*/) const override { return 0; }

   private:
    struct Item {
      TimestampNs time_ns = 0;
      std::uint32_t equal = 0;  // which of equal ones in its request
      std::string resource;
      std::string scope;
      std::string bytes;
      auto operator<=>(const Item&) const = default;
    };
    class Reader;
    std::vector<Item> items_of(const CustomerId& customer, Signal signal) const;

    mutable std::mutex mutex_;
    std::map<std::pair<CustomerId, Signal>, std::vector<Item>> items_;  // in order of arrival
  };

  class MemoryExemplars final : public ExemplarStore {
   public:
    Result<void> put(const CustomerId& customer, std::span<const NewExemplar> exemplars) override;
    Result<void> sync() override { return {}; }
    Result<std::vector<SeriesId>> having(const CustomerId& customer,
                                         std::span<const SeriesId> series,
                                         const ExemplarRange& range,
                                         const WorkLimit& limit) override;
    Result<void> read(const CustomerId& customer, SeriesId series, const ExemplarRange& range,
                      const Visit& visit, const WorkLimit& limit) override;
    Result<std::size_t> expire(const ExpiryCuts& cuts) override;
    std::uint64_t disk_bytes() const override { return 0; }
    std::uint64_t damaged() const override { return 0; }

   private:
    using Place = std::pair<CustomerId, SeriesId>;
    using Item = std::tuple<TimestampMs, std::uint64_t, std::string>;  // time, value's bits, labels

    std::mutex mutex_;
    std::map<Place, std::set<Item>> items_;
  };

  class MemoryMetadata final : public MetadataStore {
   public:
    Result<void> put(const CustomerId& customer, std::span<const MetricMetadata> metrics) override;
    Result<void> sync() override { return {}; }
    Result<void> read(const CustomerId& customer, std::string_view metric, const Visit& visit,
                      const WorkLimit& limit) override;
    Result<std::size_t> expire(const ExpiryCuts& cuts) override;
    std::uint64_t disk_bytes() const override { return 0; }
    std::uint64_t damaged() const override { return 0; }

   private:
    std::mutex mutex_;
    std::map<CustomerId, std::map<std::string, MetricMetadata, std::less<>>> customers_;
  };

  MemoryCatalog catalog_;
  MemoryChunks chunks_;
  MemoryEvents events_;
  MemoryExemplars exemplars_;
  MemoryMetadata metadata_;
};

}  // namespace vigia::storage::store
