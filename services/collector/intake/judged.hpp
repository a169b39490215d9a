// A request behind the stages of intake, and what of it goes into the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/model/ids.hpp"
#include "services/collector/books/books.hpp"
#include "services/collector/intake/checked.hpp"
#include "services/collector/intake/stage.hpp"

namespace vigia::collector::intake {

/// What a sender is told of a request that was taken: partly, where rejected is not 0.
struct Receipt {
  std::uint32_t items = 0;
  std::uint32_t rejected = 0;
  std::string message;   ///< why, in English, or a warning; "" where there is nothing to tell
  Written written = {};  ///< of remote write
};

using IntakeDone = Task<void(Result<Receipt>)>;

/// Every item has its verdict.
struct Judged {
  CustomerId customer;
  std::string route;  ///< of its records
  ExportRequest request;
  Checked checked;
  std::uint64_t filtered = 0;  ///< items that processors have taken out
};

/// What becomes of one. Without records its outcome is known: the error, or the receipt where
/// nothing of it was to be kept.
struct Prepared {
  std::vector<disk_log::DiskRecord> records = {};
  books::Books::Arrival arrival;
  Receipt receipt = {};
  std::optional<Error> error = std::nullopt;
};

}  // namespace vigia::collector::intake
