#include "services/monitor/live/alert_looks.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "services/monitor/live/limits.hpp"

namespace vigia::monitor::live {
namespace {

bool is_firing(const ActiveAlert& alert) { return !alert.is_silenced && !alert.is_inhibited; }

}  // namespace

bool AlertLooks::is_due(const LookGroup& group) const {
  const auto many = many_.find(group.customers.front());
  return group.customers.size() > 1 || many == many_.end() ||
         clock_.steady() - many->second >= kManyAlertsInterval;
}

void AlertLooks::note_many(const std::optional<CustomerId>& customer, bool has_many) {
  if (!customer) return;
  if (!has_many) {
    many_.erase(*customer);
    return;
  }
  many_[*customer] = clock_.steady();
  plan_.note_crowded(*customer);
}

void AlertLooks::take(const std::vector<CustomerId>& asked, AlertsAnswer answer, LiveState& state) {
  std::set<std::optional<CustomerId>> members(asked.begin(), asked.end());
  if (members.empty()) members.insert(std::nullopt);
  // Of those who were asked about everything is replaced, of all others the last answer stays: one
  // group without an answer must not take the others' alerts off the page.
  std::erase_if(state.alerts,
                [&](const ActiveAlert& alert) { return members.contains(alert.customer); });
  std::map<std::optional<CustomerId>, std::size_t> kept;
  for (const auto& member : members) {
    state.alerts_of[member] = AlertsSight{state.alerts_ms, 0, 0, answer.is_cut};
  }
  std::vector<ActiveAlert> all = std::move(state.alerts);
  const auto middle = static_cast<std::ptrdiff_t>(all.size());
  for (auto& alert : answer.alerts) {  // the worst and newest first
    if (!members.contains(alert.customer)) continue;
    if (++kept[alert.customer] <= kAlertsOfCustomerMax) {
      all.push_back(std::move(alert));
      continue;
    }
    AlertsSight& sight = state.alerts_of[alert.customer];
    ++sight.left_out;
    if (is_firing(alert)) ++sight.firing_left_out;
  }
  // Both parts are sorted already. A sort of all for each group would be dear with 10,000
  // customers, whose alerts are looked at in groups of some dozens.
  std::inplace_merge(all.begin(), all.begin() + middle, all.end(), comes_first);
  state.alerts = std::move(all);
  for (const auto& member : members) {
    note_many(member, state.alerts_of[member].left_out > 0 || answer.is_cut);
  }
}

Result<void> AlertLooks::ask(const LookGroup& group, LiveState& state) {
  // Its own time: what was asked before may have taken long.
  const auto at_ms = clock_.wall_ms();
  auto answer = fetch_alerts(client_, url_, AlertsAsked{group.customers, answer_bytes_max_});
  if (!answer) return forward(answer);
  state.alerts_ms = at_ms;
  take(group.customers, std::move(*answer), state);
  return {};
}

void AlertLooks::forget(const std::map<CustomerId, std::size_t>& nodes, LiveState& state) {
  const auto is_gone = [&](const std::optional<CustomerId>& one) {
    return one && !nodes.contains(*one);
  };
  std::erase_if(state.alerts, [&](const ActiveAlert& alert) { return is_gone(alert.customer); });
  std::erase_if(state.alerts_of, [&](const auto& one) { return is_gone(one.first); });
  for (const auto& [customer, count] : nodes) state.alerts_of.try_emplace(customer);
  state.alerts_of.try_emplace(std::nullopt);
}

std::vector<LookGroup> AlertLooks::groups_of(const std::map<CustomerId, std::size_t>& nodes) {
  std::erase_if(many_, [&](const auto& one) { return !nodes.contains(one.first); });
  auto groups = plan_.groups(nodes);
  std::erase_if(groups, [&](const LookGroup& group) { return !is_due(group); });
  // Who is known to have very many comes last: the time of a look ends with what is dear, never
  // before the others were asked for.
  std::stable_partition(groups.begin(), groups.end(), [&](const LookGroup& group) {
    return group.customers.size() > 1 || !many_.contains(group.customers.front());
  });
  groups.insert(groups.begin(), LookGroup{});  // the provider's own
  return groups;
}

std::size_t AlertLooks::look(const std::map<CustomerId, std::size_t>& nodes, LiveState& state) {
  forget(nodes, state);
  const auto deadline = clock_.steady() + kAlertsLookMax;
  auto groups = groups_of(nodes);
  std::string problem;
  bool is_there = false;
  std::vector<LookGroup> failed;
  std::size_t i = 0;
  for (; i < groups.size() && clock_.steady() < deadline; ++i) {
    const LookGroup group = groups[i];
    auto asked = ask(group, state);
    if (asked) {
      is_there = true;
      plan_.note_answered(group);
      continue;
    }
    failed.push_back(group);
    if (problem.empty()) problem = asked.error().message;
    if (group.customers.empty()) break;  // a handful of alerts: it is not there
    if (group.customers.size() < 2) continue;
    // At once, so that nobody waits for the next round because of who is with it.
    auto [first, second] = halves_of(group);
    groups.push_back(std::move(first));
    groups.push_back(std::move(second));
  }
  // Nobody answered: that is Alertmanager's absence and no customer's doing, so nobody's turn is
  // changed for it.
  if (!is_there) {
    state.alerts_problem = problem;
    return failed.size();
  }
  for (; i < groups.size(); ++i) plan_.note_missed(groups[i]);
  for (const auto& group : failed) plan_.note_failed(group);
  return failed.size();
}

}  // namespace vigia::monitor::live
