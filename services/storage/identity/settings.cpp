#include "services/storage/identity/settings.hpp"

#include <filesystem>

namespace vigia::storage::identity {
namespace {

bool is_inside(const std::string& file, const std::string& directory) {
  if (file.empty() || directory.empty()) return false;
  namespace fs = std::filesystem;
  const auto relative = fs::absolute(file).lexically_normal().lexically_relative(
      fs::absolute(directory).lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

StoreGuardSettings read_store_guard(const service::ConfigNode& store, std::string directory) {
  StoreGuardSettings settings;
  settings.directory = std::move(directory);
  const service::ConfigNode known_file = store.child("known_file");
  settings.known_file = known_file.text();
  if (is_inside(settings.known_file, settings.directory)) {
    known_file.note_error(
        "must lie outside of the store's directory: it is there to know of a store whose "
        "directory is gone");
  }
  const service::ConfigNode create = store.child("create");
  const std::string may_create = create.text();
  settings.may_create = may_create != "never";
  if (!may_create.empty() && may_create != "if_missing" && may_create != "never") {
    create.note_error("must be if_missing or never");
  }
  return settings;
}

}  // namespace vigia::storage::identity
