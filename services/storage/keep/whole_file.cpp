#include "services/storage/keep/whole_file.hpp"

#include <filesystem>

#include "libs/disk_log/file_system.hpp"

namespace vigia::storage::keep {

Result<void> write_whole(const std::string& path, const std::string& text) {
  disk_log::FileSystem& files = disk_log::system_files();
  const std::string fresh = path + ".new";
  auto file = files.create(fresh);
  if (!file) return forward(file);
  if (auto written = (*file)->append({text}); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto renamed = files.rename(fresh, path); !renamed) return renamed;
  const std::string folder = std::filesystem::path(path).parent_path();
  return files.sync_directory(folder.empty() ? "." : folder);
}

}  // namespace vigia::storage::keep
