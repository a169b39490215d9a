// The catalog on Cassandra: which series there are, for all instances that share the cluster.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/catalog_statements.hpp"
#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/kept_from.hpp"
#include "services/storage/store/cassandra/metric_memory.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/flat_id_map.hpp"

namespace vigia::storage::store::cassandra {

/// As Catalog. An id follows from customer and labels; a claim in the cluster makes sure that no
/// two series have the same. Memory is bounded and shared by customer: what it does not know is
/// asked. A label value of more than kValueMax bytes is not listed by label_values; its series are
/// found.
class CassandraCatalog final : public Catalog {
 public:
  static constexpr std::size_t kValueMax = 32U << 10U;

  /// All must outlive it. `memory_max`: of what is known of series without asking.
  CassandraCatalog(vigia::cassandra::Session& session, KeptDays& kept, const Clock& clock,
                   std::size_t memory_max, std::size_t part_bytes);
  /// REQUIRED before anything else.
  Result<void> prepare(Preparation& preparation);

  Result<std::uint64_t> seed_of(const CustomerId& customer) override;
  std::optional<KnownSeries> find(const LabelsHash& wire_hash) const override;
  Result<void> resolve(const CustomerId& customer, std::vector<NewSeries>& series) override;
  Result<std::vector<std::string>> metrics_of(const CustomerId& customer,
                                              const std::vector<SeriesId>& ids) const override;
  /// As of some seconds ago: another instance may have made one known since.
  std::vector<CustomerId> customers() const override;
  std::unique_ptr<SeriesCursor> select(const CustomerId& customer, const SeriesQuery& query,
                                       const WorkLimit& limit) const override;
  Result<TextPage> label_names(const CustomerId& customer, const TextQuery& query,
                               const WorkLimit& limit) const override;
  Result<TextPage> label_values(const CustomerId& customer, std::string_view name,
                                const TextQuery& query, const WorkLimit& limit) const override;
  /// Of each customer once for each day of his cut: more often does nothing.
  Result<std::size_t> expire(const ExpiryCuts& cuts, TimestampMs now_ms) override;

  /// While memory is short what is known takes half.
  void set_short(bool is_short);
  std::uint64_t known_series() const;
  std::uint64_t memory_bytes() const;
  /// Rows that could not be read, and were left out of answers.
  std::uint64_t malformed_rows() const { return malformed_; }

 private:
  struct Customer {
    std::uint64_t seed = 0;
    std::uint32_t number = 0;  // in this process
  };
  struct Resolving;
  struct MetricParts {
    std::int32_t parts = 1;
    std::size_t added = 0;  // series, by this instance, since the parts are so many
  };
  using CustomerAndMetric = std::pair<CustomerId, std::string>;

  Result<void> load_secret();
  Result<Customer> customer_of(const CustomerId& customer);
  /// 0 for who is not known.
  std::uint32_t number_of(const CustomerId& customer) const;
  Customer& note_customer(const CustomerId& customer, std::uint64_t seed) const;
  Result<void> load_customers() const;

  Result<void> resolve_some(const CustomerId& customer, const Customer& known,
                            std::span<NewSeries> series);
  Result<void> place(const CustomerId& customer, std::vector<Resolving>& series);
  Result<void> look_up(const CustomerId& customer, std::vector<Resolving*>& open,
                       std::vector<Resolving*>& unclaimed);
  Result<void> claim(const CustomerId& customer, std::vector<Resolving*>& unclaimed);
  Result<void> read_claims(std::vector<Resolving*>& taken);
  Result<std::int32_t> parts_for(const CustomerId& customer, const std::string& metric);
  std::optional<std::int32_t> count_in(const CustomerAndMetric& key);
  Result<void> write(const CustomerId& customer, const Customer& known,
                     std::vector<Resolving>& series);
  void write_series(const CustomerId& customer, const Resolving& one, Requests& requests) const;
  void write_label(const CustomerId& customer, const LabelTexts& label, const DayRange& days,
                   Requests& requests, std::vector<std::uint64_t>& noted) const;
  Result<std::vector<Shard>> parts_of_label(const CustomerId& customer,
                                            std::string_view name) const;
  void write_name(const CustomerId& customer, std::string_view name, const DayRange& days,
                  Requests& requests) const;

  struct Expiry;
  struct Expiring;
  void forget_known(const CutDays& days);
  Result<void> expire_series(Expiry& expiry);
  Result<void> expire_shard(Expiry& expiry, const std::string& metric, std::int32_t shard);
  Result<void> expire_texts(Expiry& expiry);
  Result<void> expire_label(Expiry& expiry, const std::string& name);
  Result<void> expire_values(Expiry& expiry, const std::string& name);
  void delete_series(Expiry& expiry, const Expiring& series, Requests& requests);
  void delete_value(const Expiry& expiry, const std::string& name, const Expiring& value,
                    Requests& requests) const;

  vigia::cassandra::Session& session_;
  KeptDays& kept_;
  const Clock& clock_;
  const std::size_t memory_max_;
  CatalogStatements statements_;
  mutable EventPlaces places_;  // parts of values of labels
  std::string secret_;          // the keyspace's, with which series are hashed

  mutable std::mutex customers_mutex_;
  mutable std::map<CustomerId, Customer> customers_;
  mutable TimePoint next_customers_{};

  mutable std::mutex known_mutex_;
  mutable FlatIdMap ids_;    // by the hash of a writer's bytes
  mutable FlatIdMap texts_;  // rows of metrics and labels: on which days they are noted
  mutable MetricMemory metrics_;

  std::mutex parts_mutex_;
  std::map<CustomerAndMetric, MetricParts> parts_;

  std::mutex expire_mutex_;
  ExpiryLooks looks_;
  mutable std::atomic<std::uint64_t> malformed_{0};
};

}  // namespace vigia::storage::store::cassandra
