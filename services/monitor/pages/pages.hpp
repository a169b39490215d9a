// The built portal, served from memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/net/message.hpp"

namespace vigia::monitor::pages {

/// Thread contract: never changed once loaded, so any thread.
class Pages {
 public:
  /// Reads every file below the directory; "" gives pages that are not there. A directory without
  /// index.html is no error either: it may be built later, and `answer` says so. kTooLarge over
  /// kPortalBytesMax or kPortalFilesMax.
  static Result<Pages> load(const std::string& directory);

  /// A file by its path; for the path of a page of the portal's the application itself, which reads
  /// from the address which one: any without a dot in its last part, and all below /nodes/. 404 for
  /// a missing file. Files under /assets/ carry a hash in their name and may be kept for
  /// ever; index.html is asked for each time, by ETag.
  net::Response answer(const net::RequestHead& head) const;

 private:
  struct File {
    /// Shared with the answers that are under way.
    std::shared_ptr<const std::string> content;
    std::shared_ptr<const std::string> gzip;  ///< likewise; null where it would not be smaller
    std::string type;
    std::string etag;
    bool is_immutable = false;
  };
  static Result<File> read(const std::string& path, const std::string& name);
  static net::Response to_response(const File& file, const net::RequestHead& head);

  std::map<std::string, File, std::less<>> files_;  ///< by path: "/assets/index-4f.js"
};

}  // namespace vigia::monitor::pages
