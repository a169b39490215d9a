// A hot shard, asked as if it were one store.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/router/upstream/upstream.hpp"

namespace vigia::router::stores {

/// Asks one member; where that saw nothing of the request, or answered with a fault of its own, the
/// other. A member that broke off may have done so over what it was asked: then the other is asked
/// only what goes by the usual lane and is known to cost little. What costs more ends with is_lost.
/// Any thread.
class AskedShard final : public upstream::AskedStore {
 public:
  /// Which members of that customer's shard are asked, in this order; all, the best first.
  using Order = std::function<std::vector<const upstream::AskedStore*>(
      const std::optional<CustomerId>& customer)>;

  /// What `order` gives, and refers to, must outlive it.
  AskedShard(std::string name, Order order) : name_(std::move(name)), order_(std::move(order)) {}

  void ask(upstream::Ask ask,
           Task<void(Result<wire::prometheus_api::Envelope>)> done) const override;
  void fetch(upstream::Ask ask, Task<void(Result<net::ClientResponse>)> done) const override;
  /// The shard's, as customers are assigned to it.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  Order order_;
};

}  // namespace vigia::router::stores
