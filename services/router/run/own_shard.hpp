// Which hot shard can answer a question.
#pragma once

#include <cstddef>
#include <optional>

#include "services/router/plan/question.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::run {

/// The one that holds all that the question may read. Of a customer whose series are split by node
/// that of the nodes that every selector names, where they lie in one; what reads more has to be
/// evaluated where everything is. Nothing where there is none such. Any thread.
std::optional<std::size_t> own_shard(const stores::Stores& stores, const plan::Question& question);

}  // namespace vigia::router::run
