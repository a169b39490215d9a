#include "services/router/api/loki/tail_api.hpp"

#include <charconv>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/net/basic_auth.hpp"
#include "libs/net/websocket.hpp"
#include "services/router/api/loki/answer.hpp"

namespace vigia::router::api::loki {
namespace {

// Tails are looked at so often: each when its second is over, not all in the same moment.
constexpr std::chrono::milliseconds kStep{100};
constexpr int kDelaySecondsMax = 5;

Result<Duration> read_delay(const request::Parameters& parameters) {
  const auto text = parameters.single("delay_for");
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return Duration::zero();
  int seconds = 0;
  const char* end = (*text)->data() + (*text)->size();
  const auto [stop, failure] = std::from_chars((*text)->data(), end, seconds);
  if (failure != std::errc{} || stop != end || seconds < 0) {
    return fail(ErrorCode::kInvalid, "invalid parameter \"delay_for\": give whole seconds");
  }
  if (seconds > kDelaySecondsMax) {
    return fail(ErrorCode::kInvalid, "delay_for can't be greater than 5");
  }
  return std::chrono::seconds(seconds);
}

/// A browser sends a password that it knows with what any page asks: that page could read along.
/// A bearer token is sent by a page that has it.
bool is_another_sites(const net::RequestHead& head) {
  const std::string_view origin = head.headers.get("origin");
  if (origin.empty() || !net::basic_password(head.headers.get("authorization"))) return false;
  const std::size_t begin = origin.find("://");
  return begin == std::string_view::npos || origin.substr(begin + 3) != head.headers.get("host");
}

/// What of the opening is needed later.
net::RequestHead credentials_of(const net::RequestHead& head) {
  net::RequestHead kept;
  for (const net::Header& header : head.headers) {
    if (header.name == "authorization" || header.name == "x-vigia-customer") {
      kept.headers.add(header.name, header.value);
    }
  }
  return kept;
}

Error too_many(std::string what) {
  return {ErrorCode::kOverLimit, std::move(what), std::chrono::seconds(10)};
}

}  // namespace

Result<TailQuestion> read_tail(const access::Caller& caller, const request::Parameters& parameters,
                               TimestampMs now_ms) {
  const auto delay = read_delay(parameters);
  if (!delay) return forward(delay);
  auto query = read_query(caller, parameters);
  if (!query) return forward(query);
  if (query->expr->value != logql::LogValue::kLogs) {
    return fail(ErrorCode::kInvalid, "a tail is of lines: metric queries have none");
  }
  auto lines = read_question(std::move(*query), parameters, now_ms);
  if (!lines) return forward(lines);
  return TailQuestion{std::move(*lines), *delay};
}

TailApi::TailApi(stores::Stores& stores, const access::Access& access,
                 service::MetricRegistry& metrics, std::size_t per_customer_max)
    : stores_(stores),
      access_(access),
      places_(per_customer_max, stores.shares()),
      lines_(metrics.counter("vigia_router_tail_lines_total", "Lines that live tails found", {})),
      dropped_(metrics.counter("vigia_router_tail_lines_dropped_total",
                               "Of these, given up since their clients read too slowly", {})),
      thread_([this] { run(); }) {
  metrics.on_collect([this](const service::MetricRegistry::Emit& emit) {
    const std::lock_guard lock(mutex_);
    emit("vigia_router_tails", "Live tails that are open", service::MetricType::kGauge, {},
         static_cast<double>(tails_.size()));
  });
}

TailApi::~TailApi() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TailApi::tail(request::ApiRequest request, request::Exchange exchange) {
  const auto refusal = net::refuse_websocket(*request.opening);
  if (refusal) return exchange.send(error_form(refusal->error, refusal->status));
  if (is_another_sites(*request.opening)) {
    return exchange.fail({ErrorCode::kForbidden, "a page of another site may not read along"});
  }
  auto question = read_tail(request.caller, request.parameters, stores_.clock().wall_ms());
  if (!question) return exchange.fail(question.error());
  question->lines.is_by_category = request.wants_label_categories;
  if (stores_.cold() == nullptr) {
    return exchange.fail({ErrorCode::kNotFound, "there is no store for logs here"});
  }
  auto place = places_.enter(request.caller.customer);
  if (!place) {
    return exchange.fail(too_many("as many live tails are open as a customer may have: close one"));
  }
  begin(std::move(*question), *request.opening, std::move(*place), std::move(exchange));
}

/// What is wrong with storage is told while the request is one of HTTP's.
void TailApi::begin(TailQuestion question, const net::RequestHead& opening,
                    access::InFlight::Place place, request::Exchange exchange) {
  const CustomerId customer = question.lines.customer;
  upstream::Ask ask = arrivals_ask(customer, std::nullopt, exchange.interest());
  stores_.cold()->fetch(
      std::move(ask), [this, question = std::move(question), credentials = credentials_of(opening),
                       place = std::move(place), exchange = std::move(exchange)](
                          const Result<net::ClientResponse>& answer) mutable {
        if (!answer || answer->status != 200) return exchange.fail(why_no_page(answer));
        const auto arrivals = read_arrivals(answer->body);
        if (!arrivals) return exchange.fail(not_as_it_should());
        open(std::make_shared<Tail>(TailParts{stores_, threads_, access_, lines_, dropped_},
                                    std::move(question), std::move(credentials), std::move(place),
                                    arrivals->upto),
             std::move(exchange));
      });
}

void TailApi::open(const std::shared_ptr<Tail>& tail, request::Exchange exchange) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(tails_, [](const Kept& kept) { return kept.tail.expired(); });
    if (tails_.size() >= kTailsMax) {
      return exchange.fail(too_many("as many live tails are open as the router has room for"));
    }
    tails_.push_back({tail, stores_.clock().steady()});
  }
  changed_.notify_all();
  net::Response response;
  response.status = 101;
  response.websocket = tail;
  response.waker = tail->waker();
  exchange.send(std::move(response));
}

void TailApi::pulse_due(TimePoint now) {
  // Let go behind the lock: the end of one is no part of it.
  std::vector<std::shared_ptr<Tail>> all;
  std::vector<Tail*> due;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(tails_, [&](Kept& kept) {
      auto tail = kept.tail.lock();
      if (!tail || tail->is_over()) return true;
      if (now >= kept.due) {
        kept.due = now + Tail::kPulse;
        due.push_back(tail.get());
      }
      all.push_back(std::move(tail));
      return false;
    });
  }
  for (Tail* tail : due) contain_faults("a live tail", [tail] { tail->pulse(); });
}

void TailApi::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_ending_ || !tails_.empty(); });
      if (!is_ending_) changed_.wait_for(lock, kStep, [this] { return is_ending_; });
      if (is_ending_) return;
    }
    contain_faults("live tails", [this] { pulse_due(stores_.clock().steady()); });
  }
}

}  // namespace vigia::router::api::loki
