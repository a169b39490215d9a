// What both versions of remote write have alike: the block, samples, histograms, and a label as 1.0
// writes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/protobuf_reader.hpp"
#include "libs/wire/remote_write/field_stream.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::wire::remote_write {

/// Number and wire type of a field; a known number of another wire type is an unknown field.
constexpr std::uint32_t length_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::length_delimited);
}
constexpr std::uint32_t varint_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::varint);
}
constexpr std::uint32_t fixed64_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::fixed64);
}

/// Thrown inside of a decoder, which makes kTooLarge of it.
struct OverLimit {
  std::string_view what;
};
/// Likewise, kInvalid: bytes, and none of them in a field of the message.
struct NothingKnown {};
/// What to say of a damaged body; `series` is the last one that was begun.
std::string not_a(std::string_view message, std::optional<std::size_t> series,
                  const protozero::exception& damage);

/// The fields of these messages.
inline constexpr KnownFields kOfLabel{length_field(1), length_field(2)};
inline constexpr KnownFields kOfSample{fixed64_field(1), varint_field(2)};
inline constexpr KnownFields kOfSample2{fixed64_field(1), varint_field(2), varint_field(3)};

inline std::string_view to_view(protozero::data_view view) { return {view.data(), view.size()}; }

/// Both throw protozero::exception for what is no such message. In the header, since it is called
/// for each sample. `start_ms`: where 2.0 says since when it counts; null: of 1.0.
inline Sample read_sample(ProtobufReader message, TimestampMs* start_ms = nullptr) {
  Sample sample;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case fixed64_field(1):
        sample.value = normalized(message.get_double());
        break;
      case varint_field(2):
        sample.timestamp_ms = message.get_int64();
        break;
      case varint_field(3):
        if (start_ms == nullptr)
          message.skip();
        else
          *start_ms = message.get_int64();
        break;
      default:
        pass_over(message, start_ms == nullptr ? kOfSample : kOfSample2);
    }
  }
  return sample;
}
/// `bytes_max`: of one that is given with its bytes.
HistogramView read_histogram(std::string_view bytes, std::size_t bytes_max);
/// One that is not given: what it says of itself.
HistogramView read_long_histogram(FieldStream field);

/// Throws OverLimit where a sample or an exemplar is longer than one may be.
inline void expect_value_fits(std::size_t bytes, const DecodeLimits& limits) {
  if (bytes > limits.value_bytes_max()) throw OverLimit{"bytes in a sample or an exemplar"};
}
inline ProtobufReader value_of(ProtobufReader& field, const DecodeLimits& limits) {
  const ProtobufReader value = field.get_message();
  expect_value_fits(value.length(), limits);
  return value;
}
/// Whether a request is read as it is unpacked.
inline bool is_read_in_pieces(std::size_t message_bytes, const DecodeLimits& limits) {
  return message_bytes > 2 * limits.piece_bytes;
}

/// Unpacks a body, whole where it is small, and calls `read` with the message, a string_view or a
/// SnappyReader&, and what it holds.
template <typename Read>
Result<void> read_body(std::string_view body, const DecodeLimits& limits, const Read& read) {
  Holds holds(limits.may_hold);
  try {
    const auto declared = declared_bytes(body, limits);
    if (!declared) return forward(declared);
    if (is_read_in_pieces(*declared, limits)) {
      auto block = SnappyReader::open(body, limits.piece_bytes, holds);
      if (!block) return forward(block);
      return read(*block, holds);
    }
    holds.add(*declared);
    const auto message = unpack_block(body, limits);
    if (!message) return forward(message);
    return read(std::string_view(*message), holds);
  } catch (const OverShare&) {
    return fail(ErrorCode::kOverLimit, "remote write: there is no memory for the request now");
  }
}

/// As a field of a TimeSeries or Exemplar of 1.0: what encode_labels writes of one.
void append_label(std::string& out, std::string_view name, std::string_view value);

}  // namespace vigia::wire::remote_write
