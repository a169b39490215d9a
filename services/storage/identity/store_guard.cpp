#include "services/storage/identity/store_guard.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::storage::identity {
namespace {

namespace fs = std::filesystem;
using disk_log::StoreIdentity;

constexpr const char* kOwnFile = "/vigia-store-id";
constexpr std::string_view kWhereToRead =
    "(docs/deployment.md, \"When the cold store comes up empty\")";

// Of a store that keeps its rows elsewhere this is what lies here from the start.
constexpr std::string_view kNumbersFile = "vigia-customers";

// RocksDB's, and ours beside them: what a directory has in which a store has been, damaged or not.
bool is_of_database(const std::string& name) {
  return name == "CURRENT" || name == kNumbersFile || name.starts_with("MANIFEST-") ||
         name.starts_with("vigia-manifest-") || name.ends_with(".sst") || name == "quarantine";
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

StoreGuardSettings completed(StoreGuardSettings settings) {
  settings.directory = without_slashes(std::move(settings.directory));
  if (settings.known_file.empty()) settings.known_file = settings.directory + ".known";
  return settings;
}

}  // namespace

StoreGuard::StoreGuard(StoreGuardSettings settings, disk_log::FileSystem& files, const Clock& clock)
    : settings_(completed(std::move(settings))),
      own_(disk_log::store_identity_form(settings_.directory + kOwnFile)),
      known_(disk_log::store_identity_form(settings_.known_file)),
      files_(files),
      clock_(clock) {}

Result<bool> StoreGuard::has_database() const {
  std::error_code error;
  fs::directory_iterator entry(settings_.directory, error);
  if (error == std::errc::no_such_file_or_directory) return false;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_of_database(entry->path().filename().string())) return true;
  }
  if (!error) return false;
  return fail(ErrorCode::kUnavailable, fmt::format("cold store: {} cannot be looked at: {}",
                                                   settings_.directory, error.message()));
}

/// Of files that are there and damaged, both, nothing is known but that there was a store.
Result<std::optional<StoreIdentity>> StoreGuard::read(const disk_log::KeptLineForm& form) {
  auto line = disk_log::read_kept_line(form, files_);
  if (!line) return forward(line);
  if (line->damaged > 0) damaged_.insert(form.path);
  if (line->text.empty() && line->damaged > 0) return StoreIdentity{};
  return disk_log::parse_store_identity(line->text);
}

tl::unexpected<Error> StoreGuard::refuse_empty(const StoreIdentity& known,
                                               const std::string& where) const {
  return fail(
      ErrorCode::kUnavailable,
      fmt::format(
          "{} holds no store, and store {} was there, as {} says: is its disk mounted, and its "
          "key given where it is encrypted, is the path right? If it is gone for good and a new "
          "one is to be begun, delete {} "
          "and {}.copy {}",
          settings_.directory, known.id.empty() ? "(unreadable)" : known.id, where, where, where,
          kWhereToRead));
}

Result<void> StoreGuard::check() {
  auto found = look();
  if (!found) {
    has_waited_ = true;
    listing_.clear();
    return found;
  }
  return has_waited_ && !is_new_ ? expect_still() : found;
}

Result<void> StoreGuard::look() {
  auto has = has_database();
  if (!has) return forward(has);
  is_new_ = !*has;
  auto own = read(own_);
  if (!own) return forward(own);
  auto known = read(known_);
  if (!known) return forward(known);
  if (*has) return compare(*own, *known);
  if (*known) return refuse_empty(**known, known_.path);
  if (*own) return refuse_empty(**own, own_.path);
  if (settings_.may_create) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{} holds no store, and store.create is never: is its disk mounted, and "
                          "its key given where it is encrypted, is the path right? {}",
                          settings_.directory, kWhereToRead));
}

Result<void> StoreGuard::compare(const std::optional<StoreIdentity>& own,
                                 const std::optional<StoreIdentity>& known) const {
  if (!known || known->id.empty()) return {};
  // The id inside is written before the note outside: without it this is another disk, or a copy
  // that is still on its way.
  if (!own) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} holds a store without {}, and store {} was there, as {} says: is "
                            "it a copy that is not whole, is it the right disk? If it is that "
                            "store, stop this program and copy {} to {}; if another is to take its "
                            "place, delete {} and {}.copy {}",
                            settings_.directory, own_.path, known->id, known_.path, known_.path,
                            own_.path, known_.path, known_.path, kWhereToRead));
  }
  if (own->id.empty() || own->id == known->id) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{} holds store {}, and store {} was there, as {} says: is the right "
                          "disk mounted, is the path right? If this store is to take its place, "
                          "delete {} and {}.copy {}",
                          settings_.directory, own->id, known->id, known_.path, known_.path,
                          known_.path, kWhereToRead));
}

Result<StoreGuard::Listing> StoreGuard::list() const {
  Listing listing;
  std::error_code error;
  // A disk's own lost+found is root's alone, and nothing of the store.
  fs::recursive_directory_iterator entry(settings_.directory,
                                         fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const bool is_file = entry->is_regular_file(error);
    const auto size = is_file && !error ? entry->file_size(error) : 0;
    if (!error) listing.emplace(entry->path().string(), size);
  }
  if (!error) return listing;
  return fail(ErrorCode::kUnavailable, fmt::format("cold store: {} cannot be looked at: {}",
                                                   settings_.directory, error.message()));
}

/// Of a folder that is copied the tables come first and what says which of them count comes last.
Result<void> StoreGuard::expect_still() {
  auto listing = list();
  if (!listing) return forward(listing);
  if (*listing != listing_) {
    listing_ = std::move(*listing);
    listed_at_ = clock_.steady();
  }
  const bool is_still = clock_.steady() - listed_at_ >= kStill;
  const bool is_whole = listing_.contains(settings_.directory + "/CURRENT") ||
                        listing_.contains(fmt::format("{}/{}", settings_.directory, kNumbersFile));
  if (is_still && is_whole) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{} may be a copy that is still on its way ({}): it is opened once it "
                          "has stood still for 10 s; stop this program before you copy a store "
                          "back, and start it again to have the folder opened as it is {}",
                          settings_.directory, is_whole ? "it changes" : "it has no CURRENT",
                          kWhereToRead));
}

bool StoreGuard::write(const disk_log::KeptLineForm& form, const StoreIdentity& identity,
                       std::string_view cost) const {
  const auto written = disk_log::write_kept_line(form, disk_log::to_text(identity), files_);
  if (!written) {
    service::log_warn(std::string(cost), {{"file", form.path}, {"why", written.error().message}});
  }
  return written.has_value();
}

std::optional<StoreIdentity> StoreGuard::settle(TimestampMs now_ms) {
  const auto own = read(own_);
  const auto known = read(known_);
  for (const std::string& file : damaged_) {
    service::log_warn("a file of the store's identity was damaged; look at the disk",
                      {{"file", file}});
  }
  const auto is_whole = [](const auto& found) { return found && *found && !(*found)->id.empty(); };
  // What cannot be read now may be there: nothing is made in its place.
  if (!is_whole(own) && (!own || !known)) return std::nullopt;
  // Of the one that lies outside, where both files inside are damaged.
  StoreIdentity identity = disk_log::make_store_identity(is_new_ ? now_ms : 0);
  if (is_whole(known)) identity = **known;
  if (is_whole(own)) identity = **own;
  if (!is_whole(own)) {
    const bool is_kept = write(own_, identity,
                               "the store's identity cannot be written: until a start can, nobody "
                               "is told which store this is");
    if (!is_kept) return std::nullopt;
    service::log_info("the store has an identity now", {{"id", identity.id}, {"file", own_.path}});
  }
  if (!is_whole(known)) {
    (void)write(
        known_, identity,
        "which store was here cannot be kept outside of its folder: one that comes up "
        "empty would be taken for new; set store.known_file to a place that can be written");
  }
  return identity;
}

}  // namespace vigia::storage::identity
