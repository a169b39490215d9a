// Which tables of a keyspace hold rows of customers, as the keyspace itself says, and a walk over
// all that a table has, whoever's it is: so that nothing is missed that no index names any more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// A table with customer_id in its primary key.
struct CustomerTable {
  std::string name;
  /// By which columns its rows are deleted: those of the partition, or where is_by_row all of the
  /// key.
  std::vector<std::string> key;
  std::size_t customer = 0;  ///< where among them customer_id stands
  bool is_by_row = false;
  std::vector<std::string> columns;  ///< all of them
  /// Of rows that are written with a time of their own, which no deletion may be later than: a
  /// column that has the row's, and one that has another; "" where there is none.
  std::string timed_by;
  std::string first_day;
};

/// All of the keyspace, by name. kNotFound where it has none. Thread contract: one thread.
Result<std::vector<CustomerTable>> customer_tables(vigia::cassandra::Session& session,
                                                   const std::string& keyspace);

/// Pages of a statement, each asked for some times where it does not come: a node looks through
/// everybody's keys for one, and may be slow. Errors as requests', with `what` before them.
Result<vigia::cassandra::Page> patient_page(vigia::cassandra::Session& session,
                                            const vigia::cassandra::PreparedStatement& statement,
                                            const std::string& state, const std::string& what);

/// What of a customer lies in a table: a partition of it, or a row.
struct CustomerKey {
  std::vector<std::string_view> columns;  ///< the bytes of CustomerTable::key
  std::optional<std::int64_t> time;       ///< of timed_by
  std::optional<std::int64_t> first_time;
};

/// Thread contract: one thread.
class KeyWalk {
 public:
  using Consistency = vigia::cassandra::Consistency;
  /// All must outlive it. Consistency: how many replicas have to answer.
  KeyWalk(vigia::cassandra::Session& session, const std::string& keyspace,
          const CustomerTable& table, Consistency consistency)
      : session_(session), keyspace_(keyspace), table_(table), consistency_(consistency) {}

  /// A key ends with the call; an error ends the walk.
  using Visit = std::function<Result<void>(const CustomerKey& key)>;
  /// Told of each of the customer's (nothing: of everybody's), in the cluster's order; gives how
  /// many there are of all customers. A page that does not come is asked for some times more.
  /// Errors as requests'.
  Result<std::uint64_t> run(const std::optional<CustomerId>& customer, const Visit& visit);

 private:
  std::string select() const;

  vigia::cassandra::Session& session_;
  const std::string& keyspace_;
  const CustomerTable& table_;
  const Consistency consistency_;
};

}  // namespace vigia::storage::store::cassandra
