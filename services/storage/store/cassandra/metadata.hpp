// What metrics are said to be, in the cluster: the same for all instances.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "services/storage/store/cassandra/kept_from.hpp"
#include "services/storage/store/cassandra/requests.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/metadata.hpp"

namespace vigia::storage::store::cassandra {

/// As MetadataStore: a partition a customer, a row a metric; of what two instances put the cluster
/// keeps what it takes for later. Expiry goes by customer, too.
class CassandraMetadata final : public MetadataStore {
 public:
  /// All must outlive it. `catalog`: who there is.
  CassandraMetadata(vigia::cassandra::Session& session, KeptDays& kept, Catalog& catalog)
      : session_(session), kept_(kept), catalog_(catalog) {}
  /// REQUIRED before anything else.
  Result<void> prepare(Preparation& preparation);

  /// Durable when it returns.
  Result<void> put(const CustomerId& customer, std::span<const MetricMetadata> metrics) override;
  Result<void> sync() override { return {}; }
  Result<void> read(const CustomerId& customer, std::string_view metric, const Visit& visit,
                    const WorkLimit& limit) override;
  /// A customer whose rows cannot be read keeps those behind him from nothing; where several in a
  /// row cannot, the cluster is asked no more this time.
  Result<std::size_t> expire(const ExpiryCuts& cuts) override;
  std::uint64_t disk_bytes() const override { return 0; }  // the nodes' own
  std::uint64_t damaged() const override { return malformed_; }

 private:
  Result<std::size_t> expire_each(const CutDays& days);
  Result<std::size_t> expire_of(const CustomerId& customer, std::uint32_t cut);

  vigia::cassandra::Session& session_;
  KeptDays& kept_;
  Catalog& catalog_;
  Statement write_, read_all_, read_one_, list_days_, forget_;
  std::atomic<std::uint64_t> malformed_{0};
  std::mutex expire_mutex_;            // never held while the cluster is asked
  std::optional<CutDays> expired_to_;  // of the last call; nothing: it has failed
};

}  // namespace vigia::storage::store::cassandra
