#include "services/collector/intake/known_metadata.hpp"

#include <algorithm>

namespace vigia::collector::intake {
namespace {

/// Places of both maps and what allocating them takes.
constexpr std::size_t kEntryBytes = 320;

std::size_t bytes_of(std::string_view family, const series::SaidMetadata& said) {
  return 2 * family.size() + said.help.size() + said.unit.size() + kEntryBytes;
}

}  // namespace

std::uint64_t KnownMetadata::note(const CustomerId& customer, Said said) {
  if (said.empty()) return 0;
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = owners_.try_emplace(customer);
  if (is_new) forget_idle(now);
  Owner& owner = place->second;
  owner.said = now;
  const std::size_t room = std::min(kCustomerBytesMax, kBytesMax / owners_.size());
  // Copied where something is new: requests under way read the table as it was.
  std::shared_ptr<series::MetadataTable> changed;
  const auto change = [&]() -> series::MetadataTable& {
    if (!changed) {
      changed = std::make_shared<series::MetadataTable>(*owner.table);
      forget_old(owner, *changed, now);
    }
    return *changed;
  };
  std::uint64_t left_out = 0;
  for (auto& [family, what] : said) {
    const series::MetadataTable& known = changed ? *changed : *owner.table;
    const auto found = known.find(family);
    if (found != known.end() && *found->second == what) {
      owner.said_at[family] = now;
      continue;
    }
    series::MetadataTable& table = change();
    const auto before = table.find(family);
    const std::size_t freed = before == table.end() ? 0 : bytes_of(family, *before->second);
    const std::size_t needed = bytes_of(family, what);
    if (owner.bytes - freed + needed > room) {
      ++left_out;
      continue;
    }
    owner.bytes += needed - freed;
    owner.said_at[family] = now;
    table[family] = std::make_shared<const series::SaidMetadata>(std::move(what));
  }
  if (changed) owner.table = std::move(changed);
  return left_out;
}

std::shared_ptr<const series::MetadataTable> KnownMetadata::of(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  const auto found = owners_.find(customer);
  return found == owners_.end() ? nullptr : found->second.table;
}

void KnownMetadata::forget_idle(TimePoint now) {
  std::erase_if(owners_, [now](const auto& entry) {
    const Owner& owner = entry.second;
    return !owner.said_at.empty() && now >= owner.said + kForgottenAfter;
  });
}

void KnownMetadata::forget_old(Owner& owner, series::MetadataTable& table, TimePoint now) {
  std::erase_if(owner.said_at, [&](const auto& entry) {
    if (now < entry.second + kForgottenAfter) return false;
    if (const auto found = table.find(entry.first); found != table.end()) {
      owner.bytes -= bytes_of(found->first, *found->second);
      table.erase(found);
    }
    return true;
  });
}

}  // namespace vigia::collector::intake
