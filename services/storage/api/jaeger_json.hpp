// A trace in the JSON that Jaeger's query interface gives (model/json of Jaeger 1.x).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/api/json_cost.hpp"
#include "services/storage/api/text_pieces.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

/// Takes the spans of one trace, in any order. Thread contract: one thread.
class JaegerTrace {
 public:
  explicit JaegerTrace(std::string_view trace_id);  ///< 16 bytes
  /// What add will need, the process of the span too where it is the first of its resource. Both
  /// throw protozero::exception on damaged bytes.
  JsonCost cost_of(const store::EventView& event);
  /// Directly after cost_of of the same event.
  void add(const store::EventView& event, const JsonCost& cost);
  std::size_t spans() const { return span_count_; }
  /// That it holds: the JSON, and copies of large resources, some MiB at most.
  std::size_t bytes() const { return spans_.bytes() + processes_.bytes() + large_bytes_; }
  /// The whole answer: {"data":[…],…}, which takes as much again as bytes(). `is_cut`: there are
  /// more spans than were added. Once.
  std::string finish(bool is_cut, std::string_view gaps = {});
  /// Appends the trace alone, likewise.
  void move_to(std::string& text, bool is_cut, std::string_view gaps);

 private:
  // A process, and the resource that it was made of.
  struct LargeResource {
    std::string bytes;
    std::string process;
  };
  std::string process_of(std::string_view resource) const;
  std::string add_process(std::string_view resource);
  bool is_kept(std::string_view resource) const;

  std::string trace_id_;
  TextPieces spans_;
  std::size_t span_count_ = 0;
  std::map<store::LabelsHash, std::string> process_ids_;  // by resource
  std::vector<LargeResource> large_;
  std::size_t large_bytes_ = 0;
  std::string process_;  // of the last event whose cost was asked for; "" where it is a new one
  TextPieces processes_;
};

}  // namespace vigia::storage::api
