// A database in a temporary folder, for tests.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

class ScratchDatabase {
 public:
  ScratchDatabase() { reopen(); }

  Database& operator*() { return *database_; }
  std::string url() const;
  std::filesystem::path folder() const { return folder_.path(); }
  /// Closes and opens it again, as a restart does.
  void reopen();
  void close() { database_.reset(); }

 private:
  const TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
};

}  // namespace vigia::monitor::store
