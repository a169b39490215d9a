// Values on their way to Cassandra, in the bytes of CQL's native protocol (version 4, section 6).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "shims/cassandra/vigia_cassandra.h"

namespace vigia::cassandra {

using RawCell = ::vigia_cassandra_cell;

/// The values of one execution, in the order of the statement's places. Numbers are kept inside;
/// texts and blobs are not copied and have to stay until the execution has been sent.
/// Thread contract: one thread.
class BoundCells {
 public:
  BoundCells& add_tinyint(std::int8_t value);
  BoundCells& add_int(std::int32_t value);
  BoundCells& add_bigint(std::int64_t value);
  BoundCells& add_text(std::string_view utf8);
  /// At most 256 MiB, which is what a frame may hold: the server refuses less than that.
  BoundCells& add_blob(std::string_view bytes);
  BoundCells& add_null();
  /// The column stays as it is: unlike null it leaves no tombstone.
  BoundCells& add_unset();

  std::size_t size() const { return entries_.size(); }
  /// As the driver takes them; they point into this and end with the next change of it.
  std::vector<RawCell> raw() const;

 private:
  struct Entry {
    const std::uint8_t* outside = nullptr;  ///< null: the bytes are `inside`
    std::int32_t size = 0;
    std::array<std::uint8_t, 8> inside{};
  };
  BoundCells& add_number(std::uint64_t bits, std::int32_t size);
  BoundCells& add_outside(std::string_view bytes);

  std::vector<Entry> entries_;
};

}  // namespace vigia::cassandra
