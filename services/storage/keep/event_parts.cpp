#include "services/storage/keep/event_parts.hpp"

#include <utility>

#include "libs/base/bytes.hpp"

namespace vigia::storage::keep {
namespace {

// Fields with a length, of Export…ServiceRequest, Resource… and Scope….
constexpr char kFirst = 0x0a;      // its resources; the resource; the scope
constexpr char kSecond = 0x12;     // scopes of a resource; items of a scope
constexpr char kSchemaUrl = 0x1a;  // of either

void append_field(std::string& out, char tag, std::string_view bytes) {
  out.push_back(tag);
  append_sized(out, bytes);
}

std::string beginning_of(std::string_view message, std::string_view schema_url) {
  std::string text;
  append_field(text, kFirst, message);
  if (!schema_url.empty()) append_field(text, kSchemaUrl, schema_url);
  return text;
}

}  // namespace

void EventParts::add(const store::EventView& event) {
  const bool is_same_resource = resource_.is(event.resource, event.resource_schema_url);
  if (!is_same_resource || !scope_.is(event.scope, event.scope_schema_url)) end_scope();
  if (!is_same_resource) end_resource();
  if (items_ == 0 || !is_same_resource) {
    resource_ = {std::string(event.resource), std::string(event.resource_schema_url)};
  }
  scope_ = {std::string(event.scope), std::string(event.scope_schema_url)};
  append_field(events_, kSecond, event.item);
  ++items_;
}

void EventParts::end_scope() {
  if (events_.empty()) return;
  append_field(scopes_, kSecond, beginning_of(scope_.message, scope_.schema_url) + events_);
  events_.clear();
}

void EventParts::end_resource() {
  if (scopes_.empty()) return;
  append_field(body_, kFirst, beginning_of(resource_.message, resource_.schema_url) + scopes_);
  scopes_.clear();
}

std::string EventParts::take() {
  end_scope();
  end_resource();
  items_ = 0;
  return std::exchange(body_, {});
}

}  // namespace vigia::storage::keep
