#include "services/collector/side/kept_marks.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "libs/service/log.hpp"

namespace vigia::collector::side {
namespace {

constexpr std::string_view kSuffix = ".kept";

KeptMarks::Names without(const KeptMarks::Names& all, const KeptMarks::Names& some) {
  KeptMarks::Names left;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(),
                      std::inserter(left, left.end()));
  return left;
}

}  // namespace

KeptMarks::KeptMarks(std::string directory, disk_log::FileSystem& files)
    : directory_(std::move(directory)), files_(files) {}

KeptMarks::Names KeptMarks::find(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (std::string_view name : names) {
    if (!name.ends_with(kSuffix)) continue;
    name.remove_suffix(kSuffix.size());
    marked_.emplace(name);
  }
  return marked_;
}

bool KeptMarks::settle(const Wanted& wanted) {
  const std::lock_guard lock(mutex_);
  const auto customers = wanted();
  if (!customers) return true;
  auto settled = write(without(*customers, marked_));
  const auto removed = remove(without(marked_, *customers));
  if (settled) settled = removed;
  tell(settled);
  return settled.has_value();
}

std::string KeptMarks::path_of(std::string_view customer) const {
  return directory_ + "/" + std::string(customer) + std::string(kSuffix);
}

Result<void> KeptMarks::write(const Names& customers) {
  if (customers.empty()) return {};
  if (auto made = files_.create_directory(directory_); !made) return made;
  for (const std::string& customer : customers) {
    auto file = files_.create(path_of(customer));
    if (!file) return forward(file);
    if (auto synced = (*file)->sync(); !synced) return synced;
  }
  if (auto synced = files_.sync_directory(directory_); !synced) return synced;
  marked_.insert(customers.begin(), customers.end());
  return {};
}

/// What is not synced may come back by a power cut: whoever has nothing there then loses it at that
/// start, and who has is kept until it is gone.
Result<void> KeptMarks::remove(const Names& customers) {
  for (const std::string& customer : customers) {
    const auto removed = files_.remove(path_of(customer));
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
    marked_.erase(customer);
  }
  return {};
}

/// Once, and not with each entry.
void KeptMarks::tell(const Result<void>& settled) {
  if (settled) {
    is_failing_ = false;
    return;
  }
  if (std::exchange(is_failing_, true)) return;
  service::log_warn(
      "it cannot be written beside what lies aside whose data is not let go for room: a restart "
      "before it can be does not know it; look at the disk",
      {{"folder", directory_}, {"why", settled.error().message}});
}

}  // namespace vigia::collector::side
