#include "services/router/request/exchange.hpp"

#include "libs/net/status.hpp"

namespace vigia::router::request {
namespace {

// Whoever reads answers of this size slowly keeps no place from the customer's other requests.
// Their bytes are counted all the same: a connection has hundreds of answers under way.
constexpr std::size_t kPlaceBytesMin = 64U << 10U;
constexpr int kGood = 200;
constexpr int kUnprocessable = 422;        // as Prometheus of a query that is over its own limits
constexpr int kClientClosedRequest = 499;  // as Prometheus, which has it of nginx

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                          0.25,  0.5,    1,     2.5,  5,     10,   30};
  return bounds;
}

}  // namespace

Exchange::Exchange(net::Responder responder, Route route, service::MetricRegistry& metrics,
                   const Clock& clock)
    : responder_(std::move(responder)),
      route_(std::move(route)),
      metrics_(&metrics),
      clock_(&clock),
      began_(clock.steady()) {
  // Weakly: the connection keeps this for as long as the client is there.
  responder_.on_gone([interest = std::weak_ptr(interest_)] {
    if (const auto lost = interest.lock()) lost->lose();
  });
}

void Exchange::send(net::Response response) {
  if (interest_->is_lost()) {
    response = nobody_waits();
  } else if (response.status == kGood) {
    // Whatever made it: what a store sends is bounded while it comes, too.
    if (const auto may = limits_.check_bytes(response.body.size()); !may) {
      response = error_response(may.error());
    }
  }
  if (place_) hold_answer(response);
  tell_end(response);
  responder_.send(std::move(response));
}

void Exchange::tell_end(const net::Response& response) {
  const Duration took = clock_->steady() - began_;
  metrics_
      ->counter("vigia_router_requests_total", "Requests by route and status",
                {{"route", route_.name}, {"code", std::to_string(response.status)}})
      .add();
  metrics_
      ->histogram("vigia_router_request_duration_seconds",
                  "Time from the whole request to its answer", latency_bounds(),
                  {{"route", route_.name}})
      .observe(std::chrono::duration<double>(took).count());
  if (slow_ == nullptr || !slow_->is_slow(took)) return;
  slow_->tell({std::move(asked_), route_.name, took, response.status,
               std::string(response.headers.get("x-vigia-served")), samples_});
}

/// Counts the answer until its client has read it.
void Exchange::hold_answer(net::Response& response) {
  if (!place_->take_bytes(response.body.size())) {
    response = error_response({ErrorCode::kOverLimit,
                               "too much of earlier answers is not read yet; read on",
                               std::chrono::seconds(1)});
  } else if (response.stream) {
    // What lies on a disk is none of its bytes, but the place is kept until it is read.
    const auto place = std::make_shared<access::InFlight::Place>(std::move(*place_));
    for (net::BodySource* source : {&response.stream, &response.gzip_stream}) {
      if (*source) *source = [place, own = std::move(*source)] { return own(); };
    }
  } else if (response.body.size() >= kPlaceBytesMin) {
    response.held = std::make_shared<access::InFlight::Place>(std::move(*place_));
  } else {
    response.held = std::make_shared<access::ByteShares::HeldBytes>(place_->take_answer());
  }
  place_.reset();
}

/// One that has closed its own side alone reads it.
net::Response Exchange::nobody_waits() const {
  return route_.error_form({ErrorCode::kInvalid, "the client has left"}, kClientClosedRequest);
}

net::Response Exchange::error_response(const Error& error) const {
  const auto limit = access::limit_of(error);
  if (!limit) return route_.error_form(error, net::http_status(error.code));
  metrics_
      ->counter("vigia_router_queries_refused_total",
                "Queries refused by a limit of their customer's, or the router's own",
                {{"limit", std::string(access::name_of(*limit))}})
      .add();
  return route_.error_form(error, kUnprocessable);
}

std::optional<Error> Exchange::over_time() const {
  const Duration took = clock_->steady() - began_;
  if (limits_.time <= Duration::zero() || took < limits_.time) return std::nullopt;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limits_.time).count();
  return access::over_limit(access::QueryLimit::kSeconds, static_cast<std::uint64_t>(seconds),
                            "the query was not done by then");
}

void Exchange::fail(const Error& error) {
  const bool is_late = error.code == ErrorCode::kDeadline;
  const auto own = is_late ? over_time() : std::nullopt;
  send(error_response(own.value_or(error)));
}

}  // namespace vigia::router::request
