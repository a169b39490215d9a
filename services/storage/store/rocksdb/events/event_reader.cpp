#include "services/storage/store/rocksdb/events/event_reader.hpp"

#include "services/storage/store/rocksdb/events/event_key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

constexpr std::size_t kKeptBytesMax = 4U << 20U;

}  // namespace

Result<EventView> EventReader::read(std::string_view row) {
  if (!is_encoded_item(row)) return decode_event(row);
  const auto item = decode_item(row);
  if (!item) return forward(item);
  return read(*item);
}

Result<EventView> EventReader::read(const StoredItem& item) {
  if (bytes_ > kKeptBytesMax) {  // never between the two that an item needs
    origins_.clear();
    bytes_ = 0;
  }
  const auto resource = origin({item.origin_day, item.resource});
  if (!resource) return forward(resource);
  const auto scope = origin({item.origin_day, item.scope});
  if (!scope) return forward(scope);
  return EventView{resource->message, resource->schema_url, scope->message, scope->schema_url,
                   item.item};
}

Result<OriginView> EventReader::origin(const OriginKey& of) {
  // Views into the map's own strings, which it never moves.
  if (const auto at = origins_.find(of); at != origins_.end()) return decode_origin(at->second);
  const std::string key = event_key::origin(of.day, customer_, of.hash);
  auto encoded = store_.get(family_, key);
  if (!encoded) return forward(encoded);
  if (!encoded->has_value()) {
    // A resource is read by thousands of items; it lies twice, since one damaged block must not
    // cost all of them.
    encoded = store_.get(kv::Family::kIdentity, event_key::origin_copy(family_, key));
    if (!encoded) return forward(encoded);
  }
  if (!encoded->has_value()) {
    return fail(ErrorCode::kCorrupt,
                "cold store: the resource or scope of a span or log record is not there");
  }
  bytes_ += sizeof(OriginKey) + (*encoded)->size();
  return decode_origin(origins_.emplace(of, std::move(**encoded)).first->second);
}

}  // namespace vigia::storage::store::rocksdb::events
