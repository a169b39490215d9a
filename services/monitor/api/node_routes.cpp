// Nodes: list, register, change, retire.
#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/api/parts.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/nodes.hpp"

namespace vigia::monitor::api {
namespace {

constexpr std::size_t kLabelCharactersMax = 128;
constexpr std::size_t kAddressCharactersMax =
    278;  // https://, the longest host name, a port, brackets

void write_node(const store::Node& node, json::JsonWriter& writer) {
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

ApiResult node_answer(int status, const store::Node& node) {
  json::JsonWriter writer;
  write_node(node, writer);
  return json_answer(status, writer.take());
}

// Only what the body names; address null makes the node one that only pushes.
store::NodeChange read_fields(BodyReader& body) {
  store::NodeChange change;
  change.region = body.optional_text("region", 0, kLabelCharactersMax);
  change.environment = body.optional_text("environment", 0, kLabelCharactersMax);
  const bool has_address = body.has("address");
  const auto address = body.optional_text("address", 3, kAddressCharactersMax);
  if (has_address) change.address = address.value_or("");
  return change;
}

// A name that cannot be resolved now may be later, so only a refused address stops the request.
Result<void> check_address(const store::NodeChange& fields, const ApiParts& parts) {
  if (!fields.address || fields.address->empty()) return {};
  auto checked = access::resolve_checked(
      access::split_health_address(*fields.address).host_and_port, node_addresses(parts.settings));
  if (!checked && checked.error().code == ErrorCode::kInvalid) return forward(checked);
  return {};
}

ApiResult list(const ApiCall& call, const ApiParts& parts) {
  auto nodes = parts.database.read([&](store::Connection& connection) {
    return store::list_nodes(call.customer->id, connection);
  });
  if (!nodes) return refuse(nodes.error());
  json::JsonWriter writer;
  writer.begin_object().key("nodes").begin_array();
  for (const auto& node : *nodes) write_node(node, writer);
  writer.end_array().end_object();
  return json_answer(200, writer.take());
}

ApiResult create(const ApiCall& call, const ApiParts& parts) {
  BodyReader body(call.body);
  auto id = NodeId::parse(body.text("id", 1, kNameCharactersMax));
  if (!id) return invalid("id: " + id.error().message);
  const auto fields = read_fields(body);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  auto checked = check_address(fields, parts);
  if (!checked) return refuse(checked.error());
  const store::Node node{call.customer->id,
                         *id,
                         fields.region.value_or(""),
                         fields.environment.value_or(""),
                         fields.address.value_or(""),
                         false,
                         parts.clock.wall_ms(),
                         0,
                         0};
  auto created = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    // Counted inside the transaction: two at once must not both be the last.
    auto present = store::list_nodes(call.customer->id, connection);
    if (!present) return forward(present);
    if (present->size() >= kNodesPerCustomerMax) {
      return fail(ErrorCode::kOverLimit, "too many nodes of one customer");
    }
    auto registered = store::register_node(node, connection);
    if (!registered || !*registered) return registered;
    auto audited = store::append_audit(
        audit_of(call, parts.clock, "node.create", id->text(), node.address), connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!created) return refuse(created.error());
  if (!*created) return conflict("id: this customer has a node with this id");
  return node_answer(201, node);
}

// The node of the path, if it is watched.
tl::expected<store::Node, Refusal> find(const ApiCall& call, const ApiParts& parts) {
  auto id = NodeId::parse(call.path.at("node_id"));
  if (!id) return not_found();
  auto node = parts.database.read([&](store::Connection& connection) {
    return store::find_node(call.customer->id, *id, connection);
  });
  if (!node) return refuse(node.error());
  if (!*node || (*node)->retired_ms != 0) return not_found();
  return std::move(**node);
}

ApiResult show(const ApiCall& call, const ApiParts& parts) {
  auto node = find(call, parts);
  if (!node) return tl::unexpected<Refusal>(node.error());
  return node_answer(200, *node);
}

ApiResult change(const ApiCall& call, const ApiParts& parts) {
  auto id = NodeId::parse(call.path.at("node_id"));
  if (!id) return not_found();
  BodyReader body(call.body);
  const auto fields = read_fields(body);
  if (auto problem = body.problem(); !problem.empty()) return invalid(problem);
  auto checked = check_address(fields, parts);
  if (!checked) return refuse(checked.error());
  using Changed = std::optional<store::Node>;
  auto changed = parts.database.write([&](store::Connection& connection) -> Result<Changed> {
    auto done = store::change_node(call.customer->id, *id, fields, connection);
    if (!done) return forward(done);
    if (!*done) return std::nullopt;
    auto node = store::find_node(call.customer->id, *id, connection);
    if (!node || !*node) return node;
    auto audited = store::append_audit(
        audit_of(call, parts.clock, "node.change", id->text(), (*node)->address), connection);
    if (!audited) return forward(audited);
    return node;
  });
  if (!changed) return refuse(changed.error());
  if (!*changed) return not_found();
  return node_answer(200, **changed);
}

ApiResult retire(const ApiCall& call, const ApiParts& parts) {
  auto node = find(call, parts);
  if (!node) return tl::unexpected<Refusal>(node.error());
  auto retired = parts.database.write([&](store::Connection& connection) -> Result<bool> {
    auto done = store::retire_node(call.customer->id, node->id, parts.clock.wall_ms(), connection);
    if (!done || !*done) return done;
    auto audited = store::append_audit(audit_of(call, parts.clock, "node.retire", node->id.text()),
                                       connection);
    if (!audited) return forward(audited);
    return true;
  });
  if (!retired) return refuse(retired.error());
  if (!*retired) return not_found();
  return no_content();
}

}  // namespace

void add_node_routes(ApiTable& table, ApiParts parts) {
  const auto add = [&](std::string method, std::string path, Access access, auto function) {
    table.add(std::move(method), std::move(path), access,
              [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  add("GET", "/customers/{customer_id}/nodes", Access::kCustomer, list);
  add("POST", "/customers/{customer_id}/nodes", Access::kCustomerProtected, create);
  add("GET", "/customers/{customer_id}/nodes/{node_id}", Access::kCustomer, show);
  add("PATCH", "/customers/{customer_id}/nodes/{node_id}", Access::kCustomerProtected, change);
  add("DELETE", "/customers/{customer_id}/nodes/{node_id}", Access::kCustomerProtected, retire);
}

}  // namespace vigia::monitor::api
