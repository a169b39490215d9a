// Any bytes as a block, with a right checksum too: no crash, no memory beyond what came, and what
// was read, written again, reads the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "libs/base/crc32c.hpp"
#include "services/storage/store/cassandra/chunk_block.hpp"

namespace {

using vigia::storage::store::ChunkRow;
namespace cassandra = vigia::storage::store::cassandra;

void check_block(std::string_view bytes) {
  const auto read = cassandra::read_block(bytes);
  if (!read) return;
  std::vector<ChunkRow> rows;
  for (const auto& one : *read) {
    rows.push_back(
        {one.series, one.first_ms, one.last_ms, one.version, one.encoding, std::string(one.data)});
  }
  std::vector<const ChunkRow*> pointers;
  for (const ChunkRow& row : rows) pointers.push_back(&row);
  std::size_t again = 0;
  for (const auto& block : cassandra::make_blocks(pointers)) {
    const auto rewritten = cassandra::read_block(block.data);
    CHECK(rewritten.has_value());
    again += rewritten->size();
  }
  CHECK(again == rows.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  check_block(bytes);
  vigia::append_u32(bytes, vigia::crc32c(bytes));
  check_block(bytes);
  return 0;
}
