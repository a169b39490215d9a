// Rows of floats that overlap (late samples, repeats) packed anew, so that readers get each time
// once.
#pragma once

#include <vector>

#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::rows {

struct SeparateRows {
  std::vector<store::ChunkRow> rows;  ///< in time order, none overlaps another
  std::size_t unreadable = 0;         ///< rows that were left out: their data is damaged
};

/// `rows` are of one series and resolution, of floats, sorted by first_ms. What overlaps
/// nothing stays as it is, and is not looked into. Some hundred thousand samples are
/// unpacked at once, however long the range. What that needs is added to `memory`, and released but
/// for the rows; kOverLimit where more than two million lie so close together that they must be
/// unpacked at once.
Result<SeparateRows> merge_overlapping(std::vector<store::ChunkRow> rows,
                                       lanes::AnswerMemory& memory,
                                       Resolution resolution = Resolution::kRaw);

}  // namespace vigia::storage::rows
