// What the database had reached when it was last written, kept outside of it: so that a database
// that lost its end, or was put back, is recognised. docs/formats/monitor-database.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/result.hpp"

namespace vigia::monitor::store {

/// Which database, and how many writes it has taken.
struct DatabaseMark {
  std::string database;  ///< 32 hex digits, random, made with it
  std::int64_t revision = 0;
};

/// Thread contract: one thread at a time.
class Anchor {
 public:
  /// Reads what is there. kUnavailable where the file cannot be opened for reading and writing.
  static Result<Anchor> open(const std::string& path);
  Anchor(Anchor&& other) noexcept;
  Anchor& operator=(Anchor&& other) noexcept;
  ~Anchor();

  /// The newest mark; nothing in a new file, and where both of its places are damaged.
  const std::optional<DatabaseMark>& mark() const { return mark_; }
  /// How many of its two places hold something that was never written so.
  int damaged_places() const { return damaged_places_; }
  /// Durable when it returns; the mark before stays in the other place.
  Result<void> note(const DatabaseMark& mark);

 private:
  Anchor(std::string path, int file) : path_(std::move(path)), file_(file) {}
  void read();

  std::string path_;
  int file_;
  std::optional<DatabaseMark> mark_;
  int damaged_places_ = 0;
  int next_place_ = 0;
};

}  // namespace vigia::monitor::store
