// How spans and log records are taken into an answer: within its memory, and none past its
// retention.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/api/jaeger_json.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

/// What one span or log record, which must not make the others unreadable, may need to be shown.
inline constexpr std::size_t kItemMemoryMax = 48U << 20U;
inline constexpr std::size_t kTraceSpansMax = 20'000;
/// Of a trace in memory: in pieces, and put together.
inline constexpr std::size_t kTraceCopies = 2;

/// The warning where there are more items than were asked for.
inline constexpr std::string_view kCutByLimit = "results truncated due to limit";

enum class Taken : std::uint8_t { kYes, kTooLarge, kNoMore };

/// An error where the customer's other answers leave no room for now. Where this answer alone is
/// all that it may be, it ends there: nobody can ask for less of a trace.
Result<Taken> take_span(const store::EventView& event, JaegerTrace& trace,
                        lanes::AnswerMemory& memory);

/// 0 for what lies before 1970.
store::TimestampNs to_ns(TimestampMs time_ms);
/// The last moment of that millisecond; for ever for the last of all.
store::TimestampNs last_ns(TimestampMs end_ms);
/// Whether a span started before that time. It is filed by its start; one without is of the day on
/// which it came.
bool is_before(std::string_view span, store::TimestampNs from_ns);
/// 0, for ever, where it is not said.
store::TimestampNs kept_from_ns(const std::function<TimestampMs(const CustomerId&)>& kept_from,
                                const CustomerId& customer);

}  // namespace vigia::storage::api
