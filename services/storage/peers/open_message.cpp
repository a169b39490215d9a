#include "services/storage/peers/open_message.hpp"

#include <algorithm>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

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

store::ChunkRow read_row(protozero::pbf_reader message) {
  store::ChunkRow row;
  while (message.next()) {
    switch (message.tag()) {
      case kSeries:
        row.series.value = message.get_fixed64();
        break;
      case kFirst:
        row.first_ms = message.get_int64();
        break;
      case kLast:
        row.last_ms = message.get_int64();
        break;
      case kVersion:
        row.version = message.get_uint64();
        break;
      case kEncoding:
        row.encoding = static_cast<store::Encoding>(message.get_uint32());
        break;
      case kData:
        row.data = message.get_string();
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
    protozero::pbf_reader message(body.data(), body.size());
    while (message.next()) {
      switch (message.tag()) {
        case kFrom:
          asked.from_ms = message.get_int64();
          break;
        case kTo:
          asked.to_ms = message.get_int64();
          break;
        case kAsked:
          if (asked.series.size() == kSeriesMax) {
            return fail(ErrorCode::kInvalid, "more than 4,096 series are asked for at once");
          }
          asked.series.push_back({message.get_fixed64()});
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
    protozero::pbf_reader message(body.data(), body.size());
    while (message.next()) {
      if (message.tag() == kAnswered) {
        answer.series = message.get_uint64();
      } else if (message.tag() == kRow) {
        answer.rows.push_back(read_row(message.get_message()));
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
