#include "services/collector/bodies/accepted_items.hpp"

#include <array>
#include <cstdint>

#include "libs/base/bytes.hpp"
#include "libs/base/protobuf_reader.hpp"

namespace vigia::collector::bodies {
namespace {

using protozero::pbf_wire_type;

/// Fields that lead from the request to its items, outermost first: resource, scope, then span or
/// record, or metric, its data and the points.
enum class Level : std::uint8_t { kRequest, kResource, kScope, kMetric, kData };

class Stripper {
 public:
  Stripper(Signal signal, const Verdicts& verdicts) : signal_(signal), verdicts_(verdicts) {}

  /// Appends the message without rejected items. Returns false where it held items and all of them
  /// were rejected.
  bool strip(Level level, std::string_view bytes, std::string& out) {
    bool had_items = false;
    bool has_items = false;
    ProtobufReader message(bytes.data(), bytes.size());
    const auto position = [&] { return bytes.data() + bytes.size() - message.length(); };
    for (const char* begin = position(); message.next(); begin = position()) {
      if (!leads_down(level, message)) {
        message.skip();
        out.append(begin, position());
        continue;
      }
      const std::uint32_t tag = message.tag();
      const auto view = message.get_view();
      const std::string_view inner{view.data(), view.size()};
      had_items = true;
      if (is_item(level)) {
        if (verdicts_.is_rejected(item_++)) continue;
        out.append(begin, position());
        has_items = true;
        continue;
      }
      std::string kept;
      if (!strip(below(level), inner, kept)) continue;
      has_items = true;
      append_varint(out, (std::uint64_t{tag} << 3U) | 2U);
      append_sized(out, kept);
    }
    return has_items || !had_items;
  }

 private:
  bool leads_down(Level level, const ProtobufReader& message) const {
    if (message.wire_type() != pbf_wire_type::length_delimited) return false;
    switch (level) {
      case Level::kRequest:
      case Level::kData:
        return message.tag() == 1;
      case Level::kResource:
      case Level::kScope:
        return message.tag() == 2;
      case Level::kMetric: {
        const auto tag = message.tag();
        return tag == 5 || tag == 7 || tag == 9 || tag == 10 || tag == 11;
      }
    }
    return false;
  }
  bool is_item(Level level) const {
    return level == (signal_ == Signal::kMetrics ? Level::kData : Level::kScope);
  }
  static Level below(Level level) {
    return static_cast<Level>(static_cast<std::uint8_t>(level) + 1);
  }

  Signal signal_;
  const Verdicts& verdicts_;
  std::uint32_t item_ = 0;
};

}  // namespace

Result<std::string> accepted_items(Signal signal, std::string_view body, const Verdicts& verdicts) {
  std::string out;
  out.reserve(body.size());
  try {
    Stripper(signal, verdicts).strip(Level::kRequest, body, out);
  } catch (const protozero::exception&) {
    return fail(ErrorCode::kInvalid, "the body is no OTLP request");
  }
  return out;
}

}  // namespace vigia::collector::bodies
