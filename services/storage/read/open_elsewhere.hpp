// What other instances that share the store have open, as a read asks for it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::read {

/// Both times included.
struct OpenQuestion {
  std::span<const store::SeriesId> series;
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
};

/// Rows as `rows_of` makes them (head_rows.hpp), in no order.
struct OpenAnswer {
  std::vector<store::ChunkRow> rows;
  std::size_t series = 0;  ///< so many of those asked for, the first ones, are answered; at least 1
};

/// What one request asks. Thread contract: one thread at a time.
class OpenTalk {
 public:
  virtual ~OpenTalk() = default;
  /// What the others have open of the customer's series; who cannot be asked costs a short wait
  /// once, and is left out. What the answer needs is added to `memory` while it comes, and released
  /// again: errors are that one's.
  virtual Result<OpenAnswer> ask(const CustomerId& customer, const OpenQuestion& question,
                                 lanes::AnswerMemory& memory) = 0;
  /// Somebody who may have something open was left out, or is not known how to be asked.
  virtual bool lacks_some() const = 0;
};

/// Thread contract: any thread.
class OpenElsewhere {
 public:
  virtual ~OpenElsewhere() = default;
  virtual std::unique_ptr<OpenTalk> begin() = 0;
};

}  // namespace vigia::storage::read
