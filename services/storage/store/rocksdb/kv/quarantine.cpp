#include "services/storage/store/rocksdb/kv/quarantine.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/kv/folder_files.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kNoteEnding = ".note";
constexpr std::string_view kCountHead = "vigia damage count 1\n";
constexpr std::string_view kAdvice =
    "the rest of the store is served; keep the file until it is known why it was damaged (disk, "
    "memory, controller), then delete it with its note: docs/deployment.md, \"Damaged files\"";

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Of names in order.
std::vector<std::string> without_note(const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (name.find(kNoteEnding) != std::string::npos) continue;
    if (!std::binary_search(names.begin(), names.end(), name + std::string(kNoteEnding))) {
      found.push_back(name);
    }
  }
  return found;
}

std::string count_file(const std::string& directory) {
  return (fs::path(directory).parent_path() / "vigia-damage-count").string();
}

// Of a damaged one some number that none of before equals, most likely: the same at each start.
std::uint64_t read_count(const std::string& directory) {
  const std::string text = read_whole(count_file(directory));
  if (text.empty()) return 0;
  const bool is_whole =
      text.starts_with(kCountHead) && text.ends_with('\n') && text.size() > kCountHead.size();
  return is_whole ? number_in(text, kCountHead.size()) : std::hash<std::string>{}(text);
}

// From the names on disk, not from a counter: numbers must not repeat after a restart, since
// rename() would replace an older file of the same name.
unsigned next_number(const std::vector<std::string>& names) {
  unsigned next = 1;
  for (const std::string& name : names) {
    next = std::max(next, static_cast<unsigned>(std::strtoul(name.c_str(), nullptr, 10)) + 1);
  }
  return next;
}

bool is_tagged(std::string_view name, std::string_view tag) {
  const std::size_t dash = name.find('-');
  return dash != std::string_view::npos && name.substr(dash + 1).starts_with(tag);
}

}  // namespace

std::string old_name_of(const std::string& taken) {
  const std::string name = fs::path(taken).filename().string();
  const std::size_t dash = name.find('-');
  return dash == std::string::npos ? name : name.substr(dash + 1);
}

Quarantine::Quarantine(std::string directory)
    : directory_(std::move(directory)), noted_(read_count(directory_)) {}

// In a file of its own: not all damage leaves one in the folder, and that may be emptied.
void Quarantine::count_note() {
  ++noted_;
  const std::string path = count_file(directory_);
  const std::string draft = path + ".new";
  auto written = write_durably(draft, fmt::format("{}{}\n", kCountHead, noted_), true);
  std::error_code error;
  if (written) fs::rename(draft, path, error);
  if (written && !error) return sync_folder(fs::path(path).parent_path().string());
  if (written) written = fail(ErrorCode::kUnavailable, error.message());
  service::log_warn(
      "how many damages were found cannot be kept: after a restart it may not be seen "
      "that there was one more",
      {{"why", written.error().message}});
}

Result<std::string> Quarantine::take(const std::string& path, bool keep, std::string_view tag) {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  fs::create_directories(directory_, error);
  const std::string taken =
      fmt::format("{}/{:04}-{}{}", directory_, next_number(names_in(directory_)), tag,
                  fs::path(path).filename().string());
  // A link costs no room on a disk that may be full, and leaves the store's own file in place for
  // as long as the store needs it.
  if (!error && keep) fs::create_hard_link(path, taken, error);
  if (!error && !keep) fs::rename(path, taken, error);
  if (error) {
    return fail(ErrorCode::kUnavailable, fmt::format("cold store: {} cannot be moved to {}: {}",
                                                     path, taken, error.message()));
  }
  return taken;
}

Result<std::string> Quarantine::take_rows(const std::vector<KeyValue>& rows) {
  std::string bytes = "vigia quarantine rows 1\n";
  for (const KeyValue& row : rows) {
    bytes.push_back(static_cast<char>(row.family));
    append_sized(bytes, row.key);
    append_sized(bytes, row.value);
  }
  const std::lock_guard lock(mutex_);
  std::error_code error;
  fs::create_directories(directory_, error);
  const std::string taken =
      fmt::format("{}/{:04}-malformed.rows", directory_, next_number(names_in(directory_)));
  std::ofstream file(taken, std::ios::binary);
  file << bytes;
  if (file.flush()) return taken;
  file.close();
  fs::remove(taken, error);
  return fail(ErrorCode::kUnavailable, fmt::format("cold store: {} cannot be written", taken));
}

void Quarantine::release(const std::string& taken) {
  std::error_code ignored;
  fs::remove(taken, ignored);
}

void Quarantine::annotate(const std::string& taken, const std::string& text) {
  std::ofstream(taken + std::string(kNoteEnding)) << "vigia quarantine note 1\n" << text << "\n";
}

void Quarantine::note(const std::string& taken, const DamageNote& note) {
  const std::lock_guard lock(mutex_);
  ++found_[note.what];
  count_note();
  rows_lost_ += note.rows_lost;
  rows_saved_ += note.rows_saved;
  service::log_error("the cold store was damaged on disk",
                     {{"what", note.what},
                      {"file", note.file},
                      {"why", note.reason},
                      {"cost", note.cost.empty() ? "nothing" : note.cost},
                      {"rows_lost", fmt::to_string(note.rows_lost)},
                      {"rows_saved", fmt::to_string(note.rows_saved)},
                      {"kept_as", taken},
                      {"next", std::string(kAdvice)}});
  if (taken.empty()) return;
  // The note is the mark of a file that is done with, so it comes last and whole: unfinished()
  // takes every file without one for work that is left.
  const std::string path = taken + std::string(kNoteEnding);
  const std::string draft = path + ".new";
  {
    std::ofstream file(draft);
    file << "vigia quarantine note 1\n"
         << "what: " << note.what << "\nfile: " << note.file << "\nwhy: " << note.reason
         << "\ncost: " << (note.cost.empty() ? "nothing" : note.cost)
         << "\nrows lost: " << note.rows_lost << "\nrows saved: " << note.rows_saved
         << "\nnext: " << kAdvice << "\n";
    if (!file.flush()) return;  // unfinished: done again at the next start, which is harmless
  }
  std::error_code ignored;
  fs::rename(draft, path, ignored);
}

void Quarantine::note_rows_missing() {
  const std::lock_guard lock(mutex_);
  count_note();
}

std::vector<std::string> Quarantine::unfinished() const {
  std::vector<std::string> found;
  for (const std::string& name : without_note(names_in(directory_))) {
    found.push_back(directory_ + "/" + name);
  }
  return found;
}

bool Quarantine::holds(const std::string& file_name) const {
  const auto all = unfinished();
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& taken) { return old_name_of(taken) == file_name; });
}

// The mark by what lies on disk, so that it outlives the process: a file is taken before its rows
// are missing, and has its note after they were saved, as far as they could be. A table that a kill
// has left beside the others says nothing of rows: note_rows_missing does, where some are gone.
Quarantine::State Quarantine::state() const {
  constexpr unsigned kTakenBits = 24;
  constexpr unsigned kNoteBits = 24;
  const std::lock_guard lock(mutex_);
  const std::vector<std::string> names = names_in(directory_);
  const auto unfinished = without_note(names);
  std::vector<std::string> unnamed;
  std::copy_if(unfinished.begin(), unfinished.end(), std::back_inserter(unnamed),
               [](const std::string& name) { return is_tagged(name, kUnnamedTag); });
  State state;
  state.files = static_cast<std::uint64_t>(
      std::count_if(names.begin(), names.end(),
                    [](const std::string& name) { return name.ends_with(kNoteEnding); }));
  state.unsaved_files = static_cast<std::uint64_t>(std::count_if(
      unfinished.begin(), unfinished.end(),
      [](const std::string& name) { return name.ends_with(".sst") || name.ends_with(".log"); }));
  std::vector<std::string> counted;
  std::set_difference(names.begin(), names.end(), unnamed.begin(), unnamed.end(),
                      std::back_inserter(counted));
  state.mark = (noted_ << (kTakenBits + kNoteBits)) | (state.files << kTakenBits) |
               (next_number(counted) - 1);
  return state;
}

std::map<std::string, std::uint64_t> Quarantine::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

}  // namespace vigia::storage::store::rocksdb::kv
