#include "services/storage/store/rocksdb/row_owner.hpp"

#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr customers::CustomerNumber kNobody{0};

std::optional<RowOwner> with_customer(std::string_view kind, std::string_view key) {
  bool ok = true;
  const customers::CustomerNumber customer{kv::take_key_u32(key, ok)};
  if (!ok) return std::nullopt;
  return RowOwner{kind, customer, std::nullopt};
}

std::optional<RowOwner> owner_in_index(std::string_view key) {
  if (key.starts_with("m/")) return RowOwner{"of the store", kNobody, std::nullopt};
  if (key.starts_with("c/")) return RowOwner{"customers", kNobody, std::nullopt};
  switch (key.empty() ? '\0' : key.front()) {
    case 'h':
      return RowOwner{"hashes", kNobody, std::nullopt};
    case 's':
      return with_customer("series", key.substr(1));
    case 'v':
      return with_customer("label values", key.substr(1));
    default:
      return std::nullopt;
  }
}

std::optional<RowOwner> owner_of_chunk(std::string_view kind, std::string_view key) {
  bool ok = true;
  const std::uint32_t day = kv::take_key_u32(key, ok);
  const customers::CustomerNumber customer{kv::take_key_u32(key, ok)};
  if (!ok) return std::nullopt;
  return RowOwner{kind, customer, day};
}

// Customer 0 once stands before origins, twice before what finds spans and log records.
std::optional<RowOwner> owner_of_item(std::string_view kind, std::string_view key) {
  bool ok = true;
  const std::uint32_t day = kv::take_key_u32(key, ok);
  customers::CustomerNumber customer{kv::take_key_u32(key, ok)};
  if (ok && customer.value == 0) {
    const std::string_view items = kind;
    kind = "resources and scopes";
    customer.value = kv::take_key_u32(key, ok);
    if (ok && customer.value == 0) {
      kind = items == "spans" ? "index of spans" : "index of log records";
      customer.value = kv::take_key_u32(key, ok);
    }
  }
  if (!ok) return std::nullopt;
  return RowOwner{kind, customer, day};
}

std::optional<RowOwner> owner_in_identity(std::string_view key) {
  constexpr std::size_t kBeforeOrigin = 2;  // 'o' and the number of the origin's family
  if (key.starts_with("m/") || key.starts_with("c/") || key == "probe") {
    return RowOwner{"of the store", kNobody, std::nullopt};
  }
  if (key.starts_with('l')) return with_customer("copies of labels", key.substr(1));
  if (!key.starts_with('o') || key.size() < kBeforeOrigin) return std::nullopt;
  auto owner = owner_of_item("", key.substr(kBeforeOrigin));
  if (owner.has_value()) owner->kind = "copies of resources and scopes";
  return owner;
}

}  // namespace

std::optional<RowOwner> owner_of(kv::Family family, std::string_view key) {
  switch (family) {
    case kv::Family::kIndex:
      return owner_in_index(key);
    case kv::Family::kChunks:
      return owner_of_chunk("chunks", key);
    case kv::Family::kSpans:
      return owner_of_item("spans", key);
    case kv::Family::kLogs:
      return owner_of_item("log records", key);
    case kv::Family::kIdentity:
      return owner_in_identity(key);
    case kv::Family::kRollup5m:
      return owner_of_chunk("roll-ups of 5 minutes", key);
    case kv::Family::kRollup1h:
      return owner_of_chunk("roll-ups of an hour", key);
    case kv::Family::kRollup1d:
      return owner_of_chunk("roll-ups of a day", key);
    case kv::Family::kExemplars:
      return owner_of_chunk("exemplars", key);
    case kv::Family::kDue:
      return with_customer("days due", key);
    case kv::Family::kMetadata:
      return with_customer("metadata of metrics", key);
  }
  return std::nullopt;
}

}  // namespace vigia::storage::store::rocksdb
