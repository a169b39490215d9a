// A database in a temporary folder, for tests.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

class ScratchDatabase {
 public:
  ScratchDatabase();
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  Database& operator*() { return *database_; }
  std::string url() const;
  std::filesystem::path folder() const { return folder_; }
  /// Closes and opens it again, as a restart does.
  void reopen();
  void close() { database_.reset(); }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Database> database_;
};

}  // namespace vigia::monitor::store
