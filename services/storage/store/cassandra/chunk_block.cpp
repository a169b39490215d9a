#include "services/storage/store/cassandra/chunk_block.hpp"

#include <algorithm>
#include <tuple>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint8_t kBlockVersion = 1;
constexpr std::size_t kSumBytes = 4;
// Of a row of the index: five numbers and an encoding of one byte each.
constexpr std::size_t kIndexRowBytesMin = 6;
// Five varints of 64 bits. Mostly it is ten bytes: blocks are somewhat smaller than they are
// reckoned.
constexpr std::size_t kIndexRowBytesMax = 51;

// Differences may be negative, and wrap around: what was taken away is added again.
std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1U ^ (0 - (difference >> 63U));
}
std::uint64_t unzigzag(std::uint64_t code) { return code >> 1U ^ (0 - (code & 1U)); }

std::uint64_t bits(TimestampMs time_ms) { return static_cast<std::uint64_t>(time_ms); }

bool is_before(const ChunkRow* left, const ChunkRow* right) {
  return std::tie(left->series, left->first_ms, left->version, left->encoding) <
         std::tie(right->series, right->first_ms, right->version, right->encoding);
}

ChunkBlock block_of(std::span<const ChunkRow* const> rows) {
  ChunkBlock block{rows.front()->series, rows.back()->series, INT64_MAX, INT64_MIN, {}};
  std::string& out = block.data;
  out.push_back(static_cast<char>(kBlockVersion));
  append_varint(out, rows.size());
  std::uint64_t series = 0;
  std::uint64_t first = 0;
  for (const ChunkRow* const row : rows) {
    append_varint(out, row->series.value - series);
    append_varint(out, zigzag(bits(row->first_ms) - first));
    append_varint(out, bits(row->last_ms) - bits(row->first_ms));
    append_varint(out, row->version);
    out.push_back(static_cast<char>(row->encoding));
    append_varint(out, row->data.size());
    series = row->series.value;
    first = bits(row->first_ms);
    block.first_ms = std::min(block.first_ms, row->first_ms);
    block.last_ms = std::max(block.last_ms, row->last_ms);
  }
  for (const ChunkRow* const row : rows) out += row->data;
  append_u32(out, crc32c(out));
  return block;
}

tl::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorrupt, std::string("a block of chunks ") + what);
}

}  // namespace

std::vector<ChunkBlock> make_blocks(std::span<const ChunkRow* const> rows) {
  std::vector<const ChunkRow*> sorted(rows.begin(), rows.end());
  std::sort(sorted.begin(), sorted.end(), is_before);
  std::vector<ChunkBlock> blocks;
  std::size_t begin = 0;
  std::size_t bytes = 0;
  const auto close = [&](std::size_t end) {
    if (begin < end) blocks.push_back(block_of(std::span(sorted).subspan(begin, end - begin)));
    begin = end;
    bytes = 0;
  };
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::size_t more = sorted[i]->data.size() + kIndexRowBytesMax;
    if (bytes + more > kChunkBlockBytesMax) close(i);
    bytes += more;
    if (bytes >= kChunkBlockBytes) close(i + 1);
  }
  close(sorted.size());
  return blocks;
}

Result<std::vector<BlockedChunk>> read_block(std::string_view block) {
  if (block.size() <= kSumBytes) return damaged("is too short");
  const std::string_view body = block.substr(0, block.size() - kSumBytes);
  if (ByteReader(block.substr(body.size())).read_u32() != crc32c(body)) {
    return damaged("is damaged: its checksum is another");
  }
  ByteReader reader(body);
  if (reader.read_u8() != kBlockVersion) return damaged("is of a version that is not known");
  const std::uint64_t count = reader.read_varint();
  // Before memory is set aside for them: that many have to be in what came.
  if (count > reader.rest().size() / kIndexRowBytesMin) return damaged("promises too much");
  std::vector<BlockedChunk> rows(count);
  std::vector<std::uint64_t> sizes(count);
  std::uint64_t series = 0;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    rows[i].series.value = series += reader.read_varint();
    first += unzigzag(reader.read_varint());
    rows[i].first_ms = static_cast<TimestampMs>(first);
    rows[i].last_ms = static_cast<TimestampMs>(first + reader.read_varint());
    rows[i].version = reader.read_varint();
    rows[i].encoding = static_cast<Encoding>(reader.read_u8());
    sizes[i] = reader.read_varint();
  }
  for (std::size_t i = 0; i < count; ++i) rows[i].data = reader.read_bytes(sizes[i]);
  if (!reader.ok() || !reader.rest().empty()) return damaged("does not hold what it promises");
  return rows;
}

}  // namespace vigia::storage::store::cassandra
