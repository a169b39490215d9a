#include "libs/wire/remote_read/read_request.hpp"

#include <algorithm>
#include <optional>

#include <protozero/pbf_writer.hpp>
#include <snappy.h>

#include "libs/wire/remote_read/checked_reader.hpp"

namespace vigia::wire::remote_read {
namespace {

enum ReadRequestField : protozero::pbf_tag_type { kQueries = 1, kAcceptedTypes = 2 };
enum QueryField : protozero::pbf_tag_type { kStart = 1, kEnd = 2, kMatchers = 3, kHints = 4 };
enum HintsField : protozero::pbf_tag_type { kHintFunc = 2, kHintStart = 3, kHintEnd = 4 };

constexpr std::string_view kSeriesFunc = "series";
enum MatcherField : protozero::pbf_tag_type { kType = 1, kName = 2, kValue = 3 };

struct TooManyParts {
  std::string_view what;
};

Matcher read_matcher(CheckedReader message) {
  Matcher matcher;
  while (message.next()) {
    switch (message.tag()) {
      case kType: {
        const std::int32_t type = message.get_enum();
        // A matcher of an unknown kind left out would widen the answer.
        if (type < 0 || type > 3) throw protozero::exception();
        matcher.type = static_cast<MatchType>(type);
        break;
      }
      case kName:
        matcher.name = message.get_view();
        break;
      case kValue:
        matcher.value = message.get_view();
        break;
      default:
        message.skip();
    }
  }
  return matcher;
}

struct Hints {
  TimestampMs start_ms = 0;
  TimestampMs end_ms = 0;
  bool is_series = false;
};

Hints read_hints(CheckedReader message) {
  Hints hints;
  while (message.next()) {
    switch (message.tag()) {
      case kHintFunc:
        hints.is_series = message.get_view() == kSeriesFunc;
        break;
      case kHintStart:
        hints.start_ms = message.get_int64();
        break;
      case kHintEnd:
        hints.end_ms = message.get_int64();
        break;
      default:
        message.skip();
    }
  }
  return hints;
}

Query read_query(CheckedReader message) {
  Query query;
  Hints hinted;
  while (message.next()) {
    switch (message.tag()) {
      case kStart:
        query.start_ms = message.get_int64();
        break;
      case kEnd:
        query.end_ms = message.get_int64();
        break;
      case kMatchers:
        if (query.matchers.size() == kMatchersMax) throw TooManyParts{"matchers"};
        query.matchers.push_back(read_matcher(message.get_message()));
        break;
      case kHints:
        hinted = read_hints(message.get_message());
        break;
      default:
        message.skip();
    }
  }
  query.wants_labels_alone = hinted.is_series;
  // Who has none leaves both 0; a range that ends before it begins is none.
  const bool is_given = (hinted.start_ms != 0 || hinted.end_ms != 0);
  if (is_given && hinted.start_ms <= hinted.end_ms) {
    query.start_ms = std::max(query.start_ms, hinted.start_ms);
    query.end_ms = std::min(query.end_ms, hinted.end_ms);
  }
  return query;
}

// The wanted type, once the list has shown one that we know.
void choose_type(std::int32_t type, std::optional<ResponseType>& chosen) {
  if (!chosen.has_value() && (type == 0 || type == 1)) chosen = static_cast<ResponseType>(type);
}

void read_accepted_types(CheckedReader& message, std::optional<ResponseType>& chosen) {
  if (message.wire_type() == protozero::pbf_wire_type::length_delimited) {
    for (const std::int32_t type : message.get_packed_enum()) choose_type(type, chosen);
  } else {
    choose_type(message.get_enum(), chosen);
  }
}

Result<ReadRequest> read_request(std::string_view bytes, std::size_t& query) {
  ReadRequest request;
  std::optional<ResponseType> chosen;
  bool has_list = false;
  CheckedReader message(bytes);
  while (message.next()) {
    switch (message.tag()) {
      case kQueries:
        if (request.queries.size() == kQueriesMax) throw TooManyParts{"queries"};
        ++query;
        request.queries.push_back(read_query(message.get_message()));
        break;
      case kAcceptedTypes:
        has_list = true;
        read_accepted_types(message, chosen);
        break;
      default:
        message.skip();
    }
  }
  // prompb/remote.proto: the first of the list that the server knows; no list means samples, which
  // clients older than the list expect.
  if (has_list && !chosen.has_value()) {
    return fail(ErrorCode::kInvalid,
                "remote read: none of the accepted response types is known here");
  }
  request.response_type = chosen.value_or(ResponseType::kSamples);
  return request;
}

}  // namespace

Result<ReadRequest> parse_read_request(std::string_view body) {
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &length)) {
    return fail(ErrorCode::kInvalid, "remote read: the body is not a snappy block");
  }
  if (length > kRequestBytesMax) {
    return fail(ErrorCode::kTooLarge, "remote read: the request is larger than 1 MiB");
  }
  std::string bytes;
  if (!snappy::Uncompress(body.data(), body.size(), &bytes)) {
    return fail(ErrorCode::kInvalid, "remote read: the snappy block is damaged");
  }
  std::size_t query = 0;  // the last that was begun, counted from 1
  try {
    return read_request(bytes, query);
  } catch (const TooManyParts& too_many) {
    return fail(ErrorCode::kTooLarge, "remote read: too many " + std::string(too_many.what));
  } catch (const protozero::exception& damage) {
    const std::string place = query > 0 ? ", at queries[" + std::to_string(query - 1) + "]" : "";
    return fail(ErrorCode::kInvalid,
                "remote read: the body is not a ReadRequest" + place + ": " + damage.what());
  }
}

std::string encode_read_request(const std::vector<Query>& queries,
                                const std::vector<ResponseType>& accepted) {
  std::string bytes;
  protozero::pbf_writer message(bytes);
  for (const Query& query : queries) {
    protozero::pbf_writer query_writer(message, kQueries);
    query_writer.add_int64(kStart, query.start_ms);
    query_writer.add_int64(kEnd, query.end_ms);
    for (const Matcher& matcher : query.matchers) {
      protozero::pbf_writer matcher_writer(query_writer, kMatchers);
      matcher_writer.add_enum(kType, static_cast<std::int32_t>(matcher.type));
      matcher_writer.add_string(kName, matcher.name);
      matcher_writer.add_string(kValue, matcher.value);
    }
    if (query.wants_labels_alone) {
      protozero::pbf_writer hints(query_writer, kHints);
      hints.add_string(kHintFunc, kSeriesFunc.data(), kSeriesFunc.size());
      hints.add_int64(kHintStart, query.start_ms);
      hints.add_int64(kHintEnd, query.end_ms);
    }
  }
  for (const ResponseType type : accepted) {
    message.add_enum(kAcceptedTypes, static_cast<std::int32_t>(type));
  }
  std::string body;
  snappy::Compress(bytes.data(), bytes.size(), &body);
  return body;
}

}  // namespace vigia::wire::remote_read
