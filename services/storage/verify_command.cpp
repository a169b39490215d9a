#include "services/storage/verify_command.hpp"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "libs/disk_log/log_check.hpp"
#include "services/storage/command_progress.hpp"
#include "services/storage/settings.hpp"

namespace vigia::storage {
namespace {

constexpr double kMib = 1 << 20;

void show_file(const std::string& file, std::size_t left) {
  show_progress(fmt::format("{} files left, reading {}", left, file));
}

std::string or_unknown(const std::string& cost) { return cost.empty() ? "not known" : cost; }

void print_store(const store::CheckReport& report) {
  fmt::print("store: {} files, {:.1f} MiB\n", report.files,
             static_cast<double>(report.bytes) / kMib);
  for (const auto& [what, rows] : report.rows) fmt::print("  {}: {} rows\n", what, rows);
  for (const std::string& note : report.notes) fmt::print("  {}\n", note);
  for (const store::FileFault& fault : report.faults) {
    fmt::print("DAMAGED {} ({}): {}\n  costs: {}{}\n", fault.file, fault.what, fault.reason,
               or_unknown(fault.cost),
               fault.rows_lost > 0 ? fmt::format("; {} rows", fault.rows_lost) : "");
  }
}

void print_log(const disk_log::LogCheck& log) {
  fmt::print("write-ahead log of samples: {} segments, {:.1f} MiB, {} records of {} samples\n",
             log.segments, static_cast<double>(log.bytes) / kMib, log.records, log.items);
  if (log.is_torn) fmt::print("  its end is torn, as a kill leaves it\n");
  for (const disk_log::SegmentDamage& damage : log.damage) {
    fmt::print(
        "DAMAGED wal/{}: {}\n  costs: the records in it, unless they are in the store already\n",
        damage.file, damage.what);
  }
}

// The log of a store that has never been started is not there.
Result<disk_log::LogCheck> check_log_of(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) return disk_log::LogCheck();
  return disk_log::check_log(disk_log::system_files(), directory);
}

Result<store::CheckReport> check_store(const StoreKind& kind, const StoreSettings& settings) {
  if (kind.check == nullptr) {
    store::CheckReport elsewhere;
    elsewhere.notes.push_back(
        fmt::format("rows of {} lie elsewhere and are not looked at here", kind.name));
    return elsewhere;
  }
  auto report = kind.check(settings, show_file);
  end_progress();
  return report;
}

}  // namespace

Result<int> verify(const service::CommandWords& words) {
  const auto file = words.config();
  if (!file) return forward(file);
  const auto settings = read_settings(*file);
  if (!settings) return forward(settings);
  const auto kind = find_store_kind(settings->store.kind);
  if (!kind) return forward(kind);
  const std::string& directory = (*kind)->directory(settings->store);
  fmt::print("{}\n", directory);
  const auto report = check_store(**kind, settings->store);
  if (!report) return forward(report);
  print_store(*report);
  const auto log = check_log_of(directory + "/wal");
  if (!log) return forward(log);
  print_log(*log);
  const std::size_t faults = report->faults.size() + log->damage.size();
  if (faults == 0) {
    fmt::print("no damage was found\n");
    return 0;
  }
  fmt::print(
      "{} files are damaged: the next start sets them aside and saves what can be read of "
      "them (docs/deployment.md, \"Damaged files\")\n",
      faults);
  return 1;
}

}  // namespace vigia::storage
