#include "services/agent/sender/refused_store.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace vigia::agent::sender {

namespace {

namespace fs = std::filesystem;

bool write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file.fail()) return true;
  std::error_code ignored;
  fs::remove(path, ignored);
  return false;
}

/// Request files, oldest first: their names begin with the time.
std::vector<fs::path> list_requests(const std::string& directory) {
  std::vector<fs::path> paths;
  std::error_code reason;
  fs::directory_iterator entry(directory, reason);
  while (!reason && entry != fs::directory_iterator()) {
    if (entry->path().extension() == ".otlp") paths.push_back(entry->path());
    entry.increment(reason);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::uint64_t size_of(const fs::path& path) {
  std::error_code reason;
  const auto size = fs::file_size(path, reason);
  return reason ? 0 : size;
}

}  // namespace

RefusedStore::RefusedStore(std::string directory, const Clock& clock)
    : directory_(std::move(directory)), clock_(clock) {}

void RefusedStore::make_room(std::uint64_t bytes) {
  const auto paths = list_requests(directory_);
  std::uint64_t total = bytes;
  for (const auto& path : paths) total += size_of(path);
  std::size_t count = paths.size() + 1;
  std::error_code ignored;
  for (fs::path path : paths) {
    if (total <= kBytesMax && count <= kRequestsMax) return;
    total -= size_of(path);
    --count;
    fs::remove(path, ignored);
    fs::remove(path.replace_extension(".txt"), ignored);
  }
}

Result<void> RefusedStore::keep(Signal signal, std::string_view body, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  if (body.size() > kBytesMax) {
    return fail(ErrorCode::kTooLarge, fmt::format("{} bytes are too much to keep", body.size()));
  }
  std::error_code fault;
  fs::create_directories(directory_, fault);
  fs::permissions(directory_, fs::perms::owner_all, fault);
  // Oldest out first: what is refused now is what a person will look for.
  make_room(body.size());
  const fs::path base = fs::path(directory_) / fmt::format("{:015}-{:06}-{}", clock_.wall_ms(),
                                                           number_++, to_string(signal));
  const bool is_written = write_file(base.string() + ".otlp", body) &&
                          write_file(base.string() + ".txt", std::string(reason) + "\n");
  if (!is_written) return fail(ErrorCode::kUnavailable, base.string() + ": cannot be written");
  return {};
}

}  // namespace vigia::agent::sender
