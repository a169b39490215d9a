#include "services/router/run/own_shard.hpp"

#include "services/router/plan/bound_nodes.hpp"

namespace vigia::router::run {

std::optional<std::size_t> own_shard(const stores::Stores& stores, const plan::Question& question) {
  const access::Caller& caller = question.caller;
  if (caller.hot_shards.size() < 2 || !question.touches) return stores.shard_of(caller);
  const auto nodes = plan::bound_nodes(*question.expr);
  if (!nodes) return std::nullopt;
  std::optional<std::size_t> shard;
  for (const std::string& node : *nodes) {
    const auto own = stores.shard_of_node(caller, node);
    if (!own || (shard && *shard != *own)) return std::nullopt;
    shard = own;
  }
  return shard;
}

}  // namespace vigia::router::run
