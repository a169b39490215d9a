#include "services/monitor/nodes/node_routes.hpp"

#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/call_audit.hpp"
#include "services/monitor/api/limits.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/nodes/limits.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/store/audit.hpp"

namespace vigia::monitor::nodes {
namespace {

constexpr std::size_t kLabelCharactersMax = 128;
constexpr std::size_t kAddressCharactersMax =
    278;  // https://, the longest host name, a port, brackets

void write_node(const NodeRow& node, json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", node.id.text())
      .member("region", node.region)
      .member("environment", node.environment)
      .member("reach", node.is_scraped() ? "scrape" : "push")
      .member_or_null("address", node.is_scraped() ? std::optional(node.address) : std::nullopt)
      .member_bool("is_automatic", node.is_automatic)
      .member_time("created_at", node.created_ms)
      .end_object();
}

api::ApiResult node_answer(int status, const NodeRow& node) {
  json::JsonWriter writer;
  write_node(node, writer);
  return api::json_answer(status, writer.take());
}

// Only what the body names; address null makes the node one that only pushes.
NodeChange read_fields(api::BodyReader& body) {
  NodeChange change;
  change.region = body.optional_text("region", 0, kLabelCharactersMax);
  change.environment = body.optional_text("environment", 0, kLabelCharactersMax);
  const bool has_address = body.has("address");
  const auto address = body.optional_text("address", 3, kAddressCharactersMax);
  if (has_address) change.address = address.value_or("");
  return change;
}

// A name that cannot be resolved now may be later, so only a refused address stops the request.
Result<void> check_address(const NodeChange& fields, const NodeParts& parts) {
  if (!fields.address || fields.address->empty()) return {};
  auto checked = access::resolve_checked(
      access::split_health_address(*fields.address).host_and_port, parts.addresses);
  if (!checked && checked.error().code == ErrorCode::kInvalid) return forward(checked);
  return {};
}

api::ApiResult list(const api::ApiCall& call, const NodeParts& parts) {
  auto nodes = parts.database.read([&](store::DatabaseConnection& connection) {
    return list_nodes(*call.customer, connection);
  });
  if (!nodes) return api::refuse(nodes.error());
  json::JsonWriter writer;
  writer.begin_object().key("nodes").begin_array();
  for (const auto& node : *nodes) write_node(node, writer);
  writer.end_array().end_object();
  return api::json_answer(200, writer.take());
}

api::ApiResult create(const api::ApiCall& call, const NodeParts& parts) {
  api::BodyReader body(call.body);
  auto id = NodeId::parse(body.text("id", 1, api::kNameCharactersMax));
  const auto fields = read_fields(body);
  if (!id) body.note("id", id.error().message);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  auto checked = check_address(fields, parts);
  if (!checked) return api::refuse(checked.error());
  const NodeRow node{*call.customer,
                     *id,
                     fields.region.value_or(""),
                     fields.environment.value_or(""),
                     fields.address.value_or(""),
                     false,
                     parts.clock.wall_ms(),
                     0,
                     0};
  auto created = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    // Counted inside the transaction: two at once must not both be the last.
    auto present = list_nodes(*call.customer, connection);
    if (!present) return forward(present);
    if (present->size() >= kNodesPerCustomerMax) {
      return fail(ErrorCode::kOverLimit, "too many nodes of one customer");
    }
    auto registered = register_node(node, connection);
    if (!registered || !*registered) return registered;
    auto audited = store::append_audit(
        api::audit_of(call, parts.clock, "node.create", id->text(), node.address), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return api::refuse(created.error());
  if (!*created) return api::conflict("id: this customer has a node with this id");
  return node_answer(201, node);
}

// The node of the path, if it is watched.
tl::expected<NodeRow, api::Refusal> find(const api::ApiCall& call, const NodeParts& parts) {
  auto id = NodeId::parse(call.path.at("node_id"));
  if (!id) return api::not_found();
  auto node = parts.database.read([&](store::DatabaseConnection& connection) {
    return find_node(*call.customer, *id, connection);
  });
  if (!node) return api::refuse(node.error());
  if (!*node || (*node)->retired_ms != 0) return api::not_found();
  return std::move(**node);
}

api::ApiResult show(const api::ApiCall& call, const NodeParts& parts) {
  auto node = find(call, parts);
  if (!node) return tl::unexpected<api::Refusal>(node.error());
  return node_answer(200, *node);
}

api::ApiResult change(const api::ApiCall& call, const NodeParts& parts) {
  auto id = NodeId::parse(call.path.at("node_id"));
  if (!id) return api::not_found();
  api::BodyReader body(call.body);
  const auto fields = read_fields(body);
  if (auto problem = body.problem(); !problem.empty()) return api::invalid(problem);
  auto checked = check_address(fields, parts);
  if (!checked) return api::refuse(checked.error());
  using Changed = std::optional<NodeRow>;
  auto changed =
      parts.database.write([&](store::DatabaseConnection& connection) -> Result<Changed> {
        auto done = change_node(*call.customer, *id, fields, connection);
        if (!done) return forward(done);
        if (!*done) return std::nullopt;
        auto node = find_node(*call.customer, *id, connection);
        if (!node || !*node) return node;
        auto audited = store::append_audit(
            api::audit_of(call, parts.clock, "node.change", id->text(), (*node)->address),
            connection);
        if (!audited) return forward(audited);
        return node;
      });
  if (!changed) return api::refuse(changed.error());
  if (!*changed) return api::not_found();
  return node_answer(200, **changed);
}

api::ApiResult retire(const api::ApiCall& call, const NodeParts& parts) {
  auto node = find(call, parts);
  if (!node) return tl::unexpected<api::Refusal>(node.error());
  auto retired = parts.database.write([&](store::DatabaseConnection& connection) -> Result<bool> {
    auto done = retire_node(*call.customer, node->id, parts.clock.wall_ms(), connection);
    if (!done || !*done) return done;
    auto audited = store::append_audit(
        api::audit_of(call, parts.clock, "node.retire", node->id.text()), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!retired) return api::refuse(retired.error());
  if (!*retired) return api::not_found();
  return api::no_content();
}

}  // namespace

void add_node_routes(api::ApiTable& table, NodeParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add("GET", "/customers/{customer_id}/nodes", api::Access::kCustomer, list);
  routes.add("POST", "/customers/{customer_id}/nodes", api::Access::kCustomerProtected, create);
  routes.add("GET", "/customers/{customer_id}/nodes/{node_id}", api::Access::kCustomer, show);
  routes.add("PATCH", "/customers/{customer_id}/nodes/{node_id}", api::Access::kCustomerProtected,
             change);
  routes.add("DELETE", "/customers/{customer_id}/nodes/{node_id}", api::Access::kCustomerProtected,
             retire);
}

}  // namespace vigia::monitor::nodes
