// The last good snapshot on disk, with the one before it: what a program goes by while the monitor,
// or its database, is away. docs/formats/kept-directory.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "libs/tenancy/directory.hpp"

namespace vigia::tenancy {

/// 10,000 customers with 100 tokens each are 105 MB. Read in 1 s, they take 0.1 GB, and three times
/// as much while they are read.
inline constexpr std::size_t kDirectoryBytesMax = 128U << 20U;

/// A whole file. kNotFound where there is none, kInvalid where it is larger than
/// kDirectoryBytesMax, kUnavailable where it cannot be read.
Result<std::string> read_directory_file(const std::string& path);

struct KeptDirectory {
  Directory::ReadDocument snapshot;
  std::string text;          ///< the document, without the file's head
  Duration age{0};           ///< since it was last known to be true
  bool is_previous = false;  ///< the newest one was missing or damaged
};

/// Thread contract: one thread at a time.
class KeptFile {
 public:
  explicit KeptFile(std::string path) : path_(std::move(path)) {}

  struct Loaded {
    std::optional<KeptDirectory> directory;  ///< the newest sound one
    std::vector<std::string> problems;       ///< a line for each file that is not used, and why
  };
  /// Reads the newest file, or the one before it. One that is damaged is renamed to NAME.damaged,
  /// so that the next `store` does not put it in the place of a sound one.
  Loaded load(std::int64_t now_ms) const;
  /// Durable when it returns; the one before stays as NAME.previous. Mode 0600: hashes of tokens
  /// and names of customers are nobody else's business.
  Result<void> store(std::string_view document) const;
  /// Notes that the content is true at this time.
  void touch() const;

 private:
  std::string path_;
};

}  // namespace vigia::tenancy
