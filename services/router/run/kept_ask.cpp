#include "services/router/run/kept_ask.hpp"

#include <algorithm>
#include <utility>

#include "services/router/json/lists.hpp"
#include "services/router/plan/query_plan.hpp"
#include "services/router/plan/thinned.hpp"
#include "services/router/run/own_shard.hpp"

namespace vigia::router::run {
namespace {

constexpr std::chrono::seconds kTimeout{2};

std::optional<coverage::KeptFrom> read_kept_from(std::string_view json) {
  const auto numbers = json::read_integers(json, {"made", "raw", "5m", "1h", "1d"});
  if (!numbers) return std::nullopt;
  coverage::KeptFrom kept;
  kept.made_ms = numbers->front();
  std::copy(numbers->begin() + 1, numbers->end(), kept.of.begin());
  return kept;
}

}  // namespace

void ask_kept_from(const stores::Stores& stores, const plan::Question& question,
                   std::shared_ptr<access::Interest> interest,
                   Task<void(std::optional<coverage::KeptFrom>)> done) {
  if (!plan::is_long_ago(question) || !question.caller.customer || stores.cold() == nullptr) {
    return done(std::nullopt);
  }
  const auto shard = own_shard(stores, question);
  const auto members =
      shard ? stores.members_of(*shard, question.caller) : std::vector<coverage::HotMember>();
  const bool is_held = std::any_of(members.begin(), members.end(), [&](const auto& member) {
    return plan::holds_all(question, member.covered);
  });
  if (is_held) return done(std::nullopt);
  upstream::Ask ask(question.caller.customer, "/api/v1/retention", {}, false, kTimeout);
  ask.interest = std::move(interest);
  ask.lane = upstream::Lane::kLookUp;
  ask.is_within_turn = true;  // it is of some bytes, and no query waits in two rows
  stores.cold()->ask(std::move(ask), [done = std::move(done)](
                                         const Result<wire::prometheus_api::Envelope>& answer) {
    done(answer && answer->is_success() ? read_kept_from(answer->data()) : std::nullopt);
  });
}

}  // namespace vigia::router::run
