// Which service calls which, counted from spans.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

/// A call is a span whose parent is of another service; both are spans of one trace. Names and
/// counts stand in the answer's memory. Thread contract: one thread.
class ServiceCalls {
 public:
  /// `memory` must outlive it.
  explicit ServiceCalls(lanes::AnswerMemory& memory) : memory_(memory) {}

  /// A span of the trace that is gathered. One that lies `outside` of what is asked for calls
  /// others, and is not itself a call. The memory's errors; throws protozero::exception on damaged
  /// bytes.
  Result<void> add(const store::EventView& span, bool outside);
  std::size_t spans() const { return trace_.size(); }
  /// Counts the calls of the spans that were added, and begins with another trace. The memory's
  /// errors.
  Result<void> end_trace();

  struct CountedCall {
    std::string_view parent;
    std::string_view child;
    std::uint64_t count = 0;
  };
  /// In order of their names. Views of what is here.
  std::vector<CountedCall> calls() const;

 private:
  using ServiceNumber = std::uint32_t;
  struct SpanPlace {
    std::uint64_t id = 0;
    std::uint64_t parent = 0;  ///< 0: none
    ServiceNumber service = 0;
    bool is_outside = false;
    auto operator<=>(const SpanPlace&) const = default;
  };
  Result<ServiceNumber> number_of(std::string_view resource);
  Result<void> count(ServiceNumber parent, ServiceNumber child);

  lanes::AnswerMemory& memory_;
  std::vector<SpanPlace> trace_;
  std::map<std::string, ServiceNumber, std::less<>> numbers_;
  std::vector<const std::string*> names_;  // by number
  std::map<std::pair<ServiceNumber, ServiceNumber>, std::uint64_t> counts_;
  std::string resource_;  // of the span before
  ServiceNumber number_ = 0;
};

}  // namespace vigia::storage::api
