// A trace in the JSON that Jaeger's query interface gives (model/json of Jaeger 1.x).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "services/storage/events/event_row.hpp"

namespace vigia::storage {

/// Takes the spans of one trace, in any order. Thread contract: one thread.
class JaegerTrace {
 public:
  explicit JaegerTrace(std::string_view trace_id);  ///< 16 bytes
  /// Throws protozero::exception on damaged bytes.
  void add(const EventView& event);
  std::size_t spans() const { return span_count_; }
  std::size_t bytes() const { return spans_.size() + processes_.size(); }
  /// The whole answer: {"data":[…],…}. `is_cut`: there are more spans than were added.
  std::string finish(bool is_cut, std::string_view gaps = {}) const;

 private:
  std::string process_of(std::string_view resource);

  std::string trace_id_;
  std::string spans_;
  std::size_t span_count_ = 0;
  std::map<std::string, std::string, std::less<>> process_ids_;  // by resource
  std::string processes_;
};

}  // namespace vigia::storage
