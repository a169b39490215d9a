#include "services/router/api/jaeger/trace_list.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "services/router/api/jaeger/answers.hpp"
#include "services/router/api/jaeger/trace_api.hpp"

namespace vigia::router::api::jaeger {
namespace {

// Of all together: the first ones leave less to the others.
constexpr std::chrono::seconds kTimeout{30};

Result<std::vector<std::string>> read_ids(const request::Parameters& parameters) {
  std::vector<std::string> ids;
  for (const std::string& text : parameters.all("traceID")) {
    auto id = normal_trace_id(text);
    if (!id) {
      return fail(ErrorCode::kInvalid,
                  "invalid parameter \"traceID\": has 1 to 32 hex digits, not all 0");
    }
    if (std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(std::move(*id));
  }
  if (ids.size() <= kTraceIdsMax) return ids;
  return fail(ErrorCode::kInvalid,
              fmt::format("invalid parameter \"traceID\": more than {} ids", kTraceIdsMax));
}

/// The traces in storage's answer to one id, which is Jaeger's form of a list; "" where it is not.
std::string_view traces_in(std::string_view body) {
  constexpr std::string_view kBegin = R"({"data":[)";
  constexpr std::string_view kEnd = R"(],"total":1,"limit":0,"offset":0,"errors":null})";
  if (!body.starts_with(kBegin) || !body.ends_with(kEnd)) return {};
  return body.substr(kBegin.size(), body.size() - kBegin.size() - kEnd.size());
}

class TraceList final : public std::enable_shared_from_this<TraceList> {
 public:
  TraceList(stores::Stores& stores, const request::ApiRequest& request, request::Exchange exchange,
            std::vector<std::string> ids)
      : stores_(stores),
        customer_(request.caller.customer),
        interest_(request.interest),
        exchange_(std::move(exchange)),
        ids_(std::move(ids)),
        end_(stores.clock().steady() + request.caller.limits.at_most(kTimeout)),
        answer_bytes_max_(request.caller.limits.bytes),
        held_(stores.shares().hold(request.caller.payer())) {}

  void go_on() {
    if (next_ == ids_.size()) return send();
    const Duration left = end_ - stores_.clock().steady();
    if (left <= Duration::zero()) {
      return exchange_.fail({ErrorCode::kDeadline, "it took too long; ask for fewer traces"});
    }
    upstream::Ask ask(customer_, "/jaeger/api/traces/" + ids_[next_], {}, false, left);
    ask.interest = interest_;
    ask.answer_bytes_max = answer_bytes_max_;
    ask.lane = upstream::Lane::kLookUp;
    stores_.cold()->fetch(
        std::move(ask),
        [self = shared_from_this()](Result<net::ClientResponse> answer) { self->take(answer); });
  }

 private:
  void take(const Result<net::ClientResponse>& answer) {
    if (!answer || answer->status != 200) {
      if (auto late = late_by_own_time(answer, exchange_)) return exchange_.fail(*late);
      Error why = why_no_trace(answer, stores_.cold_replacement());
      if (why.code != ErrorCode::kNotFound) return exchange_.fail(why);
      told_.push_back({std::move(why.message), ids_[next_]});
    } else if (!add(traces_in(answer->body))) {
      return;
    }
    ++next_;
    go_on();
  }
  /// False where it has answered.
  bool add(std::string_view trace) {
    if (trace.empty()) {
      exchange_.fail({ErrorCode::kUnavailable, "the long-term store does not answer as it should"});
      return false;
    }
    // Once as it is gathered, and once in the answer.
    if (!held_.grow(2 * (trace.size() + 1))) {
      exchange_.fail({ErrorCode::kOverLimit,
                      "these traces are larger than what others leave room for; ask for fewer",
                      std::chrono::seconds(1)});
      return false;
    }
    list_ += list_.size() == 1 ? "" : ",";
    list_ += trace;
    ++count_;
    return true;
  }
  void send() {
    list_ += ']';
    net::Response response = list_answer(list_, count_, told_);
    // From here on the exchange counts it, and nothing else is there.
    list_ = {};
    {
      const auto given_back = std::move(held_);
    }
    exchange_.send(std::move(response));
  }

  stores::Stores& stores_;
  const std::optional<CustomerId> customer_;
  const std::shared_ptr<access::Interest> interest_;
  request::Exchange exchange_;
  const std::vector<std::string> ids_;
  const TimePoint end_;
  const std::uint64_t answer_bytes_max_;
  access::ByteShares::HeldBytes held_;
  std::string list_ = "[";
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  Told told_;
};

}  // namespace

void gather_traces(stores::Stores& stores, const request::ApiRequest& request,
                   request::Exchange exchange) {
  auto ids = read_ids(request.parameters);
  if (!ids) return exchange.fail(ids.error());
  if (!request.caller.customer) {
    return exchange.fail(
        {ErrorCode::kInvalid, "traces are asked for of one customer: name it in X-Vigia-Customer"});
  }
  if (stores.cold() == nullptr) {
    return exchange.fail({ErrorCode::kNotFound, "there is no store for traces here"});
  }
  std::make_shared<TraceList>(stores, request, std::move(exchange), std::move(*ids))->go_on();
}

}  // namespace vigia::router::api::jaeger
