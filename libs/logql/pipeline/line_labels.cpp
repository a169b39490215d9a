#include "libs/logql/pipeline/line_labels.hpp"

#include <algorithm>
#include <utility>

#include "libs/logql/limits.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr std::string_view kExtracted = "_extracted";
// What errors tell of a line; the rest of it stands in the line itself.
constexpr std::size_t kDetailsBytesMax = 512;
constexpr std::size_t kKeptBytesMax = 16U << 10U;

bool is_error_label(std::string_view name) {
  return name == kErrorLabel || name == kErrorDetailsLabel;
}

}  // namespace

std::string label_name_of(std::string_view text, bool is_front) {
  constexpr std::string_view kBlanks = " \t\n\r\v\f";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
  std::string name;
  if (is_front && promql::is_digit(text.front())) name += '_';
  for (const char c : text) {
    const bool is_middle_of_character = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (promql::is_word(c)) {
      name += c;
    } else if (!is_middle_of_character) {
      name += '_';
    }
  }
  return name;
}

void LineLabels::begin(const Labels& stream, std::span<const Label> metadata) {
  // Each label would keep the room of the largest value that it ever had.
  if (bytes_made_ > kKeptBytesMax) slots_.clear();
  stream_ = &stream;
  metadata_ = metadata;
  is_loaded_ = false;
  is_changed_ = false;
  used_ = 0;
  came_ = 0;
  bytes_made_ = 0;
  error_.clear();
  error_details_.clear();
}

void LineLabels::load() const {
  if (is_loaded_ || stream_ == nullptr) return;
  is_loaded_ = true;
  for (const Label& label : *stream_) add(Kind::kStream, label.name, label.value);
  const std::size_t of_stream = used_;
  for (const Label& label : metadata_) {
    if (label.name == kErrorLabel) {
      error_ = label.value;
    } else if (label.name == kErrorDetailsLabel) {
      error_details_ = label.value;
    } else {
      Slot& slot = add(Kind::kMetadata, label.name, label.value);
      for (std::size_t i = 0; i < of_stream; ++i) {
        if (slots_[i].name == label.name) slot.name += kExtracted;
      }
    }
  }
  came_ = used_;
}

LineLabels::Slot& LineLabels::add(Kind kind, std::string_view name, std::string_view value) const {
  if (used_ == slots_.size()) slots_.emplace_back();
  Slot& slot = slots_[used_++];
  slot.name.assign(name);
  slot.value.assign(value);
  slot.kind = kind;
  return slot;
}

/// The slot of that name, also where its label is gone.
LineLabels::Slot* LineLabels::find(std::string_view name) const {
  load();
  for (std::size_t i = 0; i < used_; ++i) {
    if (slots_[i].name == name) return &slots_[i];
  }
  return nullptr;
}

bool LineLabels::came_with(std::string_view name) const {
  load();
  for (std::size_t i = 0; i < came_; ++i) {
    if (slots_[i].name == name) return true;
  }
  return false;
}

std::string_view LineLabels::get(std::string_view name) const {
  load();
  if (name == kErrorLabel) return error_;
  if (name == kErrorDetailsLabel) return error_details_;
  const Slot* slot = find(name);
  return slot == nullptr || slot->kind == Kind::kGone ? std::string_view() : slot->value;
}

bool LineLabels::has(std::string_view name) const {
  if (is_error_label(name)) return !get(name).empty();
  const Slot* slot = find(name);
  return slot != nullptr && slot->kind != Kind::kGone;
}

bool LineLabels::set(std::string_view name, std::string_view value) {
  Slot* slot = find(name);
  const std::size_t bytes = name.size() + value.size();
  const bool is_one_more = slot == nullptr && used_ - came_ >= kLineLabelsMax;
  if (is_one_more || bytes > kLineLabelBytesMax - bytes_made_) return false;
  bytes_made_ += bytes;
  is_changed_ = true;
  if (slot == nullptr) {
    add(Kind::kParsed, name, value);
  } else {
    slot->value.assign(value);
    slot->kind = Kind::kParsed;
  }
  return true;
}

bool LineLabels::extract(std::string_view name, std::string_view value) {
  if (!came_with(name)) return set(name, value);
  std::string other(name);
  other += kExtracted;
  return set(other, value);
}

void LineLabels::remove(std::string_view name) {
  load();
  if (is_error_label(name)) {
    (name == kErrorLabel ? error_ : error_details_).clear();
    is_changed_ = true;
    return;
  }
  Slot* slot = find(name);
  if (slot == nullptr || slot->kind == Kind::kGone) return;
  slot->kind = Kind::kGone;
  is_changed_ = true;
}

void LineLabels::fail(std::string_view error, std::string details) {
  load();
  is_changed_ = true;
  error_ = error;
  details.resize(std::min(details.size(), kDetailsBytesMax));
  error_details_ = std::move(details);
}

Labels LineLabels::all() const {
  std::vector<Label> labels;
  for_each([&](std::string_view name, std::string_view value) {
    labels.push_back(Label{std::string(name), std::string(value)});
  });
  return Labels::from(std::move(labels));
}

Labels LineLabels::of_kind(Kind kind) const {
  load();
  std::vector<Label> labels;
  for (std::size_t i = 0; i < used_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.kind == kind) labels.push_back(Label{slot.name, slot.value});
  }
  return Labels::from(std::move(labels));
}

Labels LineLabels::parsed() const {
  Labels labels = of_kind(Kind::kParsed);
  labels.set(kErrorLabel, error_);
  labels.set(kErrorDetailsLabel, error_details_);
  return labels;
}

}  // namespace vigia::logql::pipeline
