// Asks storage how far back it keeps what.
#pragma once

#include <memory>
#include <optional>

#include "libs/base/task.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/coverage/kept_from.hpp"
#include "services/router/plan/question.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::run {

/// Of the question's customer. Nothing, at once, where it asks for nothing old or hot holds all of
/// it, where it is an operator's over all customers, or there is no storage; nothing where storage
/// does not say within seconds: what is asked then is answered as if nothing had expired. Any
/// thread.
void ask_kept_from(const stores::Stores& stores, const plan::Question& question,
                   std::shared_ptr<access::Interest> interest,
                   Task<void(std::optional<coverage::KeptFrom>)> done);

}  // namespace vigia::router::run
