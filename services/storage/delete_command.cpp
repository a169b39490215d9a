#include "services/storage/delete_command.hpp"

#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "services/storage/command_progress.hpp"
#include "services/storage/healing/heal_note.hpp"
#include "services/storage/keep/carried_rollups.hpp"
#include "services/storage/keep/settled_store.hpp"
#include "services/storage/settings.hpp"
#include "services/storage/shared_delete.hpp"
#include "services/storage/store_kinds.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kIndexMemory = 64U << 20U;
constexpr auto kWaitMax = std::chrono::minutes(1);  // then the command refuses

struct Target {
  std::string folder;
  CustomerId customer;
};

// What there is before, of rows; true where there is any.
Result<bool> print_before(const Target& target) {
  const auto contents = look_into(target.folder);
  if (!contents) return forward(contents);
  const auto sums = (*contents)->sums([](const std::string& kind, std::uint64_t rows) {
    show_progress(fmt::format("counting {}: {}", kind, rows));
  });
  end_progress();
  if (!sums) return forward(sums);
  for (const auto& [number, id] : (*contents)->customers()) {
    if (id != target.customer) continue;
    fmt::print("{}\nbefore: customer {} (number {})\n", target.folder, id.text(), number);
    const auto found = sums->customers.find(number);
    if (found == sums->customers.end()) return true;
    for (const auto& [kind, sum] : found->second) {
      fmt::print("  {}: {} rows, {} bytes\n", kind, sum.rows, sum.bytes);
    }
    return true;
  }
  return false;
}

Result<void> empty_the_log(const StoreKind& kind, const Target& target) {
  show_progress("putting what the write-ahead log holds into the store");
  const SystemClock clock;
  auto opened = kind.open(kind.in_folder(target.folder), clock, kIndexMemory);
  if (!opened) return forward(opened);
  const auto settled = keep::settle(*std::move(opened), target.folder, clock);
  if (!settled) return forward(settled);
  auto forgotten = keep::forget_carried((*settled)->store(), target.customer);
  if (!forgotten) return forgotten;
  (void)wait_until_saved(**settled, kWaitMax);  // what is left is found by the proof
  return {};
}

int print_proof(const Target& target, const instance::RemovalProof& proof) {
  fmt::print("after: {} files of the database are read, {} rows, all of others\n", proof.files,
             proof.rows);
  if (proof.is_number_gone) {
    for (const std::string& left : proof.left) fmt::print("LEFT {}\n", left);
    fmt::print(
        "the number that customer {} had is another customer's by now: only the name was looked "
        "for, and under the number nothing can be told apart any more\n",
        target.customer.text());
    return 1;
  }
  if (proof.left.empty()) {
    fmt::print("nothing of customer {} is left in {}\n", target.customer.text(), target.folder);
    return 0;
  }
  for (const std::string& left : proof.left) fmt::print("LEFT {}\n", left);
  fmt::print("of customer {} something is left, or may be\n", target.customer.text());
  return 1;
}

Result<int> delete_in_folder(const Target& target, bool is_meant) {
  const auto kind = kind_in(target.folder);
  if (!kind) return forward(kind);
  const auto is_there = print_before(target);
  if (!is_there) return forward(is_there);
  if (!is_meant) {
    fmt::print("nothing was deleted: --yes does it\n");
    return *is_there ? 1 : 0;
  }
  if (auto emptied = empty_the_log(**kind, target); !emptied) return forward(emptied);
  const auto forgotten = healing::forget_customer(
      target.folder, target.customer, SystemClock().wall_ms(), disk_log::system_files());
  if (!forgotten) return forward(forgotten);
  const auto proof = (*kind)->remove(target.customer, target.folder, show_progress);
  end_progress();
  if (!proof) return forward(proof);
  return print_proof(target, *proof);
}

}  // namespace

Result<int> delete_customer(const service::CommandWords& words) {
  auto customer = CustomerId::parse(words.text("--customer"));
  if (!customer) return tl::unexpected<Error>(with_context("--customer", customer.error()));
  const bool is_meant = words.has("--yes");
  if (words.has("FOLDER") == words.has("--config")) {
    return fail(ErrorCode::kInvalid, "either the store's folder or its --config is needed");
  }
  if (words.has("FOLDER")) {
    return delete_in_folder({words.text("FOLDER"), *std::move(customer)}, is_meant);
  }
  const auto file = words.config();
  if (!file) return forward(file);
  const auto settings = read_settings(*file);
  if (!settings) return forward(settings);
  const auto kind = find_store_kind(settings->store.kind);
  if (!kind) return forward(kind);
  if ((*kind)->open_removal != nullptr)
    return delete_shared(*settings, **kind, *customer, is_meant);
  return delete_in_folder({(*kind)->directory(settings->store), *std::move(customer)}, is_meant);
}

}  // namespace vigia::storage
