#include "services/storage/store/cassandra/catalog.hpp"

#include <algorithm>

#include "libs/base/random.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

constexpr Duration kCustomersEach = std::chrono::seconds(5);

}  // namespace

// Of what may be taken half is for series by their writers' bytes, and a quarter each for what is
// noted of labels and for metrics.
CassandraCatalog::CassandraCatalog(vigia::cassandra::Session& session, KeptDays& kept,
                                   const Clock& clock, std::size_t memory_max,
                                   std::size_t part_bytes)
    : session_(session),
      kept_(kept),
      clock_(clock),
      memory_max_(memory_max),
      places_(session, clock, part_bytes),
      ids_(memory_max / 2),
      texts_(memory_max / 4),
      metrics_(memory_max / 4) {}

Result<void> CassandraCatalog::prepare(Preparation& preparation) {
  if (auto prepared = statements_.prepare(preparation); !prepared) return prepared;
  if (auto prepared = places_.prepare(preparation); !prepared) return prepared;
  if (auto loaded = load_secret(); !loaded) return loaded;
  return load_customers();
}

// Of instances that start together the first one's is that of all.
Result<void> CassandraCatalog::load_secret() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto page = ask(session_, *statements_.read_secret, {}, "");
    if (!page) return forward(page);
    if (page->rows() == 1) {
      RowReader row = page->row(0);
      secret_ = row.read_blob();
      if (!row.ok() || secret_.size() != kSecretBytes) return malformed_row("secrets");
      return {};
    }
    const std::string made = random_bytes(kSecretBytes);
    BoundCells cells;
    cells.add_blob(made);
    auto added = ask(session_, *statements_.add_secret, cells, "");
    if (!added) return forward(added);
  }
  return fail(ErrorCode::kUnavailable, "the secret of series that was made is not there yet");
}

CassandraCatalog::Customer& CassandraCatalog::note_customer(const CustomerId& customer,
                                                            std::uint64_t seed) const {
  const auto number = static_cast<std::uint32_t>(customers_.size() + 1);
  return customers_.try_emplace(customer, Customer{seed, number}).first->second;
}

Result<void> CassandraCatalog::load_customers() const {
  std::vector<std::pair<CustomerId, std::uint64_t>> all;
  auto read = session_.for_each_row(
      {*statements_.list_customers, {}, "", kRequestDeadline}, [&](RowReader& row) {
        const std::string_view text = row.read_text();
        const auto seed = static_cast<std::uint64_t>(row.read_bigint());
        auto id = text == CustomerId::provider().text() ? CustomerId::provider()
                                                        : CustomerId::parse(text);
        if (!row.ok() || !id) {
          ++malformed_;
        } else {
          all.emplace_back(*std::move(id), seed);
        }
        return true;
      });
  if (!read) return read;
  const std::lock_guard lock(customers_mutex_);
  for (const auto& [customer, seed] : all) note_customer(customer, seed);
  return {};
}

std::vector<CustomerId> CassandraCatalog::customers() const {
  bool is_due = false;
  {
    const std::lock_guard lock(customers_mutex_);
    is_due = clock_.steady() >= next_customers_;
    if (is_due) next_customers_ = clock_.steady() + kCustomersEach;
  }
  // Where the cluster does not answer, those who were known: whoever reads of them is told.
  if (is_due) (void)load_customers();
  const std::lock_guard lock(customers_mutex_);
  std::vector<CustomerId> all;
  all.reserve(customers_.size());
  for (const auto& [id, customer] : customers_) all.push_back(id);
  return all;
}

// Of instances that make one known at once the first one's seed is that of all.
Result<CassandraCatalog::Customer> CassandraCatalog::customer_of(const CustomerId& customer) {
  {
    const std::lock_guard lock(customers_mutex_);
    const auto at = customers_.find(customer);
    if (at != customers_.end()) return at->second;
  }
  BoundCells key;
  key.add_text(customer.text());
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto page = ask(session_, *statements_.read_customer, key, customer.text());
    if (!page) return forward(page);
    if (page->rows() == 1) {
      RowReader row = page->row(0);
      const auto seed = static_cast<std::uint64_t>(row.read_bigint());
      if (!row.ok()) return malformed_row("customers");
      const std::lock_guard lock(customers_mutex_);
      return note_customer(customer, seed);
    }
    BoundCells made;
    made.add_text(customer.text()).add_bigint(static_cast<std::int64_t>(random_u64()));
    made.add_bigint(clock_.wall_ms());
    auto added = ask(session_, *statements_.add_customer, made, customer.text());
    if (!added) return forward(added);
  }
  return fail(ErrorCode::kUnavailable, "a customer that was made known is not there yet");
}

Result<std::uint64_t> CassandraCatalog::seed_of(const CustomerId& customer) {
  auto known = customer_of(customer);
  if (!known) return forward(known);
  return known->seed;
}

std::optional<KnownSeries> CassandraCatalog::find(const LabelsHash& wire_hash) const {
  const std::lock_guard lock(known_mutex_);
  return ids_.find(wire_hash);
}

std::uint32_t CassandraCatalog::number_of(const CustomerId& customer) const {
  const std::lock_guard lock(customers_mutex_);
  const auto at = customers_.find(customer);
  return at == customers_.end() ? 0 : at->second.number;
}

Result<std::vector<std::string>> CassandraCatalog::metrics_of(
    const CustomerId& customer, const std::vector<SeriesId>& ids) const {
  std::vector<std::string> metrics(ids.size());
  std::vector<std::size_t> asked;
  const std::uint32_t number = number_of(customer);
  {
    const std::lock_guard lock(known_mutex_);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (auto known = metrics_.find(number, ids[i])) {
        metrics[i] = *std::move(known);
      } else {
        asked.push_back(i);
      }
    }
  }
  Requests requests(session_, customer.text());
  for (const std::size_t i : asked) {
    BoundCells key;
    key.add_text(customer.text()).add_bigint(static_cast<std::int64_t>(ids[i].value));
    requests.add(*statements_.read_id, key);
  }
  auto pages = requests.wait();
  const std::lock_guard lock(known_mutex_);
  for (std::size_t at = 0; at < pages.size(); ++at) {
    if (!pages[at]) return forward(pages[at]);
    if (pages[at]->rows() == 0) continue;
    RowReader row = pages[at]->row(0);
    (void)row.read_blob();
    metrics[asked[at]] = std::string(row.read_text());
    if (!row.ok()) return malformed_row("series_ids");
    // Series that leave the index leave this memory by its bound: their chunks have expired before.
    metrics_.insert(number, ids[asked[at]], metrics[asked[at]]);
  }
  return metrics;
}

void CassandraCatalog::set_short(bool is_short) {
  const std::size_t memory_max = is_short ? memory_max_ / 2 : memory_max_;
  const std::lock_guard lock(known_mutex_);
  ids_.set_bytes_max(memory_max / 2);
  texts_.set_bytes_max(memory_max / 4);
  metrics_.set_bytes_max(memory_max / 4);
}

std::uint64_t CassandraCatalog::known_series() const {
  const std::lock_guard lock(known_mutex_);
  return ids_.size();
}

std::uint64_t CassandraCatalog::memory_bytes() const {
  const std::lock_guard lock(known_mutex_);
  return ids_.memory_bytes() + texts_.memory_bytes() + metrics_.memory_bytes();
}

}  // namespace vigia::storage::store::cassandra
