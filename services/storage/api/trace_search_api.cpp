#include "services/storage/api/trace_search_api.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/customer_walk.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/first_of.hpp"
#include "services/storage/api/jaeger_json.hpp"
#include "services/storage/api/trace_request.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::size_t kNamesAtOnce = 1'000;
constexpr std::string_view kEnded =
    "the search was ended, it took too long or looked at too many spans: there may be more traces "
    "than these, which are the latest; go on with the cursor, or ask for a shorter time";
constexpr std::string_view kEndedAtOnce =
    "the search was ended, it took too long, before it had looked at a trace; ask for a shorter "
    "time, or try again later";
constexpr std::string_view kCutBySize =
    "results truncated: more traces do not fit into one answer; go on with the cursor";

// Of lists, whose cursors tell nothing of a customer: they are of all of them at once.
const std::optional<TracePageEnd> kFromTheFirst;

// A page of traces while it is made: one customer's after another's for operators.
class TracePage {
 public:
  TracePage(store::EventStore& events, const TraceRequest& request,
            const std::shared_ptr<lanes::AnswerMemory>& memory, std::string_view gaps)
      : events_(events), request_(request), memory_(*memory), body_(memory, gaps) {}

  /// `customer` must outlive the page; of his no span is given that is older.
  void begin(const CustomerId& customer, store::TimestampNs kept_from_ns) {
    customer_ = &customer;
    kept_from_ns_ = kept_from_ns;
  }
  /// A TraceVisit.
  bool add(const store::TracePlace& place, const store::WorkLimit& limit) {
    // Only known with the one after the last: a limit that fits exactly cuts nothing.
    if (body_.items() == request_.labels.limit) return cut(kCutByLimit);
    const std::size_t before = memory_.used();
    const bool goes_on = read(place, limit);
    // What the answer keeps was added by the answer itself.
    memory_.release(memory_.used() - before - std::exchange(kept_bytes_, 0));
    return goes_on;
  }
  bool is_cut() const { return !cut_.empty(); }
  const Result<void>& error() const { return error_; }
  /// The limit ended the search of this customer's traces.
  void end_early(const store::TraceEnd& end) {
    if (end.looked_at) pass(*end.looked_at);
    cut(behind_ || request_.cursor ? kEnded : kEndedAtOnce);
  }

  /// Where it is cut the next page goes on behind what was looked at here.
  net::Response finish() {
    std::optional<TracePageEnd> behind = request_.cursor;
    if (behind_) behind = TracePageEnd{*behind_in_, *behind_};
    if (left_out_ > 0) {
      body_.warn(fmt::format("{} traces are too large to be shown here: ask for them by their ids",
                             left_out_));
    }
    return body_.finish(cut_, is_cut() && behind ? encode(*behind) : "");
  }

 private:
  bool read(const store::TracePlace& place, const store::WorkLimit& limit) {
    JaegerTrace trace(place.trace_id);
    bool has_all = true;
    const auto take = [&](const store::EventView& event) {
      if (is_before(event.item, kept_from_ns_)) return true;
      const auto taken = take_span(event, trace, memory_);
      if (!taken) error_ = tl::unexpected<Error>(taken.error());
      has_all = has_all && taken && *taken == Taken::kYes;
      return taken && *taken != Taken::kNoMore;
    };
    const auto whole = events_.read_trace(*customer_, place.trace_id, take, limit);
    if (!whole) error_ = tl::unexpected<Error>(whole.error());
    if (!error_) return beyond(place);
    // Half of a trace is worth showing where it is all that there is.
    if (!*whole && (body_.items() > 0 || trace.spans() == 0)) return cut(kEnded);
    // What has no room here may have it alone.
    if (!has_all && body_.items() > 0) return cut(kCutBySize);
    if (trace.spans() == 0) return has_all ? pass(place) : leave_out(place);
    return append(place, trace, !has_all || !*whole);
  }
  bool append(const store::TracePlace& place, JaegerTrace& trace, bool is_part) {
    constexpr std::size_t kEnds = 256;
    std::string text;
    text.reserve(trace.bytes() + kEnds);
    trace.move_to(text, is_part, {});
    if (!body_.has_room(text.size()))
      return body_.items() == 0 ? leave_out(place) : cut(kCutBySize);
    const std::size_t before = memory_.used();
    if (auto added = body_.add(text); !added) {
      error_ = std::move(added);
      return beyond(place);
    }
    kept_bytes_ = memory_.used() - before;
    return pass(place);
  }
  // Where this answer alone is all that it may be, a page ends; a trace that is too large for any
  // page is left out.
  bool beyond(const store::TracePlace& place) {
    if (error_.error().code != ErrorCode::kOverLimit) return false;
    error_ = {};
    return body_.items() == 0 ? leave_out(place) : cut(kCutBySize);
  }
  bool leave_out(const store::TracePlace& place) {
    ++left_out_;
    return pass(place);
  }
  bool pass(const store::TracePlace& place) {
    behind_ = place;
    behind_in_ = customer_;
    return true;
  }
  bool cut(std::string_view why) {
    cut_ = why;
    return false;
  }

  store::EventStore& events_;
  const TraceRequest& request_;
  lanes::AnswerMemory& memory_;
  AnswerBody body_;
  const CustomerId* customer_ = nullptr;
  store::TimestampNs kept_from_ns_ = 0;      // of his
  std::optional<store::TracePlace> behind_;  // the last trace that was looked at
  const CustomerId* behind_in_ = nullptr;    // whose it is
  std::string_view cut_;                     // why the page ends before the traces do
  std::size_t kept_bytes_ = 0;               // of the trace that was added last
  std::size_t left_out_ = 0;
  Result<void> error_;
};

std::string cursor_of(const store::Operation& operation) {
  return to_hex(operation.name + static_cast<char>(operation.kind));
}

store::Operation operation_of(const std::string& cursor) {
  return {cursor.substr(0, cursor.size() - 1), static_cast<unsigned char>(cursor.back())};
}

}  // namespace

net::Response TraceSearchApi::traces(const net::Request& request,
                                     const store::WorkLimit& limit) const {
  auto asked = read_trace_request(request);
  if (!asked) return net::json_error(asked.error());
  const LabelQuery& labels = asked->labels;
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(labels.fence));
  TracePage page(events_, *asked, memory, gaps_.warning(share_of(labels.fence)));
  store::TraceQuery& query = asked->query;
  query.to_ns = last_ns(labels.end_ms);
  const CustomerWalk customers(catalog_, labels.fence);
  const auto add = [&](const store::TracePlace& place) { return page.add(place, limit); };
  Result<void> walked;
  customers.run(asked->cursor, [&](const CustomerId& customer, auto&& behind) {
    const store::TimestampNs kept_ns = kept_from_ns(kept_from_, customer);
    query.after = behind;
    query.from_ns = std::max(to_ns(labels.start_ms), kept_ns);
    if (query.to_ns < query.from_ns) return true;
    page.begin(customer, kept_ns);
    const auto end = events_.find_traces(customer, query, add, limit);
    if (!end) walked = forward(end);
    if (walked) walked = page.error();
    if (walked && !end->is_whole) page.end_early(*end);
    return walked.has_value() && !page.is_cut();
  });
  return walked ? page.finish() : net::json_error(walked.error());
}

net::Response TraceSearchApi::services(const net::Request& request,
                                       const store::WorkLimit& limit) const {
  const auto asked = read_name_request(request, NamesOf::kServices);
  if (!asked) return net::json_error(asked.error());
  const LabelQuery& labels = asked->labels;
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(labels.fence));
  FirstOf<std::string> names(labels.limit, *memory);
  store::ServiceQuery query{to_ns(labels.start_ms), last_ns(labels.end_ms), "", kNamesAtOnce};
  Result<void> walked;
  CustomerWalk(catalog_, labels.fence).run(kFromTheFirst, [&](const CustomerId& customer, auto&&) {
    const auto read = [&](const std::optional<std::string>& after) {
      query.after = after ? *after : asked->cursor.value_or("");
      return events_.services(customer, query, limit);
    };
    query.from_ns = std::max(to_ns(labels.start_ms), kept_from_ns(kept_from_, customer));
    if (query.to_ns < query.from_ns) return true;
    walked = names.add_pages(read, [](auto& page) -> auto& { return page.texts; });
    return walked.has_value();
  });
  if (!walked) return net::json_error(walked.error());
  return answer_names(names, memory, gaps_.warning(share_of(labels.fence)));
}

net::Response TraceSearchApi::operations(const net::Request& request, std::string_view service,
                                         const store::WorkLimit& limit) const {
  const auto asked = read_name_request(request, NamesOf::kOperations);
  if (!asked) return net::json_error(asked.error());
  if (service.empty()) service = asked->service;
  if (service.empty() || (!asked->service.empty() && service != asked->service)) {
    return net::json_error({ErrorCode::kInvalid, "service is required, once"});
  }
  const LabelQuery& labels = asked->labels;
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(labels.fence));
  FirstOf<store::Operation> names(labels.limit, *memory);
  store::OperationQuery query{to_ns(labels.start_ms), last_ns(labels.end_ms), std::nullopt,
                              kNamesAtOnce};
  Result<void> walked;
  CustomerWalk(catalog_, labels.fence).run(kFromTheFirst, [&](const CustomerId& customer, auto&&) {
    const auto read = [&](const std::optional<store::Operation>& after) {
      query.after = after;
      if (!after && asked->cursor) query.after = operation_of(*asked->cursor);
      return events_.operations(customer, service, query, limit);
    };
    query.from_ns = std::max(to_ns(labels.start_ms), kept_from_ns(kept_from_, customer));
    if (query.to_ns < query.from_ns) return true;
    walked = names.add_pages(read, [](auto& page) -> auto& { return page.operations; });
    return walked.has_value();
  });
  if (!walked) return net::json_error(walked.error());
  AnswerBody body(memory, gaps_.warning(share_of(labels.fence)));
  const auto last = names.visit([&](const store::Operation& one) -> Result<void> {
    if (asked->span_kind && one.kind != *asked->span_kind) return {};
    return body.add(fmt::format(R"({{"name":{},"span_kind":"{}"}})", json_text(one.name),
                                store::kind_name(one.kind)));
  });
  if (!last) return net::json_error(last.error());
  names.clear();
  return body.finish(*last ? kCutByLimit : "", *last ? cursor_of(**last) : "");
}

}  // namespace vigia::storage::api
