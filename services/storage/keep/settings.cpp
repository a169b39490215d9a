#include "services/storage/keep/settings.hpp"

#include <filesystem>

namespace vigia::storage::keep {
namespace {

constexpr std::int64_t kKeptMax = 100;

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

bool is_inside(const std::string& folder, const std::string& other) {
  namespace fs = std::filesystem;
  const auto relative = fs::absolute(folder).lexically_normal().lexically_relative(
      fs::absolute(other).lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

CheckpointSettings read_checkpoints(const service::ConfigNode& node, const std::string& store) {
  CheckpointSettings settings;
  const service::ConfigNode directory = node.child("directory");
  settings.directory = without_slashes(directory.text());
  if (settings.directory.empty()) settings.directory = without_slashes(store) + ".checkpoints";
  if (!store.empty() && is_inside(settings.directory, store)) {
    directory.note_error("must lie outside of the store's directory");
  }
  settings.kept = static_cast<std::uint64_t>(
      node.child("keep").integer(static_cast<std::int64_t>(settings.kept), 1, kKeptMax));
  return settings;
}

}  // namespace vigia::storage::keep
