// The fields that paths name, each with its place in its message.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/ottl/context.hpp"
#include "libs/ottl/record.hpp"
#include "libs/ottl/value.hpp"

namespace vigia::ottl::internal {

/// How a field is read and written.
enum class FieldForm : std::uint8_t {
  kText,
  kUnsigned,    ///< varint
  kFixed32,     ///< as an int
  kFixed64,     ///< as an int: nanoseconds
  kTime,        ///< fixed64, as a time
  kId,          ///< bytes, of a length
  kHexId,       ///< the same in hexadecimal digits
  kAttributes,  ///< the message's map
  kBody,
  kBodyText,       ///< the body as text
  kStatusCode,     ///< within Span.status
  kStatusMessage,  ///< within Span.status
  kKindName,       ///< "Server"
  kKindLongName,   ///< "SPAN_KIND_SERVER"
  kMetricType,
  kTemporality,
  kMonotonic,
  kPointInt,
  kPointDouble,
  kPointCount,
  kPointSum,
  kPointFlags,
  kPointBuckets,  ///< bucket_counts
  kPointBounds,   ///< explicit_bounds
  kPointScale,
  kPointZeroCount,
  kPositiveOffset,
  kPositiveBuckets,
  kNegativeOffset,
  kNegativeBuckets
};

struct PathField {
  MessageLevel level;     ///< of the message that it lies in
  std::string_view name;  ///< "status.code"
  FieldForm form;
  std::uint32_t number = 0;
  /// What a value that is set must be; nil: anything.
  ValueForm kind = ValueForm::kNil;
  std::size_t id_bytes = 0;
  bool is_read_only = false;

  bool takes_keys() const { return form == FieldForm::kAttributes || form == FieldForm::kBody; }
};

/// Nothing where the level has no such field.
const PathField* find_field(MessageLevel level, std::string_view name);

/// Whether the name is of what items of the context hold: SPAN_KIND_SERVER is none of a log's.
bool has_enum(Context context, std::string_view name);
/// The number of an enum's name, as SEVERITY_NUMBER_ERROR. Nothing for another word.
std::optional<std::int64_t> enum_value(std::string_view name);

}  // namespace vigia::ottl::internal
