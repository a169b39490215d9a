// Rows of one partition in one request: a node takes them as one change of it, and each row alone
// costs it as much as a whole block.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigia::storage::store::cassandra {

/// The statement so many times, each with its own values. Not logged: of one partition it is one
/// change of it anyway. REQUIRES: all values are of one partition.
std::string rows_together(std::string_view cql, std::size_t count);

/// The first of the sizes, which fall to 1, that is not above `count`. REQUIRES: count > 0.
template <typename Sizes>
std::size_t size_index(const Sizes& sizes, std::size_t count) {
  std::size_t index = 0;
  while (sizes[index] > count) ++index;
  return index;
}

}  // namespace vigia::storage::store::cassandra
