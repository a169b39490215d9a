#include "libs/net/compression.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "libs/base/check.hpp"
#include "libs/net/internal/zstd_blocks.hpp"

namespace vigia::net {

namespace {

constexpr std::size_t kFirstBytes = 16U << 10U;
constexpr std::size_t kStepBytes = 1U << 20U;
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kZlibWindowBits = 15;
constexpr int kRawWindowBits = -15;
constexpr int kZlibMemoryLevel = 8;
// RFC 8878 §3.1.1.1.2: what every decoder supports. A larger window would let a small body ask for
// memory beyond its own output.
constexpr int kZstdWindowLogMax = 23;
constexpr int kZstdLevel = 1;
// One byte of deflate gives at most 1032 bytes (zlib's technical notes).
constexpr std::size_t kDeflateRatioMax = 1032;
// The smallest gzip member: header, empty block, trailer.
constexpr std::size_t kGzipBytesMin = 18;

// Output of so many times its input, and of so many bytes, is first counted to its end, which takes
// no memory: nearly all that is so dense is a bomb, and what is not costs this work twice.
constexpr std::size_t kDenseRatio = 100;
constexpr std::size_t kDenseBytes = 256U << 10U;
constexpr std::size_t kDiscardBytes = 64U << 10U;

Error too_large(std::size_t bytes_max) {
  return Error{ErrorCode::kTooLarge,
               fmt::format("the body is larger than {} bytes when decompressed", bytes_max)};
}

Error damaged(std::string_view encoding) {
  return Error{ErrorCode::kInvalid, fmt::format("the body is not valid {}", encoding)};
}

/// A string that grows towards a limit and never holds two large copies of itself.
class BoundedOutput {
 public:
  explicit BoundedOutput(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void expect(std::size_t bytes) { bytes_.reserve(std::min(bytes, bytes_max_)); }

  /// Room to write to; empty once the limit is reached.
  std::pair<char*, std::size_t> room() {
    if (used_ == bytes_.size()) grow();
    return {bytes_.data() + used_, bytes_.size() - used_};
  }
  void wrote(std::size_t bytes) { used_ += bytes; }
  bool is_full() const { return used_ == bytes_max_; }
  /// Whether what came of so many bytes is to be counted before more of it is kept.
  bool is_dense(std::size_t read) const {
    return used_ >= kDenseBytes && used_ / kDenseRatio > read;
  }

  std::string take() {
    bytes_.resize(used_);
    return std::move(bytes_);
  }

 private:
  void grow() {
    const std::size_t step = std::clamp(used_, kFirstBytes, kStepBytes);
    const std::size_t size = std::min(used_ + step, bytes_max_);
    if (size > bytes_.capacity()) {
      // Past a quarter of the limit the whole of it is reserved: pages that nobody writes cost
      // nothing, while growing by copies would hold one and a half times the limit.
      const bool is_large = bytes_.capacity() >= bytes_max_ / 4;
      bytes_.reserve(is_large ? bytes_max_ : std::min(2 * size, bytes_max_));
    }
    bytes_.resize(size);
  }

  std::string bytes_;
  std::size_t used_ = 0;
  std::size_t bytes_max_;
};

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};
struct DeflateEnd {
  void operator()(z_stream* stream) const { deflateEnd(stream); }
};
struct FreeDecoder {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
struct FreeEncoder {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Bytef* zlib_bytes(std::string_view bytes) {
  // zlib's next_in is not const without ZLIB_CONST, but is only read.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

uInt zlib_size(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

std::uint32_t last_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[bytes.size() - 4 + i])} << (8 * i);
  }
  return value;
}

int window_bits(std::string_view encoding, std::string_view bytes) {
  if (encoding == "gzip") return kGzipWindowBits;
  // "deflate" means the zlib format (RFC 9110 §8.4.1.2), yet some clients send it raw.
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = bytes.size() > 1 ? static_cast<unsigned char>(bytes[1]) : 0U;
  const bool is_zlib = (first & 0x0fU) == 8 && (first * 256U + second) % 31U == 0;
  return is_zlib ? kZlibWindowBits : kRawWindowBits;
}

/// Runs one inflate step: Z_OK, Z_STREAM_END, or an error of zlib or of ours.
Result<int> inflate_step(z_stream& stream, BoundedOutput& output, std::string_view encoding,
                         std::size_t bytes_max) {
  std::array<char, 1> overflow{};
  auto [room, size] = output.room();
  const bool is_full = size == 0;
  if (is_full) {  // the stream may end exactly here: see whether one more byte comes
    room = overflow.data();
    size = overflow.size();
  }
  stream.next_out = reinterpret_cast<Bytef*>(room);
  stream.avail_out = zlib_size(size);
  const std::size_t offered = stream.avail_out;
  const int code = inflate(&stream, Z_NO_FLUSH);
  const std::size_t wrote = offered - stream.avail_out;
  if (is_full && wrote > 0) return tl::unexpected(too_large(bytes_max));
  if (!is_full) output.wrote(wrote);
  if (code == Z_OK || code == Z_STREAM_END) return code;
  return tl::unexpected(damaged(encoding));
}

/// True where the stream gives more than `bytes_max`. What is damaged or cut off does not: who
/// unpacks it finds that.
bool is_inflated_over(std::string_view encoding, std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits(encoding, bytes)) != Z_OK) return false;
  const std::unique_ptr<z_stream, InflateEnd> end(&stream);
  const auto discard = std::make_unique<std::array<Bytef, kDiscardBytes>>();
  stream.next_in = zlib_bytes(bytes);
  stream.avail_in = zlib_size(bytes.size());
  std::size_t count = 0;
  while (count <= bytes_max) {
    stream.next_out = discard->data();
    stream.avail_out = kDiscardBytes;
    const int code = inflate(&stream, Z_NO_FLUSH);
    count += kDiscardBytes - stream.avail_out;
    const bool is_end = code == Z_STREAM_END && stream.avail_in == 0;
    if (is_end || (code != Z_OK && code != Z_STREAM_END)) break;
    if (code == Z_STREAM_END && (encoding != "gzip" || inflateReset(&stream) != Z_OK)) break;
  }
  return count > bytes_max;
}

/// The same of zstd, whose decoder holds a window beside, 8 MiB at most.
bool is_unzstd_over(std::string_view bytes, std::size_t bytes_max) {
  const std::unique_ptr<ZSTD_DCtx, FreeDecoder> context(ZSTD_createDCtx());
  if (!context) return false;
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  const auto discard = std::make_unique<std::array<char, kDiscardBytes>>();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t count = 0;
  while (count <= bytes_max) {
    ZSTD_outBuffer out{discard->data(), kDiscardBytes, 0};
    const std::size_t read_before = in.pos;
    const std::size_t left = ZSTD_decompressStream(context.get(), &out, &in);
    count += out.pos;
    const bool is_stuck = in.pos == read_before && out.pos == 0;
    if (ZSTD_isError(left) != 0 || is_stuck || (left == 0 && in.pos == in.size)) break;
  }
  return count > bytes_max;
}

Result<std::string> inflate_all(std::string_view encoding, std::string_view bytes,
                                std::size_t bytes_max) {
  BoundedOutput output(bytes_max);
  if (encoding == "gzip" && bytes.size() >= kGzipBytesMin) {
    // The last member's own length: where it lies the trailer check refuses the body anyway. A
    // length that deflate cannot reach from so few bytes is no length: the body is cut off or
    // damaged.
    const std::size_t declared = last_u32(bytes);
    const bool is_possible = declared / kDeflateRatioMax <= bytes.size();
    if (is_possible && declared > bytes_max) return tl::unexpected(too_large(bytes_max));
    output.expect(std::min(declared, bytes.size() * 64));
  }
  z_stream stream{};
  if (inflateInit2(&stream, window_bits(encoding, bytes)) != Z_OK) {
    return fail(ErrorCode::kInternal, "inflateInit2 failed");
  }
  const std::unique_ptr<z_stream, InflateEnd> end(&stream);
  stream.next_in = zlib_bytes(bytes);
  std::size_t unread = bytes.size();
  bool is_counted = false;
  while (true) {
    const uInt given = zlib_size(unread);
    stream.avail_in = given;
    Result<int> code = inflate_step(stream, output, encoding, bytes_max);
    if (!code) return forward(code);
    unread -= given - stream.avail_in;
    if (!is_counted && output.is_dense(bytes.size() - unread)) {
      if (is_inflated_over(encoding, bytes, bytes_max)) return tl::unexpected(too_large(bytes_max));
      is_counted = true;
    }
    if (*code != Z_STREAM_END) continue;
    if (unread == 0) return output.take();
    if (encoding != "gzip") return tl::unexpected(damaged(encoding));
    if (inflateReset(&stream) != Z_OK) return fail(ErrorCode::kInternal, "inflateReset failed");
  }
}

/// The whole output's size where every frame declares it; 0 where one does not.
Result<std::size_t> declared_zstd_size(std::string_view bytes, std::size_t bytes_max) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return tl::unexpected(damaged("zstd"));
  if (size == ZSTD_CONTENTSIZE_UNKNOWN) return std::size_t{0};
  if (size > bytes_max) return tl::unexpected(too_large(bytes_max));
  return static_cast<std::size_t>(size);
}

Result<std::string> unzstd(std::string_view bytes, std::size_t bytes_max) {
  Result<std::size_t> declared = declared_zstd_size(bytes, bytes_max);
  if (!declared) return forward(declared);
  if (internal::zstd_bytes_at_least(bytes) > bytes_max) return tl::unexpected(too_large(bytes_max));
  const std::unique_ptr<ZSTD_DCtx, FreeDecoder> context(ZSTD_createDCtx());
  if (!context) return fail(ErrorCode::kInternal, "no memory for zstd");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  BoundedOutput output(bytes_max);
  output.expect(std::min(*declared, bytes.size() * 256));
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  // A size that is declared is bounded already, and held to by the decoder.
  bool is_counted = *declared > 0;
  while (true) {
    std::array<char, 1> overflow{};
    auto [room, size] = output.room();
    const bool is_full = size == 0;
    ZSTD_outBuffer out{is_full ? overflow.data() : room, is_full ? overflow.size() : size, 0};
    const std::size_t read_before = in.pos;
    const std::size_t left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left) != 0) return tl::unexpected(damaged("zstd"));
    if (is_full && out.pos > 0) return tl::unexpected(too_large(bytes_max));
    if (!is_full) output.wrote(out.pos);
    if (!is_counted && output.is_dense(in.pos)) {
      if (is_unzstd_over(bytes, bytes_max)) return tl::unexpected(too_large(bytes_max));
      is_counted = true;
    }
    if (left == 0 && in.pos == in.size) return output.take();
    const bool is_stuck = in.pos == read_before && out.pos == 0;
    if (is_stuck) return tl::unexpected(damaged("zstd"));
  }
}

Result<std::string> deflate_all(std::string_view bytes, int bits) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, bits, kZlibMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return fail(ErrorCode::kInternal, "deflateInit2 failed");
  }
  const std::unique_ptr<z_stream, DeflateEnd> end(&stream);
  if (bytes.size() > std::numeric_limits<uInt>::max()) {
    return fail(ErrorCode::kTooLarge, "a body of 4 GiB or more cannot be compressed");
  }
  std::string output(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = zlib_bytes(bytes);
  stream.avail_in = zlib_size(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(output.data());
  stream.avail_out = zlib_size(output.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  output.resize(stream.total_out);
  return output;
}

Result<std::string> zstd_all(std::string_view bytes) {
  const std::unique_ptr<ZSTD_CCtx, FreeEncoder> context(ZSTD_createCCtx());
  if (!context) return fail(ErrorCode::kInternal, "no memory for zstd");
  std::string output(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compressCCtx(context.get(), output.data(), output.size(),
                                             bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return fail(ErrorCode::kInternal, ZSTD_getErrorName(size));
  output.resize(size);
  return output;
}

}  // namespace

Result<std::string> decompress(std::string_view encoding, std::string_view bytes,
                               std::size_t bytes_max) {
  if (encoding.empty() || encoding == "identity") {
    if (bytes.size() > bytes_max) return tl::unexpected(too_large(bytes_max));
    return std::string(bytes);
  }
  const bool is_known = encoding == "gzip" || encoding == "deflate" || encoding == "zstd";
  if (!is_known) {
    return fail(ErrorCode::kInvalid,
                fmt::format("compression \"{}\" is not known; use gzip, deflate or zstd",
                            encoding.substr(0, 32)));
  }
  if (bytes.empty()) return std::string();  // some clients name an encoding for no body at all
  return encoding == "zstd" ? unzstd(bytes, bytes_max) : inflate_all(encoding, bytes, bytes_max);
}

Result<std::string> compress(std::string_view encoding, std::string_view bytes) {
  if (encoding.empty() || encoding == "identity") return std::string(bytes);
  if (encoding == "gzip") return deflate_all(bytes, kGzipWindowBits);
  if (encoding == "deflate") return deflate_all(bytes, kZlibWindowBits);
  if (encoding == "zstd") return zstd_all(bytes);
  return fail(ErrorCode::kInvalid, fmt::format("compression \"{}\" is not known", encoding));
}

}  // namespace vigia::net
