#include "services/storage/api/event_api.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/customer_walk.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/api/jaeger_json.hpp"
#include "services/storage/api/log_page.hpp"
#include "services/storage/api/log_query.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::size_t kTraceIdDigits = 32;
const Error kTooSlow{ErrorCode::kUnavailable,
                     "the search was ended, it took too long; try again later"};
std::optional<std::string> parse_trace_id(std::string_view text) {
  if (text.empty() || text.size() > kTraceIdDigits) return std::nullopt;
  // Ids of 64 bits are stored with zeros in front, as Jaeger shows them.
  return from_hex(std::string(kTraceIdDigits - text.size(), '0').append(text));
}

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
  LogPage page(*asked, limit, memory, gaps_.warning(share_of(labels.fence)));
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
