// What one instance asks another for, and what that one answers: README.md, "Asking each other".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/read/open_elsewhere.hpp"

namespace vigia::storage::peers {

inline constexpr std::string_view kOpenPath = "/api/v1/open_samples";
/// Another version has another one: who does not know it says so by 415.
inline constexpr std::string_view kOpenContentType = "application/x-vigia-open-samples-1";
/// Who answers: its store::SharingNumber, in decimals; missing while it has none.
inline constexpr std::string_view kInstanceHeader = "x-vigia-instance";
/// Of one question.
inline constexpr std::size_t kSeriesMax = 4'096;

struct OpenAsked {
  std::vector<store::SeriesId> series;
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
};

std::string encode_question(const read::OpenQuestion& question);
/// kInvalid, also for more series than kSeriesMax.
Result<OpenAsked> parse_question(std::string_view body);

void append_row(std::string& body, const store::ChunkRow& row);
/// Once, anywhere among the rows: so many of the series that were asked for are answered.
void append_answered(std::string& body, std::size_t series);
/// kCorrupt where it is none, answers nothing of what it was asked for, or more.
Result<read::OpenAnswer> parse_answer(std::string_view body, const read::OpenQuestion& question);

}  // namespace vigia::storage::peers
