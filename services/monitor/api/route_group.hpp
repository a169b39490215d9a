// Functions of one noun that work with the same parts.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "services/monitor/api/table.hpp"

namespace vigia::monitor::api {

/// Puts functions `ApiResult(const ApiCall&, const Parts&)` into a table. The parts are kept once
/// for all of them. Thread contract: as ApiTable's `add`.
template <typename Parts>
class RouteGroup {
 public:
  RouteGroup(ApiTable& table, Parts parts)
      : table_(table), parts_(std::make_shared<const Parts>(std::move(parts))) {}

  template <typename Function>
  void add(std::string method, std::string path, Access access, Function function) {
    table_.add(std::move(method), std::move(path), access, bound(function));
  }
  template <typename Function>
  void add_waiting(std::string method, std::string path, Access access, Function function) {
    table_.add_waiting(std::move(method), std::move(path), access, bound(function));
  }
  template <typename Function>
  void add_hashing(std::string method, std::string path, Access access, Function function) {
    table_.add_hashing(std::move(method), std::move(path), access, bound(function));
  }

 private:
  template <typename Function>
  ApiFunction bound(Function function) {
    return [parts = parts_, function](const ApiCall& call) { return function(call, *parts); };
  }

  ApiTable& table_;
  std::shared_ptr<const Parts> parts_;  ///< shared by the functions that the table keeps
};

}  // namespace vigia::monitor::api
