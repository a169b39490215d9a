#include "services/router/run/query_runner.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/router/json/lists.hpp"
#include "services/router/plan/limits.hpp"
#include "services/router/plan/room.hpp"
#include "services/router/request/times.hpp"
#include "services/router/run/own_shard.hpp"
#include "services/router/run/room_count.hpp"

namespace vigia::router::run {
namespace {

constexpr std::chrono::seconds kGapsTimeout{5};

/// Of no step, and so of no series.
wire::prometheus_api::Envelope nothing() {
  auto empty = wire::prometheus_api::Envelope::read(
      fmt::format("{}{}}}", wire::prometheus_api::Envelope::kPlainStart,
                  R"({"resultType":"matrix","result":[]})"));
  return std::move(*empty);
}

upstream::Lane lane_of(access::Weight weight) {
  switch (weight) {
    case access::Weight::kLight:
      return upstream::Lane::kUsual;
    case access::Weight::kUnknown:
      return upstream::Lane::kUnknown;
    case access::Weight::kHeavy:
      return upstream::Lane::kHeavy;
  }
  return upstream::Lane::kHeavy;
}

void add_forms(stores::Stores& stores, const plan::Question& question, plan::Knowledge& known) {
  if (!known.has_long_term) return;
  known.thinned = plan::thinned_of(question);
  if (known.kept && known.kept->has_expired(Resolution::kRaw, question.touches->from_ms)) {
    known.nearly = plan::nearly_of(question, *known.kept);
  }
  const auto& first = known.thinned ? known.thinned : known.nearly;
  if (!first) return;
  access::QueryShape shape = question.shape;
  shape.text = first->text;
  known.thinned_weight = stores.weights().weigh(question.caller.payer(), shape);
}

plan::Knowledge knowledge_of(stores::Stores& stores, const plan::Question& question,
                             std::optional<coverage::KeptFrom> kept) {
  plan::Knowledge known;
  const auto shard = own_shard(stores, question);
  if (shard) known.hot = stores.members_of(*shard, question.caller);
  known.has_long_term = stores.query() != nullptr;
  known.dialect = stores.coverage().dialect();
  if (!question.touches) {  // nothing that any store could lack
    known.elsewhere = stores.members_beside(shard);
    return known;
  }
  known.weight = stores.weights().weigh(question.caller.payer(), question.shape);
  known.replaced = stores.cold_replacement();
  known.kept = kept;
  add_forms(stores, question, known);
  return known;
}

}  // namespace

QueryRunner::QueryRunner(stores::Stores& stores, plan::Course course, KeptSteps kept,
                         std::shared_ptr<access::Interest> interest, Begun begun, Done done)
    : stores_(stores),
      course_(std::move(course)),
      kept_(std::move(kept)),
      interest_(std::move(interest)),
      begun_(std::move(begun)),
      done_(std::move(done)),
      counting_left_(std::min<Duration>(question().timeout, plan::kCountingMax)) {}

void QueryRunner::start(stores::Stores& stores, cache::KeptAnswers& kept, plan::Question question,
                        std::shared_ptr<access::Interest> interest, Begun begun, Done done) {
  const auto shared = std::make_shared<plan::Question>(std::move(question));
  const bool wants_past = KeptSteps::may_keep(stores, kept, *shared);
  if (wants_past) begun();  // what is kept is as of when storage says that it still holds
  ask_cold_word(stores, *shared, wants_past, interest,
                [&stores, &kept, shared, interest, begun = std::move(begun),
                 done = std::move(done)](ColdWord word) mutable {
                  const plan::Knowledge known = knowledge_of(stores, *shared, word.kept);
                  auto plan = plan::make_plan(*shared, known);
                  if (!plan) return done({tl::unexpected<Error>(std::move(plan.error())), {}});
                  plan::Course course(std::move(*shared), std::move(*plan), known);
                  std::make_shared<QueryRunner>(
                      stores, std::move(course), KeptSteps(stores, kept, std::move(word)),
                      std::move(interest), std::move(begun), std::move(done))
                      ->ask();
                });
}

const upstream::AskedStore& QueryRunner::store() const {
  if (is_at_hot()) return stores_.hot()[course_.step().member];
  return *stores_.query();
}

upstream::Ask QueryRunner::ask_of(std::string path, request::Form form) const {
  upstream::Ask ask(question().caller.customer, std::move(path), std::move(form), true,
                    question().timeout);
  ask.interest = interest_;
  ask.lane = lane_of(weight());
  ask.may_be_stored = true;
  ask.answer_bytes_max = question().caller.limits.bytes;
  return ask;
}

/// Of what is asked for. That all of it is heavy says nothing of the last steps, unless the series
/// were counted.
access::Weight QueryRunner::weight() const {
  const access::Weight all = course_.position().weight;
  if (all == access::Weight::kLight || is_large_ || kept_.steps() == 0) return all;
  return stores_.weights().weigh(question().caller.payer(), kept_.likeness(course_));
}

/// What has held more of a store than it may would do so again.
Result<void> QueryRunner::check_known() const {
  if (!question().touches) return {};
  const auto held =
      stores_.weights().samples_of(question().caller.payer(), kept_.likeness(course_));
  if (!held) return {};
  return question().caller.limits.check_samples(*held);
}

void QueryRunner::ask() {
  kept_.look_up(course_);
  if (kept_.is_all(course_)) return finish(nothing());
  if (auto may = check_known(); !may) return refuse(std::move(may.error()));
  upstream::Ask ask = ask_of(question().path, kept_.form(course_));
  add_room_check(ask);
  if (is_at_hot()) add_coverage_check(ask);
  add_begun(ask);
  store().ask(std::move(ask),
              [self = shared_from_this(), asked_at = course_.position()](Answer answer) {
                // In the turn it was found that another one is due, or at another store: what is
                // here is no answer, and the turn that it had is given back by now.
                if (self->course_.position() != asked_at) return self->ask();
                self->confirm(std::move(answer));
              });
}

/// A hot store that went and came back empty since it was last looked at says nothing, and says it
/// well: its word counts when it is known whose it is.
void QueryRunner::confirm(Answer answer) {
  if (!answer || !is_at_hot() || !question().touches) return take(std::move(answer));
  stores_.coverage().when_confirmed(
      course_.step().member, [self = shared_from_this(), answer = std::move(answer)]() mutable {
        self->take(std::move(answer));
      });
}

/// Prometheus counts samples, and no room that results have for others. So the router counts the
/// series, where not even many of them are known to fit: at the store that evaluates, in the turn
/// that the query then has.
void QueryRunner::add_room_check(upstream::Ask& ask) {
  const promql::EvaluationShape shape = kept_.shape(course_);
  if (plan::has_room_uncounted(*course_.expr(), shape, question().caller)) return;
  ask.before = [self = shared_from_this(), shape](Say say) {
    self->count_room(shape, std::move(say));
  };
}

void QueryRunner::count_room(const promql::EvaluationShape& shape, Say say) {
  const auto self = shared_from_this();
  RoomQuestion room;
  room.caller = question().caller;
  room.expr = course_.expr();
  room.ranges = {self, &kept_.ranges(course_)};  // they stay as long as the runner asks for these
  room.shape = shape;
  if (is_at_hot()) room.member = course_.step().member;
  room.timeout = counting_left_;
  room.interest = interest_;
  const TimePoint began = stores_.clock().steady();
  find_room(stores_, std::move(room),
            [self, began, say = std::move(say)](const Result<std::uint64_t>& bytes) {
              self->counting_left_ -= self->stores_.clock().steady() - began;
              self->is_large_ = bytes && *bytes > plan::kLightResultBytesMax;
              say(self->course_.heed_room(bytes, self->stores_.coverage().dialect()));
            });
}

/// While it waits for its turn nothing of a store is in its answer yet.
void QueryRunner::add_begun(upstream::Ask& ask) const {
  ask.before = [begun = begun_, before = std::move(ask.before)](Say say) {
    begun();
    if (!before) return say({});
    before(std::move(say));
  };
}

/// A query may wait for minutes, and its series be counted for half of one: what hot covers then is
/// what counts. It may have come back empty.
void QueryRunner::add_coverage_check(upstream::Ask& ask) {
  if (!question().touches) return;
  ask.before = [self = shared_from_this(), count = std::move(ask.before)](Say say) {
    const auto covers = self->check_coverage();
    if (!covers || !count) return say(covers);
    count([self, say = std::move(say)](const Result<void>& has_room) {
      say(has_room ? self->check_coverage() : has_room);
    });
  };
}

Result<void> QueryRunner::check_coverage() {
  return course_.heed_coverage(stores_.covered(course_.step().member, question().caller));
}

void QueryRunner::take(Answer answer) {
  const plan::Reply reply = plan::reply_of(answer);
  const bool is_hot = is_at_hot();
  const access::QueryShape asked = kept_.likeness(course_);  // the course may go on to another form
  coverage::Covered now;
  if (is_hot) {
    const std::size_t member = course_.step().member;
    if (plan::makes_suspect(reply)) stores_.coverage().mark_suspect(member);
    now = stores_.covered(member, question().caller);
  }
  if (!is_hot) course_.note_refusal(plan::refusal_of(answer));
  const plan::Verdict verdict = course_.take(reply, now);
  // Of what hot answered and may have lacked nothing is learnt: the other store will tell.
  if (!is_hot || verdict != plan::Verdict::kNext) learn(asked, answer);
  settle(verdict, std::move(answer));
}

void QueryRunner::learn(const access::QueryShape& asked, Answer& answer) {
  // Always: it takes the statistics out that nobody but the router asked for.
  const auto cost = plan::cost_of(answer, question().is_own_stats);
  samples_.reset();
  if (cost && answer) samples_ = cost->samples;
  if (!cost || !question().touches || interest_->is_lost()) return;
  stores_.weights().note(question().caller.payer(), asked, *cost);
}

void QueryRunner::settle(plan::Verdict verdict, Answer answer) {
  switch (verdict) {
    case plan::Verdict::kNext:
      return ask();
    case plan::Verdict::kLookAgain:
      return look_again(std::move(*answer));
    case plan::Verdict::kDone:
      return finish(std::move(*answer));
    case plan::Verdict::kRefuse:
      return done_({std::move(answer), {}});
    case plan::Verdict::kFail:
      return done_({tl::unexpected<Error>(error_of(std::move(answer))), {}});
  }
}

/// An answer that is too short is none. What the long-term store has refused comes first, whatever
/// hot said instead: the caller can mend it.
Error QueryRunner::error_of(Answer answer) const {
  if (const auto& refusal = course_.refusal()) return *refusal;
  return answer ? upstream::no_answer() : upstream::outward(std::move(answer.error()));
}

/// Prometheus shows ten warnings of any kind: whether a store's is among the rest is seen by
/// reading the same samples once more, without anything to remark on.
void QueryRunner::look_again(wire::prometheus_api::Envelope answer) {
  upstream::Ask ask = ask_of("/api/v1/query", {});
  ask.form.emplace_back("query", plan::bare_reading(*course_.expr(), kept_.ranges(course_)));
  ask.form.emplace_back("time", request::format_seconds(question().touches->to_ms));
  store().ask(std::move(ask),
              [self = shared_from_this(), first = std::move(answer)](const Answer& second) mutable {
                self->course_.note_refusal(plan::refusal_of(second));
                const plan::Reply reply = plan::reply_of(second);
                const plan::Verdict verdict = self->course_.take_second_look(reply);
                self->settle(verdict, reply == plan::Reply::kLost
                                          ? Answer(tl::unexpected<Error>(second.error()))
                                          : Answer(std::move(first)));
              });
}

/// Nobody knows what a query holds before it was evaluated: one that turns out to be more than may
/// be is evaluated once, and is known from then on.
Result<void> QueryRunner::check_answer(const wire::prometheus_api::Envelope& answer) const {
  const access::QueryLimits& limits = question().caller.limits;
  if (auto may = limits.check_samples(samples_.value_or(0)); !may) return may;
  if (answer.is_stored()) return limits.check_series(answer.stored_series());
  // Most answers are too short to have so many.
  const std::string_view data = answer.data();
  if (limits.series == 0 || data.size() / json::kSeriesBytesMin <= limits.series) return {};
  return limits.check_series(json::count_series(data));
}

void QueryRunner::refuse(Error error) {
  done_({tl::unexpected<Error>(std::move(error)), {}, samples_});
}

void QueryRunner::finish(wire::prometheus_api::Envelope answer) {
  if (auto may = check_answer(answer); !may) return refuse(std::move(may.error()));
  if (is_at_hot()) return end(std::move(answer), plan::notes_of_hot(course_));
  const auto& touches = question().touches;
  if (!touches) return end(std::move(answer), {});
  const auto& customer = question().caller.customer;
  const std::string gaps = stores_.cold_gaps();
  const bool is_open_whose = customer && upstream::is_of_some(gaps);
  plan::ColdState cold;
  cold.lost = stores_.cold_holes().warning(customer, touches->from_ms, touches->to_ms);
  cold.replaced = stores_.cold_replacement();
  if (!is_open_whose) cold.gaps = gaps;
  plan::Notes notes = plan::notes_of_long_term(course_, std::move(cold));
  if (is_open_whose) return ask_for_gaps(std::move(answer), std::move(notes));
  end(std::move(answer), std::move(notes));
}

/// Some customers' rows are missing: a small answer of storage's says whether this one's are.
void QueryRunner::ask_for_gaps(wire::prometheus_api::Envelope answer, plan::Notes notes) {
  upstream::Ask ask = ask_of("/api/v1/labels", {{"limit", "1"}});
  ask.is_post = false;
  ask.timeout = kGapsTimeout;
  ask.lane = upstream::Lane::kLookUp;
  stores_.cold()->fetch(
      std::move(ask), [self = shared_from_this(), answer = std::move(answer),
                       notes = std::move(notes)](const Result<net::ClientResponse>& said) mutable {
        const std::string_view gaps = said && said->status == 200
                                          ? said->headers.get(upstream::kIncompleteHeader)
                                          : "unknown";
        if (!gaps.empty()) notes.warnings.push_back(plan::gaps_warning(gaps));
        self->end(std::move(answer), std::move(notes));
      });
}

void QueryRunner::end(wire::prometheus_api::Envelope answer, plan::Notes notes) {
  notes.served += kept_.served(course_);
  const bool has_remarks = !answer.warnings().empty() || !answer.infos().empty();
  plan::finish_notes(answer, notes);
  if (has_remarks) kept_.keep_nothing();
  if (kept_.steps() == 0) return close(std::move(answer), std::move(notes));
  if (answer.is_stored()) return ask_for_all();
  if (kept_.joined_bytes(answer) < upstream::Readers::kLargeBytes) {
    return join(answer, std::move(notes));
  }
  stores_.readers().read(
      question().caller.payer(), kept_.joined_bytes(answer),
      [self = shared_from_this(), rest = std::move(answer), notes = std::move(notes)]() mutable {
        self->join(rest, std::move(notes));
      });
}

/// Puts what is kept before what the store has said of the steps behind it.
void QueryRunner::join(const wire::prometheus_api::Envelope& rest, plan::Notes notes) {
  access::ByteShares::HeldBytes held = stores_.shares().hold(question().caller.payer());
  if (!held.grow(kept_.joined_bytes(rest))) {
    return done_({fail(ErrorCode::kOverLimit,
                       "other answers under way leave no room for this one; read them, or ask for "
                       "less"),
                  {}});
  }
  auto joined = kept_.join(rest);
  if (joined) {
    if (auto may = check_answer(*joined); !may) return refuse(std::move(may.error()));
    return close(std::move(*joined), std::move(notes));
  }
  ask_for_all();
}

/// What is kept is of no use: behind it comes more than is put together in memory, or what cannot
/// be. Once; from then on nothing is kept of this query.
void QueryRunner::ask_for_all() {
  kept_.give_up(course_);
  ask();
}

void QueryRunner::close(wire::prometheus_api::Envelope answer, plan::Notes notes) {
  kept_.keep(course_, answer, notes);
  done_({std::move(answer), std::move(notes), samples_});
}

}  // namespace vigia::router::run
