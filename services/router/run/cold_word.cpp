#include "services/router/run/cold_word.hpp"

#include <algorithm>
#include <utility>

#include "services/router/json/lists.hpp"
#include "services/router/plan/query_plan.hpp"
#include "services/router/plan/thinned.hpp"
#include "services/router/run/own_shard.hpp"

namespace vigia::router::run {
namespace {

constexpr std::chrono::seconds kTimeout{2};
// Where all that hangs on it is whether the store is asked for more than need be.
constexpr std::chrono::milliseconds kPastTimeout{250};

std::optional<coverage::KeptFrom> read_kept_from(std::string_view json) {
  const auto numbers = json::read_integers(json, {"made", "raw", "5m", "1h", "1d"});
  if (!numbers) return std::nullopt;
  coverage::KeptFrom kept;
  kept.made_ms = numbers->front();
  std::copy(numbers->begin() + 1, numbers->end(), kept.of.begin());
  return kept;
}

std::optional<coverage::Past> read_past(std::string_view json) {
  const auto edge = json::read_integers(json, {"past"});
  std::string state = json::read_text_of(json, "state");
  if (!edge || state.empty()) return std::nullopt;
  return coverage::Past{edge->front(), std::move(state)};
}

/// Whether what has expired changes how the question is answered.
bool wants_kept(const stores::Stores& stores, const plan::Question& question) {
  if (!plan::is_long_ago(question)) return false;
  const auto shard = own_shard(stores, question);
  const auto members =
      shard ? stores.members_of(*shard, question.caller) : std::vector<coverage::HotMember>();
  return std::none_of(members.begin(), members.end(), [&](const coverage::HotMember& member) {
    return plan::holds_all(question, member.covered);
  });
}

}  // namespace

void ask_cold_word(const stores::Stores& stores, const plan::Question& question, bool wants_past,
                   std::shared_ptr<access::Interest> interest, Task<void(ColdWord)> done) {
  if (!question.caller.customer || stores.cold() == nullptr) return done({});
  const bool is_planned_by = wants_kept(stores, question);
  if (!is_planned_by && !wants_past) return done({});
  upstream::Ask ask(question.caller.customer, "/api/v1/retention", {}, false,
                    is_planned_by ? Duration(kTimeout) : Duration(kPastTimeout));
  ask.interest = std::move(interest);
  ask.lane = upstream::Lane::kLookUp;
  ask.is_within_turn = true;  // it is of some bytes, and no query waits in two rows
  stores.cold()->ask(std::move(ask), [is_planned_by, wants_past, done = std::move(done)](
                                         const Result<wire::prometheus_api::Envelope>& answer) {
    ColdWord word;
    if (!answer || !answer->is_success()) return done(std::move(word));
    word.kept_now = read_kept_from(answer->data());
    if (is_planned_by) word.kept = word.kept_now;
    if (wants_past) word.past = read_past(answer->data());
    done(std::move(word));
  });
}

}  // namespace vigia::router::run
