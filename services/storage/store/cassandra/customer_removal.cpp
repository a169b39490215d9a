#include "services/storage/store/cassandra/customer_removal.hpp"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "services/storage/store/cassandra/customer_tables.hpp"
#include "services/storage/store/cassandra/instance_lease.hpp"
#include "services/storage/store/cassandra/instance_signs.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using instance::RemovalProgress;
using instance::RowsByTable;
using instance::SharedProof;
using vigia::cassandra::BoundCells;
using vigia::cassandra::Consistency;
using vigia::cassandra::Session;

constexpr std::size_t kTogether = 256;  // deletions under way, so that memory goes by this
constexpr std::string_view kOpenSlots = "head_slots";
constexpr auto kNumbers = static_cast<std::int64_t>(InstanceLease::kNumbers);

std::int64_t number_in(std::string_view bytes) {
  const vigia::cassandra::RawCell cell{reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                       static_cast<std::int32_t>(bytes.size())};
  return vigia::cassandra::RowReader(std::span(&cell, 1)).read_bigint();
}

/// Deletes what a walk finds in one table.
class TableDeletion {
 public:
  TableDeletion(Session& session, const CustomerTable& table, const std::string& owner)
      : session_(session), table_(table), requests_(session, owner) {}

  Result<void> prepare(const std::string& keyspace) {
    row_ = statement(keyspace, "");
    if (!table_.first_day.empty()) first_ = statement(keyspace, table_.first_day);
    return outcome_;
  }
  Result<void> add(const CustomerKey& key) {
    const bool is_timed = !table_.timed_by.empty();
    if (!is_timed || key.time) send(*row_, is_timed ? key.time : std::nullopt, key);
    if (key.first_time) send(*first_, key.first_time, key);
    if (++rows_ % kTogether != 0) return {};
    return requests_.wait_for_all();
  }
  Result<std::uint64_t> end() {
    if (auto done = requests_.wait_for_all(); !done) return forward(done);
    return rows_;
  }

 private:
  /// Of `column` alone; "": of the row, or the partition.
  Statement statement(const std::string& keyspace, const std::string& column) {
    if (!outcome_) return nullptr;
    vigia::cassandra::StatementSpec spec;
    spec.cql = fmt::format("DELETE {} FROM {}.{} {} WHERE {} = ?", column, keyspace, table_.name,
                           table_.timed_by.empty() ? "" : "USING TIMESTAMP ?",
                           fmt::join(table_.key, " = ? AND "));
    spec.consistency = Consistency::kAll;
    spec.is_idempotent = true;
    auto prepared = session_.prepare(spec);
    if (prepared) return *std::move(prepared);
    outcome_ = tl::unexpected<Error>(with_context(spec.cql, prepared.error()));
    return nullptr;
  }
  void send(const vigia::cassandra::PreparedStatement& statement, std::optional<std::int64_t> time,
            const CustomerKey& key) {
    BoundCells cells;
    if (time) cells.add_bigint(*time);
    for (const std::string_view column : key.columns) cells.add_blob(column);
    requests_.add(statement, cells);
  }

  Session& session_;
  const CustomerTable& table_;
  Statement row_;
  Statement first_;
  Result<void> outcome_;
  std::uint64_t rows_ = 0;
  Requests requests_;  // ends first: it waits for what is under way
};

class KeyspaceRemoval final : public instance::SharedRemoval {
 public:
  KeyspaceRemoval(std::unique_ptr<Session> owned, Session& session,
                  const CassandraSettings& settings, CustomerId customer)
      : owned_(std::move(owned)),
        session_(session),
        keyspace_(settings.schema.keyspace),
        lease_(settings.lease),
        customer_(std::move(customer)),
        signs_(session_) {}

  Result<void> prepare() {
    if (auto listed = list_tables(); !listed) return listed;
    Preparation preparation(session_, keyspace_);
    return signs_.prepare(preparation);
  }

  Result<void> expect_alone(const RemovalProgress& progress) override {
    return signs_.expect_none(lease_, [&](Duration left) {
      progress(fmt::format("looking for {} s whether an instance lives",
                           std::chrono::ceil<std::chrono::seconds>(left).count()));
    });
  }

  Result<RowsByTable> count(const RemovalProgress& progress) override {
    RowsByTable found;
    for (const CustomerTable& table : tables_) {
      progress("counting " + table.name);
      auto seen = KeyWalk(session_, keyspace_, table, Consistency::kQuorum)
                      .run(customer_,
                           [&](const CustomerKey&) { return ++found[table.name], Result<void>(); });
      if (!seen) return forward(seen);
    }
    return found;
  }

  Result<std::vector<std::string>> others_open(std::uint64_t identity) override {
    const auto own = static_cast<std::int64_t>(InstanceLease::first_number(identity));
    // Once more: who has emptied the log meanwhile may have found an older schema.
    if (auto listed = list_tables(); !listed) return forward(listed);
    for (const CustomerTable& table : tables_) {
      if (table.name != kOpenSlots) continue;
      auto seen = KeyWalk(session_, keyspace_, table, Consistency::kAll)
                      .run(customer_, [&](const CustomerKey& key) -> Result<void> {
                        const std::int64_t number = number_in(key.columns[1]);
                        if (number < own || number >= own + kNumbers) open_.insert(number);
                        return {};
                      });
      if (!seen) return forward(seen);
    }
    std::vector<std::string> others;
    for (const std::int64_t number : open_) others.push_back(log_of(number));
    return others;
  }

  Result<RowsByTable> remove(const RemovalProgress& progress) override {
    RowsByTable gone;
    for (const CustomerTable& table : tables_) {
      progress("forgetting what is in " + table.name);
      TableDeletion deletion(session_, table, customer_.text());
      if (auto prepared = deletion.prepare(keyspace_); !prepared) return forward(prepared);
      auto seen = KeyWalk(session_, keyspace_, table, Consistency::kAll)
                      .run(customer_, [&](const CustomerKey& key) { return deletion.add(key); });
      if (!seen) return forward(seen);
      auto rows = deletion.end();
      if (!rows) return forward(rows);
      if (*rows > 0) gone[table.name] = *rows;
    }
    return gone;
  }

  Result<SharedProof> prove(const RemovalProgress& progress) override {
    SharedProof proof;
    for (const CustomerTable& table : tables_) {
      progress("reading " + table.name);
      std::uint64_t own = 0;
      auto seen = KeyWalk(session_, keyspace_, table, Consistency::kAll)
                      .run(customer_, [&](const CustomerKey&) { return ++own, Result<void>(); });
      if (!seen) return forward(seen);
      ++proof.tables;
      proof.rows += *seen - own;
      if (own == 0) continue;
      proof.left.push_back(
          fmt::format("{}: {} {}", table.name, own, table.is_by_row ? "rows" : "partitions"));
    }
    if (auto named = name_instances(proof); !named) return forward(named);
    return proof;
  }

 private:
  Result<void> list_tables() {
    auto tables = customer_tables(session_, keyspace_);
    if (!tables) return forward(tables);
    tables_ = *std::move(tables);
    return {};
  }
  static std::string log_of(std::int64_t number) {
    return fmt::format(
        "the write-ahead log of the instance of number {}, which had something of it open: run "
        "this with that instance's configuration, too, before it starts; where its disk is lost, "
        "nothing is to be done",
        number);
  }
  Result<void> name_instances(SharedProof& proof) {
    for (const std::int64_t number : open_) proof.left.push_back(log_of(number));
    const auto signs = signs_.since();
    if (!signs) return forward(signs);
    for (const std::int64_t number : *signs) {
      proof.left.push_back(fmt::format(
          "the instance of number {}: it was started meanwhile; stop it, and run this again",
          number));
    }
    return {};
  }

  const std::unique_ptr<Session> owned_;
  Session& session_;
  const std::string keyspace_;
  const Duration lease_;
  const CustomerId customer_;
  InstanceSigns signs_;
  std::vector<CustomerTable> tables_;
  std::set<std::int64_t> open_;  // instances of others that had something of the customer open
};

Result<std::unique_ptr<instance::SharedRemoval>> made(std::unique_ptr<Session> owned,
                                                      Session& session,
                                                      const CassandraSettings& settings,
                                                      const CustomerId& customer) {
  auto removal = std::make_unique<KeyspaceRemoval>(std::move(owned), session, settings, customer);
  if (auto prepared = removal->prepare(); !prepared) return forward(prepared);
  return removal;
}

}  // namespace

Result<std::unique_ptr<instance::SharedRemoval>> open_removal(const CassandraSettings& settings,
                                                              const CustomerId& customer) {
  auto driver = vigia::cassandra::connect(settings.connection);
  if (!driver) return forward(driver);
  auto session = std::make_unique<Session>(*std::move(driver), vigia::cassandra::SessionLimits{});
  Session& held = *session;
  return made(std::move(session), held, settings, customer);
}

Result<std::unique_ptr<instance::SharedRemoval>> removal_in(Session& session,
                                                            const CassandraSettings& settings,
                                                            const CustomerId& customer) {
  return made(nullptr, session, settings, customer);
}

}  // namespace vigia::storage::store::cassandra
