#include "services/collector/marks/collector_id.hpp"

#include <string_view>

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "libs/disk_log/kept_line.hpp"
#include "libs/service/log.hpp"

namespace vigia::collector::marks {
namespace {

constexpr std::size_t kIdBytes = 4;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_id(std::string_view text) {
  return text.size() == 2 * kIdBytes &&
         text.find_first_not_of(kHexDigits) == std::string_view::npos;
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

Result<CollectorId> collector_id(const std::string& directory, disk_log::FileSystem& files) {
  const disk_log::KeptLineForm form{directory + "/collector-id", is_id, true};
  auto line = disk_log::read_kept_line(form, files);
  if (!line) return forward(line);
  CollectorId id{line->text, line->text.empty(), line->damaged};
  if (id.is_new) {
    id.text = to_hex(random_bytes(kIdBytes));
    if (auto written = disk_log::write_kept_line(form, id.text, files); !written) {
      return forward(written);
    }
  } else if (line->unmended) {
    // A full disk is emptied by who runs, and the id is known.
    service::log_warn("a file of this collector's id cannot be written now; the next start tries",
                      {{"file", line->unmended->path}, {"why", line->unmended->why}});
  }
  tell(id, form.path);
  return id;
}

}  // namespace vigia::collector::marks
