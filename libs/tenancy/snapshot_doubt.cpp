#include "libs/tenancy/snapshot_doubt.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace vigia::tenancy {
namespace {

bool is_same_database(const SnapshotMark& current, const SnapshotMark& next) {
  return current.database == next.database && !next.database.empty();
}

}  // namespace

std::size_t unexplained_losses(const Directory::ReadDocument& current,
                               const Directory::ReadDocument& next) {
  const auto& customers = current.directory->customers();
  const auto missing = static_cast<std::size_t>(std::count_if(
      customers.begin(), customers.end(),
      [&next](const Customer& customer) { return next.directory->find(customer.id) == nullptr; }));
  // Another database counts its removals from elsewhere: they explain nothing of ours.
  if (!is_same_database(current.mark, next.mark)) return missing;
  const auto removed = next.mark.customers_removed - current.mark.customers_removed;
  return missing - std::min(missing, static_cast<std::size_t>(std::max<std::int64_t>(removed, 0)));
}

std::string doubt_of(const Directory::ReadDocument& current, const Directory::ReadDocument& next) {
  const SnapshotMark& before = current.mark;
  // A person has said so after the revision that is in force.
  if (!next.mark.database.empty() && next.mark.confirmed_revision > before.revision) return "";
  if (is_same_database(before, next.mark) && next.mark.revision < before.revision) {
    return fmt::format("its revision {} is older than {}, which is in force", next.mark.revision,
                       before.revision);
  }
  const std::size_t there = current.directory->customers().size();
  const std::size_t lost = unexplained_losses(current, next);
  if (lost == 0 || (lost < there && lost * 10 <= there)) return "";
  return fmt::format("{} of {} customers are missing, and nobody is known to have removed them",
                     lost, there);
}

}  // namespace vigia::tenancy
