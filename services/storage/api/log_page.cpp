#include "services/storage/api/log_page.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/api/attribute_json.hpp"
#include "services/storage/api/json_cost.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::LogRecordField;
using wire::otlp::ResourceField;

constexpr std::string_view kEnded =
    "the search was ended, it took too long or looked at too many log records: there may be more "
    "than these, which are the first; ask for a shorter time, or go on with the cursor";
constexpr std::string_view kEndedAtOnce =
    "the search was ended, it took too long, before it had looked at a log record; ask for a "
    "shorter time, or try again later";
constexpr std::string_view kCutBySize =
    "results truncated: more log records do not fit into one answer; go on with the cursor";
constexpr std::string_view kLookedEnough =
    "results truncated: a page looks at no more log records at once; go on with the cursor";

std::string record_json(store::TimestampNs time_ns, const store::EventView& event,
                        const RecordParts& parts, std::size_t bytes_max) {
  std::string json;
  json.reserve(bytes_max);
  json += fmt::format(R"({{"time_ns":"{}","severity":)", time_ns);
  append_json_text(json, parts.severity);
  json += R"(,"body":)";
  append_value_string(json, parts.body);
  json += R"(,"trace_id":")";
  json += to_hex(parts.trace_id);
  json += R"(","span_id":")";
  json += to_hex(parts.span_id);
  json += R"(","attributes":)";
  append_object_json(json, {event.item, LogRecordField::kAttributes.number});
  json += R"(,"resource":)";
  append_object_json(json, {event.resource, ResourceField::kAttributes.number});
  return json += '}';
}

// Where this answer alone is all that it may be, a page ends; a record that is too large for any
// page is left out.
Result<Taken> beyond(const Error& error, const AnswerBody& body) {
  if (error.code != ErrorCode::kOverLimit) return tl::unexpected<Error>(error);
  return body.items() == 0 ? Taken::kTooLarge : Taken::kNoMore;
}

Result<Taken> take_record(store::TimestampNs time_ns, const store::EventView& event,
                          const RecordParts& parts, AnswerBody& body, lanes::AnswerMemory& memory) {
  const JsonCost cost = record_cost(event);
  if (cost.memory() > kItemMemoryMax) return Taken::kTooLarge;
  if (!body.has_room(cost.json)) return Taken::kNoMore;
  if (auto fits = memory.add(cost.memory()); !fits) return beyond(fits.error(), body);
  const auto added = body.add(record_json(time_ns, event, parts, cost.json));
  memory.release(cost.memory());
  if (!added) return beyond(added.error(), body);
  return Taken::kYes;
}

}  // namespace

LogPage::LogPage(const LogRequest& request, const store::WorkLimit& limit,
                 const std::shared_ptr<lanes::AnswerMemory>& memory, std::string_view gaps)
    : request_(request),
      records_max_(std::min(request.labels.limit, kLogRecordsMax)),
      memory_(*memory),
      body_(memory, gaps),
      selector_(request.labels.sets, *memory),
      looked_at_(limit) {
  body_.limit_to(std::min(request.answer_bytes, kAnswerBytesMax));
}

bool LogPage::add(const store::LogRecordView& record) {
  const RecordParts parts = read_record(record.event.item);
  const auto wanted = selector_.wants(record.event, parts);
  if (wanted && wanted->has_value() && !**wanted) {
    looked_at_.pass_by();
    return pass_on(record.place);
  }
  // Only known with the one after the last: a limit that fits exactly cuts nothing.
  if (body_.items() == records_max_) return cut(kCutByLimit);
  auto taken = Result<Taken>(Taken::kTooLarge);
  if (!wanted) {
    taken = beyond(wanted.error(), body_);
  } else if (wanted->has_value()) {
    taken = take(record, parts);
  }
  if (!taken) {
    error_ = tl::unexpected<Error>(taken.error());
    return false;
  }
  if (*taken == Taken::kNoMore) return cut(kCutBySize);
  if (*taken == Taken::kTooLarge) ++left_out_;
  return pass_on(record.place);
}

/// False where a walk by filters has looked at enough.
bool LogPage::pass_on(const store::LogPlace& place) {
  pass(place);
  return request_.lines && looked_at_.is_enough() ? cut(kLookedEnough) : true;
}

/// kYes, too, of a record that the filters leave out.
Result<Taken> LogPage::take(const store::LogRecordView& record, const RecordParts& parts) {
  const auto passes = passes_filters(parts);
  if (!passes) return beyond(passes.error(), body_);
  if (!*passes) return Taken::kYes;
  return take_record(record.place.time_ns, record.event, parts, body_, memory_);
}

Result<bool> LogPage::passes_filters(const RecordParts& parts) {
  const auto text = text_within(parts.body, made_text_, memory_);
  if (!text) return forward(text);
  looked_at_.add(text->size());
  return !request_.lines || request_.lines->pass(*text);
}

bool LogPage::pass(const store::LogPlace& place) {
  behind_ = place;
  behind_in_ = customer_;
  return true;
}

bool LogPage::cut(std::string_view why) {
  cut_ = why;
  return false;
}

void LogPage::end_customer(const store::LogQuery& query) {
  const bool is_backward = query.direction == store::LogDirection::kBackward;
  pass({is_backward ? query.from_ns : query.to_ns, UINT64_MAX});
}

void LogPage::end_early(const store::LogEnd& end) {
  if (end.looked_at) pass(*end.looked_at);
  cut(behind_ || request_.cursor ? kEnded : kEndedAtOnce);
}

net::Response LogPage::finish() {
  std::optional<LogPageEnd> behind = request_.cursor;
  if (behind_) behind = LogPageEnd{*behind_in_, request_.direction, *behind_};
  if (left_out_ > 0) {
    body_.warn(fmt::format("{} log records are too large to be shown", left_out_));
  }
  if (request_.lines) body_.tell("looked_at", looked_at_.json());
  return body_.finish(cut_, is_cut() && behind ? encode(*behind) : "");
}

}  // namespace vigia::storage::api
