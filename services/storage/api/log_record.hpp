// What readers ask of a log record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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
  std::string_view body;      ///< an AnyValue
  std::string_view trace_id;  ///< its bytes, "" where there is none
  std::string_view span_id;
};

/// Throws protozero::exception on damaged bytes, as the other does.
RecordParts read_record(std::string_view record);

/// The text of a body, as the answer's JSON tells it: that of a plain string a view into it, else
/// made in `made`. Bytes that are no UTF-8 are U+FFFD. The memory's errors, of what has to be made.
/// Throws likewise.
Result<std::string_view> text_within(std::string_view body, std::string& made,
                                     lanes::AnswerMemory& memory);

/// Which records a question is about. Remembers what it has said of a resource and a severity.
/// Thread contract: one thread.
class RecordSelector {
 public:
  /// Records that one of `sets` wants; of none every record is wanted. Both must outlive it.
  RecordSelector(const std::vector<store::LabelMatchers>& sets, lanes::AnswerMemory& memory);

  /// Nothing where the record's labels are too many to be looked at. The memory's errors. Throws
  /// likewise.
  Result<std::optional<bool>> wants(const store::EventView& event, const RecordParts& parts);

 private:
  const std::vector<store::LabelMatchers>& sets_;
  lanes::AnswerMemory& memory_;
  const bool is_by_trace_;                         // what is said is of one record alone
  std::unordered_map<std::uint64_t, bool> known_;  // by the hash of both
};

}  // namespace vigia::storage::api
