#include "libs/wire/remote_write/request_encoder_2.hpp"

#include <cstring>

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "libs/base/random.hpp"
#include "libs/wire/remote_write/series_extras.hpp"

namespace vigia::wire::remote_write {
namespace {

// Tags of 1.0, which is read: WriteRequest, TimeSeries, Label, Exemplar.
constexpr char kTimeSeries = 0x0A;
constexpr char kLabels = 0x0A;
constexpr char kSamples = 0x12;
constexpr char kExemplars = 0x1A;
constexpr char kHistograms = 0x22;
constexpr char kLabelName = 0x0A;
constexpr char kLabelValue = 0x12;

// Tags of io.prometheus.write.v2. A Sample and a Histogram are written alike in both; what of an
// Exemplar follows its labels is too.
constexpr char kSymbols2 = 0x22;     // Request.symbols
constexpr char kTimeSeries2 = 0x2A;  // Request.timeseries
constexpr char kReferences2 = 0x0A;  // TimeSeries.labels_refs, Exemplar.labels_refs
constexpr char kSamples2 = 0x12;
constexpr char kHistograms2 = 0x1A;
constexpr char kExemplars2 = 0x22;
constexpr char kMetadata2 = 0x2A;
constexpr char kCreated2 = 0x30;  // TimeSeries.created_timestamp, of Prometheus before 3.8
constexpr char kType2 = 0x08;     // Metadata
constexpr char kHelp2 = 0x18;
constexpr char kUnit2 = 0x20;
// What has taken the place of created_timestamp; a receiver knows one and passes the other over.
constexpr std::string_view kSampleStart2 = "\x18";         // Sample.start_timestamp
constexpr std::string_view kHistogramStart2 = "\x88\x01";  // Histogram.start_timestamp

constexpr std::size_t kSlotsMin = 256;
constexpr unsigned kTagShift = 32;

/// A field's content, the tag having been looked at; false where it is cut off.
bool read_content(std::string_view& bytes, std::string_view& content) {
  std::size_t size = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (at >= bytes.size() || shift > 28) return false;
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    size |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) break;
  }
  if (size > bytes.size() - at) return false;
  content = bytes.substr(at, size);
  bytes.remove_prefix(at + size);
  return true;
}

bool begins_with(std::string_view bytes, char tag) { return !bytes.empty() && bytes[0] == tag; }

char* put_varint(char* at, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7U) *at++ = static_cast<char>((value & 0x7fU) | 0x80U);
  *at++ = static_cast<char>(value);
  return at;
}

std::size_t open_field(std::string& out, char tag) {
  out.push_back(tag);
  out.push_back(0);
  return out.size();
}

/// What was appended since `begin` is the field's. Few have more than the 127 bytes whose length is
/// one byte; theirs are moved.
void close_field(std::string& out, std::size_t begin) {
  const std::size_t size = out.size() - begin;
  if (size < 0x80) {
    out[begin - 1] = static_cast<char>(size);
    return;
  }
  char length[5];
  const char* const end = put_varint(length, static_cast<std::uint32_t>(size));
  out[begin - 1] = length[0];
  out.insert(begin, length + 1, static_cast<std::size_t>(end - length) - 1);
}

/// A value's field with its start behind what it has.
void append_value(std::string& out, char tag, std::string_view content, std::string_view start_tag,
                  TimestampMs start_ms) {
  const std::size_t begin = open_field(out, tag);
  out += content;
  if (start_ms != 0) {
    out += start_tag;
    append_varint(out, static_cast<std::uint64_t>(start_ms));
  }
  close_field(out, begin);
}

void append_field(std::string& out, char tag, std::string_view content) {
  out.push_back(tag);
  append_sized(out, content);
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const std::string bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

}  // namespace

ViewNumbers::ViewNumbers() : seed_(random_seed()), slots_(kSlotsMin) {}

std::uint32_t ViewNumbers::number_of(std::string_view bytes, bool& is_new) {
  const std::uint64_t hash = XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed_);
  const auto tag = static_cast<std::uint32_t>(hash >> kTagShift);
  std::size_t at = slot_of(hash);
  for (; slots_[at].number != 0; at = (at + 1) & (slots_.size() - 1)) {
    const std::uint32_t number = slots_[at].number - 1;
    if (slots_[at].tag == tag && views_[number] == bytes) {
      is_new = false;
      return number;
    }
  }
  is_new = true;
  const auto number = static_cast<std::uint32_t>(views_.size());
  slots_[at] = {tag, number + 1};
  hashes_.push_back(hash);
  views_.push_back(bytes);
  if (views_.size() * 2 > slots_.size()) grow();
  return number;
}

void ViewNumbers::grow() {
  slots_.assign(slots_.size() * 2, Slot{});
  for (std::size_t number = 0; number < hashes_.size(); ++number) {
    std::size_t at = slot_of(hashes_[number]);
    while (slots_[at].number != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {static_cast<std::uint32_t>(hashes_[number] >> kTagShift),
                  static_cast<std::uint32_t>(number) + 1};
  }
}

void ViewNumbers::clear() {
  // A long request's room is cleared in one go; for a short one that would be most of its work.
  if (hashes_.size() * 8 > slots_.size()) {
    slots_.assign(slots_.size(), Slot{});
  } else {
    for (std::size_t i = hashes_.size(); i-- > 0;) {
      // From the last one backwards: what is found on its way is what stood there before it.
      std::size_t at = slot_of(hashes_[i]);
      while (slots_[at].number != i + 1) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = Slot{};
    }
  }
  hashes_.clear();
  views_.clear();
}

Result<std::string_view> RequestEncoder2::encode(std::string_view message) {
  counts_ = {};
  symbols_.clear();
  labels_.clear();
  said_ = {};
  series_.clear();
  (void)symbol("");  // the first one by the specification, so that 0 says nothing
  while (!message.empty()) {
    std::string_view series;
    if (message[0] != kTimeSeries || !read_content(message, series) || !add_series(series))
      return fail(ErrorCode::kInvalid, "remote write: not a message of 1.0 as it is written here");
  }
  // Symbols first: a receiver that reads once can then resolve each reference as it comes.
  request_.clear();
  for (const std::string_view text : symbols_.views()) append_field(request_, kSymbols2, text);
  request_ += series_;
  return std::string_view(request_);
}

bool RequestEncoder2::add_series(std::string_view series) {
  const std::size_t begin = open_field(series_, kTimeSeries2);
  const auto extras = take_extras(series);
  if (!extras || !add_labels(series)) return false;
  start_ms_ = extras->start_ms;
  while (!series.empty()) {
    if (!add_value(series)) return false;
  }
  if (!add_metadata(extras->metadata)) return false;
  if (start_ms_ != 0) {
    series_.push_back(kCreated2);
    append_varint(series_, static_cast<std::uint64_t>(start_ms_));
  }
  close_field(series_, begin);
  return true;
}

bool RequestEncoder2::add_labels(std::string_view& series) {
  const std::size_t begin = open_field(series_, kReferences2);
  std::size_t place = 0;
  for (; begins_with(series, kLabels); ++place) {
    if (place == labels_.size()) labels_.emplace_back();
    Label& before = labels_[place];
    const std::size_t size = before.field.size();
    if (size > 0 && series.size() >= size &&
        std::memcmp(series.data(), before.field.data(), size) == 0) {
      series.remove_prefix(size);
    } else {
      const std::string_view from = series;
      std::string_view content;
      if (!read_content(series, content)) return false;
      const std::string_view field = from.substr(0, from.size() - series.size());
      if (!refer_to(content, before)) return false;
      before.field = field;
    }
    series_.append(before.references.bytes, before.references.size);
  }
  close_field(series_, begin);
  return true;
}

bool RequestEncoder2::add_value(std::string_view& series) {
  const char tag = series[0];
  std::string_view content;
  if (!read_content(series, content)) return false;
  switch (tag) {
    case kSamples:
      ++counts_.samples;
      append_value(series_, kSamples2, content, kSampleStart2, start_ms_);
      return true;
    case kHistograms:
      ++counts_.histograms;
      append_value(series_, kHistograms2, content, kHistogramStart2, start_ms_);
      return true;
    case kExemplars:
      ++counts_.exemplars;
      return add_exemplar(content);
    default:
      return false;
  }
}

bool RequestEncoder2::add_exemplar(std::string_view exemplar) {
  const std::size_t begin = open_field(series_, kExemplars2);
  const std::size_t references = open_field(series_, kReferences2);
  while (begins_with(exemplar, kLabels)) {
    std::string_view content;
    Label label;
    if (!read_content(exemplar, content) || !refer_to(content, label)) return false;
    series_.append(label.references.bytes, label.references.size);
  }
  close_field(series_, references);
  series_ += exemplar;
  close_field(series_, begin);
  return true;
}

bool RequestEncoder2::refer_to(std::string_view label, Label& before) {
  std::string_view name;
  std::string_view value;
  if (!begins_with(label, kLabelName) || !read_content(label, name) ||
      !begins_with(label, kLabelValue) || !read_content(label, value) || !label.empty())
    return false;
  References& references = before.references;
  // The name is that of the series before, as a rule, whatever its value is.
  char* end = references.bytes + references.name_size;
  if (references.name_size == 0 || name != before.name) {
    end = put_varint(references.bytes, symbol(name));
    references.name_size = static_cast<std::uint8_t>(end - references.bytes);
    before.name = name;
  }
  end = put_varint(end, symbol(value));
  references.size = static_cast<std::uint8_t>(end - references.bytes);
  return true;
}

bool RequestEncoder2::add_metadata(std::string_view metadata) {
  if (metadata.empty()) return true;
  // That of the series before, as a rule: they are of one metric.
  if (metadata != said_) {
    const auto said = read_extras(metadata);
    if (!said) return false;
    std::string inner;
    const auto add = [&inner](char tag, std::uint32_t number) {
      if (number == 0) return;
      inner.push_back(tag);
      append_varint(inner, number);
    };
    add(kType2, said->type);
    add(kHelp2, symbol(said->help));
    add(kUnit2, symbol(said->unit));
    said_ = metadata;
    said_2_.clear();
    append_field(said_2_, kMetadata2, inner);
  }
  series_ += said_2_;
  return true;
}

std::uint32_t RequestEncoder2::symbol(std::string_view text) {
  bool is_new = false;
  return symbols_.number_of(text, is_new);
}

}  // namespace vigia::wire::remote_write
