#include "services/storage/store/rocksdb/row_check.hpp"

#include <fmt/format.h>
#include <protozero/exception.hpp>

#include "services/storage/store/rocksdb/events/event_row.hpp"
#include "services/storage/store/rocksdb/events/log_block.hpp"
#include "services/storage/store/rocksdb/events/search_key.hpp"
#include "services/storage/store/rocksdb/events/span_block.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kHashKeyBytes = 1 + 16;
constexpr std::size_t kSeriesKeyMin = 1 + 4 + 1 + 8;
constexpr std::size_t kCopyKeyBytes = 1 + 4 + 8;
constexpr char kBlock = 3;  // search_key: of what finds items

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kCorrupt, fmt::format("cold store: a damaged row of {}", what));
}

Result<void> check_labels(std::string_view value, bool is_sound, std::string_view what) {
  if (!is_sound || !index::decode_label_views(value)) return damaged(what);
  return {};
}

Result<void> check_index(std::string_view key, std::string_view value) {
  switch (key.empty() ? '\0' : key.front()) {
    case 'h':
      return key.size() == kHashKeyBytes && value.size() == kNumberBytes
                 ? Result<void>()
                 : damaged("a series' hash");
    case 's':
      return check_labels(value, key.size() >= kSeriesKeyMin, "a series");
    case 'v':  // no days, the last one, both
      return value.empty() || value.size() == 4 || value.size() == kNumberBytes
                 ? Result<void>()
                 : damaged("a label value");
    default:
      return {};
  }
}

Result<void> check_identity(std::string_view key, std::string_view value) {
  if (key.starts_with('l'))
    return check_labels(value, key.size() == kCopyKeyBytes, "a series' copy");
  if (!key.starts_with('o')) return {};
  const auto origin = events::decode_origin(value);
  return origin ? Result<void>() : forward(origin);
}

// Behind day, 0, 0 and customer: which kind of row it is.
Result<void> check_finding(kv::Family family, std::string_view key, std::string_view value) {
  if (!key.starts_with(kBlock)) return {};
  if (family == kv::Family::kLogs) {
    events::log_block::SlotSet slots;
    return events::log_block::read(value, {}, slots);
  }
  constexpr std::size_t kBeforeBucket = 1 + 8;
  const auto bucket = key.size() < kBeforeBucket
                          ? std::nullopt
                          : events::search_key::bucket_in(key.substr(kBeforeBucket));
  if (!bucket) return damaged("the index of spans");
  TraceQuery query;
  query.to_ns = UINT64_MAX;
  std::vector<events::FoundTrace> found;
  return events::read_span_block(*bucket, value, events::SpanBlockFilter(query), found);
}

Result<void> check_item(kv::Family family, std::string_view value) {
  std::string_view item;
  if (events::is_encoded_item(value)) {
    const auto read = events::decode_item(value);
    if (!read) return forward(read);
    item = read->item;
  } else {
    const auto read = events::decode_event(value);
    if (!read) return forward(read);
    item = read->item;
  }
  try {
    if (family == kv::Family::kSpans) {
      (void)events::span_key_parts(item);
    } else {
      (void)events::log_record_time(item);
    }
  } catch (const protozero::exception&) {
    return damaged(family == kv::Family::kSpans ? "a span" : "a log record");
  }
  return {};
}

// Customer 0 once stands before origins, twice before what finds items.
Result<void> check_event(kv::Family family, std::string_view key, std::string_view value) {
  bool ok = true;
  kv::take_key_u32(key, ok);  // the day
  const std::uint32_t customer = kv::take_key_u32(key, ok);
  if (ok && customer != 0) return check_item(family, value);
  const std::uint32_t owner = kv::take_key_u32(key, ok);
  if (ok && owner != 0) {
    const auto origin = events::decode_origin(value);
    return origin ? Result<void>() : forward(origin);
  }
  kv::take_key_u32(key, ok);  // the customer
  if (!ok) return damaged("spans or log records");
  return check_finding(family, key, value);
}

}  // namespace

Result<void> check_index_row(kv::Family family, std::string_view key, std::string_view value) {
  switch (family) {
    case kv::Family::kIndex:
      return check_index(key, value);
    case kv::Family::kIdentity:
      return check_identity(key, value);
    case kv::Family::kSpans:
    case kv::Family::kLogs:
      return check_event(family, key, value);
    default:
      return {};
  }
}

}  // namespace vigia::storage::store::rocksdb
