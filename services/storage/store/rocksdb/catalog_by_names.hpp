// Catalog on the series index.
#pragma once

#include "services/storage/store/catalog.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"

namespace vigia::storage::store::rocksdb {

/// Thread contract: any thread.
class CatalogByNames final : public Catalog {
 public:
  /// Both must outlive it; `index` lies in `store`.
  CatalogByNames(index::SeriesIndex& index, kv::OrderedStore& store)
      : index_(index), store_(store) {}

  Result<std::uint64_t> seed_of(const CustomerId& customer) override;
  std::optional<KnownSeries> find(const LabelsHash& wire_hash) const override {
    return index_.find(wire_hash);
  }
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
  Result<std::size_t> expire(const ExpiryCuts& cuts, TimestampMs now_ms) override {
    return index_.expire(cuts, now_ms);
  }

 private:
  index::SeriesIndex& index_;
  kv::OrderedStore& store_;
};

}  // namespace vigia::storage::store::rocksdb
