#include "libs/net/rpc_status.hpp"

#include <algorithm>

#include <protozero/pbf_writer.hpp>

#include "libs/base/protobuf_reader.hpp"

namespace vigia::net {
namespace {

using protozero::pbf_wire_type;
using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr std::size_t kStatusBytesMax = 8192;
// The range of google.protobuf.Duration.
constexpr std::int64_t kSecondsMax = 315'576'000'000;
constexpr std::int64_t kNanosMax = 999'999'999;

// Fields of google.rpc.Status, google.protobuf.Any, google.rpc.RetryInfo, google.protobuf.Duration.
constexpr std::uint32_t kCode = 1, kMessage = 2, kDetails = 3;
constexpr std::uint32_t kTypeUrl = 1, kValue = 2;
constexpr std::uint32_t kRetryDelay = 1;
constexpr std::uint32_t kSeconds = 1, kNanos = 2;
// Of google.rpc.BadRequest and its FieldViolation.
constexpr std::uint32_t kViolations = 1;
constexpr std::uint32_t kField = 1, kDescription = 2;

std::string_view view_of(ProtobufReader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}

std::optional<Duration> read_duration(ProtobufReader duration) {
  std::int64_t whole = 0;
  std::int64_t nanos = 0;
  while (duration.next()) {
    if (duration.tag() == kSeconds && duration.wire_type() == pbf_wire_type::varint) {
      whole = duration.get_int64();
    } else if (duration.tag() == kNanos && duration.wire_type() == pbf_wire_type::varint) {
      nanos = duration.get_int64();
    } else {
      duration.skip();
    }
  }
  if (whole < 0 || whole > kSecondsMax || nanos < 0 || nanos > kNanosMax) return std::nullopt;
  // Cut before it is multiplied: of so many nanoseconds the number would overflow.
  if (whole >= duration_cast<seconds>(kRetryAfterMax).count()) return kRetryAfterMax;
  return seconds(whole) + std::chrono::nanoseconds(nanos);
}

std::optional<Duration> read_retry_info(ProtobufReader info) {
  std::optional<Duration> delay;
  while (info.next(kRetryDelay, pbf_wire_type::length_delimited)) {
    delay = read_duration(info.get_message());
  }
  return delay;
}

std::optional<Duration> read_detail(ProtobufReader any) {
  std::string_view type;
  std::string_view value;
  while (any.next()) {
    if (any.tag() == kTypeUrl && any.wire_type() == pbf_wire_type::length_delimited) {
      type = view_of(any);
    } else if (any.tag() == kValue && any.wire_type() == pbf_wire_type::length_delimited) {
      value = view_of(any);
    } else {
      any.skip();
    }
  }
  if (type != kRetryInfoType) return std::nullopt;
  return read_retry_info(ProtobufReader(value.data(), value.size()));
}

}  // namespace

RpcStatus read_rpc_status(std::string_view bytes) {
  RpcStatus status;
  if (bytes.size() > kStatusBytesMax) return status;
  try {
    ProtobufReader reader(bytes.data(), bytes.size());
    while (reader.next()) {
      if (reader.tag() == kMessage && reader.wire_type() == pbf_wire_type::length_delimited) {
        status.message = view_of(reader);
      } else if (reader.tag() == kDetails &&
                 reader.wire_type() == pbf_wire_type::length_delimited) {
        if (const auto wait = read_detail(reader.get_message())) status.retry_after = wait;
      } else {
        reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    // Half of a status is none: its message may be cut, and its wait another one's.
    return {};
  }
  return status;
}

std::string encode_rpc_status(GrpcCode code, std::string_view message,
                              std::optional<Duration> retry_after) {
  std::string out;
  protozero::pbf_writer status(out);
  status.add_int32(kCode, static_cast<std::int32_t>(code));
  if (!message.empty()) status.add_string(kMessage, message.data(), message.size());
  if (!retry_after) return out;
  const Duration wait = std::max(*retry_after, Duration::zero());
  const auto whole = duration_cast<seconds>(wait);
  protozero::pbf_writer any(status, kDetails);
  any.add_string(kTypeUrl, kRetryInfoType.data(), kRetryInfoType.size());
  protozero::pbf_writer info(any, kValue);
  protozero::pbf_writer duration(info, kRetryDelay);
  if (whole.count() > 0) duration.add_int64(kSeconds, whole.count());
  if (const auto nanos = (wait - whole).count(); nanos > 0) duration.add_int64(kNanos, nanos);
  return out;
}

std::string encode_bad_request(std::string_view message, const FieldViolation& violation) {
  std::string out = encode_rpc_status(GrpcCode::kInvalidArgument, message, std::nullopt);
  protozero::pbf_writer status(out);
  protozero::pbf_writer any(status, kDetails);
  any.add_string(kTypeUrl, kBadRequestType.data(), kBadRequestType.size());
  protozero::pbf_writer bad(any, kValue);
  protozero::pbf_writer one(bad, kViolations);
  if (!violation.field.empty())
    one.add_string(kField, violation.field.data(), violation.field.size());
  one.add_string(kDescription, violation.description.data(), violation.description.size());
  return out;
}

}  // namespace vigia::net
