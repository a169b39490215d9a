// TraceSearchApi: which service calls which.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/customer_walk.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/first_of.hpp"
#include "services/storage/api/service_calls.hpp"
#include "services/storage/api/trace_request.hpp"
#include "services/storage/api/trace_search_api.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::size_t kSpansMax = 1'000'000;
constexpr std::size_t kServicesMax = 1'000;
constexpr std::size_t kNamesAtOnce = 1'000;
// Of one trace's spans, and of the names of services.
constexpr std::size_t kBeginBytes = 2U << 20U;
constexpr std::size_t kIdBytes = store::kTraceIdBytes + 64;
constexpr std::string_view kEnded =
    "the search was ended, it took too long or looked at too many spans: there may be more calls; "
    "ask for a shorter time";

// Of all customers that are asked for.
class CallSearch {
 public:
  CallSearch(store::EventStore& events, const CallRequest& request, lanes::AnswerMemory& memory,
             const store::WorkLimit& limit)
      : events_(events), request_(request), memory_(memory), limit_(limit), calls_(memory) {}

  /// False where nothing more is to be looked at.
  Result<bool> walk(const CustomerId& customer, store::TimestampNs kept_from_ns);
  const ServiceCalls& calls() const { return calls_; }
  /// Why there may be more, or "".
  std::string warning() const;

 private:
  Result<std::vector<std::string>> services_of(const CustomerId& customer);
  Result<void> look_for(const CustomerId& customer, const std::string& service,
                        std::size_t traces_max);
  Result<void> count(const CustomerId& customer, const std::string& trace_id);
  bool is_over() const { return spans_ >= kSpansMax || limit_.is_over(); }

  store::EventStore& events_;
  const CallRequest& request_;
  lanes::AnswerMemory& memory_;
  const store::WorkLimit& limit_;
  ServiceCalls calls_;
  store::TimestampNs from_ns_ = 0;
  store::TimestampNs kept_from_ns_ = 0;
  std::unordered_set<std::string> counted_;  // traces of this customer
  std::size_t spans_ = 0;
  std::size_t least_ = SIZE_MAX;  // traces of a service of which there are more
  bool is_ended_ = false;
  bool is_cut_ = false;  // a trace of too many spans, or too many services
};

Result<bool> CallSearch::walk(const CustomerId& customer, store::TimestampNs kept_from_ns) {
  kept_from_ns_ = kept_from_ns;
  from_ns_ = std::max(to_ns(request_.labels.start_ms), kept_from_ns);
  if (last_ns(request_.labels.end_ms) < from_ns_) return true;
  const auto services = services_of(customer);
  if (!services) {
    if (services.error().code != ErrorCode::kDeadline) return forward(services);
    is_ended_ = true;
    return false;
  }
  counted_.clear();
  for (const std::string& service : *services) {
    const std::size_t traces_max =
        std::max<std::size_t>(request_.labels.limit / services->size(), 1);
    if (auto looked = look_for(customer, service, traces_max); !looked) return forward(looked);
    if (is_ended_) return false;
  }
  return true;
}

Result<std::vector<std::string>> CallSearch::services_of(const CustomerId& customer) {
  FirstOf<std::string> names(kServicesMax, memory_);
  store::ServiceQuery query{from_ns_, last_ns(request_.labels.end_ms), "", kNamesAtOnce};
  const auto read = [&](const std::optional<std::string>& after) {
    query.after = after.value_or("");
    return events_.services(customer, query, limit_);
  };
  auto added = names.add_pages(read, [](auto& page) -> auto& { return page.texts; });
  if (!added) return forward(added);
  std::vector<std::string> services;
  const auto more = names.visit([&](const std::string& name) -> Result<void> {
    services.push_back(name);
    return {};
  });
  if (!more) return forward(more);
  is_cut_ = is_cut_ || more->has_value();
  names.clear();
  return services;
}

Result<void> CallSearch::look_for(const CustomerId& customer, const std::string& service,
                                  std::size_t traces_max) {
  store::TraceQuery query;
  query.from_ns = from_ns_;
  query.to_ns = last_ns(request_.labels.end_ms);
  query.service = service;
  Result<void> counted;
  std::size_t found = 0;
  const auto take = [&](const store::TracePlace& place) {
    // Only known with the one after the last: a limit that fits exactly cuts nothing.
    if (found++ == traces_max) {
      least_ = std::min(least_, traces_max);
      return false;
    }
    if (!counted_.contains(place.trace_id)) counted = count(customer, place.trace_id);
    return counted.has_value() && !is_ended_;
  };
  const auto end = events_.find_traces(customer, query, take, limit_);
  if (!end) return forward(end);
  is_ended_ = is_ended_ || !end->is_whole;
  return counted;
}

Result<void> CallSearch::count(const CustomerId& customer, const std::string& trace_id) {
  if (is_over()) {
    is_ended_ = true;
    return {};
  }
  if (auto fits = memory_.add(kIdBytes); !fits) return fits;
  counted_.insert(trace_id);
  Result<void> added;
  const auto take = [&](const store::EventView& event) {
    if (is_before(event.item, kept_from_ns_)) return true;
    if (calls_.spans() == kTraceSpansMax) {
      is_cut_ = true;
      return false;
    }
    ++spans_;
    const store::TimestampNs start_ns = store::outline_of(event.item).start_ns;
    const bool outside = start_ns < from_ns_ || start_ns > last_ns(request_.labels.end_ms);
    added = calls_.add(event, outside);
    return added.has_value();
  };
  const auto whole = events_.read_trace(customer, trace_id, take, limit_);
  if (!whole) return forward(whole);
  is_ended_ = is_ended_ || (!*whole && limit_.is_over());
  if (auto counted = calls_.end_trace(); !counted) return counted;
  return added;
}

std::string CallSearch::warning() const {
  if (is_ended_) return std::string(kEnded);
  if (least_ != SIZE_MAX) {
    return fmt::format(
        "of some services only the latest {} traces are counted, there are more calls; ask for a "
        "shorter time",
        least_);
  }
  if (is_cut_) return "what is too large is counted in part: there are more calls";
  return "";
}

}  // namespace

net::Response TraceSearchApi::dependencies(const net::Request& request,
                                           const store::WorkLimit& limit) const {
  const auto asked = read_call_request(request);
  if (!asked) return net::json_error(asked.error());
  const LabelQuery& labels = asked->labels;
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, share_of(labels.fence));
  if (auto fits = memory->add(kBeginBytes); !fits) return net::json_error(fits.error());
  CallSearch search(events_, *asked, *memory, limit);
  Result<bool> walked = true;
  CustomerWalk(catalog_, labels.fence)
      .run(std::optional<TracePageEnd>(), [&](const CustomerId& customer, auto&&) {
        walked = search.walk(customer, kept_from_ns(kept_from_, customer));
        return walked.has_value() && *walked;
      });
  if (!walked) return net::json_error(walked.error());
  AnswerBody body(memory, gaps_.warning(share_of(labels.fence)));
  for (const ServiceCalls::CountedCall& call : search.calls().calls()) {
    if (!asked->service.empty() && call.parent != asked->service && call.child != asked->service) {
      continue;
    }
    auto added = body.add(fmt::format(R"({{"parent":{},"child":{},"callCount":{}}})",
                                      json_text(call.parent), json_text(call.child), call.count));
    if (!added) return net::json_error(added.error());
  }
  return body.finish(search.warning());
}

}  // namespace vigia::storage::api
