// A folder of a test, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "libs/base/check.hpp"

namespace vigia::storage {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "vigia-XXXXXX").string()) {
    CHECK(mkdtemp(path_.data()) != nullptr);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace vigia::storage
