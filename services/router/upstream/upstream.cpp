#include "services/router/upstream/upstream.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libs/net/form.hpp"
#include "libs/service/log.hpp"
#include "services/router/access/query_limits.hpp"

namespace vigia::router::upstream {
namespace {

constexpr std::string_view kCustomerHeader = "x-vigia-customer";
constexpr std::chrono::seconds kRetryAfter{5};
// What stands in an answer that the caller does not get; who sends it to him looks at the rest.
constexpr std::uint64_t kStatisticsBytesMax = 4'096;
constexpr std::string_view kTooLong =
    "the query took too long; ask for fewer series, a shorter range or a longer step";

/// Lanes whose requests may hold a store for long.
bool is_weighed(Lane lane) { return lane == Lane::kUnknown || lane == Lane::kHeavy; }

/// Whose penalties a request has. What the monitor asks pays for no dashboard of an operator's.
std::string payer_of(const Ask& ask) {
  if (ask.customer) return ask.customer->text();
  return ask.timeout <= Lanes::kBriefMax ? "" : "operators' long ones";  // no customer's id
}

/// What the caller asked wrongly; everything else but too much is the server's fault.
bool is_callers_fault(int status) { return status == 400 || status == 422; }

/// Of storage alone, which says in words what was too much; no Prometheus answers so.
std::optional<ErrorCode> too_much(int status) {
  if (status == 413) return ErrorCode::kTooLarge;
  if (status == 429) return ErrorCode::kOverLimit;
  return std::nullopt;
}

Error not_as_it_should() {
  return {ErrorCode::kCorrupt,
          "a store does not answer as it should; the provider finds more in the router's log at "
          "level debug"};
}

/// See is_lost.
Error lost() {
  return {ErrorCode::kInternal,
          "the store broke off while it worked on this query, and the provider is told of it; no "
          "other store is asked the same: ask for fewer series, a shorter range or a longer step, "
          "or again in a few seconds",
          kRetryAfter};
}

/// No fault of a store's: nobody may conclude from it that one is gone.
Result<net::ClientResponse> nobody_waits() {
  return fail(ErrorCode::kDeadline, "the client has left");
}

}  // namespace

Upstream::Upstream(UpstreamClients clients, UpstreamSettings settings, const AnswerKeeping& keeping,
                   service::MetricRegistry& metrics, const Clock& clock)
    : clients_(clients),
      settings_(std::move(settings)),
      shares_(keeping.shares),
      spool_(keeping.spool),
      readers_(keeping.readers),
      clock_(clock),
      lanes_(std::make_shared<Lanes>(settings_.lanes, clock)),
      penalties_(std::make_shared<Penalties>(clock)),
      requests_(metrics.counter("vigia_router_upstream_requests_total",
                                "Requests sent to hot, query and cold",
                                {{"upstream", settings_.name}})),
      errors_(metrics.counter("vigia_router_upstream_errors_total",
                              "Requests to hot, query and cold that got no usable answer",
                              {{"upstream", settings_.name}})),
      lost_(metrics.counter("vigia_router_upstream_lost_total",
                            "Requests to hot, query and cold whose connection broke before an "
                            "answer, and that no other store was asked",
                            {{"upstream", settings_.name}})),
      unended_(metrics.counter("vigia_router_upstream_unended_total",
                               "Queries without an answer even after the store's own time-out",
                               {{"upstream", settings_.name}})),
      paused_(metrics.counter("vigia_router_upstream_paused_total",
                              "Queries refused because the customer's last ones did not end",
                              {{"upstream", settings_.name}})) {
  constexpr std::array<std::string_view, kLanes> kNames{"usual", "unknown", "heavy", "look_up"};
  for (std::size_t i = 0; i < kLanes; ++i) {
    by_lane_[i] = &metrics.counter(
        "vigia_router_upstream_lane_requests_total", "Requests sent, by the row they came from",
        {{"upstream", settings_.name}, {"lane", std::string(kNames[i])}});
  }
}

net::ClientRequest Upstream::request(Ask ask) const {
  net::ClientRequest request;
  request.url = settings_.url + ask.path;
  if (settings_.knows_customers && ask.customer) {
    request.headers.add(kCustomerHeader, ask.customer->text());
  }
  // Stores are near: compressing would cost them and us more time than the bytes do.
  request.headers.add("accept-encoding", "identity");
  const std::string form = net::encode_form(ask.form);
  if (!ask.message.empty()) {
    request.method = "POST";
    request.headers.add("content-type", "application/x-protobuf");
    request.headers.add("content-encoding", "snappy");
    request.headers.add("x-prometheus-remote-read-version", "0.1.0");
    request.body = std::move(ask.message);
  } else if (ask.is_post) {
    request.method = "POST";
    request.headers.add("content-type", "application/x-www-form-urlencoded");
    request.body = form;
  } else if (!form.empty()) {
    request.url += "?" + form;
  }
  if (!settings_.token.empty()) {
    request.headers.add("authorization", "Bearer " + settings_.token);
  }
  request.tls = settings_.tls;
  request.timeout = ask.timeout;
  request.response_bytes_max = answer_bytes_max(ask);
  return request;
}

std::uint64_t Upstream::answer_bytes_max(const Ask& ask) const {
  if (ask.answer_bytes_max == 0) return settings_.answer_bytes_max;
  return std::min(ask.answer_bytes_max + kStatisticsBytesMax, settings_.answer_bytes_max);
}

tl::unexpected<Error> Upstream::failure(Error error) const {
  errors_.add();
  return tl::unexpected<Error>(std::move(error));
}

Result<wire::prometheus_api::Envelope> Upstream::read(Result<net::ClientResponse> response,
                                                      const Body& body) const {
  if (!response) {
    // The message names an address: it is for our log, not for the caller.
    service::log_debug("upstream does not answer",
                       {{"upstream", settings_.name}, {"error", response.error().message}});
    switch (response.error().code) {
      case ErrorCode::kDeadline:
        return failure({ErrorCode::kDeadline, std::string(kTooLong)});
      case ErrorCode::kTooLarge:
        return failure({ErrorCode::kTooLarge, "the answer is too large; ask for less"});
      case ErrorCode::kInternal:
        return failure(lost());
      case ErrorCode::kCorrupt:
        return failure(not_as_it_should());
      case ErrorCode::kInvalid:
      case ErrorCode::kForbidden:
      case ErrorCode::kOverLimit:
        return forward(response);  // our own word
      default:
        return failure(no_answer());
    }
  }
  const int status = response->status;
  auto envelope = body && body->is_stored()
                      ? body->take_envelope()
                      : wire::prometheus_api::Envelope::read(std::move(response->body));
  if (!envelope) return failure(not_as_it_should());
  if (status == 200 && envelope->is_success()) return envelope;
  if (is_callers_fault(status) && !envelope->is_success()) return envelope;
  service::log_debug("upstream refused", {{"upstream", settings_.name},
                                          {"status", std::to_string(status)},
                                          {"error", envelope->error()}});
  if (envelope->error_type() == "timeout") {
    return failure({ErrorCode::kDeadline, std::string(kTooLong)});
  }
  if (const auto code = too_much(status); code && !envelope->is_success()) {
    return failure({*code, envelope->error()});
  }
  return failure(not_as_it_should());
}

/// A request in the row of its store.
struct Upstream::Waiting {
  Ask ask;
  Body body;
  Done done;
  std::string customer;  ///< "" for operators
  std::string payer;
  TimePoint deadline;
};

Turns& Upstream::row_of(const Ask& ask) const {
  return ask.customer ? lanes_->of(ask.lane) : lanes_->of_operators(ask.lane, ask.timeout);
}

void Upstream::send(Ask ask, Body body, Done done) const {
  const auto interest = ask.interest;
  const std::string customer = ask.customer ? ask.customer->text() : std::string();
  const std::string payer = payer_of(ask);
  if (const auto may = may_ask(payer, ask.lane); !may) {
    return done(tl::unexpected<Error>(may.error()));
  }
  // Whoever has a penalty has one row, so one at a time.
  if (ask.lane == Lane::kUnknown && penalties_->is_penalised(payer)) ask.lane = Lane::kHeavy;
  Turns& row = row_of(ask);
  const TimePoint deadline = clock_.steady() + ask.timeout;
  // Shared with whoever loses interest: that one answers what has left the row.
  auto waiting = std::make_shared<Waiting>(
      Waiting{std::move(ask), std::move(body), std::move(done), customer, payer, deadline});
  if (waiting->ask.is_within_turn) {
    if (reach_->is_away()) return waiting->done(tl::unexpected<Error>(no_answer()));
    return begin(waiting, nullptr);
  }
  const std::weak_ptr<Waiting> in_row = waiting;
  const std::uint64_t number =
      row.take(customer, [this, waiting = std::move(waiting)](std::shared_ptr<Turns::Turn> turn) {
        start(waiting, std::move(turn));
      });
  if (!interest) return;
  interest->on_lost(in_row, [lanes = lanes_, row = &row, customer, number, in_row] {
    const auto found = in_row.lock();
    if (found && row->leave(customer, number)) found->done(nobody_waits());
  });
}

Result<void> Upstream::may_ask(const std::string& payer, Lane lane) const {
  if (!is_weighed(lane)) return {};
  const auto pause = penalties_->pause_of(payer);
  if (!pause) return {};
  paused_.add();
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*pause);
  return tl::unexpected<Error>(Error{
      ErrorCode::kOverLimit,
      fmt::format("the last queries of this customer had no answer even after their time-out, and "
                  "a store may still be working on them: wait {} s, and ask for fewer series, a "
                  "shorter range or a longer step",
                  seconds.count()),
      seconds});
}

/// Its own time-out comes first: a store that says so has stopped, one that is silent may not have.
void Upstream::note_end(const std::string& payer,
                        const Result<net::ClientResponse>& response) const {
  if (response || response.error().code != ErrorCode::kDeadline || reach_->is_away()) return;
  unended_.add();
  penalties_->note_timeout(payer);
}

void Upstream::start(const std::shared_ptr<Waiting>& waiting,
                     std::shared_ptr<Turns::Turn> turn) const {
  if (clock_.steady() > waiting->deadline) {
    turn.reset();
    return waiting->done(
        fail(ErrorCode::kOverLimit, "other queries took too long; try again later"));
  }
  if (reach_->is_away()) {
    turn.reset();
    return waiting->done(tl::unexpected<Error>(no_answer()));
  }
  const Lane lane = waiting->ask.lane;
  // The one before it may have earned a penalty meanwhile.
  if (const auto may = may_ask(waiting->payer, lane); !may) {
    turn.reset();
    return waiting->done(tl::unexpected<Error>(may.error()));
  }
  if (!waiting->ask.before) return begin(waiting, std::move(turn));
  waiting->ask.before([this, waiting, turn = std::move(turn)](const Result<void>& may) mutable {
    if (may) return begin(waiting, std::move(turn));
    turn.reset();
    waiting->done(tl::unexpected<Error>(may.error()));
  });
}

void Upstream::begin(const std::shared_ptr<Waiting>& waiting,
                     std::shared_ptr<Turns::Turn> turn) const {
  const Lane lane = waiting->ask.lane;
  requests_.add();
  by_lane_[static_cast<std::size_t>(lane)]->add();
  auto arriving = std::make_shared<Arriving>(waiting->customer, shares_.hold(waiting->customer),
                                             std::move(waiting->body));
  deliver(std::move(waiting->ask), arriving,
          [turn = std::move(turn),
           done = std::move(waiting->done)](Result<net::ClientResponse> response) mutable {
            // The customer's next one begins when what this one costs here is over, too.
            done(std::move(response));
            turn.reset();
          });
}

/// A request that was given to the client, and its answer's bytes.
struct Upstream::Arriving {
  Arriving(std::string whose, access::ByteShares::HeldBytes holding, Body kept)
      : customer(std::move(whose)), held(std::move(holding)), body(std::move(kept)) {}
  const std::string customer;
  access::ByteShares::HeldBytes held;
  const Body body;
  std::shared_ptr<access::Interest> interest;
  std::size_t large_bytes = Readers::kLargeBytes;
  std::uint64_t bytes_max = 0;  ///< the caller's own, where the store's is not less
  bool is_over = false;
  bool is_sent = false;
  std::atomic<bool> is_broken = false;  ///< by our own watch: the store is silent, not gone
  bool is_lost() const { return interest && interest->is_lost(); }
};

/// What the end means that the client gives, which knows neither shares nor the watch.
Result<net::ClientResponse> Upstream::judge(const Arriving& arriving,
                                            Result<net::ClientResponse> response) const {
  if (response) return response;
  if (arriving.is_over) {
    return fail(ErrorCode::kOverLimit,
                "other answers under way leave no room for this one; read them, or ask for less");
  }
  if (arriving.body) {
    if (auto fault = arriving.body->fault()) return tl::unexpected<Error>(std::move(*fault));
    arriving.body->abandon();
  }
  if (response.error().code == ErrorCode::kTooLarge && arriving.bytes_max > 0) {
    return tl::unexpected<Error>(
        access::over_limit(access::QueryLimit::kBytes, arriving.bytes_max, "the answer has more"));
  }
  if (response.error().code == ErrorCode::kUnavailable && arriving.is_sent && !arriving.is_broken) {
    lost_.add();
    response.error().code = ErrorCode::kInternal;
  }
  return response;
}

void Upstream::note_connection(const Result<net::ClientResponse>& response) const {
  if (response && response->has_new_connection) ++*connections_;
}

/// Counts the answer while it arrives, until `done` has made of it what it makes.
void Upstream::deliver(Ask ask, const std::shared_ptr<Arriving>& arriving, Done done) const {
  net::Client& client = clients_.of(ask.lane);
  arriving->interest = ask.interest;
  arriving->large_bytes = ask.large_bytes;
  if (answer_bytes_max(ask) < settings_.answer_bytes_max) {
    arriving->bytes_max = ask.answer_bytes_max;
  }
  net::ClientRequest request = this->request(std::move(ask));
  request.on_sent = [arriving] { arriving->is_sent = true; };
  request.may_grow = [arriving](std::size_t bytes) {
    arriving->is_over = !arriving->held.grow(bytes);
    return !arriving->is_over;
  };
  if (const Body& body = arriving->body) {
    request.on_piece = [body](std::string_view piece) { return body->take(piece); };
  }
  const std::uint64_t ticket = reach_->enter();
  const std::uint64_t number = client.send(
      std::move(request), [this, ticket, reach = reach_, arriving,
                           done = std::move(done)](Result<net::ClientResponse> response) mutable {
        reach->leave(ticket);
        note_connection(response);
        if (arriving->is_lost()) return done(nobody_waits());
        auto judged = judge(*arriving, std::move(response));
        if (!judged) return done(std::move(judged));
        hand_over(arriving, std::move(*judged), std::move(done));
      });
  if (const Body& body = arriving->body) {
    body->on_room([client = &client, number] { client->resume(number); });
  }
  const auto break_off = [client = &client, number] { client->cancel(number); };
  reach_->on_break(ticket, [arriving, break_off] {
    arriving->is_broken = true;
    break_off();
  });
  if (arriving->interest) arriving->interest->on_lost(arriving, break_off);
}

/// All of the answer has come, but of a stored one the last part may not be written yet.
void Upstream::hand_over(const std::shared_ptr<Arriving>& arriving, net::ClientResponse response,
                         Done done) const {
  const Body& body = arriving->body;
  if (!body) return hand_over_text(arriving, std::move(response), std::move(done));
  body->finish([this, arriving, response = std::move(response),
                done = std::move(done)](const Result<void>& kept) mutable {
    if (arriving->is_lost()) return done(nobody_waits());
    if (!kept) return done(tl::unexpected<Error>(kept.error()));
    if (arriving->body->is_stored()) return done(std::move(response));
    response.body = arriving->body->take_text();
    hand_over_text(arriving, std::move(response), std::move(done));
  });
}

void Upstream::hand_over_text(const std::shared_ptr<Arriving>& arriving,
                              net::ClientResponse response, Done done) const {
  if (response.body.size() < arriving->large_bytes) return done(std::move(response));
  const std::size_t bytes = response.body.size();
  readers_.read(arriving->customer, bytes,
                [arriving, large = std::move(response), done = std::move(done)]() mutable {
                  done(arriving->is_lost() ? nobody_waits() : std::move(large));
                });
}

Upstream::Body Upstream::body_for(const Ask& ask) const {
  if (!ask.may_be_stored) return nullptr;
  const std::string customer = ask.customer ? ask.customer->text() : std::string();
  return std::make_shared<spool::ArrivingBody>(
      spool_, spool::ArrivingBody::Shares{shares_.hold(customer), spool_.hold(customer)},
      [readers = &readers_, customer](Task<void()> work) {
        readers->run_part(customer, std::move(work));
      });
}

void Upstream::ask(Ask ask, Task<void(Result<wire::prometheus_api::Envelope>)> done) const {
  const auto interest = ask.interest;
  const bool counts = is_weighed(ask.lane);
  const std::string payer = payer_of(ask);
  const Body body = body_for(ask);
  send(std::move(ask), body,
       [this, interest, counts, payer, body, done = std::move(done)](auto response) {
         // Whoever left has no error of the store's.
         if (interest && interest->is_lost()) return done(tl::unexpected(nobody_waits().error()));
         if (counts) note_end(payer, response);
         done(read(std::move(response), body));
       });
}

Result<wire::prometheus_api::Envelope> Upstream::ask_and_wait(Ask ask) const {
  if (reach_->is_away()) return tl::unexpected<Error>(no_answer());
  requests_.add();
  auto response = clients_.light.fetch(request(std::move(ask)));
  note_connection(response);
  return read(std::move(response), nullptr);
}

void Upstream::fetch(Ask ask, Task<void(Result<net::ClientResponse>)> done) const {
  send(std::move(ask), nullptr,
       [this, done = std::move(done)](Result<net::ClientResponse> response) {
         if (!response) errors_.add();
         done(std::move(response));
       });
}

}  // namespace vigia::router::upstream
