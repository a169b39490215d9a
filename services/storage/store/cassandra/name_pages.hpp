// Lists of a customer's services and their operations on Cassandra, over days.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::store::cassandra {

/// Thread contract: one thread.
class NamePages {
 public:
  /// All must outlive it.
  NamePages(vigia::cassandra::Session& session, const EventStatements& statements,
            EventPlaces& places, const CustomerId& customer, const WorkLimit& limit)
      : session_(session),
        statements_(statements),
        places_(places),
        customer_(customer),
        limit_(limit) {}
  /// Of the service, "" for the services themselves: the first ones behind `after`, so many at most
  /// and a bounded number of bytes; the limit's error once it is over.
  Result<OperationPage> list(const std::vector<std::uint32_t>& days, const std::string& service,
                             const std::optional<Operation>& after, std::size_t names_max);

 private:
  /// The first ones of all days that make a page.
  struct First {
    std::size_t names_max;
    std::set<Operation> names = {};
    std::size_t bytes = 0;
    std::optional<Operation> next = std::nullopt;  // the first one of the next page
    /// False where this one and all behind it belong to the next page.
    bool add(Operation name);
  };
  Result<void> add_part(std::uint32_t day, const std::string& service, Shard shard,
                        const std::optional<Operation>& after, First& first);

  vigia::cassandra::Session& session_;
  const EventStatements& statements_;
  EventPlaces& places_;
  const CustomerId& customer_;
  const WorkLimit& limit_;
};

}  // namespace vigia::storage::store::cassandra
