#include "services/collector/exporters/collector_id.hpp"

#include <algorithm>

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/pipeline/file_system.hpp"

namespace vigia::collector {
namespace {

constexpr std::size_t kIdBytes = 4;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_id(std::string_view text) {
  return text.size() == 2 * kIdBytes &&
         text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

}  // namespace

Result<std::string> collector_id(const std::string& directory) {
  pipeline::FileSystem& files = pipeline::system_files();
  const std::string path = directory + "/collector-id";
  auto known = files.open_to_read(path);
  if (!known && known.error().code != ErrorCode::kNotFound) return forward(known);
  if (known) {
    std::string text;
    if (auto read = (*known)->read_at(0, 2 * kIdBytes, text); !read) return forward(read);
    if (is_id(text)) return text;
  }
  const std::string id = to_hex(random_bytes(kIdBytes));
  if (auto made = files.create_directory(directory); !made) return forward(made);
  auto file = files.create(path + ".new");
  if (!file) return forward(file);
  if (auto written = (*file)->append({id, "\n"}); !written) return forward(written);
  if (auto synced = (*file)->sync(); !synced) return forward(synced);
  if (auto named = files.rename(path + ".new", path); !named) return forward(named);
  if (auto synced = files.sync_directory(directory); !synced) return forward(synced);
  return id;
}

}  // namespace vigia::collector
