// Tables that turned out to be damaged and wait to be set aside.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "libs/base/duration.hpp"

namespace vigia::storage {

/// Thread contract: any thread; nothing blocks but wait.
class DamageQueue {
 public:
  /// Number of the table → who said so. 0: a table that is not known yet.
  using Found = std::map<std::uint64_t, std::string>;

  /// False where setting that table aside was tried and did not help: nothing is to be expected.
  bool add(std::uint64_t table, const std::string& reason);
  void give_up(std::uint64_t table);
  /// Up to `patience`; everything found since, or nothing.
  Found wait(Duration patience);
  void stop();
  bool is_stopping() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Found found_;
  std::set<std::uint64_t> hopeless_;
  bool is_stopping_ = false;
};

}  // namespace vigia::storage
