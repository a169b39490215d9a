#include "services/storage/store/cassandra/rows_together.hpp"

namespace vigia::storage::store::cassandra {

std::string rows_together(std::string_view cql, std::size_t count) {
  if (count == 1) return std::string(cql);
  std::string all = "BEGIN UNLOGGED BATCH ";
  for (std::size_t i = 0; i < count; ++i) all.append(cql).append("; ");
  return all + "APPLY BATCH";
}

}  // namespace vigia::storage::store::cassandra
