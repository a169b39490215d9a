// What of an export request is stored, and how a resource or a scope is a row of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::store::cassandra {

/// More are not taken at once, as in every store.
inline constexpr std::uint32_t kRequestItemsMax = 100'000;
/// A larger one is refused: nodes refuse rows of some MiB, and with it the request would fail.
inline constexpr std::size_t kItemBytesMax = 1U << 20U;

/// Five minutes.
inline constexpr TimestampNs kSlotNs = 300'000'000'000;
inline constexpr std::uint32_t kSlotsOfDay = 288;
std::uint32_t day_of_ns(TimestampNs time_ns);

/// A resource or a scope. Ends with the request's body.
struct Origin {
  std::string_view bytes;
  std::string_view schema_url;
};
/// As a row: the schema_url with its length, then the bytes.
std::string encode_origin(const Origin& origin);
Origin decode_origin(std::string_view row);
/// 16 bytes.
std::string digest_of(std::string_view bytes);

/// Which items of a request may be stored: found out for all before the first is stored.
class ItemVerdicts final : public wire::otlp::Visitor {
 public:
  ItemVerdicts(const CustomerId& customer, Signal signal) : customer_(customer), signal_(signal) {}
  void on_resource(const wire::otlp::ResourceView& resource) override;
  void on_scope(const wire::otlp::ScopeView& scope) override;
  void on_item(std::uint32_t item, std::string_view bytes) override;

  bool is_too_many() const { return is_too_many_; }
  bool is_good(std::uint32_t item) const { return is_good_[item]; }
  std::uint64_t refused() const { return refused_; }

 private:
  const CustomerId& customer_;
  const Signal signal_;
  bool is_good_resource_ = false;
  bool is_good_scope_ = false;
  bool is_too_many_ = false;
  std::vector<bool> is_good_;
  std::uint64_t refused_ = 0;
};

/// What the key of an item says. REQUIRES: the item is valid.
struct ItemTimes {
  TimestampNs time_ns = 0;  ///< a span's start, a record's time or when it was observed; 0: none
  std::string_view trace_id;
};
ItemTimes times_of(Signal signal, std::string_view item);

}  // namespace vigia::storage::store::cassandra
