#include "services/monitor/nodes/nodes.hpp"

#include "libs/base/characters.hpp"
#include "services/monitor/nodes/limits.hpp"
#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::nodes {
namespace {

// A node that registers itself brings region and environment by its data, where anything may stand;
// PostgreSQL takes no NUL, and one such row would cost all that are written with it.
std::string label_text(const std::string& text) { return one_line(text, kLiveLabelCharactersMax); }

constexpr std::string_view kSelect =
    "SELECT customer_id, id, region, environment, address, is_automatic, created_ms, retired_ms, "
    "last_seen_ms FROM nodes ";

Result<NodeRow> read_node(const store::Row& row) {
  auto customer = CustomerId::parse(row.text(0));
  if (!customer) return forward(customer);
  auto id = NodeId::parse(row.text(1));
  if (!id) return forward(id);
  return NodeRow{*customer,
                 *id,
                 label_text(row.text(2)),
                 label_text(row.text(3)),
                 row.text(4),
                 row.boolean(5),
                 row.integer(6),
                 row.integer(7),
                 row.integer(8)};
}

Result<std::vector<NodeRow>> select_nodes(const std::string& where,
                                          const std::vector<store::Value>& values,
                                          store::DatabaseConnection& connection) {
  auto rows = connection.query(std::string(kSelect) + where, values);
  if (!rows) return forward(rows);
  return store::read_each("nodes", *rows, connection, read_node);
}

}  // namespace

Result<std::vector<NodeRow>> list_all_nodes(store::DatabaseConnection& connection) {
  return select_nodes("WHERE retired_ms = 0 ORDER BY customer_id, id", {}, connection);
}

Result<std::vector<NodeRow>> list_nodes(const CustomerId& customer,
                                        store::DatabaseConnection& connection) {
  return select_nodes("WHERE customer_id = :c AND retired_ms = 0 ORDER BY id", {customer.text()},
                      connection);
}

Result<std::optional<NodeRow>> find_node(const CustomerId& customer, const NodeId& id,
                                         store::DatabaseConnection& connection) {
  auto nodes =
      select_nodes("WHERE customer_id = :c AND id = :i", {customer.text(), id.text()}, connection);
  if (!nodes) return forward(nodes);
  if (nodes->empty()) return std::nullopt;
  return std::optional(std::move(nodes->front()));
}

Result<bool> register_node(const NodeRow& node, store::DatabaseConnection& connection) {
  auto existing = find_node(node.customer, node.id, connection);
  if (!existing) return forward(existing);
  if (*existing && (*existing)->retired_ms == 0) return false;
  const std::vector<store::Value> values = {label_text(node.region),
                                            label_text(node.environment),
                                            node.address,
                                            std::int64_t{node.is_automatic},
                                            node.created_ms,
                                            node.last_seen_ms,
                                            node.customer.text(),
                                            node.id.text()};
  auto done = connection.execute(
      *existing
          ? "UPDATE nodes SET region = :a, environment = :b, address = :c, is_automatic = :d, "
            "created_ms = :e, last_seen_ms = :f, retired_ms = 0 WHERE customer_id = :g AND id = :h"
          : "INSERT INTO nodes (region, environment, address, is_automatic, created_ms, "
            "last_seen_ms, customer_id, id, retired_ms) "
            "VALUES (:a, :b, :c, :d, :e, :f, :g, :h, 0)",
      values);
  if (!done) return forward(done);
  return true;
}

Result<bool> change_node(const CustomerId& customer, const NodeId& id, const NodeChange& change,
                         store::DatabaseConnection& connection) {
  auto done = connection.execute(
      "UPDATE nodes SET region = COALESCE(:a, region), environment = COALESCE(:b, environment), "
      "address = COALESCE(:c, address) WHERE customer_id = :d AND id = :e AND retired_ms = 0",
      {store::value_or_null(change.region), store::value_or_null(change.environment),
       store::value_or_null(change.address), customer.text(), id.text()});
  if (!done) return forward(done);
  return *done > 0;
}

Result<bool> retire_node(const CustomerId& customer, const NodeId& id, std::int64_t now_ms,
                         store::DatabaseConnection& connection) {
  auto done = connection.execute(
      "UPDATE nodes SET retired_ms = :a WHERE customer_id = :b AND id = :c AND retired_ms = 0",
      {now_ms, customer.text(), id.text()});
  if (!done) return forward(done);
  return *done > 0;
}

Result<void> note_seen(const CustomerId& customer, const NodeId& id, std::int64_t seen_ms,
                       store::DatabaseConnection& connection) {
  auto done = connection.execute(
      "UPDATE nodes SET last_seen_ms = :a WHERE customer_id = :b AND id = :c "
      "AND last_seen_ms < :a2",
      {seen_ms, customer.text(), id.text(), seen_ms});
  if (!done) return forward(done);
  return {};
}

}  // namespace vigia::monitor::nodes
