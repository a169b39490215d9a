#include "libs/disk_log/kept_line.hpp"

#include <array>

#include <fmt/format.h>

#include "libs/base/crc32c.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::size_t kFileBytesMax = 256;
constexpr std::size_t kChecksumBytes = 10;  // blank, eight digits, end of the line

std::string file_of(std::string_view text) {
  return fmt::format("{} {:08x}\n", text, crc32c(text));
}

struct Found {
  std::string text = {};    // empty: none
  bool is_sure = false;     // by its checksum
  bool is_damaged = false;  // there was a file, and no text in it
};

Found parse(const KeptLineForm& form, const std::string& file) {
  if (file.size() > kChecksumBytes) {
    const std::string text = file.substr(0, file.size() - kChecksumBytes);
    if (form.is_text(text) && file == file_of(text)) return {text, true, false};
  }
  std::string bare = file;
  if (bare.ends_with('\n')) bare.pop_back();
  if (form.takes_bare && form.is_text(bare)) return {bare, false, false};
  return {{}, false, true};
}

Result<Found> look(const KeptLineForm& form, const std::string& path, FileSystem& files) {
  std::string text;
  auto file = files.open_to_read(path);
  if (!file && file.error().code == ErrorCode::kNotFound) return Found{};
  auto read = file ? (*file)->read_at(0, kFileBytesMax, text) : Result<void>(forward(file));
  if (!read && read.error().code != ErrorCode::kCorrupt) return forward(read);
  return read ? parse(form, text) : Found{{}, false, true};
}

std::array<std::string, 2> paths_of(const KeptLineForm& form) {
  return {form.path, form.path + ".copy"};
}

// Written beside, synced, named, and the folder synced: a kill at any moment leaves the old line or
// the new one, whole.
Result<void> write(const std::string& path, std::string_view text, FileSystem& files) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  if (auto made = files.create_directory(directory); !made) return made;
  auto file = files.create(path + ".new");
  if (!file) return forward(file);
  if (auto written = (*file)->append({file_of(text)}); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto named = files.rename(path + ".new", path); !named) return named;
  return files.sync_directory(directory);
}

}  // namespace

Result<KeptLine> read_kept_line(const KeptLineForm& form, FileSystem& files) {
  const auto paths = paths_of(form);
  std::array<Found, 2> found;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    auto looked = look(form, paths[i], files);
    if (!looked) return forward(looked);
    found[i] = *std::move(looked);
  }
  KeptLine line;
  // The one with a right checksum, whichever it is; without any, the first that can be a text at
  // all.
  for (const bool is_sure : {true, false}) {
    for (const Found& one : found) {
      if (line.text.empty() && one.is_sure == is_sure) line.text = one.text;
    }
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    // Two that differ: a bit of one that has no checksum, or a folder put together of two.
    const bool is_other = !found[i].text.empty() && found[i].text != line.text;
    if (found[i].is_damaged || is_other) ++line.damaged;
    if (line.text.empty() || (found[i].is_sure && !is_other)) continue;
    if (const auto written = write(paths[i], line.text, files); !written) {
      line.unmended = {paths[i], written.error().message};
    }
  }
  return line;
}

Result<void> write_kept_line(const KeptLineForm& form, std::string_view text, FileSystem& files) {
  for (const std::string& path : paths_of(form)) {
    if (auto written = write(path, text, files); !written) return written;
  }
  return {};
}

}  // namespace vigia::disk_log
