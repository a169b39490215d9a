// Values that came from Cassandra: one row, column by column.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "libs/cassandra/cells.hpp"

namespace vigia::cassandra {

/// Reads a row from its first column on. After the first failure (no column left, null, or not as
/// many bytes as the type has) every read gives 0 or empty and `ok()` is false, so that a reader
/// checks once at its end. Texts and blobs point into the page. Thread contract: one thread.
class RowReader {
 public:
  explicit RowReader(std::span<const RawCell> cells) : rest_(cells) {}

  std::int8_t read_tinyint();
  std::int32_t read_int();
  std::int64_t read_bigint();
  std::string_view read_text() { return read_blob(); }
  std::string_view read_blob();
  /// Whether the next column is null; the column is passed over if so.
  bool take_null();
  bool ok() const { return ok_; }

 private:
  std::uint64_t read_number(std::int32_t size);

  std::span<const RawCell> rest_;
  bool ok_ = true;
};

}  // namespace vigia::cassandra
