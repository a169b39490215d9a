// Bytes of an answer that are too many for memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"

namespace vigia::wire::prometheus_api {

/// Bytes that stay as they are and lie elsewhere, in a file. Whoever reads keeps its own place, so
/// that several may at once. Any thread.
class StoredBytes {
 public:
  virtual ~StoredBytes() = default;
  virtual std::uint64_t size() const = 0;
  /// `count` bytes from `at` on, which are there, or fewer, but one; nothing where a disk would
  /// have to be waited for. For event loops.
  virtual Result<std::optional<std::string>> read_at_once(std::uint64_t at,
                                                          std::size_t count) const = 0;
  /// The same on a thread that may wait, to which `done` belongs, too. Let go uncalled where that
  /// thread ends before.
  virtual void read_later(std::uint64_t at, std::size_t count,
                          Task<void(Result<std::string>)> done) const = 0;
};

}  // namespace vigia::wire::prometheus_api
