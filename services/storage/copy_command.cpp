#include "services/storage/copy_command.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "libs/disk_log/file_system.hpp"
#include "services/storage/command_progress.hpp"
#include "services/storage/identity/store_guard.hpp"
#include "services/storage/keep/copy_kept.hpp"
#include "services/storage/keep/set_aside.hpp"
#include "services/storage/keep/settled_store.hpp"
#include "services/storage/keep/store_copy.hpp"
#include "services/storage/keep/time_word.hpp"
#include "services/storage/settings.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kIndexMemory = 64U << 20U;
constexpr auto kWaitMax = std::chrono::minutes(10);  // then the command refuses

/// One of the two stores.
struct End {
  Settings settings;
  const StoreKind* kind = nullptr;
  std::string directory;
  std::string identity;  ///< "" where it has none yet
  std::unique_ptr<instance::StoreInstance> instance;

  std::string text() const { return fmt::format("{} ({})", directory, kind->name); }
};

Result<End> read_end(const service::CommandWords& words, const std::string& option) {
  const auto file = service::ConfigFile::load(words.text(option));
  if (!file) return tl::unexpected<Error>(with_context(option, file.error()));
  auto settings = read_settings(*file);
  if (!settings) return tl::unexpected<Error>(with_context(option, settings.error()));
  const auto kind = find_store_kind(settings->store.kind);
  if (!kind) return forward(kind);
  const std::string directory = (*kind)->directory(settings->store);
  return End{*std::move(settings), *kind, directory, "", nullptr};
}

// An empty folder would be made a store, and found to be empty.
Result<void> expect_store(const End& end) {
  if (end.kind->look == nullptr) return {};
  const auto contents = end.kind->look(end.directory);
  if (!contents) return forward(contents);
  return {};
}

// Rows that wait to be written back would be missing, and nobody would notice.
Result<void> expect_whole(const End& end) {
  if (wait_until_whole(*end.instance, kWaitMax)) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}: rows of damaged files are still not written back; start the store "
                          "until they are, stop it, and copy again",
                          end.directory));
}

Result<void> open_end(End& end, const Clock& clock, const store::CustomerRetention* retention) {
  show_progress(fmt::format("opening {}", end.text()));
  identity::StoreGuard guard(end.settings.guard, disk_log::system_files(), clock);
  if (auto checked = guard.check(); !checked) return checked;
  auto opened = end.kind->open(end.settings.store, clock, kIndexMemory);
  if (!opened) return forward(opened);
  if (const auto identity = guard.settle(clock.wall_ms())) end.identity = identity->id;
  auto settled = keep::settle(*std::move(opened), end.directory, clock, retention);
  if (!settled) return forward(settled);
  end.instance = *std::move(settled);
  end.instance->start_upkeep();
  if (auto whole = expect_whole(end); !whole) return whole;
  end_progress();
  return {};
}

Result<keep::CopyKeeps> read_keeps(const End& end) {
  const retention::RetentionSettings& keep = end.settings.retention;
  return keep::CopyKeeps::read(
      end.settings.classes, retention::keeps_of(keep), end.directory + "/vigia-retention-customers",
      {keep.rollup_5m.is_made, keep.rollup_1h.is_made, keep.rollup_1d.is_made});
}

Result<std::optional<CustomerId>> read_customer(const service::CommandWords& words) {
  if (!words.has("--customer")) return std::optional<CustomerId>();
  const std::string text = words.text("--customer");
  if (text == CustomerId::provider().text()) return CustomerId::provider();
  auto customer = CustomerId::parse(text);
  if (!customer) return tl::unexpected<Error>(with_context("--customer", customer.error()));
  return *std::move(customer);
}

// Those whose data goes, by name. A store whose rows lie elsewhere may not list all that it has.
Result<std::vector<CustomerId>> customers_of(const End& from,
                                             const std::optional<CustomerId>& wanted) {
  auto all = from.instance->store().catalog().customers();
  std::sort(all.begin(), all.end());
  if (!wanted) return all;
  const bool is_known = std::binary_search(all.begin(), all.end(), *wanted);
  if (is_known || from.kind->look == nullptr) return std::vector<CustomerId>{*wanted};
  return fail(ErrorCode::kNotFound,
              fmt::format("{} has no customer {}", from.directory, wanted->text()));
}

// What of the source there is, where it can be told without opening it.
Result<int> say_what_there_is(const End& from, const std::optional<CustomerId>& wanted) {
  std::uint64_t rows = 0;
  if (from.kind->look != nullptr) {
    const auto contents = from.kind->look(from.directory);
    if (!contents) return forward(contents);
    const auto sums = (*contents)->sums([](const std::string& kind, std::uint64_t counted) {
      show_progress(fmt::format("counting {}: {}", kind, counted));
    });
    end_progress();
    if (!sums) return forward(sums);
    for (const auto& [number, id] : (*contents)->customers()) {
      const auto found = sums->customers.find(number);
      if ((wanted && id != *wanted) || found == sums->customers.end()) continue;
      fmt::print("customer {}\n", id.text());
      for (const auto& [kind, sum] : found->second) {
        fmt::print("  {}: {} rows, {} bytes\n", kind, sum.rows, sum.bytes);
        rows += sum.rows;
      }
    }
  }
  fmt::print("nothing was copied: --yes does it\n");
  return rows > 0 || from.kind->look == nullptr ? 1 : 0;
}

void print_counts(const keep::CopyCounts& counts) {
  fmt::print(
      "written: {} rows of samples, {} exemplars, {} spans, {} log records, metadata of {} "
      "metrics; there already: {} rows, {} spans and log records\n",
      counts.rows, counts.exemplars, counts.spans, counts.records, counts.metadata,
      counts.rows_there, counts.repeats);
  const std::pair<std::uint64_t, std::string_view> rest[] = {
      {counts.windows, "windows of roll-ups were written"},
      {counts.windows_there, "windows of roll-ups were there already"},
      {counts.windows_kept,
       "windows of roll-ups are there of other samples, and stay: the source's do not hold all of "
       "them"},
      {counts.rows_behind, "rows had another one in their place and went behind it"},
      {counts.old_rows, "rows are older than the destination keeps: not copied"},
      {counts.old_rollups,
       "rows of roll-ups are older than it keeps, or of a resolution that one of both does not "
       "make: not copied"},
      {counts.days_lost,
       "days of series had lost their samples before roll-ups were made of them: the destination "
       "does not know that there were any"},
      {counts.days_due,
       "days of series are not rolled up yet, and are older than it keeps samples: start the "
       "source until vigia_storage_rollup_days_due is 0, and copy again"},
      {counts.old_events, "spans and log records are older than it keeps: not copied"},
      {counts.old_exemplars, "exemplars are older than it keeps samples: not copied"},
      {counts.unkept, "exemplars: the destination keeps none"},
      {counts.unkept_metadata, "metrics' metadata: the destination keeps none"},
      {counts.unwalkable,
       "customers' spans are not copied: this source finds them by their trace alone"},
      {counts.refused, "spans and log records were refused by the destination"},
      {counts.damaged, "rows, spans and log records cannot be read and are not copied"},
  };
  for (const auto& [count, what] : rest) {
    if (count > 0) fmt::print("{} {}\n", count, what);
  }
}

std::string text_of(const keep::DaySum& sum) {
  return fmt::format("{} of {}, checksum {:016x}", sum.items, sum.sources, sum.checksum);
}

void print_day(const keep::ComparedDay& day) {
  end_progress();
  const std::string head =
      fmt::format("{} {} {}", day.customer.text(), keep::day_text(day.day), day.kind);
  if (day.from == day.to) {
    fmt::print("{}: {}: equal\n", head, text_of(day.from));
  } else {
    fmt::print("DIFFERENT {}: source {}; destination {}\n", head, text_of(day.from),
               text_of(day.to));
  }
}

// What the source's readers lack. How many chunks lie aside that no start could give to it.
Result<std::uint64_t> print_losses(const End& from, const std::optional<CustomerId>& wanted) {
  const store::DamageStats damage = from.instance->damage();
  if (damage.quarantined_files > 0 || damage.rows_lost > 0) {
    fmt::print("the source has {} damaged files in quarantine, and lost {} rows at this start\n",
               damage.quarantined_files, damage.rows_lost);
  }
  std::uint64_t chunks = 0;
  const auto count = [&](const quarantine::QuarantinedChunk& chunk) -> Result<void> {
    const auto owner = from.instance->numbers().id_of(chunk.number);
    if (!wanted || owner == *wanted) ++chunks;
    return {};
  };
  const auto walked = keep::walk_set_aside(from.directory, count);
  if (!walked) return forward(walked);
  if (chunks > 0)
    fmt::print("{} chunks in quarantine, which it never took, are not copied\n", chunks);
  return chunks;
}

// What both lack compares as equal, and a day that an earlier run was done with is not counted by
// this one: so whatever is met on the way counts.
std::uint64_t print_left_out(const keep::CopyJob& job, std::uint64_t from_before,
                             std::uint64_t to_before) {
  const std::uint64_t from = keep::items_left_out(job.from) - from_before;
  const std::uint64_t to = keep::items_left_out(job.to) - to_before;
  for (const auto& [count, which] : {std::pair(from, "source"), {to, "destination"}}) {
    if (count == 0) continue;
    fmt::print(
        "DAMAGED the {}: spans, log records, exemplars or metadata were met {} times that cannot "
        "be "
        "read, and are left out of what was compared\n",
        which, count);
  }
  return from + to;
}

Result<int> run(const service::CommandWords& words, const keep::CopyJob& job, std::uint64_t bad) {
  const keep::CopyTold told{show_progress, keep::said_once([&bad](const std::string& what) {
                              ++bad;
                              end_progress();
                              fmt::print(stderr, "UNREADABLE {}\n", what);
                            })};
  const std::uint64_t from_before = keep::items_left_out(job.from);
  const std::uint64_t to_before = keep::items_left_out(job.to);
  keep::CopyCounts counts;
  if (!words.has("--verify-only")) {
    const auto copied = keep::copy_store(job, told);
    end_progress();
    if (!copied) return forward(copied);
    counts = *copied;
    print_counts(counts);
  }
  const auto is_equal = keep::compare_stores(job, told, print_day);
  end_progress();
  if (!is_equal) return forward(is_equal);
  // Whatever this run did: an earlier one with the same state has counted them, or none has.
  const bool has_spans = job.from.span_days() != nullptr;
  if (!has_spans) {
    fmt::print("NOT COMPARED spans: this source finds them by their trace alone\n");
  }
  bad += print_left_out(job, from_before, to_before);
  const std::uint64_t untold = counts.days_lost + counts.days_due + counts.unwalkable;
  const bool is_whole =
      bad == 0 && has_spans && counts.damaged == 0 && counts.refused == 0 && untold == 0;
  fmt::print(
      "{}\n",
      !*is_equal ? "the stores are not equal"
      : is_whole
          ? "the stores are equal"
          : "what could be compared is equal; what is named above was not, or cannot be read");
  return *is_equal && is_whole ? 0 : 1;
}

}  // namespace

Result<int> copy(const service::CommandWords& words) {
  std::optional<keep::CopyKeeps> from_kept, to_kept;  // the stores ask them to their end
  auto from = read_end(words, "--from");
  if (!from) return forward(from);
  auto to = read_end(words, "--to");
  if (!to) return forward(to);
  const auto wanted = read_customer(words);
  if (!wanted) return forward(wanted);
  std::error_code error;
  if (std::filesystem::weakly_canonical(from->directory, error) ==
      std::filesystem::weakly_canonical(to->directory, error)) {
    return fail(ErrorCode::kInvalid, "--from and --to are one store");
  }
  if (auto there = expect_store(*from); !there) return forward(there);
  const bool is_comparing = words.has("--verify-only");
  fmt::print("from {}\nto {}\n", from->text(), to->text());
  if (!words.has("--yes") && !is_comparing) return say_what_there_is(*from, *wanted);
  if (auto there = is_comparing ? expect_store(*to) : Result<void>(); !there) return forward(there);

  if (auto read = read_keeps(*to)) {
    to_kept = *std::move(read);
  } else {
    return forward(read);
  }
  const SystemClock clock;
  keep::CopyClock to_clock;
  // What is open there is closed into it: where rows end by themselves, by its own classes.
  if (from->kind->look == nullptr) {
    auto read = read_keeps(*from);
    if (!read) return forward(read);
    from_kept = *std::move(read);
  }
  auto opened_from = open_end(*from, clock, from_kept ? &*from_kept : nullptr);
  if (!opened_from) return forward(opened_from);
  if (auto opened = open_end(*to, to_clock, &*to_kept); !opened) return forward(opened);
  const auto aside = print_losses(*from, *wanted);
  if (!aside) return forward(aside);
  auto customers = customers_of(*from, *wanted);
  if (!customers) return forward(customers);
  keep::CopyJob job{from->instance->store(), to->instance->store(), to_clock, *std::move(customers),
                    // One moment for all of it: what is copied and what is compared are the same.
                    [&to_kept, now_ms = clock.wall_ms()](const CustomerId& customer) {
                      return to_kept->of(customer, now_ms);
                    },
                    words.text("--state"),
                    fmt::format("{} {} {} {} {}", from->directory, from->identity, to->directory,
                                to->identity, *wanted ? (*wanted)->text() : "*")};
  return run(words, job, *aside);
}

}  // namespace vigia::storage
