#include "libs/wire/remote_write/metadata.hpp"

#include <array>

#include "libs/base/bytes.hpp"

namespace vigia::wire::remote_write {
namespace {

// As in the message, whose numbers 1.0 and 2.0 have in common.
enum Type : std::uint8_t { kHistogram = 3, kGaugeHistogram = 4, kSummary = 5 };

constexpr std::array<std::string_view, 3> kOfHistograms = {"_bucket", "_sum", "_count"};
constexpr std::array<std::string_view, 3> kOfGaugeHistograms = {"_bucket", "_gsum", "_gcount"};
constexpr std::array<std::string_view, 2> kOfSummaries = {"_sum", "_count"};

// Fields of WriteRequest and MetricMetadata, of one byte each with their wire type.
constexpr char kMetadata = 0x1A;
constexpr char kType = 0x08;
constexpr char kFamily = 0x12;
constexpr char kHelp = 0x22;
constexpr char kUnit = 0x2A;

template <typename Endings>
std::string_view without(std::string_view name, const Endings& endings) {
  for (const std::string_view ending : endings) {
    if (name.size() > ending.size() && name.ends_with(ending))
      return name.substr(0, name.size() - ending.size());
  }
  return name;
}

void append_text(std::string& out, char field, std::string_view text) {
  if (text.empty()) return;
  out.push_back(field);
  append_sized(out, text);
}

}  // namespace

std::string_view family_of(std::uint32_t type, std::string_view metric) {
  switch (type) {
    case kHistogram:
      return without(metric, kOfHistograms);
    case kGaugeHistogram:
      return without(metric, kOfGaugeHistograms);
    case kSummary:
      return without(metric, kOfSummaries);
    default:
      return metric;
  }
}

void append_metadata(std::string& message, const MetadataView& metadata) {
  std::string inner;
  if (metadata.type != 0) {
    inner.push_back(kType);
    append_varint(inner, metadata.type);
  }
  append_text(inner, kFamily, metadata.family);
  append_text(inner, kHelp, metadata.help);
  append_text(inner, kUnit, metadata.unit);
  message.push_back(kMetadata);
  append_sized(message, inner);
}

}  // namespace vigia::wire::remote_write
