#include "services/storage/peers/open_message.hpp"

#include <algorithm>

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/field_reader.hpp"
#include "services/storage/store/histogram_encoding.hpp"

namespace vigia::storage::peers {
namespace {

enum QuestionField : protozero::pbf_tag_type { kFrom = 1, kTo = 2, kAsked = 3 };
enum AnswerField : protozero::pbf_tag_type { kAnswered = 1, kRow = 2 };
enum RowField : protozero::pbf_tag_type {
  kSeries = 1,
  kFirst = 2,
  kLast = 3,
  kVersion = 4,
  kEncoding = 5,
  kData = 6
};

// Fields are told apart by number and wire type: another type's value is not read as if it were
// ours.
using wire::otlp::bytes_field;
using wire::otlp::FieldReader;
using wire::otlp::fixed64_field;
using wire::otlp::varint_field;

store::ChunkRow read_row(std::string_view bytes) {
  store::ChunkRow row;
  FieldReader message(bytes);
  while (message.next()) {
    switch (message.tag_and_type()) {
      case fixed64_field(kSeries):
        row.series.value = message.fixed64();
        break;
      case varint_field(kFirst):
        row.first_ms = static_cast<TimestampMs>(message.varint());
        break;
      case varint_field(kLast):
        row.last_ms = static_cast<TimestampMs>(message.varint());
        break;
      case varint_field(kVersion):
        row.version = message.varint();
        break;
      case varint_field(kEncoding):
        row.encoding = static_cast<store::Encoding>(message.varint());
        break;
      case bytes_field(kData):
        row.data = message.bytes();
        break;
      default:
        message.skip();
    }
  }
  return row;
}

// Open samples are raw, and a row that says otherwise of itself would be merged wrongly.
bool is_sound(const store::ChunkRow& row) {
  const bool is_raw =
      row.encoding == store::Encoding::kFloats || store::holds_histograms(row.encoding);
  return is_raw && row.first_ms <= row.last_ms;
}

}  // namespace

std::string encode_question(const read::OpenQuestion& question) {
  std::string body;
  protozero::pbf_writer writer(body);
  writer.add_int64(kFrom, question.from_ms);
  writer.add_int64(kTo, question.to_ms);
  for (const store::SeriesId series : question.series) writer.add_fixed64(kAsked, series.value);
  return body;
}

Result<OpenAsked> parse_question(std::string_view body) {
  OpenAsked asked;
  try {
    FieldReader message(body);
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(kFrom):
          asked.from_ms = static_cast<TimestampMs>(message.varint());
          break;
        case varint_field(kTo):
          asked.to_ms = static_cast<TimestampMs>(message.varint());
          break;
        case fixed64_field(kAsked):
          if (asked.series.size() == kSeriesMax) {
            return fail(ErrorCode::kInvalid, "more than 4,096 series are asked for at once");
          }
          asked.series.push_back({message.fixed64()});
          break;
        default:
          message.skip();
      }
    }
  } catch (const protozero::exception&) {
    return fail(ErrorCode::kInvalid, "the body asks for nothing that can be read");
  }
  return asked;
}

void append_row(std::string& body, const store::ChunkRow& row) {
  protozero::pbf_writer writer(body);
  protozero::pbf_writer message(writer, kRow);
  message.add_fixed64(kSeries, row.series.value);
  message.add_int64(kFirst, row.first_ms);
  message.add_int64(kLast, row.last_ms);
  message.add_uint64(kVersion, row.version);
  message.add_uint32(kEncoding, static_cast<std::uint32_t>(row.encoding));
  message.add_bytes(kData, row.data);
}

void append_answered(std::string& body, std::size_t series) {
  protozero::pbf_writer(body).add_uint64(kAnswered, series);
}

Result<read::OpenAnswer> parse_answer(std::string_view body, const read::OpenQuestion& question) {
  read::OpenAnswer answer;
  try {
    FieldReader message(body);
    while (message.next()) {
      if (message.tag_and_type() == varint_field(kAnswered)) {
        answer.series = message.varint();
      } else if (message.tag_and_type() == bytes_field(kRow)) {
        answer.rows.push_back(read_row(message.bytes()));
      } else {
        message.skip();
      }
    }
  } catch (const protozero::exception&) {
    return fail(ErrorCode::kCorrupt, "the answer cannot be read");
  }
  const bool is_of_it = answer.series <= question.series.size() &&
                        (answer.series > 0 || question.series.empty()) &&
                        std::all_of(answer.rows.begin(), answer.rows.end(), is_sound);
  if (!is_of_it) return fail(ErrorCode::kCorrupt, "the answer is none to what was asked for");
  return answer;
}

}  // namespace vigia::storage::peers
