#include "services/monitor/live/look_plan.hpp"

#include <algorithm>
#include <iterator>

#include "services/monitor/live/limits.hpp"
#include "services/monitor/nodes/limits.hpp"

namespace vigia::monitor::live {
namespace {

std::size_t bound_for(std::size_t nodes) {
  // Nodes that register themselves between two looks are in the bound: they are in the answer.
  return std::min(nodes + kRegistrationsPerLookMax, nodes::kNodesPerCustomerMax) *
         kLiveSeriesPerNodeMax;
}

struct Filling {
  LookGroup group;
  std::size_t nodes = 0;

  bool has_room(std::size_t more) const {
    return group.customers.size() < kLookCustomersMax && nodes + more <= kLookNodesMax;
  }
  void add(const CustomerId& customer, std::size_t count) {
    group.customers.push_back(customer);
    group.series_per_customer = std::max(group.series_per_customer, bound_for(count));
    nodes += count;
  }
};

}  // namespace

std::pair<LookGroup, LookGroup> halves_of(const LookGroup& group) {
  const auto middle =
      group.customers.begin() + static_cast<std::ptrdiff_t>(group.customers.size() / 2);
  return {LookGroup{{group.customers.begin(), middle}, group.series_per_customer},
          LookGroup{{middle, group.customers.end()}, group.series_per_customer}};
}

void LookPlan::forget_old(const std::map<CustomerId, std::size_t>& nodes) {
  const auto is_gone = [&](const auto& entry) { return !nodes.contains(entry.first); };
  for (auto& [customer, looks] : crowded_) --looks;
  std::erase_if(crowded_, [&](const auto& one) { return is_gone(one) || one.second == 0; });
  std::erase_if(missed_, is_gone);
  std::erase_if(parts_, is_gone);
  // After some looks all are put together again: what made a group fail may be over.
  if (looks_apart_ > 0 && --looks_apart_ == 0) parts_.clear();
}

std::vector<LookGroup> LookPlan::groups(const std::map<CustomerId, std::size_t>& nodes) {
  forget_old(nodes);
  std::vector<LookGroup> all;
  std::vector<LookGroup> crowded;
  std::map<std::size_t, Filling> filling;
  for (const auto& [customer, count] : nodes) {
    const auto part = parts_.find(customer);
    Filling& open = filling[part == parts_.end() ? 0 : part->second];
    const bool is_crowded = crowded_.contains(customer);
    if (is_crowded || count > kLookNodesMax) {
      (is_crowded ? crowded : all).push_back(LookGroup{{customer}, bound_for(count)});
      continue;
    }
    if (!open.has_room(count)) {
      all.push_back(std::move(open.group));
      open = Filling{};
    }
    open.add(customer, count);
  }
  for (auto& [part, open] : filling) {
    if (!open.group.customers.empty()) all.push_back(std::move(open.group));
  }
  // Last, so that whoever needs long makes nobody wait.
  std::move(crowded.begin(), crowded.end(), std::back_inserter(all));
  const auto missed = [&](const LookGroup& group) {
    const auto found = missed_.find(group.customers.front());
    return found == missed_.end() ? 0 : found->second;
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const LookGroup& a, const LookGroup& b) { return missed(a) > missed(b); });
  return all;
}

void LookPlan::note_answered(const LookGroup& group) { note_asked(group); }

void LookPlan::note_asked(const LookGroup& group) {
  for (const auto& customer : group.customers) missed_.erase(customer);
}

void LookPlan::note_missed(const LookGroup& group) {
  for (const auto& customer : group.customers) ++missed_[customer];
}

void LookPlan::note_failed(const LookGroup& group) {
  note_asked(group);
  if (group.customers.size() < 2) return;
  looks_apart_ = kLooksAlone;
  const auto middle = group.customers.size() / 2;
  ++last_part_;
  for (std::size_t i = middle; i < group.customers.size(); ++i) {
    // Each failure halves the group, so that the one who makes it fail is alone after log2 n looks.
    parts_[group.customers[i]] = last_part_;
  }
}

}  // namespace vigia::monitor::live
