#include "services/monitor/customers/hot_assignment.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/base/clock.hpp"
#include "libs/tenancy/hot_shards.hpp"

namespace vigia::monitor::customers {
namespace {

constexpr std::string_view kOne = "hot_shard";
constexpr std::string_view kSeveral = "hot_shards";
constexpr std::string_view kSince = "assigned_ms";

}  // namespace

void settle_hot_shards(const std::vector<std::string>& known, api::BodyReader& body,
                       CustomerChange& change) {
  auto& customer = change.values;
  const auto is_known = [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  if (!change.named.contains(kSeveral)) {
    // A change that names neither has no values of them.
    if (!customer.hot_shard.empty() && !is_known(customer.hot_shard)) {
      body.note(kOne, "no such shard in the configuration");
    }
    return;
  }
  if (change.named.contains(kOne)) {
    body.note(kOne, "is given beside hot_shards: one of the two is meant");
  }
  for (const auto& name : customer.hot_shards) {
    if (!is_known(name)) {
      body.note(kSeveral, fmt::format("no such shard in the configuration: {}", name));
    }
  }
  auto checked = tenancy::check_hot_shards(customer.hot_shards);
  if (!checked) {
    body.note(kSeveral, checked.error().message);
    return;
  }
  customer.hot_shard = checked->front();
  change.named.insert(kOne);
  if (checked->size() == 1) customer.hot_shards.clear();
}

CustomerChange assigned_anew(CustomerChange change, const CustomerRow& kept, std::int64_t now_ms) {
  if (!change.named.contains(kSeveral)) return change;
  if (change.values.shards() == kept.shards()) {
    change.named.erase(kOne);
    change.named.erase(kSeveral);
    return change;
  }
  change.values.assigned_ms = now_ms + std::chrono::milliseconds(kAssignmentSettles).count();
  change.named.insert(kSince);
  return change;
}

}  // namespace vigia::monitor::customers
