// The labels of one line while it goes through the stages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/labels.hpp"

namespace vigia::logql::pipeline {

inline constexpr std::string_view kErrorLabel = "__error__";
inline constexpr std::string_view kErrorDetailsLabel = "__error_details__";

/// Values of __error__, as Loki names them.
inline constexpr std::string_view kJsonError = "JSONParserErr";
inline constexpr std::string_view kLogfmtError = "LogfmtParserErr";
inline constexpr std::string_view kRegexpError = "RegexpParserErr";
inline constexpr std::string_view kPatternError = "PatternParserErr";
inline constexpr std::string_view kLabelFilterError = "LabelFilterErr";
inline constexpr std::string_view kTemplateError = "TemplateFormatErr";
inline constexpr std::string_view kSampleError = "SampleExtractionErr";
/// Loki has none of its kind: kLineWorkBytesMax was used up.
inline constexpr std::string_view kWorkError = "LineWorkErr";

/// The text with what no label's name may hold as "_"; a digit at the front gets one before it
/// where `is_front`. Blanks around it are cut off.
std::string label_name_of(std::string_view text, bool is_front);

/// Nothing is copied before a stage asks: lines that a line filter refuses cost nothing here.
/// Memory is kept from line to line. Not thread-safe.
class LineLabels {
 public:
  /// A new line. Both must outlive its way through the stages. A metadata label that is named as
  /// one of the stream gets "_extracted" behind its name.
  void begin(const Labels& stream, std::span<const Label> metadata);

  /// The value, "" where there is none; of __error__ and __error_details__ too.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  /// Sets a label that stages made; an empty value stays, as "present and empty". False past
  /// kLineLabelsMax and kLineLabelBytesMax: nothing is set then.
  bool set(std::string_view name, std::string_view value);
  /// The same of a label found in the line: "_extracted" goes behind a name that the line came
  /// with.
  bool extract(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  /// Removes where `is_unwanted(name, value)`; errors are not asked about.
  template <typename IsUnwanted>
  void remove_if(const IsUnwanted& is_unwanted);

  /// The last error counts.
  void fail(std::string_view error, std::string details);
  bool has_failed() const { return !error_.empty(); }

  /// Everything, with the error; labels of empty values are left out.
  Labels all() const;
  Labels stream() const { return of_kind(Kind::kStream); }
  Labels metadata() const { return of_kind(Kind::kMetadata); }
  /// What stages made, with the error.
  Labels parsed() const;
  /// Whether a stage set, dropped or failed anything.
  bool is_changed() const { return is_changed_; }
  /// Calls `see(name, value)` for each label that has a value, the error included, in no order.
  template <typename See>
  void for_each(const See& see) const;

 private:
  enum class Kind : std::uint8_t { kStream, kMetadata, kParsed, kGone };
  struct Slot {
    std::string name;
    std::string value;
    Kind kind = Kind::kGone;
  };

  void load() const;
  Slot& add(Kind kind, std::string_view name, std::string_view value) const;
  Slot* find(std::string_view name) const;
  bool came_with(std::string_view name) const;
  Labels of_kind(Kind kind) const;

  const Labels* stream_ = nullptr;
  std::span<const Label> metadata_;
  // Filled by load(), at the first question.
  mutable bool is_loaded_ = false;
  mutable std::vector<Slot> slots_;  // the first `used_`; those behind keep their memory
  mutable std::size_t used_ = 0;
  mutable std::size_t came_ = 0;  // how many the line came with
  mutable std::string error_;
  mutable std::string error_details_;
  std::size_t bytes_made_ = 0;
  bool is_changed_ = false;
};

template <typename IsUnwanted>
void LineLabels::remove_if(const IsUnwanted& is_unwanted) {
  load();
  for (std::size_t i = 0; i < used_; ++i) {
    Slot& slot = slots_[i];
    if (slot.kind == Kind::kGone || !is_unwanted(slot.name, slot.value)) continue;
    slot.kind = Kind::kGone;
    is_changed_ = true;
  }
}

template <typename See>
void LineLabels::for_each(const See& see) const {
  load();
  for (std::size_t i = 0; i < used_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.kind != Kind::kGone && !slot.value.empty()) see(slot.name, slot.value);
  }
  if (!error_.empty()) see(kErrorLabel, error_);
  if (!error_details_.empty()) see(kErrorDetailsLabel, error_details_);
}

}  // namespace vigia::logql::pipeline
