#include "libs/wire/prometheus/labels_encoding.hpp"

#include <algorithm>
#include <cstring>

#include "libs/base/bytes.hpp"
#include "libs/base/protobuf_reader.hpp"

namespace vigia::wire::prometheus {
namespace {

constexpr char kLabelsTag = 0x0a;  // TimeSeries.labels, length-delimited
constexpr char kNameTag = 0x0a;    // Label.name
constexpr char kValueTag = 0x12;   // Label.value

std::size_t varint_size(std::size_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7U) ++size;
  return size;
}

bool by_name(const LabelPair& left, const LabelPair& right) { return left.first < right.first; }

/// A varint that we have written ourselves; short ones without a loop.
std::size_t take_varint(std::string_view& from) {
  std::size_t value = 0;
  unsigned shift = 0;
  for (;;) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    value |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return value;
    shift += 7;
  }
}

struct Run {
  std::size_t own_bytes = 0;
  std::size_t shared_bytes = 0;
};

std::size_t encoded_size(const LabelPair& label) {
  const std::size_t inner = 1 + varint_size(label.first.size()) + label.first.size() + 1 +
                            varint_size(label.second.size()) + label.second.size();
  return 1 + varint_size(inner) + inner;
}

}  // namespace

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += kLabelsTag;
  append_varint(out, 1 + varint_size(name.size()) + name.size() + 1 + varint_size(value.size()) +
                         value.size());
  out += kNameTag;
  append_sized(out, name);
  out += kValueTag;
  append_sized(out, value);
}

bool SharedLabels::has(std::string_view name) const { return !get(name).empty(); }

std::string_view SharedLabels::get(std::string_view name) const {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [name](const LabelPair& label) { return label.first == name; });
  return found == labels.end() ? std::string_view{} : std::string_view(found->second);
}

SharedLabels SharedLabels::from(std::vector<LabelPair> labels) {
  SharedLabels shared;
  std::stable_sort(labels.begin(), labels.end(), by_name);
  for (LabelPair& label : labels) {
    const bool is_double = !shared.labels.empty() && shared.labels.back().first == label.first;
    if (label.second.empty() || is_double) continue;
    append_label(shared.bytes, label.first, label.second);
    shared.labels.push_back(std::move(label));
  }
  return shared;
}

void append_own_labels(std::string& out, std::vector<LabelPair>& own, const SharedLabels& shared) {
  std::stable_sort(own.begin(), own.end(), by_name);
  // A series' labels in their order are a merge of its own and the resource's. What is kept is the
  // own ones' bytes and how the two alternate, since the resource's lie once for thousands of
  // series.
  std::vector<Run> runs(1);
  std::string bytes;
  auto next_shared = shared.labels.begin();
  const auto take_shared_before = [&](const std::string* name) {
    while (next_shared != shared.labels.end() && (name == nullptr || next_shared->first < *name)) {
      runs.back().shared_bytes += encoded_size(*next_shared);
      ++next_shared;
    }
  };
  const std::string* last_name = nullptr;
  for (const LabelPair& label : own) {
    const bool is_double = last_name != nullptr && *last_name == label.first;
    if (label.second.empty() || is_double || shared.has(label.first)) continue;
    last_name = &label.first;
    take_shared_before(&label.first);
    if (runs.back().shared_bytes > 0) runs.emplace_back();
    append_label(bytes, label.first, label.second);
    runs.back().own_bytes += encoded_size(label);
  }
  take_shared_before(nullptr);
  append_varint(out, runs.size());
  for (const Run& run : runs) {
    append_varint(out, run.own_bytes);
    append_varint(out, run.shared_bytes);
  }
  out += bytes;
}

LabelPieces LabelPieces::take(std::string_view& form, std::string_view shared_bytes) {
  LabelPieces pieces;
  pieces.runs_ = take_varint(form);
  pieces.plan_ = form;
  std::size_t own_bytes = 0;
  for (std::size_t i = 0; i < pieces.runs_; ++i) {
    own_bytes += take_varint(form);
    take_varint(form);
  }
  pieces.own_ = form.substr(0, own_bytes);
  pieces.shared_ = shared_bytes;
  form.remove_prefix(own_bytes);
  return pieces;
}

LabelPieces LabelPieces::whole(std::string_view bytes) {
  LabelPieces pieces;
  pieces.shared_ = bytes;
  return pieces;
}

void LabelPieces::copy_to(char* out) const {
  std::string_view plan = plan_;
  const char* own = own_.data();
  const char* shared = shared_.data();
  for (std::size_t i = 0; i < runs_; ++i) {
    const std::size_t from_own = take_varint(plan);
    const std::size_t from_shared = take_varint(plan);
    if (from_own > 0) std::memcpy(out, own, from_own);
    if (from_shared > 0) std::memcpy(out + from_own, shared, from_shared);
    own += from_own;
    shared += from_shared;
    out += from_own + from_shared;
  }
  if (runs_ == 0 && !shared_.empty()) std::memcpy(out, shared, shared_.size());
}

std::string LabelPieces::bytes() const {
  std::string text(size(), '\0');
  copy_to(text.data());
  return text;
}

Result<Labels> decode_labels(std::string_view label_bytes) {
  try {
    std::vector<Label> labels;
    ProtobufReader fields(label_bytes.data(), label_bytes.size());
    while (fields.next()) {
      if (fields.tag_and_type() !=
          protozero::tag_and_type(1, protozero::pbf_wire_type::length_delimited)) {
        return fail(ErrorCode::kCorrupt, "label bytes: not a label");
      }
      ProtobufReader inner = fields.get_message();
      Label label;
      while (inner.next()) {
        if (inner.tag_and_type() ==
            protozero::tag_and_type(1, protozero::pbf_wire_type::length_delimited)) {
          label.name = inner.get_string();
        } else if (inner.tag_and_type() ==
                   protozero::tag_and_type(2, protozero::pbf_wire_type::length_delimited)) {
          label.value = inner.get_string();
        } else {
          inner.skip();
        }
      }
      labels.push_back(std::move(label));
    }
    return Labels::from(std::move(labels));
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kCorrupt, damage.what());
  }
}

}  // namespace vigia::wire::prometheus
