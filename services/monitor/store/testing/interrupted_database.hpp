// A database in which something else happens between two accesses; for tests of what must hold
// then.
#pragma once

#include <cstddef>
#include <functional>

#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

/// Calls `before` with 1, 2, 3, … right before each access, outside of any transaction. `inner` has
/// to outlive it.
class InterruptedDatabase final : public Database {
 public:
  InterruptedDatabase(Database& inner, std::function<void(std::size_t)> before)
      : inner_(inner), before_(std::move(before)) {}

 protected:
  Result<void> lend(bool is_write,
                    const std::function<Result<void>(DatabaseConnection&)>& function) override {
    before_(++accesses_);
    return is_write ? inner_.write(function) : inner_.read(function);
  }

 private:
  Database& inner_;
  std::function<void(std::size_t)> before_;
  std::size_t accesses_ = 0;
};

}  // namespace vigia::monitor::store
