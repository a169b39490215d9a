// What readers ask of a log record.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/label_matcher.hpp"

namespace vigia::storage::api {

/// Views into the record, or static.
struct RecordParts {
  /// As the sender wrote it; where it has only a number the number's short name, "INFO2"; else "".
  std::string_view severity;
  std::string_view body;  ///< an AnyValue
  std::string trace_id;   ///< hex digits, "" where there is none
  std::string span_id;
};

/// Throws protozero::exception on damaged bytes, as the other does.
RecordParts read_record(std::string_view record);

/// Whether one of `sets` wants the record; of none every record is wanted. Nothing where its labels
/// are too many to be looked at. The memory's errors.
Result<std::optional<bool>> is_wanted_within(const std::vector<store::LabelMatchers>& sets,
                                             const store::EventView& event,
                                             const RecordParts& parts, lanes::AnswerMemory& memory);

}  // namespace vigia::storage::api
