#include "libs/wire/remote_write/write_fields.hpp"

#include <snappy.h>

namespace vigia::wire::remote_write {
namespace {

using protozero::pbf_reader;

/// A snappy element of three bytes yields at most 64.
constexpr std::size_t kSnappyRatioMax = 64;

}  // namespace

HistogramView read_histogram(std::string_view bytes) {
  constexpr std::uint32_t kTimestamp = varint_field(15);
  HistogramView histogram{.timestamp_ms = 0, .bytes = bytes};
  pbf_reader message(bytes.data(), bytes.size());
  while (message.next()) {
    if (message.tag_and_type() == kTimestamp)
      histogram.timestamp_ms = message.get_int64();
    else
      message.skip();
  }
  return histogram;
}

Result<std::string> unpack_block(std::string_view body, const DecodeLimits& limits) {
  std::size_t length = 0;
  // The length is the sender's word for it: checked against what the block could yield and what we
  // take before memory is asked for.
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &length) ||
      length > body.size() * kSnappyRatioMax)
    return fail(ErrorCode::kInvalid, "remote write: the body is not a snappy block");
  if (length > limits.message_bytes_max)
    return fail(ErrorCode::kTooLarge, "remote write: the request is over the limit of bytes");
  std::string message;
  if (!snappy::Uncompress(body.data(), body.size(), &message))
    return fail(ErrorCode::kInvalid, "remote write: the snappy block is damaged");
  return message;
}

}  // namespace vigia::wire::remote_write
