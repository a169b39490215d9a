// Which stores are asked for a query, in which order, and why.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/resolution.hpp"
#include "services/router/coverage/cold_replacement.hpp"
#include "services/router/coverage/covered.hpp"
#include "services/router/coverage/hot_member.hpp"
#include "services/router/plan/question.hpp"
#include "services/router/plan/thinned.hpp"

namespace vigia::router::plan {

enum class Store {
  kHot,       ///< one Prometheus of those that have the last weeks
  kLongTerm,  ///< prometheus-query, which reads storage
};

/// Why a step is asked. It decides whether the step may be left for the next one, and what its
/// answer has to say.
enum class Standing {
  kHolds,      ///< hot is known to hold all that the query touches; left where it is not any more
  kAlone,      ///< there is no other store, or none that holds more
  kLesser,     ///< another member of the shard may hold more, and there is no long-term store
  kHoldsMore,  ///< the long-term store is a new one, with less of the query's past than hot has
  kLongTerm,   ///< whatever hot covers, the long-term store has all
  kInstead,    ///< the long-term store did not answer
};

/// One store, and what it is asked.
struct Step {
  Store store = Store::kHot;
  Standing standing = Standing::kHolds;
  Resolution resolution = Resolution::kRaw;  ///< of what it reads
  std::size_t member = 0;                    ///< of hot: which of all its Prometheus
  /// In the place of the question, where it reads roll-ups: of that resolution. Behind such a step
  /// stands one of the same store that reads samples.
  std::shared_ptr<const Thinned> thinned = nullptr;

  bool operator==(const Step&) const = default;
};

/// What the router knows when a query comes.
struct Knowledge {
  /// Of the shard that holds all the caller may see; who is asked first stands first.
  std::vector<coverage::HotMember> hot;
  std::vector<std::size_t> elsewhere;  ///< members of the other shards: 1+1 is 2 everywhere
  bool has_long_term = false;
  promql::Dialect dialect = promql::Dialect::kPrometheus2;  ///< of the hot stores
  std::optional<coverage::ColdReplacement> replaced;        ///< of the long-term store
  access::Weight weight = access::Weight::kLight;           ///< of queries like this one
  std::shared_ptr<const Thinned> thinned;  ///< the question, where it has that form
  /// What storage keeps, where the question asks for something old and storage has said.
  std::optional<coverage::KeptFrom> kept;
  std::shared_ptr<const Thinned> nearly;  ///< the question where its samples have expired
  access::Weight thinned_weight = access::Weight::kLight;  ///< of the first of these forms
};

/// Each step is asked only where the one before it was left or has failed; the steps behind the
/// first are the fallback. Never empty. Who stands there twice with the same store and member is
/// not asked again once it has failed.
struct QueryPlan {
  std::vector<Step> steps;
  std::optional<coverage::ColdReplacement> worse_cold;  ///< of a plan that begins with kHoldsMore
};

/// kInvalid, in the caller's words, where no store that is configured holds what it may see.
Result<QueryPlan> make_plan(const Question& question, const Knowledge& known);

/// Whether a hot store that covers this holds all that the query touches.
bool holds_all(const Question& question, const coverage::Covered& covered);

}  // namespace vigia::router::plan
