#include "services/storage/store/cassandra/event_items.hpp"

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/items.hpp"
#include "services/storage/store/event_customer.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr TimestampNs kNsPerMs = 1'000'000;

}  // namespace

std::uint32_t day_of_ns(TimestampNs time_ns) {
  return day_of(static_cast<TimestampMs>(time_ns / kNsPerMs));
}

std::string encode_origin(const Origin& origin) {
  std::string row;
  append_sized(row, origin.schema_url);
  return row.append(origin.bytes);
}

Origin decode_origin(std::string_view row) {
  ByteReader reader(row);
  Origin origin;
  origin.schema_url = reader.read_sized();
  origin.bytes = reader.rest();
  return origin;
}

std::string digest_of(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  std::string digest;
  append_u64(digest, hash.high64);
  append_u64(digest, hash.low64);
  return digest;
}

void ItemVerdicts::on_resource(const wire::otlp::ResourceView& resource) {
  is_good_resource_ = resource.bytes.size() <= kItemBytesMax &&
                      wire::otlp::is_valid_resource(resource.bytes) &&
                      names_customer(resource.bytes, customer_);
}

void ItemVerdicts::on_scope(const wire::otlp::ScopeView& scope) {
  is_good_scope_ = scope.bytes.size() <= kItemBytesMax && wire::otlp::is_valid_scope(scope.bytes);
}

void ItemVerdicts::on_item(std::uint32_t item, std::string_view bytes) {
  is_too_many_ = item >= kRequestItemsMax;
  if (is_too_many_) return;
  const bool is_good = is_good_resource_ && is_good_scope_ && bytes.size() <= kItemBytesMax &&
                       (signal_ == Signal::kTraces ? wire::otlp::is_valid_span(bytes)
                                                   : wire::otlp::is_valid_log_record(bytes));
  is_good_.push_back(is_good);
  if (!is_good) ++refused_;
}

ItemTimes times_of(Signal signal, std::string_view item) {
  using wire::otlp::LogRecordField;
  using wire::otlp::SpanField;
  const bool is_span = signal == Signal::kTraces;
  const auto time = is_span ? SpanField::kStartTime.tag : LogRecordField::kTime.tag;
  ItemTimes times;
  TimestampNs observed_ns = 0;
  // By number and wire type, as it was judged: its sender chooses both.
  for (wire::otlp::FieldReader reader(item); reader.next();) {
    if (reader.tag_and_type() == time) {
      times.time_ns = reader.fixed64();
    } else if (is_span && reader.tag_and_type() == SpanField::kTraceId.tag) {
      times.trace_id = reader.bytes();
    } else if (!is_span && reader.tag_and_type() == LogRecordField::kObservedTime.tag) {
      observed_ns = reader.fixed64();
    } else {
      reader.skip();
    }
  }
  if (times.time_ns == 0) times.time_ns = observed_ns;
  return times;
}

}  // namespace vigia::storage::store::cassandra
