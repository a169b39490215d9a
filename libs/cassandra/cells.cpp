#include "libs/cassandra/cells.hpp"

#include "libs/base/check.hpp"

namespace vigia::cassandra {
namespace {

constexpr std::size_t kCellBytesMax = 256U << 20U;

}  // namespace

BoundCells& BoundCells::add_tinyint(std::int8_t value) {
  return add_number(static_cast<std::uint8_t>(value), 1);
}

BoundCells& BoundCells::add_int(std::int32_t value) {
  return add_number(static_cast<std::uint32_t>(value), 4);
}

BoundCells& BoundCells::add_bigint(std::int64_t value) {
  return add_number(static_cast<std::uint64_t>(value), 8);
}

BoundCells& BoundCells::add_text(std::string_view utf8) { return add_outside(utf8); }

BoundCells& BoundCells::add_blob(std::string_view bytes) { return add_outside(bytes); }

BoundCells& BoundCells::add_null() {
  entries_.push_back({nullptr, VIGIA_CASSANDRA_NULL, {}});
  return *this;
}

BoundCells& BoundCells::add_unset() {
  entries_.push_back({nullptr, VIGIA_CASSANDRA_UNSET, {}});
  return *this;
}

std::vector<RawCell> BoundCells::raw() const {
  std::vector<RawCell> cells;
  cells.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    const bool is_inside = entry.outside == nullptr;
    cells.push_back({is_inside ? entry.inside.data() : entry.outside, entry.size});
  }
  return cells;
}

// The protocol's numbers have their highest byte first and no more bytes than their type.
BoundCells& BoundCells::add_number(std::uint64_t bits, std::int32_t size) {
  Entry entry{nullptr, size, {}};
  for (std::int32_t i = 0; i < size; ++i) {
    entry.inside[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(bits >> (8 * (size - 1 - i)));
  }
  entries_.push_back(entry);
  return *this;
}

BoundCells& BoundCells::add_outside(std::string_view bytes) {
  CHECK(bytes.size() <= kCellBytesMax);
  // An empty text is a value of no bytes, not null, and may come without an address.
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  entries_.push_back({bytes.empty() ? nullptr : data, static_cast<std::int32_t>(bytes.size()), {}});
  return *this;
}

}  // namespace vigia::cassandra
