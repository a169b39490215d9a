#include "services/storage/shared_delete.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "services/storage/command_progress.hpp"
#include "services/storage/healing/heal_note.hpp"
#include "services/storage/identity/store_guard.hpp"
#include "services/storage/keep/folder_traces.hpp"
#include "services/storage/keep/settled_store.hpp"
#include "services/storage/keep/time_word.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kIndexMemory = 64U << 20U;
// Rows of the index are noted for the next day before a midnight, and one day on nothing that is
// written hides behind what was deleted (schema.cql, step 1).
constexpr std::uint32_t kDaysUntilAgain = 2;

void print_rows(const instance::RowsByTable& tables) {
  for (const auto& [table, rows] : tables) fmt::print("  {}: {}\n", table, rows);
  std::fflush(stdout);
}

/// What the log of the folder holds goes into the store; gives the folder's identity.
Result<std::uint64_t> empty_the_log(const Settings& settings, const StoreKind& kind,
                                    const std::string& folder, const Clock& clock) {
  show_progress("putting what the write-ahead log holds into the store");
  identity::StoreGuard guard(settings.guard, disk_log::system_files(), clock);
  if (auto checked = guard.check(); !checked) return forward(checked);
  auto opened = kind.open(settings.store, clock, kIndexMemory);
  if (!opened) return forward(opened);
  const auto identity = guard.settle(clock.wall_ms());
  if (!identity) return fail(ErrorCode::kUnavailable, "the folder's identity cannot be written");
  const auto settled = keep::settle(*std::move(opened), folder, clock);
  if (!settled) return forward(settled);
  return std::stoull(identity->id, nullptr, 16);
}

int print_proof(const CustomerId& customer, const instance::SharedProof& proof,
                std::uint32_t today) {
  fmt::print("after: {} tables are read from every copy, {} rows and partitions, all of others\n",
             proof.tables, proof.rows);
  for (const std::string& left : proof.left) fmt::print("LEFT {}\n", left);
  if (!proof.left.empty()) {
    fmt::print("of customer {} something is left, or may be\n", customer.text());
    return 1;
  }
  fmt::print(
      "nothing of customer {} is left in the tables; the nodes' files have the bytes until they "
      "are packed (nodetool garbagecollect), snapshots for ever. Should the customer come again: "
      "what is sent before {} may not be found\n",
      customer.text(), keep::day_text(today + kDaysUntilAgain));
  return 0;
}

Result<int> say_what_there_is(instance::SharedRemoval& removal, const CustomerId& customer) {
  const auto found = removal.count(show_progress);
  end_progress();
  if (!found) return forward(found);
  fmt::print("before: customer {}, rows and partitions by table\n", customer.text());
  print_rows(*found);
  fmt::print("nothing was deleted: --yes does it\n");
  return found->empty() ? 0 : 1;
}

Result<int> remove(instance::SharedRemoval& removal, const CustomerId& customer,
                   const std::string& folder, std::uint64_t identity, const Clock& clock) {
  const auto others = removal.others_open(identity);
  if (!others) return forward(others);
  for (const std::string& other : *others) fmt::print("to be looked at: {}\n", other);
  std::fflush(stdout);
  disk_log::FileSystem& files = disk_log::system_files();
  auto forgotten = healing::forget_customer(folder, customer, clock.wall_ms(), files);
  if (forgotten) forgotten = keep::forget_in_folder(customer, folder, files);
  if (!forgotten) return forward(forgotten);
  const auto gone = removal.remove(show_progress);
  end_progress();
  if (!gone) return forward(gone);
  fmt::print("deleted: rows and partitions by table\n");
  print_rows(*gone);
  auto proof = removal.prove(show_progress);
  end_progress();
  if (!proof) return forward(proof);
  for (std::string& left : keep::left_in_folder(folder)) proof->left.push_back(std::move(left));
  return print_proof(customer, *proof, store::day_of(clock.wall_ms()));
}

}  // namespace

Result<int> delete_shared(const Settings& settings, const StoreKind& kind,
                          const CustomerId& customer, bool is_meant) {
  const SystemClock clock;
  const std::string& folder = kind.directory(settings.store);
  const auto removal = kind.open_removal(settings.store, customer);
  if (!removal) return forward(removal);
  fmt::print("{} ({})\n", folder, kind.name);
  if (!is_meant) return say_what_there_is(**removal, customer);
  auto alone = (*removal)->expect_alone(show_progress);
  end_progress();
  if (!alone) return forward(alone);
  const auto identity = empty_the_log(settings, kind, folder, clock);
  end_progress();
  if (!identity) return forward(identity);
  return remove(**removal, customer, folder, *identity, clock);
}

}  // namespace vigia::storage
