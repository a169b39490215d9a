#include "services/router/run/federation_runner.hpp"

#include <utility>

#include "services/router/plan/replies.hpp"

namespace vigia::router::run {
namespace {

/// What a page means, before it is read. Ends of other kinds mean what they mean for a query.
plan::Reply reply_of(const Result<net::ClientResponse>& page) {
  if (page) {
    if (page->status == 200) return plan::Reply::kWhole;
    return page->status == 400 ? plan::Reply::kRefused : plan::Reply::kFaulty;
  }
  switch (page.error().code) {
    case ErrorCode::kUnavailable:
      return plan::Reply::kAway;
    case ErrorCode::kCorrupt:
      return plan::Reply::kFaulty;
    case ErrorCode::kInternal:
      return plan::Reply::kLost;
    default:
      return plan::Reply::kFailed;  // it says nothing of the store
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
    case ErrorCode::kForbidden:
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
                             std::optional<std::size_t> shard,
                             std::shared_ptr<access::Interest> interest, Done done) {
  plan::Knowledge known;
  // Its pages may be large, whoever asks for them: of the second store no page is asked that the
  // first may not have survived.
  known.weight = access::Weight::kUnknown;
  if (shard) known.hot = stores.members_of(*shard, question.caller);
  // Hot alone: the /federate of a Prometheus gives what lies on its own disk, so that of
  // prometheus-query, which reads storage, is an empty page.
  known.dialect = stores.coverage().dialect();
  auto plan = plan::make_plan(question, known);
  if (!plan) return done({tl::unexpected<Error>(std::move(plan.error())), {}});
  std::make_shared<FederationRunner>(stores,
                                     plan::Course(std::move(question), std::move(*plan), known),
                                     std::move(interest), std::move(done))
      ->ask();
}

void FederationRunner::ask() {
  upstream::Ask ask(question().caller.customer, question().path, question().form, false,
                    question().timeout);
  ask.interest = interest_;
  ask.lane = upstream::Lane::kLookUp;
  ask.answer_bytes_max = question().caller.limits.bytes;
  // It may have waited for its turn, and hot have come back empty meanwhile.
  ask.before = [self = shared_from_this()](Task<void(Result<void>)> say) {
    say(self->course_.heed_coverage(self->covered()));
  };
  stores_.hot()[course_.step().member].fetch(
      std::move(ask), [self = shared_from_this(), asked_at = course_.position()](Page page) {
        if (self->course_.position() != asked_at) return self->ask();
        self->confirm(std::move(page));
      });
}

/// As QueryRunner::confirm.
void FederationRunner::confirm(Page page) {
  if (!page) return take(std::move(page));
  stores_.coverage().when_confirmed(course_.step().member,
                                    [self = shared_from_this(), page = std::move(page)]() mutable {
                                      self->take(std::move(page));
                                    });
}

coverage::Covered FederationRunner::covered() const {
  return stores_.covered(course_.step().member, question().caller);
}

void FederationRunner::take(Page page) {
  const plan::Reply reply = reply_of(page);
  if (plan::makes_suspect(reply)) stores_.coverage().mark_suspect(course_.step().member);
  const plan::Verdict verdict = course_.take(reply, covered());
  if (verdict == plan::Verdict::kNext) return ask();
  if (verdict != plan::Verdict::kDone) {
    return done_({tl::unexpected<Error>(error_of(page)), {}});
  }
  plan::Notes notes = plan::notes_of_hot(course_);
  if (!plan::holds_all(question(), course_.covered())) {
    notes.warnings.emplace_back(
        "hot part may be incomplete: it is not known that the hot store holds the last minutes");
  }
  done_({std::move(page->body), std::move(notes)});
}

}  // namespace vigia::router::run
