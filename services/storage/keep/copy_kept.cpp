#include "services/storage/keep/copy_kept.hpp"

#include <chrono>
#include <map>
#include <utility>

#include "services/storage/store/day_range.hpp"

namespace vigia::storage::keep {
namespace {

std::uint32_t first_day_of(Duration keep, TimestampMs now_ms) {
  if (keep == Duration(0)) return 0;
  const auto kept = std::chrono::duration_cast<std::chrono::milliseconds>(keep);
  return kept.count() >= now_ms ? 0 : store::day_of(now_ms - kept.count());
}

}  // namespace

Result<CopyKeeps> CopyKeeps::read(const retention::ClassSettings& settings,
                                  const retention::Keeps& all, const std::string& state_file,
                                  const rolling::MadeResolutions& made) {
  auto last = retention::load_keeps(state_file);
  if (!last) return forward(last);
  std::map<CustomerId, std::string> class_of;
  if (!settings.customers_file.empty()) {
    if (auto checked = retention::check_customers(settings); !checked) return forward(checked);
    const auto text = retention::read_customers_file(settings.customers_file);
    if (!text) return forward(text);
    auto named = retention::parse_customers(*text, settings.customers_file);
    if (!named) return forward(named);
    class_of = std::move(named->class_of);
  }
  retention::CustomerKeeps own = *std::move(last);
  for (const auto& [customer, name] : class_of) own.try_emplace(customer, all);
  for (auto& [customer, keeps] : own) {
    const auto named = class_of.find(customer);
    const auto found =
        named == class_of.end() ? settings.classes.end() : settings.classes.find(named->second);
    const retention::Keeps& wanted = found == settings.classes.end() ? all : found->second;
    for (const retention::DataKind kind : retention::kKinds) {
      keeps[kind] = retention::longer(keeps[kind], wanted[kind]);
    }
  }
  return CopyKeeps(all, std::move(own), made);
}

const retention::Keeps& CopyKeeps::keeps_of(const CustomerId& customer) const {
  const auto found = own_.find(customer);
  return found == own_.end() ? all_ : found->second;
}

Duration CopyKeeps::longest(const retention::Keeps& keeps) {
  Duration longest = keeps[retention::DataKind::kRaw];
  for (const retention::DataKind kind :
       {retention::DataKind::kRollup5m, retention::DataKind::kRollup1h,
        retention::DataKind::kRollup1d}) {
    longest = retention::longer(longest, keeps[kind]);
  }
  return longest;
}

std::vector<CustomerId> CopyKeeps::own() const {
  std::vector<CustomerId> customers;
  for (const auto& [customer, keeps] : own_) {
    if (keeps != all_) customers.push_back(customer);
  }
  return customers;
}

CopyKept CopyKeeps::of(const CustomerId& customer, TimestampMs now_ms) const {
  const retention::Keeps& keeps = keeps_of(customer);
  CopyKept kept{first_day_of(keeps[retention::DataKind::kRaw], now_ms),
                first_day_of(keeps[retention::DataKind::kTraces], now_ms),
                first_day_of(keeps[retention::DataKind::kLogs], now_ms)};
  for (std::size_t i = 0; i < made_.size(); ++i) {
    const retention::DataKind kind = retention::kind_of(rolling::kRolledUp.at(i));
    kept.rollups.at(i).reset();
    if (made_.at(i)) kept.rollups.at(i) = first_day_of(keeps[kind], now_ms);
  }
  return kept;
}

}  // namespace vigia::storage::keep
