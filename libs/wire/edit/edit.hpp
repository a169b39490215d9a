// A walk over an OTLP request that may change it: what nobody touches stays byte for byte, and a
// request of which nothing was changed is not copied at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "libs/wire/edit/editable.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::wire::edit {

/// What becomes of what an editor was shown.
enum class Fate : std::uint8_t {
  kKeep,  ///< and what stands in it is shown
  kPass,  ///< it stays as the editor has made it; what stands in it is not shown and stays
  kDrop,  ///< it goes, with all that stands in it
};

/// Where something stands. All of it may be read, and changed by whoever is shown something in it:
/// a resource is written once the last of its items was shown.
struct EditPlace {
  Editable& resource;
  Editable& scope;   ///< of `on_resource`: empty
  Editable& metric;  ///< the Metric without its data; only of what stands in one
  otlp::MetricKind kind = otlp::MetricKind::kNone;
  otlp::Temporality temporality = otlp::Temporality::kUnspecified;
  bool is_monotonic = false;
  std::string_view data = {};  ///< of a metric: the encoded Gauge, Sum, … as it came
  std::string_view resource_schema_url = {};
  std::string_view scope_schema_url = {};
};

/// Called in the order of the bytes. May throw protozero::exception: `edit` makes its error of it.
class Editor {
 public:
  virtual ~Editor() = default;
  virtual Fate on_resource(const EditPlace& /*place*/) { return Fate::kKeep; }
  virtual Fate on_scope(const EditPlace& /*place*/) { return Fate::kKeep; }
  virtual Fate on_metric(const EditPlace& /*place*/) { return Fate::kKeep; }
  /// A data point, a span or a log record; kPass is kKeep.
  virtual Fate on_item(const EditPlace& /*place*/, Editable& /*item*/) { return Fate::kKeep; }
};

struct EditLimits {
  std::uint32_t items = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t empty_envelopes = std::numeric_limits<std::uint32_t>::max();
  /// A larger one is not shown and stays as it came, with all that stands in it: for whoever
  /// refuses it afterwards.
  std::size_t item_bytes = std::numeric_limits<std::size_t>::max();
  std::size_t head_bytes = std::numeric_limits<std::size_t>::max();  ///< a resource, a scope
  /// Of what is written anew, all together: over it the body is kTooLarge.
  std::size_t made_bytes = std::numeric_limits<std::size_t>::max();
  /// Attributes of any message that no editor may touch; null: none.
  IsProtected is_protected = nullptr;
};

struct Edited {
  std::optional<std::string> body;  ///< nothing where nothing was changed
  std::uint32_t dropped = 0;        ///< items that went
};

/// Shows the editor a whole Export{Metrics,Trace,Logs}ServiceRequest. With its last item a metric,
/// a scope, a resource goes as well; one that came empty stays. Takes time in proportion to the
/// body (and to what the editor does), and memory for what is written anew and the new body.
/// Errors: as of `walk`; kTooLarge too where a bound of `limits` or of a message is passed.
Result<Edited> edit(Signal signal, std::string_view body, Editor& editor,
                    const EditLimits& limits = {});

/// Field of the attributes of an item of that kind; kNoAttributes of a metric without data.
ProtoField attributes_field(Signal signal, otlp::MetricKind kind);

}  // namespace vigia::wire::edit
