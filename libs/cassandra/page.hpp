// What one execution gave.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "libs/cassandra/row_reader.hpp"

namespace vigia::cassandra {

/// Holds the memory in which a page's cells lie.
using PageMemory = std::unique_ptr<void, void (*)(void*)>;

/// The rows of a page; none for a statement that gives none. Thread contract: as a value's.
class Page {
 public:
  Page() = default;
  /// `cells`: row after row, `columns` each, in `memory`.
  Page(PageMemory memory, std::span<const RawCell> cells, std::size_t columns,
       std::string paging_state)
      : memory_(std::move(memory)),
        cells_(cells),
        columns_(columns),
        paging_state_(std::move(paging_state)) {}

  std::size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  /// `row` < rows(). Ends with the page.
  RowReader row(std::size_t row) const {
    return RowReader(cells_.subspan(row * columns_, columns_));
  }
  /// With which the next page is asked for; empty after the last one. Opaque, and of this statement
  /// with these values alone.
  const std::string& paging_state() const { return paging_state_; }

 private:
  PageMemory memory_{nullptr, [](void*) {}};
  std::span<const RawCell> cells_;
  std::size_t columns_ = 0;
  std::string paging_state_;
};

}  // namespace vigia::cassandra
