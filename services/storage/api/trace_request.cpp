#include "services/storage/api/trace_request.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/hex.hpp"
#include "services/storage/api/cursor_text.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::uint8_t kCursorVersion = 1;
constexpr std::size_t kNameCursorTextMax = 2 * (store::kListedNameMax + 1);
constexpr std::uint32_t kKinds = 6;  // of OTLP

// Parameters that may be given once.
class Seen {
 public:
  Result<void> note(const std::string& name) {
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
      return fail(ErrorCode::kInvalid, fmt::format("{} is given twice", name));
    }
    names_.push_back(name);
    return {};
  }
  bool has(std::string_view name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  }

 private:
  std::vector<std::string> names_;
};

Result<void> read_tag(const std::string& text, store::TraceQuery& query) {
  const std::size_t at = text.find('=');
  if (at == std::string::npos || at == 0) {
    return fail(ErrorCode::kInvalid, "tag is written key=value");
  }
  if (query.tags.size() == kTagsMax) {
    return fail(ErrorCode::kInvalid, fmt::format("more than {} tags", kTagsMax));
  }
  query.tags.push_back({text.substr(0, at), text.substr(at + 1)});
  return {};
}

Result<void> read_duration(const std::string& name, const std::string& text,
                           store::TraceQuery& query) {
  const auto duration = parse_span_duration(name, text);
  if (!duration) return forward(duration);
  (name == "min_duration" ? query.shortest_ns : query.longest_ns) = *duration;
  return {};
}

// False for a parameter of read_label_query.
Result<bool> read_own(const std::string& name, const std::string& value, TraceRequest& traces) {
  if (name == "service") {
    traces.query.service = value;
    return true;
  }
  if (name == "operation") {
    traces.query.operation = value;
    return true;
  }
  if (name == "min_duration" || name == "max_duration") {
    if (auto read = read_duration(name, value, traces.query); !read) return forward(read);
    return true;
  }
  if (name != "cursor") return false;
  auto cursor = decode_trace_cursor(value);
  if (!cursor) return forward(cursor);
  traces.cursor = std::move(*cursor);
  return true;
}

// What is mistyped or not meant for this path must not widen the answer without a word.
Result<void> refuse_matchers(const LabelQuery& labels) {
  if (labels.sets.empty()) return {};
  return fail(ErrorCode::kInvalid,
              "matcher is no parameter of this path: traces have tag=key=value");
}

// Without a range the search would look at all that is kept.
tl::unexpected<Error> fail_without_range() {
  return fail(ErrorCode::kInvalid, "start and end are required");
}

Result<void> check(TraceRequest& traces, const Seen& seen) {
  if (auto refused = refuse_matchers(traces.labels); !refused) return refused;
  if (traces.query.service.empty()) {
    return fail(ErrorCode::kInvalid, "service is required: /api/v1/services lists them");
  }
  if (!traces.labels.has_range || traces.labels.end_ms == INT64_MAX) return fail_without_range();
  if (traces.query.shortest_ns > traces.query.longest_ns) {
    return fail(ErrorCode::kInvalid, "min_duration is longer than max_duration");
  }
  if (traces.labels.limit > kTracesMax) {
    if (seen.has("limit")) {
      return fail(ErrorCode::kInvalid, fmt::format("limit is 1 to {}", kTracesMax));
    }
    traces.labels.limit = kTracesDefault;
  }
  const auto& fence = traces.labels.fence;
  if (traces.cursor && fence.has_value() && traces.cursor->customer != *fence) return no_cursor();
  return {};
}

Result<std::uint32_t> parse_kind(std::string_view text) {
  for (std::uint32_t kind = 1; kind < kKinds; ++kind) {
    if (store::kind_name(kind) == text) return kind;
  }
  return fail(ErrorCode::kInvalid, "span_kind is internal, server, client, producer or consumer");
}

Result<bool> read_own(const std::string& name, const std::string& value, NamesOf names,
                      NameRequest& request) {
  if (name == "span_kind" && names == NamesOf::kOperations) {
    const auto kind = parse_kind(value);
    if (!kind) return forward(kind);
    request.span_kind = *kind;
    return true;
  }
  if (name == "service" && names == NamesOf::kOperations) {
    request.service = value;
    return true;
  }
  if (name != "cursor") return false;
  request.cursor = value.size() <= kNameCursorTextMax ? from_hex(value) : std::nullopt;
  if (!request.cursor || request.cursor->empty()) return no_cursor();
  return true;
}

}  // namespace

std::string encode(const TracePageEnd& cursor) {
  std::string bytes(1, static_cast<char>(kCursorVersion));
  append_u64(bytes, cursor.place.time_ns);
  append_sized(bytes, cursor.place.trace_id);
  append_sized(bytes, cursor.customer.text());
  return to_cursor_text(std::move(bytes));
}

Result<TracePageEnd> decode_trace_cursor(std::string_view text) {
  const auto bytes = from_cursor_text(text);
  if (!bytes) return no_cursor();
  ByteReader reader(*bytes);
  const std::uint8_t version = reader.read_u8();
  store::TracePlace place;
  place.time_ns = reader.read_u64();
  place.trace_id = reader.read_sized();
  auto customer = cursor_customer(reader.read_sized());
  const bool is_whole = reader.ok() && reader.rest().empty();
  const bool is_id = place.trace_id.empty() || place.trace_id.size() == store::kTraceIdBytes;
  if (!is_whole || version != kCursorVersion || !customer || !is_id) return no_cursor();
  return TracePageEnd{std::move(*customer), std::move(place)};
}

Result<std::uint64_t> parse_span_duration(std::string_view name, std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"\xce\xbcs", 1e3},
      {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};
  constexpr double kLongest = 1.8e19;  // below 2^64
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const std::string_view unit(behind, static_cast<std::size_t>(end - behind));
  for (const auto& [known, nanoseconds] : kUnits) {
    if (error != std::errc() || unit != known) continue;
    const double product = std::round(number * nanoseconds);
    if (!(product >= 0 && product < kLongest)) break;
    return static_cast<std::uint64_t>(product);
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("{} is a number with its unit, as 100ms, 1.5s or 500us", name));
}

Result<TraceRequest> read_trace_request(const net::Request& request) {
  TraceRequest traces;
  Seen seen;
  auto labels = read_label_query(request, [&](const std::string& name, const std::string& value) {
    if (name == "tag") {
      if (auto read = read_tag(value, traces.query); !read) return Result<bool>(forward(read));
      return Result<bool>(true);
    }
    if (auto noted = seen.note(name); !noted) return Result<bool>(forward(noted));
    return read_own(name, value, traces);
  });
  if (!labels) return forward(labels);
  traces.labels = std::move(*labels);
  if (auto checked = check(traces, seen); !checked) return forward(checked);
  return traces;
}

Result<NameRequest> read_name_request(const net::Request& request, NamesOf names) {
  NameRequest asked;
  Seen seen;
  auto labels = read_label_query(request, [&](const std::string& name, const std::string& value) {
    if (auto noted = seen.note(name); !noted) return Result<bool>(forward(noted));
    return read_own(name, value, names, asked);
  });
  if (!labels) return forward(labels);
  asked.labels = std::move(*labels);
  if (auto refused = refuse_matchers(asked.labels); !refused) return forward(refused);
  return asked;
}

Result<CallRequest> read_call_request(const net::Request& request) {
  CallRequest calls;
  Seen seen;
  auto labels = read_label_query(request, [&](const std::string& name, const std::string& value) {
    if (auto noted = seen.note(name); !noted) return Result<bool>(forward(noted));
    if (name != "service") return Result<bool>(false);
    calls.service = value;
    return Result<bool>(true);
  });
  if (!labels) return forward(labels);
  calls.labels = std::move(*labels);
  if (auto refused = refuse_matchers(calls.labels); !refused) return forward(refused);
  if (!calls.labels.has_range || calls.labels.end_ms == INT64_MAX) return fail_without_range();
  if (calls.labels.limit > kCalledTracesMax) {
    if (seen.has("limit")) {
      return fail(ErrorCode::kInvalid, fmt::format("limit is 1 to {}", kCalledTracesMax));
    }
    calls.labels.limit = kCalledTracesMax;
  }
  return calls;
}

}  // namespace vigia::storage::api
