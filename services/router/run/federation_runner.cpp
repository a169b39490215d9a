#include "services/router/run/federation_runner.hpp"

#include <utility>

#include "services/router/plan/replies.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::run {
namespace {

using Answer = Result<wire::prometheus_api::Envelope>;

/// What a page means, before it is read. Ends of other kinds mean what they mean for a query.
plan::Reply reply_of(const Result<net::ClientResponse>& page, bool is_hot) {
  if (page) {
    // Whether storage gave prometheus-query all of it is not told beside it.
    if (page->status == 200) return is_hot ? plan::Reply::kWhole : plan::Reply::kMaybeShort;
    return page->status == 400 ? plan::Reply::kRefused : plan::Reply::kFaulty;
  }
  switch (page.error().code) {
    case ErrorCode::kDeadline:
    case ErrorCode::kTooLarge:
    case ErrorCode::kInvalid:
    case ErrorCode::kOverLimit:
      return plan::Reply::kFailed;
    case ErrorCode::kInternal:
      return plan::Reply::kLost;
    default:
      return plan::Reply::kAway;
  }
}

/// As a caller sees it: no message of a client's or a store's, which may name an address.
Error error_of(const Result<net::ClientResponse>& page) {
  if (page) {
    if (page->status != 400) return upstream::no_answer();
    return {ErrorCode::kInvalid, "the store does not take these match[]"};
  }
  switch (page.error().code) {
    case ErrorCode::kDeadline:
      return {ErrorCode::kDeadline, "the store took too long; ask for fewer series"};
    case ErrorCode::kTooLarge:
      return {ErrorCode::kTooLarge, "the answer is too large; ask for fewer series"};
    case ErrorCode::kInvalid:
    case ErrorCode::kOverLimit:
      return page.error();  // our own word
    default:
      return upstream::no_answer();
  }
}

}  // namespace

FederationRunner::FederationRunner(stores::Stores& stores, plan::Course course,
                                   std::shared_ptr<access::Interest> interest, Done done)
    : stores_(stores),
      course_(std::move(course)),
      interest_(std::move(interest)),
      done_(std::move(done)) {}

void FederationRunner::start(stores::Stores& stores, plan::Question question,
                             std::shared_ptr<access::Interest> interest, Done done) {
  plan::Knowledge known;
  known.shard = stores.shard_of(question.caller);
  known.has_long_term = stores.query() != nullptr;
  known.dialect = stores.coverage().dialect();
  if (known.shard) known.covered = stores.covered(*known.shard, question.caller);
  known.replaced = stores.cold_replacement();
  auto plan = plan::make_plan(question, known);
  if (!plan) return done({tl::unexpected<Error>(std::move(plan.error())), {}});
  std::make_shared<FederationRunner>(stores,
                                     plan::Course(std::move(question), std::move(*plan), known),
                                     std::move(interest), std::move(done))
      ->ask();
}

const upstream::AskedStore& FederationRunner::store() const {
  if (is_at_hot()) return stores_.hot()[course_.step().shard];
  return *stores_.query();
}

upstream::Ask FederationRunner::ask_of(std::string path, request::Form form) const {
  upstream::Ask ask(question().caller.customer, std::move(path), std::move(form), false,
                    question().timeout);
  ask.interest = interest_;
  ask.lane = upstream::Lane::kLookUp;
  return ask;
}

void FederationRunner::ask() {
  upstream::Ask ask = ask_of(question().path, question().form);
  if (is_at_hot()) {
    // It may have waited for its turn, and hot have come back empty meanwhile.
    ask.before = [self = shared_from_this()](Task<void(Result<void>)> say) {
      const std::size_t shard = self->course_.step().shard;
      say(self->course_.heed_coverage(self->stores_.covered(shard, self->question().caller)));
    };
  }
  store().fetch(std::move(ask),
                [self = shared_from_this(), asked_at = course_.position()](Page page) {
                  if (self->course_.position() != asked_at) return self->ask();
                  self->take(std::move(page));
                });
}

void FederationRunner::take(Page page) {
  const plan::Reply reply = reply_of(page, is_at_hot());
  coverage::Covered now;
  if (is_at_hot()) {
    const std::size_t shard = course_.step().shard;
    if (plan::makes_suspect(reply)) stores_.coverage().mark_suspect(shard);
    now = stores_.covered(shard, question().caller);
  }
  const plan::Verdict verdict = course_.take(reply, now);
  settle(verdict, std::move(page));
}

void FederationRunner::settle(plan::Verdict verdict, Page page) {
  switch (verdict) {
    case plan::Verdict::kNext:
      return ask();
    case plan::Verdict::kLookAgain:
      return look_again(std::move(page));
    case plan::Verdict::kDone:
      return finish(std::move(page->body));
    case plan::Verdict::kRefuse:
    case plan::Verdict::kFail:
      return fail_with(page);
  }
}

/// What the long-term store has refused comes first: the caller can mend it. A page that may be
/// short, where nobody else has one, is none.
void FederationRunner::fail_with(const Page& page) {
  const bool is_short = page && page->status == 200;
  const auto& refusal = course_.refusal();
  const Error error = is_short ? upstream::no_answer() : error_of(page);
  done_({tl::unexpected<Error>(refusal ? *refusal : error), {}});
}

void FederationRunner::look_again(Page page) {
  held_.emplace(stores_.shares().hold(question().caller.payer()));
  if (!held_->grow(page->body.size())) {
    return done_({fail(ErrorCode::kOverLimit,
                       "this page is larger than what others leave room for; read them, or ask for "
                       "fewer series"),
                  {}});
  }
  upstream::Ask ask = ask_of("/api/v1/query", {});
  ask.is_post = true;
  ask.form.emplace_back("query", plan::bare_reading(*question().expr, question().ranges));
  ask.form.emplace_back("time", request::format_seconds(question().touches->to_ms));
  store().ask(std::move(ask), [self = shared_from_this(),
                               first = std::move(page)](const Answer& second) mutable {
    self->course_.note_refusal(plan::refusal_of(second));
    self->settle(self->course_.take_second_look(plan::reply_of(second)), std::move(first));
  });
}

void FederationRunner::finish(std::string text) {
  if (is_at_hot()) return done_({std::move(text), plan::notes_of_hot(course_)});
  const auto& touches = question().touches;
  plan::ColdState cold;
  cold.lost =
      stores_.cold_holes().warning(question().caller.customer, touches->from_ms, touches->to_ms);
  cold.replaced = stores_.cold_replacement();
  cold.gaps = stores_.cold_gaps();
  done_({std::move(text), plan::notes_of_long_term(course_, std::move(cold))});
}

}  // namespace vigia::router::run
