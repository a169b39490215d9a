// Asks storage how far back it keeps what, and whether the past is still what it was.
#pragma once

#include <memory>
#include <optional>

#include "libs/base/task.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/coverage/kept_from.hpp"
#include "services/router/coverage/past.hpp"
#include "services/router/plan/question.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::run {

/// What storage says of a customer, before anything of the query is read.
struct ColdWord {
  std::optional<coverage::KeptFrom> kept;      ///< where the plan goes by it
  std::optional<coverage::KeptFrom> kept_now;  ///< whenever it was said
  std::optional<coverage::Past> past;
};

/// Of the question's customer. `kept` where it asks for something old that hot does not hold,
/// `past` where `wants_past`; nothing, at once, where neither is so, where it is an operator's over
/// all customers, or there is no storage; nothing where storage does not say in time (2 s where the
/// plan goes by it, else less): what is asked then is answered as if nothing had expired, and
/// nothing is kept of it. Any thread.
void ask_cold_word(const stores::Stores& stores, const plan::Question& question, bool wants_past,
                   std::shared_ptr<access::Interest> interest, Task<void(ColdWord)> done);

}  // namespace vigia::router::run
