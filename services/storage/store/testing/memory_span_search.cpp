// MemoryColdStore: finding spans without their trace's id.
#include <algorithm>
#include <map>

#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/store/span_tags.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store {
namespace {

std::string id_of(std::string_view span) {
  std::string id;
  wire::otlp::FieldReader reader(span);
  while (reader.next()) {
    if (reader.tag_and_type() == wire::otlp::SpanField::kTraceId.tag) {
      id = reader.bytes();
    } else {
      reader.skip();
    }
  }
  return id;
}

std::uint32_t day_of_ns(TimestampNs time_ns) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  return day_of(static_cast<TimestampMs>(time_ns / kNsPerMs));
}

bool is_on_days(TimestampNs time_ns, TimestampNs from_ns, TimestampNs to_ns) {
  return day_of_ns(from_ns) <= day_of_ns(time_ns) && day_of_ns(time_ns) <= day_of_ns(to_ns);
}

}  // namespace

Result<TraceEnd> MemoryColdStore::MemoryEvents::find_traces(const CustomerId& customer,
                                                            const TraceQuery& query,
                                                            const TraceVisit& visit,
                                                            const WorkLimit& limit) {
  if (query.service.empty()) return fail(ErrorCode::kInvalid, "a search names a service");
  std::map<std::string, TimestampNs> latest;  // by trace
  for (const Item& item : items_of(customer, Signal::kTraces)) {
    if (limit.is_over()) return TraceEnd{false, std::nullopt};
    if (item.time_ns < query.from_ns || item.time_ns > query.to_ns) continue;
    if (!has_all(query, {item.resource, "", item.scope, "", item.bytes})) continue;
    TimestampNs& of_trace = latest[id_of(item.bytes)];
    of_trace = std::max(of_trace, item.time_ns);
  }
  std::vector<TracePlace> places;
  for (const auto& [id, time_ns] : latest) places.push_back({time_ns, id});
  std::sort(places.begin(), places.end(),
            [](const TracePlace& left, const TracePlace& right) { return left.is_before(right); });
  std::size_t left = query.traces_max;
  for (const TracePlace& place : places) {
    if (query.after && !query.after->is_before(place)) continue;
    if (left-- == 0 || !visit(place)) break;
  }
  return TraceEnd{};
}

Result<TextPage> MemoryColdStore::MemoryEvents::services(const CustomerId& customer,
                                                         const ServiceQuery& query,
                                                         const WorkLimit& limit) {
  std::set<std::string> names;
  for (const Item& item : items_of(customer, Signal::kTraces)) {
    if (auto over = limit.check(); !over) return forward(over);
    const std::string service(service_of(item.resource));
    if (service.size() > kListedNameMax || service <= query.after) continue;
    if (is_on_days(item.time_ns, query.from_ns, query.to_ns)) names.insert(service);
  }
  TextPage page{{names.begin(), names.end()}, names.size() <= query.services_max};
  if (!page.is_last) page.texts.resize(query.services_max);
  return page;
}

Result<OperationPage> MemoryColdStore::MemoryEvents::operations(const CustomerId& customer,
                                                                std::string_view service,
                                                                const OperationQuery& query,
                                                                const WorkLimit& limit) {
  std::set<Operation> operations;
  for (const Item& item : items_of(customer, Signal::kTraces)) {
    if (auto over = limit.check(); !over) return forward(over);
    if (service_of(item.resource) != service) continue;
    const SpanOutline outline = outline_of(item.bytes);
    const Operation operation{std::string(outline.name), outline.kind};
    if (operation.name.size() > kListedNameMax) continue;
    if (query.after && operation <= *query.after) continue;
    if (is_on_days(item.time_ns, query.from_ns, query.to_ns)) operations.insert(operation);
  }
  OperationPage page{{operations.begin(), operations.end()},
                     operations.size() <= query.operations_max};
  if (!page.is_last) page.operations.resize(query.operations_max);
  return page;
}

}  // namespace vigia::storage::store
