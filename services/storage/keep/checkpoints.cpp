#include "services/storage/keep/checkpoints.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>

#include "libs/base/rfc3339.hpp"
#include "libs/disk_log/log_copy.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::keep {
namespace {

namespace fs = std::filesystem;

// What is in memory is written first, and the newest segment of the log is copied.
constexpr std::uint64_t kRoomMin = 512U << 20U;
constexpr std::string_view kUnfinished = ".new";
constexpr TimestampMs kMsPerSecond = 1'000;

tl::unexpected<Error> refused(const std::string& what, const std::error_code& error) {
  return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", what, error.message()));
}

bool is_on_one_disk(const std::string& one, const std::string& other) {
  struct stat first{};
  struct stat second{};
  return stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev;
}

// What else lies in the folder is not ours to delete.
bool is_name(std::string_view name) {
  constexpr std::string_view kForm = "00000000T000000Z";
  if (name.size() < kForm.size()) return false;
  return std::equal(kForm.begin(), kForm.end(), name.begin(), [](char form, char letter) {
    return form == '0' ? letter >= '0' && letter <= '9' : letter == form;
  });
}

// "20261130T004601Z": sorted by name they stand by time.
std::string name_of(TimestampMs time_ms) {
  const TimestampMs second_ms = std::max<TimestampMs>(time_ms, 0) / kMsPerSecond * kMsPerSecond;
  std::string name = format_rfc3339(second_ms).value_or("00000000T000000Z");
  std::erase_if(name, [](char letter) { return letter == '-' || letter == ':'; });
  return name;
}

}  // namespace

Checkpoints::Checkpoints(CheckpointSettings settings, std::string store,
                         instance::StoreInstance& instance, disk_log::FileSystem& files,
                         const Clock& clock)
    : settings_(std::move(settings)),
      store_(std::move(store)),
      instance_(instance),
      files_(files),
      clock_(clock) {}

Result<std::string> Checkpoints::make() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    return fail(ErrorCode::kUnavailable, "a checkpoint is being made, ask again when it is done");
  }
  if (auto prepared = prepare(); !prepared) return forward(prepared);
  const std::string name = free_name();
  const std::string work = path_of(name) + std::string(kUnfinished);
  if (auto filled = fill(work, path_of(name) + ".log" + std::string(kUnfinished)); !filled) {
    clear_unfinished();
    return forward(filled);
  }
  std::error_code error;
  fs::rename(work, path_of(name), error);
  if (error) return refused("a checkpoint cannot be given its name", error);
  if (auto synced = files_.sync_directory(settings_.directory); !synced) return forward(synced);
  drop_oldest();
  service::log_info("checkpoint made", {{"name", name}, {"directory", settings_.directory}});
  return name;
}

Result<void> Checkpoints::prepare() {
  if (auto made = files_.create_directory(settings_.directory); !made) return made;
  clear_unfinished();
  if (!is_on_one_disk(settings_.directory, store_)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("checkpoints share files with the store: {} must lie on the file "
                            "system of {}",
                            settings_.directory, store_));
  }
  std::error_code error;
  const auto space = fs::space(settings_.directory, error);
  if (error || space.available < kRoomMin) {
    return fail(
        ErrorCode::kUnavailable,
        fmt::format("the disk of {} has {} MiB free, {} are needed for a checkpoint",
                    settings_.directory, error ? 0 : space.available >> 20U, kRoomMin >> 20U));
  }
  if (instance_.damage().unsaved_files == 0) return {};
  return fail(ErrorCode::kUnavailable,
              "damaged files are being mended, a checkpoint would lack their rows");
}

// The log first: what leaves it meanwhile is in the store by then, which is copied after it.
Result<void> Checkpoints::fill(const std::string& work, const std::string& log) {
  if (auto copied = disk_log::copy_log(files_, store_ + "/wal", log); !copied) return copied;
  if (auto copied = instance_.checkpoint(work); !copied) return copied;
  std::error_code error;
  fs::rename(log, work + "/wal", error);
  if (error) return refused("the log of a checkpoint cannot be put into its place", error);
  if (auto copied = copy_beside(work); !copied) return copied;
  return files_.sync_directory(work);
}

Result<void> Checkpoints::copy_beside(const std::string& work) {
  const auto copy = [&](const fs::path& from, const fs::path& to) -> Result<void> {
    std::error_code error;
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    return error ? Result<void>(refused(from.string(), error)) : Result<void>();
  };
  for (const char* name : {"vigia-store-id", "vigia-store-id.copy", "vigia-retention",
                           "vigia-retention-customers", "vigia-retention-customers.damaged"}) {
    if (auto copied = copy(fs::path(store_) / name, fs::path(work) / name); !copied) return copied;
  }
  const fs::path aside = fs::path(store_) / "quarantine/chunks";
  const fs::path aside_of_copy = fs::path(work) / "quarantine/chunks";
  std::error_code error;
  if (!fs::is_directory(aside, error)) return {};
  fs::create_directories(aside_of_copy, error);
  if (error) return refused(aside_of_copy.string(), error);
  for (const fs::directory_entry& file : fs::directory_iterator(aside, error)) {
    const fs::path name = file.path().filename();
    if (name.extension() != ".chunk") continue;
    if (auto copied = copy(file.path(), aside_of_copy / name); !copied) return copied;
  }
  return {};
}

// Those of a kill, and of what failed.
void Checkpoints::clear_unfinished() {
  std::error_code error;
  for (const std::string& name : names(false)) fs::remove_all(path_of(name), error);
}

void Checkpoints::drop_oldest() {
  std::vector<std::string> made = names(true);
  for (std::size_t i = 0; i + settings_.kept < made.size(); ++i) {
    std::error_code error;
    // First no checkpoint any more: one that is half gone must not be taken for one.
    const std::string going = path_of(made[i]) + std::string(kUnfinished);
    fs::rename(path_of(made[i]), going, error);
    if (!error) fs::remove_all(going, error);
  }
}

std::vector<std::string> Checkpoints::names(bool is_finished) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(settings_.directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (!is_name(name) || !at->is_directory(ignored)) continue;
    if (name.ends_with(kUnfinished) != is_finished) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Behind all that there are, also where two come in one second or the clock was set back: by their
// names it is told which is the oldest.
std::string Checkpoints::free_name() const {
  const std::string now = name_of(clock_.wall_ms());
  const std::vector<std::string> made = names(true);
  if (made.empty() || now > made.back()) return now;
  const std::string newest = made.back().substr(0, now.size());
  int number = 1;
  for (const std::string& name : made) {
    if (!name.starts_with(newest + "-")) continue;
    const std::string_view digits = std::string_view(name).substr(newest.size() + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
  }
  return fmt::format("{}-{:04}", newest, number + 1);
}

}  // namespace vigia::storage::keep
