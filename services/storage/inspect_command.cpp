#include "services/storage/inspect_command.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"
#include "libs/disk_log/log_check.hpp"
#include "libs/disk_log/store_identity.hpp"
#include "services/storage/api/log_query.hpp"
#include "services/storage/command_progress.hpp"
#include "services/storage/keep/raw_lines.hpp"
#include "services/storage/keep/set_aside.hpp"
#include "services/storage/keep/time_word.hpp"
#include "services/storage/settings.hpp"
#include "services/storage/store_kinds.hpp"

namespace vigia::storage {
namespace {

using instance::FolderContents;
using instance::RowSum;
using instance::SumsByKind;

constexpr double kMib = 1 << 20;

void show_rows(const std::string& kind, std::uint64_t rows) {
  show_progress(fmt::format("reading {}: {} rows", kind, rows));
}

// Unlike fmt::print it throws nothing where stdout refuses: `end` tells.
template <typename... Values>
void print(fmt::format_string<Values...> format, Values&&... values) {
  const std::string text = fmt::format(format, std::forward<Values>(values)...);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_sums(const SumsByKind& kinds) {
  for (const auto& [kind, sum] : kinds) {
    print("  {}: {} rows, {:.1f} MiB", kind, sum.rows, static_cast<double>(sum.bytes) / kMib);
    if (sum.days != store::kNoDays) {
      print(", {} to {}", keep::day_text(sum.days.first), keep::day_text(sum.days.last));
    }
    print("\n");
  }
}

// Read here and not by read_kept_line, which mends what it finds damaged.
std::optional<disk_log::StoreIdentity> identity_in(const std::string& folder) {
  std::ifstream file(folder + "/vigia-store-id");
  std::string line;
  std::getline(file, line);
  return disk_log::parse_store_identity(line.substr(0, line.rfind(' ')));
}

std::string name_of(const FolderContents& contents, std::uint32_t number) {
  const auto found = contents.customers().find(number);
  return found == contents.customers().end() ? "nobody's by now" : found->second.text();
}

/// What of a customer lies in the write-ahead log.
struct LoggedOf {
  std::unordered_set<std::uint64_t> series;
  std::uint64_t samples = 0;
};

/// What of a customer lies in the quarantine.
struct AsideOf {
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;  // of their data
};

class Inspection {
 public:
  Inspection(std::string folder, FolderContents& contents, keep::RawWish wish)
      : folder_(std::move(folder)), contents_(contents), wish_(std::move(wish)) {}

  Result<int> summary() {
    const auto sums = contents_.sums(show_rows);
    end_progress();
    if (!sums) return forward(sums);
    print_store(*sums);
    for (const auto& [number, id] : contents_.customers()) {
      if (is_wanted(number)) print_customer(*sums, number);
    }
    for (const auto& [number, kinds] : sums->customers) {
      if (!contents_.customers().contains(number) && is_wanted(number))
        print_customer(*sums, number);
    }
    if (!wish_.query.customer.has_value()) {
      print("of nobody alone\n");
      print_sums(sums->shared);
    }
    if (auto logged = print_log(); !logged) return forward(logged);
    if (auto aside = print_aside(); !aside) return forward(aside);
    return end();
  }

  Result<int> raw() {
    const auto bad = [this](const std::string& reason) { say_bad(reason); };
    keep::RawLines lines(contents_, wish_, stdout, bad);
    const auto walked = contents_.raw(
        wish_.query, [&](const instance::RawRow& row) { return lines.add(row); }, bad);
    if (!walked) return forward(walked);
    auto log = walk_log([&](const ingest::IngestBatch& batch) { return lines.add(batch); });
    if (!log) return forward(log);
    say_damage(*log);
    if (auto copies = add_copies(lines); !copies) return forward(copies);
    if (auto aside = add_aside(lines); !aside) return forward(aside);
    return end();
  }

 private:
  bool is_wanted(std::uint32_t number) const {
    return !wish_.query.customer.has_value() || wish_.query.customer->value == number;
  }
  // Also what was refused on the way: then the disk may take the rest, and something is missing.
  Result<int> end() const {
    if (std::ferror(stdout) != 0 || std::fflush(stdout) != 0) {
      return fail(ErrorCode::kUnavailable, "what was found cannot be written");
    }
    return bad_ == 0 ? 0 : 1;
  }
  void say_bad(const std::string& reason) {
    ++bad_;
    fmt::print(stderr, "UNREADABLE {}\n", reason);
  }
  void say_damage(const disk_log::LogCheck& log) {
    for (const disk_log::SegmentDamage& damage : log.damage) {
      say_bad(fmt::format("wal/{}: {}", damage.file, damage.what));
    }
  }

  void print_store(const instance::FolderSums& sums) {
    print("{}\nformat: {}\n", folder_, sums.format);
    if (const auto identity = identity_in(folder_); identity.has_value()) {
      print("store: {}, made {}\n", identity->id,
            format_rfc3339(identity->made_ms).value_or("at no time that can be told"));
    }
    print("customers: {}\n", contents_.customers().size());
    for (const std::string& unread : sums.unread) say_bad(unread);
    if (sums.strange > 0) say_bad(fmt::format("{} rows whose keys are none", sums.strange));
  }
  void print_customer(const instance::FolderSums& sums, std::uint32_t number) const {
    print("customer {} (number {})\n", name_of(contents_, number), number);
    const auto found = sums.customers.find(number);
    if (found != sums.customers.end()) print_sums(found->second);
  }

  Result<disk_log::LogCheck> walk_log(
      const std::function<Result<void>(const ingest::IngestBatch&)>& visit) {
    const std::string directory = folder_ + "/wal";
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error)) return disk_log::LogCheck();
    return disk_log::check_log(
        disk_log::system_files(), directory,
        [&](const disk_log::RecordHeader& header, std::string_view body) -> Result<void> {
          const auto batch = ingest::IngestBatch::decode(body);
          if (batch) return visit(*batch);
          say_bad(fmt::format("wal: the record {} is none", header.sequence));
          return {};
        });
  }

  Result<void> print_log() {
    std::map<std::uint32_t, LoggedOf> logged;
    const auto log = walk_log([&](const ingest::IngestBatch& batch) -> Result<void> {
      for (const ingest::SeriesBatch& series : batch.series) {
        if (!is_wanted(series.customer.value)) continue;
        LoggedOf& of = logged[series.customer.value];
        of.series.insert(series.id.value);
        of.samples += series.samples.size() + series.histograms.size();
      }
      return {};
    });
    if (!log) return forward(log);
    print("write-ahead log: {} segments, {:.1f} MiB, {} records\n", log->segments,
          static_cast<double>(log->bytes) / kMib, log->records);
    for (const auto& [number, of] : logged) {
      print("  customer {} (number {}): {} samples of {} series, some of them in chunks too\n",
            name_of(contents_, number), number, of.samples, of.series.size());
    }
    say_damage(*log);
    return {};
  }

  // What the store never took and the log has let go of lies here alone.
  Result<void> walk_aside(const keep::AsideVisit& visit) {
    const auto unread =
        keep::walk_set_aside(folder_, [&](const quarantine::QuarantinedChunk& chunk) {
          return is_wanted(chunk.number.value) ? visit(chunk) : Result<void>();
        });
    if (!unread) return forward(unread);
    for (const std::string& file : *unread) say_bad(file);
    return {};
  }
  Result<void> add_copies(keep::RawLines& lines) {
    return contents_.open_copies(
        wish_.query, [&](customers::CustomerNumber customer, std::string_view body) {
          auto batch = ingest::IngestBatch::decode(body);
          if (!batch) {
            say_bad(fmt::format("head_rows: a row of customer {}: {}",
                                name_of(contents_, customer.value), batch.error().message));
            return Result<void>();
          }
          for (ingest::SeriesBatch& series : batch->series) series.customer = customer;
          return lines.add(*batch, "copies");
        });
  }
  Result<void> add_aside(keep::RawLines& lines) {
    return walk_aside([&](const quarantine::QuarantinedChunk& chunk) -> Result<void> {
      if (chunk.resolution != Resolution::kRaw) return {};  // roll-ups
      const auto row = keep::raw_row_of(chunk);
      if (row) return lines.add(*row, "quarantine");
      say_bad(fmt::format("quarantine/chunks/{}: {}", name_of(chunk), row.error().message));
      return {};
    });
  }
  Result<void> print_aside() {
    std::map<std::uint32_t, AsideOf> aside;
    const auto walked = walk_aside([&](const quarantine::QuarantinedChunk& chunk) -> Result<void> {
      ++aside[chunk.number.value].chunks;
      aside[chunk.number.value].bytes += chunk.row.data.size();
      return {};
    });
    if (!walked) return walked;
    if (!aside.empty()) print("quarantine: chunks that the store never took\n");
    for (const auto& [number, of] : aside) {
      print("  customer {} (number {}): {} chunks, {:.1f} MiB\n", name_of(contents_, number),
            number, of.chunks, static_cast<double>(of.bytes) / kMib);
    }
    return {};
  }

  const std::string folder_;
  FolderContents& contents_;
  const keep::RawWish wish_;
  std::uint64_t bad_ = 0;
};

Result<void> read_range(const service::CommandWords& words, instance::RawQuery& query) {
  const std::pair<std::string, TimestampMs*> ends[] = {{"--from", &query.from_ms},
                                                       {"--to", &query.to_ms}};
  for (const auto& [option, target] : ends) {
    if (!words.has(option)) continue;
    const auto time = keep::read_time(option, words.text(option));
    if (!time) return forward(time);
    *target = *time;
  }
  return {};
}

Result<keep::RawWish> read_wish(const service::CommandWords& words,
                                const FolderContents& contents) {
  keep::RawWish wish;
  for (const char* option : {"--from", "--to", "--series"}) {
    if (words.has(option) && !words.has("--raw")) {
      return fail(ErrorCode::kInvalid, fmt::format("{} goes with --raw", option));
    }
  }
  if (auto read = read_range(words, wish.query); !read) return forward(read);
  if (words.has("--series")) {
    auto matchers = api::parse_stream_query(words.text("--series"));
    if (!matchers) return tl::unexpected<Error>(with_context("--series", matchers.error()));
    wish.matchers = *std::move(matchers);
  }
  if (!words.has("--customer")) return wish;
  const std::string wanted = words.text("--customer");
  for (const auto& [number, id] : contents.customers()) {
    if (id.text() == wanted) wish.query.customer = customers::CustomerNumber{number};
  }
  if (wish.query.customer.has_value()) return wish;
  return fail(ErrorCode::kNotFound, fmt::format("this store has no customer {}", wanted));
}

struct Looked {
  std::string folder;
  std::unique_ptr<FolderContents> contents;
};

Result<Looked> look(const service::CommandWords& words) {
  if (words.has("FOLDER") == words.has("--config")) {
    return fail(ErrorCode::kInvalid, "either the store's folder or its --config is needed");
  }
  std::string folder = words.text("FOLDER");
  if (words.has("FOLDER")) {
    auto contents = look_into(folder);
    if (!contents) return forward(contents);
    return Looked{std::move(folder), *std::move(contents)};
  }
  const auto file = words.config();
  if (!file) return forward(file);
  const auto settings = read_settings(*file);
  if (!settings) return forward(settings);
  const auto kind = find_store_kind(settings->store.kind);
  if (!kind) return forward(kind);
  folder = (*kind)->directory(settings->store);
  auto contents = (*kind)->look_at_tables != nullptr ? (*kind)->look_at_tables(settings->store)
                                                     : (*kind)->look(folder);
  if (!contents) return forward(contents);
  return Looked{std::move(folder), *std::move(contents)};
}

}  // namespace

Result<int> inspect(const service::CommandWords& words) {
  auto looked = look(words);
  if (!looked) return forward(looked);
  auto wish = read_wish(words, *looked->contents);
  if (!wish) return forward(wish);
  Inspection inspection(looked->folder, *looked->contents, *std::move(wish));
  return words.has("--raw") ? inspection.raw() : inspection.summary();
}

}  // namespace vigia::storage
