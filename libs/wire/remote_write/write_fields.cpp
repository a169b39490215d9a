#include "libs/wire/remote_write/write_fields.hpp"

#include <fmt/format.h>
#include <snappy.h>

namespace vigia::wire::remote_write {
namespace {

/// A snappy element of three bytes yields at most 64.
constexpr std::size_t kSnappyRatioMax = 64;
constexpr std::size_t kUncheckedBytesMax = 1U << 20U;

constexpr std::uint32_t kHistogramTime = varint_field(15);
constexpr std::uint32_t kHistogramStart = varint_field(17);  // of 2.0
// What else it holds is read by decode_histogram.
constexpr KnownFields kOfHistogram{kHistogramTime, kHistogramStart};

}  // namespace

std::string not_a(std::string_view message, std::optional<std::size_t> series,
                  const protozero::exception& damage) {
  // As the doors take a place out of an error: ", at", the place, a colon.
  return fmt::format("remote write: the body is not a {}{}: {}", message,
                     series ? fmt::format(", at timeseries[{}]", *series) : "", damage.what());
}

HistogramView read_histogram(std::string_view bytes, std::size_t bytes_max) {
  HistogramView histogram;
  ProtobufReader message(bytes.data(), bytes.size());
  while (message.next()) {
    if (message.tag_and_type() == kHistogramTime)
      histogram.timestamp_ms = message.get_int64();
    else if (message.tag_and_type() == kHistogramStart)
      histogram.start_ms = message.get_int64();
    else
      pass_over(message, kOfHistogram);
  }
  if (bytes.size() <= bytes_max)
    histogram.bytes = bytes;
  else
    histogram.left_out = bytes.size();
  return histogram;
}

HistogramView read_long_histogram(FieldStream field) {
  HistogramView histogram;
  histogram.left_out = field.content_bytes();
  FieldStream message = field.inside();
  while (message.next()) {
    if (message.tag_and_type() == kHistogramTime)
      histogram.timestamp_ms = message.field().get_int64();
    else if (message.tag_and_type() == kHistogramStart)
      histogram.start_ms = message.field().get_int64();
    else
      message.pass_over(kOfHistogram);
  }
  return histogram;
}

Result<std::size_t> declared_bytes(std::string_view body, const DecodeLimits& limits) {
  std::size_t length = 0;
  // The length is the sender's word for it: checked against what the block could yield and what we
  // take before memory is asked for.
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &length) ||
      length > body.size() * kSnappyRatioMax)
    return fail(ErrorCode::kInvalid, "remote write: the body is not a snappy block");
  if (length > limits.message_bytes_max)
    return fail(ErrorCode::kTooLarge, "remote write: the request is over the limit of bytes");
  return length;
}

Result<std::string> unpack_block(std::string_view body, const DecodeLimits& limits) {
  const auto declared = declared_bytes(body, limits);
  if (!declared) return forward(declared);
  // A large one that is damaged is refused before it takes the memory that it declares: this pass
  // writes nothing.
  if (*declared > kUncheckedBytesMax && !snappy::IsValidCompressedBuffer(body.data(), body.size()))
    return fail(ErrorCode::kInvalid, "remote write: the snappy block is damaged");
  std::string message;
  if (!snappy::Uncompress(body.data(), body.size(), &message))
    return fail(ErrorCode::kInvalid, "remote write: the snappy block is damaged");
  return message;
}

}  // namespace vigia::wire::remote_write
