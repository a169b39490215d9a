#include "services/collector/exporters/collector_id.hpp"

#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "libs/base/crc32c.hpp"
#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/service/log.hpp"

namespace vigia::collector {
namespace {

constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kFileBytesMax = 64;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_id(std::string_view text) {
  return text.size() == 2 * kIdBytes &&
         text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

std::string file_of(std::string_view id) { return fmt::format("{} {:08x}\n", id, crc32c(id)); }

struct Found {
  std::string id = {};      // empty: none
  bool is_sure = false;     // by its checksum
  bool is_damaged = false;  // there was a file, and no id in it
};

Result<Found> look(const std::string& path, pipeline::FileSystem& files) {
  std::string text;
  auto file = files.open_to_read(path);
  if (!file && file.error().code == ErrorCode::kNotFound) return Found{};
  auto read = file ? (*file)->read_at(0, kFileBytesMax, text) : Result<void>(forward(file));
  if (!read && read.error().code != ErrorCode::kCorrupt) return forward(read);
  const std::string id = text.substr(0, 2 * kIdBytes);
  if (!read || !is_id(id)) return Found{{}, false, true};
  if (text == file_of(id)) return Found{id, true, false};
  // Of the time before there were checksums, or written by hand.
  if (text == id + "\n" || text == id) return Found{id, false, false};
  return Found{{}, false, true};
}

Result<void> write(const std::string& directory, const std::string& path, std::string_view id,
                   pipeline::FileSystem& files) {
  if (auto made = files.create_directory(directory); !made) return made;
  auto file = files.create(path + ".new");
  if (!file) return forward(file);
  if (auto written = (*file)->append({file_of(id)}); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto named = files.rename(path + ".new", path); !named) return named;
  return files.sync_directory(directory);
}

void tell(const CollectorId& id, const std::string& path) {
  if (id.is_new && id.damaged > 0) {
    service::log_error(
        "this collector's id was damaged and is a new one: routers ask cold, not hot, until a day "
        "has passed or the old one's heartbeats are deleted (docs/deployment.md)",
        {{"file", path}, {"id", id.text}});
  } else if (id.is_new) {
    service::log_info("this collector has a new id", {{"file", path}, {"id", id.text}});
  } else if (id.damaged > 0) {
    service::log_warn("a file of this collector's id was damaged and is mended; look at the disk",
                      {{"file", path}, {"id", id.text}});
  }
}

}  // namespace

Result<CollectorId> collector_id(const std::string& directory, pipeline::FileSystem& files) {
  const std::string path = directory + "/collector-id";
  const std::array<std::string, 2> paths{path, path + ".copy"};
  std::array<Found, 2> found;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    auto looked = look(paths[i], files);
    if (!looked) return forward(looked);
    found[i] = *std::move(looked);
  }
  CollectorId id;
  for (const bool is_sure : {true, false}) {
    for (const Found& one : found) {
      if (id.text.empty() && one.is_sure == is_sure) id.text = one.id;
    }
  }
  id.is_new = id.text.empty();
  if (id.is_new) id.text = to_hex(random_bytes(kIdBytes));
  for (std::size_t i = 0; i < paths.size(); ++i) {
    // Two that differ: a bit of one that has no checksum, or a folder put together of two.
    const bool is_other = !found[i].id.empty() && found[i].id != id.text;
    if (found[i].is_damaged || is_other) ++id.damaged;
    if (found[i].is_sure && !is_other) continue;
    const auto written = write(directory, paths[i], id.text, files);
    if (!written && id.is_new) return tl::unexpected<Error>(written.error());
    // A full disk is emptied by who runs, and the id is known.
    if (!written)
      service::log_warn("a file of this collector's id cannot be written now; the next start tries",
                        {{"file", paths[i]}, {"why", written.error().message}});
  }
  tell(id, path);
  return id;
}

}  // namespace vigia::collector
