#include "services/monitor/store/scratch_database.hpp"

#include "libs/base/check.hpp"
#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"

namespace vigia::monitor::store {

ScratchDatabase::ScratchDatabase()
    : folder_(std::filesystem::temp_directory_path() / ("vigia-" + to_hex(random_bytes(8)))) {
  std::filesystem::create_directories(folder_);
  reopen();
}

ScratchDatabase::~ScratchDatabase() {
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string ScratchDatabase::url() const { return "sqlite://" + (folder_ / "m.db").string(); }

void ScratchDatabase::reopen() {
  database_.reset();
  auto opened = Database::open(url(), 2);
  CHECK(opened.has_value());
  database_ = std::move(*opened);
}

}  // namespace vigia::monitor::store
