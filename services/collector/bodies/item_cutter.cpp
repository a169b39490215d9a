#include "services/collector/bodies/item_cutter.hpp"

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/protobuf_reader.hpp"

namespace vigia::collector::bodies {
namespace {

using protozero::pbf_wire_type;

constexpr std::uint32_t kResourceField = 1;  // of the request
constexpr std::uint32_t kInnerField =
    2;  // of a resource its scopes, of a scope its items or metrics
constexpr std::uint32_t kPointField = 1;  // of a metric's data

void append_field(std::string& out, std::uint32_t number, std::string_view bytes) {
  append_varint(out, (std::uint64_t{number} << 3U) | 2U);
  append_sized(out, bytes);
}

/// Calls `inner` with each field of that number, and gathers all others, as they lie, first.
template <typename Inner>
void open(std::string_view bytes, std::uint32_t number, std::string& others, Inner inner) {
  const auto each = [&](auto is_inner, auto is_other) {
    ProtobufReader message(bytes.data(), bytes.size());
    const auto position = [&] { return bytes.data() + bytes.size() - message.length(); };
    for (const char* begin = position(); message.next(); begin = position()) {
      const bool is_wanted =
          message.tag() == number && message.wire_type() == pbf_wire_type::length_delimited;
      if (is_wanted) {
        const auto view = message.get_view();
        if (!is_inner(std::string_view{view.data(), view.size()})) return;
      } else {
        message.skip();
        is_other(std::string_view(begin, static_cast<std::size_t>(position() - begin)));
      }
    }
  };
  // Two passes: a header may stand behind the items that it is for, and every piece needs it.
  others.clear();
  each([](std::string_view) { return true; }, [&](std::string_view other) { others += other; });
  each(inner, [](std::string_view) {});
}

/// Metric.data is one of gauge, sum, histogram, exponential_histogram, summary.
bool is_data_field(std::uint32_t number) {
  return number == 5 || number == 7 || number == 9 || number == 10 || number == 11;
}

/// 0: the metric has none. Intake has refused those with two.
std::uint32_t data_field_of(std::string_view metric) {
  ProtobufReader reader(metric.data(), metric.size());
  while (reader.next()) {
    if (is_data_field(reader.tag()) && reader.wire_type() == pbf_wire_type::length_delimited)
      return reader.tag();
    reader.skip();
  }
  return 0;
}

/// Thrown inside a cut, caught in cut_items().
struct TooMuchAround {
  std::size_t bytes;
};

class Cutter {
 public:
  Cutter(const CutSource& source, const CutLimits& limits, const TakePiece& take)
      : is_metrics_(source.signal == Signal::kMetrics),
        verdicts_(source.verdicts),
        first_(source.first),
        limits_(limits),
        take_(take) {}

  std::optional<std::uint32_t> run(std::string_view body) {
    std::string unused;
    open(body, kResourceField, unused, [this](std::string_view resource) {
      open(resource, kInnerField, resource_header_, [this](std::string_view scope) {
        open(scope, kInnerField, scope_header_, [this](std::string_view item) {
          return is_metrics_ ? on_metric(item) : on_item(item);
        });
        end_scope();
        return !next_;
      });
      end_resource();
      return !next_;
    });
    if (!next_ && items_ > 0) (void)end_piece();
    return next_;
  }

 private:
  bool on_metric(std::string_view metric) {
    data_field_ = data_field_of(metric);
    if (data_field_ == 0) return true;
    open(metric, data_field_, metric_header_, [this](std::string_view data) {
      open(data, kPointField, data_header_,
           [this](std::string_view point) { return on_item(point); });
      end_metric();
      return !next_;
    });
    return !next_;
  }
  bool on_item(std::string_view item) {
    // Rejected ones are counted too: verdicts go by an item's place in the whole body.
    const std::uint32_t number = item_++;
    if (number < first_ || verdicts_.is_rejected(number)) return true;
    // Each piece repeats what encloses its items; without a bound a body of many items under one
    // large resource would become thousands of times as much.
    if (enclosing_bytes() > limits_.enclosing_bytes_max) throw TooMuchAround{enclosing_bytes()};
    const bool is_full = items_ >= limits_.items_max ||
                         (items_ > 0 && (item_bytes_ + item.size() > limits_.bytes_max ||
                                         piece_bytes() + item.size() > limits_.piece_bytes_max));
    if (is_full && !end_piece()) {
      next_ = number;
      return false;
    }
    if (is_metrics_)
      append_field(data_, kPointField, item);
    else
      append_field(scope_, kInnerField, item);
    item_bytes_ += item.size();
    ++items_;
    return true;
  }
  std::size_t enclosing_bytes() const {
    return resource_header_.size() + scope_header_.size() + metric_header_.size() +
           data_header_.size();
  }
  /// Of the piece under way, with all that would enclose one more item.
  std::size_t piece_bytes() const {
    return piece_.size() + resource_.size() + scope_.size() + metric_.size() + data_.size() +
           enclosing_bytes();
  }
  void end_metric() {
    if (data_.empty()) return;
    data_ += data_header_;
    append_field(metric_, data_field_, data_);
    metric_ += metric_header_;
    append_field(scope_, kInnerField, metric_);
    data_.clear();
    metric_.clear();
  }
  void end_scope() {
    if (scope_.empty()) return;
    scope_ += scope_header_;
    append_field(resource_, kInnerField, scope_);
    scope_.clear();
  }
  void end_resource() {
    if (resource_.empty()) return;
    resource_ += resource_header_;
    append_field(piece_, kResourceField, resource_);
    resource_.clear();
  }
  bool end_piece() {
    end_metric();
    end_scope();
    end_resource();
    const std::uint32_t items = std::exchange(items_, 0);
    item_bytes_ = 0;
    return take_(std::exchange(piece_, {}), items);
  }

  const bool is_metrics_;
  const Verdicts& verdicts_;
  const std::uint32_t first_;
  const CutLimits& limits_;
  const TakePiece& take_;
  std::string resource_header_, scope_header_, metric_header_, data_header_;
  std::string piece_, resource_, scope_, metric_, data_;  // each without what encloses it
  std::uint32_t data_field_ = 0;                          // of the metric under way
  std::size_t item_bytes_ = 0;                            // in the piece
  std::uint32_t items_ = 0;
  std::uint32_t item_ = 0;
  std::optional<std::uint32_t> next_;
};

}  // namespace

Result<std::optional<std::uint32_t>> cut_items(const CutSource& source, const CutLimits& limits,
                                               const TakePiece& take) {
  try {
    return Cutter(source, limits, take).run(source.body);
  } catch (const TooMuchAround& around) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("a resource, scope and metric have {} bytes beside their items, {} may "
                            "be in so large a request; send it in smaller ones",
                            around.bytes, limits.enclosing_bytes_max));
  } catch (const protozero::exception&) {
    return fail(ErrorCode::kInvalid, "the body is no OTLP request");
  }
}

}  // namespace vigia::collector::bodies
