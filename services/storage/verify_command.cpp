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
  show_progress(fmt::format("{} more, reading {}", left, file));
}

std::string or_unknown(const std::string& cost) { return cost.empty() ? "not known" : cost; }

void print_store(const store::CheckReport& report) {
  fmt::print("store: {} {}, {:.1f} MiB\n", report.files, report.is_of_tables ? "tables" : "files",
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
  auto report = kind.check(settings, show_file);
  end_progress();
  return report;
}

int print_end(const store::CheckReport& report, const disk_log::LogCheck& log) {
  const std::size_t faults = report.faults.size() + log.damage.size();
  if (faults == 0) {
    fmt::print("no damage was found\n");
    return 0;
  }
  if (report.is_of_tables) {
    fmt::print(
        "{} rows of the tables cannot be read as they were written, whichever replica gave them, "
        "and are left out of what readers are answered (docs/keeping.md, \"Look at it\")\n",
        report.faults.size());
  }
  const std::size_t files = report.is_of_tables ? log.damage.size() : faults;
  if (files > 0) {
    fmt::print(
        "{} files are damaged: the next start sets them aside and saves what can be read of "
        "them (docs/deployment.md, \"Damaged files\")\n",
        files);
  }
  return 1;
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
  return print_end(*report, *log);
}

}  // namespace vigia::storage
