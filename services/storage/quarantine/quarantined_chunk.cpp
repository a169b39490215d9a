#include "services/storage/quarantine/quarantined_chunk.hpp"

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "services/storage/store/histogram_encoding.hpp"

namespace vigia::storage::quarantine {
namespace {

constexpr std::string_view kMagic = "VGQC";
constexpr std::uint32_t kVersion = 1;

std::string_view text_of(const std::optional<CustomerId>& customer) {
  return customer.has_value() ? std::string_view(customer->text()) : std::string_view();
}

// False for what is neither an id nor nothing.
bool read_customer(std::string_view text, std::optional<CustomerId>& customer) {
  if (text.empty()) return true;
  if (text == CustomerId::provider().text()) {
    customer = CustomerId::provider();
    return true;
  }
  auto parsed = CustomerId::parse(text);
  if (!parsed) return false;
  customer = *std::move(parsed);
  return true;
}

bool is_known(std::uint8_t encoding, std::uint8_t resolution) {
  const auto known = static_cast<store::Encoding>(encoding);
  const bool is_encoding = known == store::Encoding::kFloats || store::holds_histograms(known);
  return is_encoding && resolution <= static_cast<std::uint8_t>(Resolution::kDay);
}

bool is_sound(const store::ChunkRow& row, Resolution resolution) {
  return row.series.value != 0 && row.first_ms >= 0 &&
         store::check_row(row, resolution).has_value();
}

tl::unexpected<Error> no_chunk() {
  return fail(ErrorCode::kCorrupt, "its checksum is right, and it is no chunk");
}

Result<QuarantinedChunk> decode_body(std::string_view body) {
  ByteReader reader(body);
  QuarantinedChunk chunk;
  chunk.taken_ns = reader.read_u64();
  chunk.number.value = reader.read_u32();
  const bool is_customer = read_customer(reader.read_sized(), chunk.customer);
  chunk.row.series.value = reader.read_u64();
  chunk.row.first_ms = static_cast<TimestampMs>(reader.read_u64());
  chunk.row.last_ms = static_cast<TimestampMs>(reader.read_u64());
  chunk.row.version = reader.read_u64();
  const std::uint8_t encoding = reader.read_u8();
  const std::uint8_t resolution = reader.read_u8();
  chunk.row.data = reader.read_sized();
  const bool is_whole = reader.ok() && reader.rest().empty();
  if (!is_whole || !is_customer || !is_known(encoding, resolution)) {
    return no_chunk();
  }
  chunk.row.encoding = static_cast<store::Encoding>(encoding);
  chunk.resolution = static_cast<Resolution>(resolution);
  if (!is_sound(chunk.row, chunk.resolution)) return no_chunk();
  return chunk;
}

}  // namespace

std::string encode(const QuarantinedChunk& chunk) {
  std::string sealed;
  append_u32(sealed, kVersion);
  append_u64(sealed, chunk.taken_ns);
  append_u32(sealed, chunk.number.value);
  append_sized(sealed, text_of(chunk.customer));
  append_u64(sealed, chunk.row.series.value);
  append_u64(sealed, static_cast<std::uint64_t>(chunk.row.first_ms));
  append_u64(sealed, static_cast<std::uint64_t>(chunk.row.last_ms));
  append_u64(sealed, chunk.row.version);
  sealed.push_back(static_cast<char>(chunk.row.encoding));
  sealed.push_back(static_cast<char>(chunk.resolution));
  append_sized(sealed, chunk.row.data);
  std::string file(kMagic);
  append_u32(file, crc32c(sealed));
  return file + sealed;
}

// The checksum stands where it does in every later version, so that a bit of the version that has
// turned over is told from a version that is not known here.
Result<QuarantinedChunk> decode(std::string_view file) {
  ByteReader reader(file);
  const bool is_ours = reader.read_bytes(kMagic.size()) == kMagic;
  const std::uint32_t checksum = reader.read_u32();
  const std::string_view sealed = reader.rest();
  const std::uint32_t version = reader.read_u32();
  if (!is_ours || !reader.ok() || crc32c(sealed) != checksum) {
    return fail(ErrorCode::kCorrupt, "it is not what was written");
  }
  if (version != kVersion) {
    return fail(ErrorCode::kInvalid,
                fmt::format("version {} of it is not known to this program", version));
  }
  return decode_body(reader.rest());
}

std::string name_of(const QuarantinedChunk& chunk) {
  const store::ChunkRow& row = chunk.row;
  return fmt::format("c{}-s{}-{}-e{}-v{}-{:08x}.chunk", chunk.number.value, row.series.value,
                     row.first_ms, static_cast<unsigned>(row.encoding), row.version,
                     crc32c(row.data));
}

}  // namespace vigia::storage::quarantine
