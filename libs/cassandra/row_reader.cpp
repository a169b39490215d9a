#include "libs/cassandra/row_reader.hpp"

namespace vigia::cassandra {

std::int8_t RowReader::read_tinyint() {
  return static_cast<std::int8_t>(static_cast<std::uint8_t>(read_number(1)));
}

std::int32_t RowReader::read_int() {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(read_number(4)));
}

std::int64_t RowReader::read_bigint() { return static_cast<std::int64_t>(read_number(8)); }

std::string_view RowReader::read_blob() {
  ok_ = ok_ && !rest_.empty() && rest_.front().size >= 0;
  if (!ok_) return {};
  const RawCell cell = rest_.front();
  rest_ = rest_.subspan(1);
  return {reinterpret_cast<const char*>(cell.data), static_cast<std::size_t>(cell.size)};
}

bool RowReader::take_null() {
  if (!ok_ || rest_.empty() || rest_.front().size >= 0) return false;
  rest_ = rest_.subspan(1);
  return true;
}

std::uint64_t RowReader::read_number(std::int32_t size) {
  const std::string_view bytes = read_blob();
  ok_ = ok_ && bytes.size() == static_cast<std::size_t>(size);
  if (!ok_) return 0;
  std::uint64_t bits = 0;
  for (const char byte : bytes) bits = bits << 8U | static_cast<std::uint8_t>(byte);
  return bits;
}

}  // namespace vigia::cassandra
