#include "services/storage/api/event_api.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/attribute_json.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/api/jaeger_json.hpp"
#include "services/storage/api/label_query.hpp"

namespace vigia::storage {
namespace {

using wire::otlp::bytes_field;
using wire::otlp::FieldReader;

constexpr std::size_t kTraceIdDigits = 32;
constexpr std::size_t kTraceCopies = 3;  // made while it grew, and put together
constexpr TimestampNs kNsPerMs = 1'000'000;
// Of one span or log record, which must not make the others unreadable: 5 MiB as it was sent.
constexpr std::size_t kItemJsonMax = 32U << 20U;
const Error kTooLarge{ErrorCode::kOverLimit,
                      "the log records pass 64 MiB; ask for a shorter time or a lower limit"};

const Error kTooSlow{ErrorCode::kUnavailable,
                     "the search was ended, it took too long; try again later"};
constexpr std::string_view kEnded =
    "the search was ended, it took too long: there may be more log records than these, which are "
    "the first; ask for a shorter time";

// Attributes of the resource that matchers know by another name.
constexpr std::pair<std::string_view, std::string_view> kLabelNames[] = {
    {"customer.id", "customer_id"},
    {"node.id", "node_id"},
    {"node.region", "node_region"},
    {"service.name", "service_name"}};

std::optional<std::string> parse_trace_id(std::string_view text) {
  if (text.empty() || text.size() > kTraceIdDigits) return std::nullopt;
  return from_hex(std::string(kTraceIdDigits - text.size(), '0').append(text));
}

// LogRecord: 3 severity_text, 5 body, 6 attributes, 9 trace_id, 10 span_id.
struct RecordParts {
  std::string_view severity;
  std::string_view body;
  std::string trace_id;
  std::string span_id;
};

RecordParts read_record(std::string_view record) {
  RecordParts parts;
  FieldReader reader(record);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(3):
        parts.severity = reader.bytes();
        break;
      case bytes_field(5):
        parts.body = reader.bytes();
        break;
      case bytes_field(9):
        parts.trace_id = to_hex(reader.bytes());
        break;
      case bytes_field(10):
        parts.span_id = to_hex(reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  return parts;
}

bool is_wanted(const std::vector<LabelMatchers>& sets, const EventView& event,
               const RecordParts& parts) {
  if (sets.empty()) return true;
  std::vector<Label> labels = {{"severity", std::string(parts.severity)},
                               {"trace_id", parts.trace_id}};
  wire::otlp::for_each_attribute({event.resource, 1},
                                 [&](const wire::otlp::KeyValueView& attribute) {
                                   std::string name(attribute.key);
                                   for (const auto& [from, to] : kLabelNames) {
                                     if (name == from) name = to;
                                   }
                                   std::string value;
                                   wire::otlp::append_value_text(value, attribute.value);
                                   labels.push_back({std::move(name), std::move(value)});
                                 });
  const Labels sorted = Labels::from(std::move(labels));
  std::vector<LabelView> views;
  for (const Label& label : sorted) views.emplace_back(label.name, label.value);
  return std::any_of(sets.begin(), sets.end(),
                     [&](const LabelMatchers& set) { return all_match(set, views); });
}

std::string record_json(TimestampNs time_ns, const EventView& event, const RecordParts& parts) {
  std::string body;
  wire::otlp::append_value_text(body, parts.body);
  return fmt::format(R"({{"time_ns":"{}","severity":{},"body":{},"trace_id":"{}","span_id":"{}",)"
                     R"("attributes":{},"resource":{}}})",
                     time_ns, json_text(parts.severity), json_text(body), parts.trace_id,
                     parts.span_id, object_json({event.item, 6}), object_json({event.resource, 1}));
}

// What its JSON may need: names, escapes and hex digits.
std::size_t json_bytes_max(const EventView& event) {
  constexpr std::size_t kNames = 512;
  return kJsonGrowth * (event.resource.size() + event.scope.size() + event.item.size()) + kNames;
}

TimestampNs to_ns(TimestampMs time_ms) {
  return static_cast<TimestampNs>(std::max<TimestampMs>(time_ms, 0)) * kNsPerMs;
}

}  // namespace

net::Response EventApi::trace(const net::Request& request, std::string_view id,
                              const WorkLimit& limit) const {
  const auto trace_id = parse_trace_id(id);
  if (!trace_id.has_value()) {
    return net::json_error({ErrorCode::kInvalid, "a trace id has 1 to 32 hex digits"});
  }
  const auto fence = read_fence(request.headers);
  if (!fence) return net::json_error(fence.error());
  auto memory = std::make_shared<AnswerMemory>(answers_, share_of(*fence));
  JaegerTrace trace(*trace_id);
  bool is_cut = false;
  Result<void> fits;
  for (const Customer& customer : customers_for(index_, *fence, {})) {
    const auto add = [&](const EventView& event) {
      const std::size_t json_max = json_bytes_max(event);
      if (json_max > kItemJsonMax) {
        is_cut = true;
        return true;
      }
      if (trace.spans() == kTraceSpansMax || trace.bytes() + json_max > kAnswerBytesMax) {
        is_cut = true;
        return false;
      }
      const ScratchMemory scratch(*memory);  // of the span's parts, and the texts that grow
      fits = memory->add(2 * json_max + kTraceCopies * trace.bytes());
      if (fits) trace.add(event);
      return fits.has_value();
    };
    const auto whole = spans_.read_trace(customer.number, *trace_id, add, limit);
    if (!whole) return net::json_error(whole.error());
    if (!fits) return net::json_error(fits.error());
    if (*whole) continue;
    if (trace.spans() == 0) return net::json_error(kTooSlow);
    is_cut = true;
    break;
  }
  const std::string_view gaps = gaps_.warning();
  if (trace.spans() == 0 && !is_cut) {
    if (!gaps.empty()) return net::json_error({ErrorCode::kUnavailable, std::string(gaps)});
    return net::json_error({ErrorCode::kNotFound, "trace not found"});
  }
  fits = memory->add(kTraceCopies * trace.bytes());
  if (!fits) return net::json_error(fits.error());
  return json_answer(trace.finish(is_cut, gaps), std::move(memory));
}

net::Response EventApi::logs(const net::Request& request, const WorkLimit& limit) const {
  const auto query = read_label_query(request);
  if (!query) return net::json_error(query.error());
  if (!query->has_range || query->end_ms == INT64_MAX) {
    return net::json_error({ErrorCode::kInvalid, "start and end are required"});
  }
  const std::size_t records_max = std::min(query->limit, kLogRecordsMax);
  auto memory = std::make_shared<AnswerMemory>(answers_, share_of(query->fence));
  AnswerBody body(memory, gaps_.warning());
  bool is_cut = false;
  std::size_t left_out = 0;
  Result<void> fits;
  const auto add = [&](TimestampNs time_ns, const EventView& event) {
    const RecordParts parts = read_record(event.item);
    if (!is_wanted(query->sets, event, parts)) return true;
    is_cut = body.items() == records_max;
    if (is_cut) return false;
    const std::size_t json_max = json_bytes_max(event);
    if (json_max > kItemJsonMax) {
      ++left_out;
      return true;
    }
    fits = body.has_room(json_max) ? memory->add(2 * json_max)
                                   : Result<void>(tl::unexpected<Error>(kTooLarge));
    if (!fits) return false;
    const std::string json = record_json(time_ns, event, parts);
    memory->release(2 * json_max);
    fits = body.add(json);
    return fits.has_value();
  };
  for (const Customer& customer : customers_for(index_, query->fence, {})) {
    const auto whole = logs_.read_logs(customer.number, to_ns(query->start_ms),
                                       to_ns(query->end_ms) + kNsPerMs - 1, add, limit);
    if (!whole) return net::json_error(whole.error());
    if (!fits) return net::json_error(fits.error());
    if (!*whole) return body.finish(kEnded);
  }
  if (is_cut) return body.finish("results truncated due to limit");
  return body.finish(
      left_out == 0 ? "" : fmt::format("{} log records are too large to be shown", left_out));
}

}  // namespace vigia::storage
