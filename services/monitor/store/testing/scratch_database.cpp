#include "services/monitor/store/testing/scratch_database.hpp"

#include "libs/base/check.hpp"

namespace vigia::monitor::store {

std::string ScratchDatabase::url() const { return "sqlite://" + folder_.file("m.db"); }

void ScratchDatabase::reopen() {
  database_.reset();
  auto opened = Database::open(url(), 2);
  CHECK(opened.has_value());
  database_ = std::move(*opened);
}

}  // namespace vigia::monitor::store
