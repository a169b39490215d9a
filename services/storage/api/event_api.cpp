#include "services/storage/api/event_api.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/attribute_json.hpp"
#include "services/storage/api/customer_walk.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/api/jaeger_json.hpp"
#include "services/storage/api/json_cost.hpp"
#include "services/storage/api/log_query.hpp"
#include "services/storage/api/log_record.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::LogRecordField;
using wire::otlp::ResourceField;

constexpr std::size_t kTraceIdDigits = 32;
const Error kTooSlow{ErrorCode::kUnavailable,
                     "the search was ended, it took too long; try again later"};
constexpr std::string_view kEnded =
    "the search was ended, it took too long or looked at too many log records: there may be more "
    "than these, which are the first; ask for a shorter time, or go on with the cursor";
constexpr std::string_view kEndedAtOnce =
    "the search was ended, it took too long, before it had looked at a log record; ask for a "
    "shorter time, or try again later";
constexpr std::string_view kCutBySize =
    "results truncated: more log records do not fit into one answer; go on with the cursor";

std::optional<std::string> parse_trace_id(std::string_view text) {
  if (text.empty() || text.size() > kTraceIdDigits) return std::nullopt;
  // Ids of 64 bits are stored with zeros in front, as Jaeger shows them.
  return from_hex(std::string(kTraceIdDigits - text.size(), '0').append(text));
}

std::string record_json(store::TimestampNs time_ns, const store::EventView& event,
                        const RecordParts& parts, std::size_t bytes_max) {
  std::string json;
  json.reserve(bytes_max);
  json += fmt::format(R"({{"time_ns":"{}","severity":)", time_ns);
  append_json_text(json, parts.severity);
  json += R"(,"body":)";
  append_value_string(json, parts.body);
  json += R"(,"trace_id":")";
  json += parts.trace_id;
  json += R"(","span_id":")";
  json += parts.span_id;
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

// A page of log records while it is made: one customer's after another's for operators.
class LogPage {
 public:
  LogPage(const LogRequest& request, const std::shared_ptr<lanes::AnswerMemory>& memory,
          std::string_view gaps)
      : request_(request),
        records_max_(std::min(request.labels.limit, kLogRecordsMax)),
        memory_(*memory),
        body_(memory, gaps) {}

  /// `customer` must outlive the page.
  void begin(const CustomerId& customer) { customer_ = &customer; }
  /// A LogVisit.
  bool add(const store::LogRecordView& record) {
    const store::EventView& event = record.event;
    const RecordParts parts = read_record(event.item);
    auto taken = Result<Taken>(Taken::kTooLarge);
    const auto wanted = is_wanted_within(request_.labels.sets, event, parts, memory_);
    if (!wanted) {
      taken = beyond(wanted.error(), body_);
    } else if (wanted->has_value()) {
      if (!**wanted) return pass(record.place);
      // Only known with the one after the last: a limit that fits exactly cuts nothing.
      if (body_.items() == records_max_) return cut(kCutByLimit);
      taken = take_record(record.place.time_ns, event, parts, body_, memory_);
    }
    if (!taken) {
      error_ = tl::unexpected<Error>(taken.error());
      return false;
    }
    if (*taken == Taken::kNoMore) return cut(kCutBySize);
    if (*taken == Taken::kTooLarge) ++left_out_;
    return pass(record.place);
  }
  bool is_cut() const { return !cut_.empty(); }
  const Result<void>& error() const { return error_; }
  /// All of this customer's records were looked at: the next page goes on behind them even where
  /// none was asked for.
  void end_customer(const store::LogQuery& query) {
    const bool is_backward = query.direction == store::LogDirection::kBackward;
    pass({is_backward ? query.from_ns : query.to_ns, UINT64_MAX});
  }
  /// The limit ended the walk of this customer's records.
  void end_early(const store::LogEnd& end) {
    if (end.looked_at) pass(*end.looked_at);
    cut(behind_ || request_.cursor ? kEnded : kEndedAtOnce);
  }

  /// Where it is cut the next page goes on behind what was looked at here.
  net::Response finish() {
    std::optional<LogPageEnd> behind = request_.cursor;
    if (behind_) behind = LogPageEnd{*behind_in_, request_.direction, *behind_};
    if (left_out_ > 0) {
      body_.warn(fmt::format("{} log records are too large to be shown", left_out_));
    }
    return body_.finish(cut_, is_cut() && behind ? encode(*behind) : "");
  }

 private:
  bool pass(const store::LogPlace& place) {
    behind_ = place;
    behind_in_ = customer_;
    return true;
  }
  bool cut(std::string_view why) {
    cut_ = why;
    return false;
  }

  const LogRequest& request_;
  const std::size_t records_max_;
  lanes::AnswerMemory& memory_;
  AnswerBody body_;
  const CustomerId* customer_ = nullptr;
  std::optional<store::LogPlace> behind_;  // the last record that was looked at
  const CustomerId* behind_in_ = nullptr;  // whose it is
  std::string_view cut_;                   // why the page ends before the records do
  std::size_t left_out_ = 0;
  Result<void> error_;
};

/// A store that does not know would give all of them.
Result<void> check_arrivals(store::EventStore& events, const read::Fence& fence) {
  if (!fence) return fail(ErrorCode::kInvalid, "log records are followed of one customer: name it");
  const auto known = events.log_arrivals(*fence, std::nullopt);
  if (!known) return forward(known);
  return {};
}

}  // namespace

net::Response EventApi::trace(const net::Request& request, std::string_view id,
                              const store::WorkLimit& limit) const {
  const auto trace_id = parse_trace_id(id);
  if (!trace_id.has_value()) {
    return net::json_error({ErrorCode::kInvalid, "a trace id has 1 to 32 hex digits"});
  }
  const auto fence = read_fence(request.headers);
  if (!fence) return net::json_error(fence.error());
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(*fence));
  JaegerTrace trace(*trace_id);
  bool is_cut = false;
  Result<void> fits;
  for (const CustomerId& customer : read::customers_for(catalog_, *fence, {})) {
    const store::TimestampNs from_ns = kept_from_ns(kept_.traces_from, customer);
    const auto add = [&](const store::EventView& event) {
      if (is_before(event.item, from_ns)) return true;
      const auto taken = take_span(event, trace, *memory);
      if (!taken) {
        fits = tl::unexpected<Error>(taken.error());
        return false;
      }
      is_cut = is_cut || *taken != Taken::kYes;
      return *taken != Taken::kNoMore;
    };
    const auto whole = events_.read_trace(customer, *trace_id, add, limit);
    if (!whole) return net::json_error(whole.error());
    if (!fits) return net::json_error(fits.error());
    if (*whole) continue;
    // Part of a trace is worth showing, with a word that it is part; none of it is not "not found".
    if (trace.spans() == 0) return net::json_error(kTooSlow);
    is_cut = true;
    break;
  }
  const std::string_view gaps = gaps_.warning(share_of(*fence));
  if (trace.spans() == 0 && !is_cut) {
    // While rows are lost or not saved yet, "not found" may be untrue.
    if (!gaps.empty()) return net::json_error({ErrorCode::kUnavailable, std::string(gaps)});
    return net::json_error({ErrorCode::kNotFound, "trace not found"});
  }
  return json_answer(trace.finish(is_cut, gaps), std::move(memory));
}

net::Response EventApi::logs(const net::Request& request, const store::WorkLimit& limit) const {
  const auto asked = read_log_request(request);
  if (!asked) return net::json_error(asked.error());
  const LabelQuery& labels = asked->labels;
  if (asked->arrived) {
    if (auto known = check_arrivals(events_, labels.fence); !known) {
      return net::json_error(known.error());
    }
  }
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(labels.fence));
  LogPage page(*asked, memory, gaps_.warning(share_of(labels.fence)));
  store::LogQuery query{.from_ns = to_ns(labels.start_ms),
                        .to_ns = last_ns(labels.end_ms),
                        .direction = asked->direction,
                        .stream = asked->stream ? &*asked->stream : nullptr,
                        .arrived = asked->arrived};
  const CustomerWalk customers(catalog_, labels.fence);
  const auto add = [&](const store::LogRecordView& record) { return page.add(record); };
  Result<void> walked;
  customers.run(asked->cursor, [&](const CustomerId& customer, auto&& behind) {
    query.after = behind;
    query.from_ns = std::max(to_ns(labels.start_ms), kept_from_ns(kept_.logs_from, customer));
    if (query.to_ns < query.from_ns) return true;
    page.begin(customer);
    const auto end = events_.read_logs(customer, query, add, limit);
    if (!end) walked = forward(end);
    if (walked) walked = page.error();
    if (!walked || page.is_cut()) return false;
    end->is_whole ? page.end_customer(query) : page.end_early(*end);
    return end->is_whole;
  });
  return walked ? page.finish() : net::json_error(walked.error());
}

}  // namespace vigia::storage::api
