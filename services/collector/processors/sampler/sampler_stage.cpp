#include "services/collector/processors/sampler/sampler_stage.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "services/collector/processors/edit_body.hpp"
#include "services/collector/processors/sampler/threshold.hpp"
#include "services/collector/processors/sampler/trace_state.hpp"

namespace vigia::collector::processors::sampler {
namespace {

using wire::edit::Editable;
using wire::edit::EditPlace;
using wire::edit::Fate;
using wire::edit::read_value;
using wire::edit::ValueKind;
using wire::edit::ValueView;
using wire::otlp::LogRecordField;
using wire::otlp::SpanField;

constexpr std::string_view kThresholdKey = "sampling.threshold";
constexpr std::string_view kRandomnessKey = "sampling.randomness";
/// What cannot be decided by randomness is above every threshold but kNever.
constexpr std::uint64_t kAllRandomness = kRandomnessEnd - 1;

/// What an item says of sampling, and what it will say where it is kept.
struct Sampled {
  std::optional<std::uint64_t> randomness = std::nullopt;  ///< that decides
  std::optional<std::uint64_t> threshold = std::nullopt;   ///< of samplers before this one
  std::optional<std::uint64_t> noted = std::nullopt;  ///< randomness that is to be written into it
  bool is_sound = true;
  bool can_be_written = true;  ///< what it says can be added to
};

bool is_trace_id(std::string_view bytes) { return randomness_of_trace(bytes).has_value(); }

/// Texts as numbers, as clients of many kinds send the priority.
std::optional<double> number_of(std::string_view any_value) {
  const ValueView value = read_value(any_value);
  if (value.kind == ValueKind::kInt) return static_cast<double>(value.integer);
  if (value.kind == ValueKind::kDouble) return value.real;
  if (value.kind != ValueKind::kText) return std::nullopt;
  double number = 0;
  const char* const end = value.bytes.data() + value.bytes.size();
  const auto [at, error] = std::from_chars(value.bytes.data(), end, number);
  if (error != std::errc{} || at != end) return std::nullopt;
  return number;
}

class SamplingEditor final : public wire::edit::Editor {
 public:
  SamplingEditor(Signal signal, const SamplerSettings& settings)
      : is_traces_(signal == Signal::kTraces), settings_(settings) {}

  Fate on_item(const EditPlace& /*place*/, Editable& item) override {
    return (is_traces_ ? keeps_span(item) : keeps_record(item)) ? Fate::kKeep : Fate::kDrop;
  }

 private:
  std::uint64_t decide(Sampled& sampled) const {
    check(sampled);
    if (!sampled.is_sound) return settings_.fails_closed ? kNever : 0;
    if (settings_.keeps_nothing) return kNever;
    switch (settings_.mode) {
      case SamplerMode::kHashSeed:
        return settings_.hash_threshold;
      case SamplerMode::kEqualizing:
        return std::max(sampled.threshold.value_or(0),
                        threshold_of(settings_.probability, settings_.precision));
      case SamplerMode::kProportional: {
        const double before = probability_of(sampled.threshold.value_or(0));
        const double now = before * settings_.probability;
        return now < probability_of(kRandomnessEnd - 1) ? kNever
                                                        : threshold_of(now, settings_.precision);
      }
    }
    return kNever;
  }

  /// Without randomness nothing can be decided; a threshold that the item should not have passed is
  /// a lie, and is taken out.
  static void check(Sampled& sampled) {
    if (!sampled.is_sound) return;
    if (!sampled.randomness) {
      sampled.is_sound = false;
    } else if (sampled.threshold && *sampled.threshold > *sampled.randomness) {
      sampled.threshold = std::nullopt;
      sampled.is_sound = false;
    }
  }

  static bool is_kept(const Sampled& sampled, std::uint64_t threshold) {
    return threshold <= sampled.randomness.value_or(kAllRandomness);
  }

  /// A probability that was written falls and never rises.
  static std::uint64_t written(const Sampled& sampled, std::uint64_t threshold) {
    return std::max(threshold, sampled.threshold.value_or(0));
  }

  // Spans

  bool keeps_span(Editable& span) const {
    auto state = TraceState::read(span.bytes(SpanField::kTraceState));
    Sampled sampled = look_at_span(span, state);
    std::uint64_t threshold = decide(sampled);
    if (const auto priority = span.attribute("sampling.priority")) {
      const auto number = number_of(*priority);
      if (number && *number == 0) return false;
      if (number && *number > 0) threshold = 0;
    }
    if (!is_kept(sampled, threshold)) return false;
    if (!sampled.can_be_written) return true;
    state->set_threshold(written(sampled, threshold));
    if (sampled.noted) state->set_randomness(*sampled.noted);
    if (const std::string text = state->text(); text != span.bytes(SpanField::kTraceState))
      span.set_bytes(SpanField::kTraceState, text);
    return true;
  }

  Sampled look_at_span(const Editable& span, const std::optional<TraceState>& state) const {
    const std::string_view trace_id = span.bytes(SpanField::kTraceId);
    Sampled sampled;
    sampled.is_sound = sampled.can_be_written = state.has_value();
    if (state) sampled.threshold = state->threshold();
    if (settings_.keeps_nothing) {
      sampled.randomness = kAllRandomness;
    } else if (settings_.mode == SamplerMode::kHashSeed) {
      if (is_trace_id(trace_id)) sampled.randomness = hashed(trace_id);
      if (state && (state->randomness() || state->threshold())) {
        leave_to_others(sampled);
      } else if (state) {
        sampled.noted = sampled.randomness.value_or(kAllRandomness);
      }
    } else {
      if (state) sampled.randomness = state->randomness();
      if (state && !sampled.randomness) sampled.randomness = randomness_of_trace(trace_id);
    }
    return sampled;
  }

  /// What a sampler of the specification's numbers has decided is no other's to decide: it is an
  /// error (fail_closed), and where it is kept it says what it said.
  static void leave_to_others(Sampled& sampled) {
    sampled.is_sound = sampled.can_be_written = false;
  }

  std::uint64_t hashed(std::string_view trace_id) const {
    return randomness_of_bytes(trace_id, settings_.hash_seed);
  }

  // Log records

  bool keeps_record(Editable& record) const {
    Sampled sampled = look_at_record(record);
    std::uint64_t threshold = decide(sampled);
    if (const auto wanted = wanted_of(record)) threshold = *wanted;
    if (!is_kept(sampled, threshold)) return false;
    if (!sampled.can_be_written) return true;
    put(record, kThresholdKey, threshold_text(written(sampled, threshold)));
    if (sampled.noted) put(record, kRandomnessKey, randomness_text(*sampled.noted));
    return true;
  }

  static void put(Editable& record, std::string_view key, std::string_view text) {
    record.set_attribute(key, wire::edit::encoded_value(ValueView::of_text(text)));
  }

  static std::string_view text_of(Editable& record, std::string_view key) {
    const auto found = record.attribute(key);
    return found ? wire::otlp::string_value(*found) : std::string_view{};
  }

  Sampled look_at_record(Editable& record) const {
    Sampled sampled;
    const std::string_view threshold = text_of(record, kThresholdKey);
    const std::string_view randomness = text_of(record, kRandomnessKey);
    if (!threshold.empty()) sampled.threshold = read_threshold(threshold);
    const auto explicit_randomness = read_randomness(randomness);
    sampled.can_be_written = (threshold.empty() || sampled.threshold.has_value()) &&
                             (randomness.empty() || explicit_randomness.has_value());
    sampled.is_sound = sampled.can_be_written;
    const std::string_view trace_id = record.bytes(LogRecordField::kTraceId);
    if (settings_.keeps_nothing) {
      sampled.randomness = kAllRandomness;
      return sampled;
    }
    if (settings_.mode == SamplerMode::kHashSeed) {
      const bool has_trace_id = settings_.uses_trace_id && is_trace_id(trace_id);
      sampled.randomness = has_trace_id ? hashed(trace_id) : hashed_attribute(record);
      if (!randomness.empty() || !threshold.empty()) {
        leave_to_others(sampled);
      } else {
        sampled.noted = sampled.randomness;
      }
      return sampled;
    }
    if (explicit_randomness) {
      sampled.randomness = explicit_randomness;
    } else if (is_trace_id(trace_id)) {
      sampled.randomness = randomness_of_trace(trace_id);
    } else {
      sampled.randomness = sampled.noted = hashed_attribute(record);
    }
    return sampled;
  }

  std::optional<std::uint64_t> hashed_attribute(Editable& record) const {
    if (settings_.from_attribute.empty()) return std::nullopt;
    const auto found = record.attribute(settings_.from_attribute);
    if (!found) return std::nullopt;
    const ValueView value = read_value(*found);
    std::string bytes(value.bytes);
    if (value.kind != ValueKind::kBytes) {
      bytes.clear();
      wire::otlp::append_value_text(bytes, *found);
    }
    if (bytes.empty()) return std::nullopt;
    return randomness_of_bytes(bytes, settings_.hash_seed);
  }

  /// What the record's own priority asks for, as a percentage; kNever for 0.
  std::optional<std::uint64_t> wanted_of(Editable& record) const {
    if (settings_.sampling_priority.empty()) return std::nullopt;
    const auto found = record.attribute(settings_.sampling_priority);
    if (!found) return std::nullopt;
    const ValueKind kind = read_value(*found).kind;
    if (kind != ValueKind::kInt && kind != ValueKind::kDouble) return std::nullopt;
    const double probability = number_of(*found).value_or(0) / 100;
    if (probability == 0) return kNever;
    if (!(probability >= probability_of(kRandomnessEnd - 1))) return std::nullopt;
    return threshold_of(probability, settings_.precision);
  }

  const bool is_traces_;
  const SamplerSettings& settings_;
};

class SamplerStage final : public intake::Stage {
 public:
  explicit SamplerStage(SamplerSettings settings) : settings_(std::move(settings)) {}
  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    SamplingEditor editor(batch.request.signal, settings_);
    return edit_body(batch, editor);
  }

 private:
  const SamplerSettings settings_;
};

SamplerMode read_mode(const service::ConfigNode& node) {
  const std::string text = node.text("hash_seed");
  if (text == "proportional") return SamplerMode::kProportional;
  if (text == "equalizing") return SamplerMode::kEqualizing;
  if (text != "hash_seed" && !text.empty())
    node.note_error(fmt::format("\"{}\" is not hash_seed, proportional or equalizing", text));
  return SamplerMode::kHashSeed;
}

/// In single precision and cut off, as every collector before has reckoned it: they have to agree
/// on what is kept.
std::uint64_t hash_threshold_of(double percentage) {
  constexpr std::uint32_t kBuckets = 1U << 14U;
  const auto kept = static_cast<std::uint32_t>(static_cast<float>(percentage) *
                                               (static_cast<float>(kBuckets) / 100.0F));
  if (kept == 0) return kNever;
  return static_cast<std::uint64_t>(kBuckets - std::min(kept, kBuckets)) << 42U;
}

}  // namespace

SamplerSettings read_sampler(const service::ConfigNode& node, const std::set<Signal>& signals) {
  SamplerSettings settings;
  if (signals.count(Signal::kMetrics) > 0)
    node.note_error("samples spans and log records, and a pipeline of metrics names it");
  settings.mode = read_mode(node.child("mode"));
  const auto percentage = node.child("sampling_percentage");
  // Single precision, as the key has upstream: collectors of both kinds decide alike.
  const double percent = static_cast<float>(percentage.number(0, 0, 1e9));
  settings.probability = std::min(percent / 100, 1.0);
  if (settings.probability > 0 && settings.probability < probability_of(kRandomnessEnd - 1))
    percentage.note_error("is smaller than anything that can be sampled");
  settings.hash_threshold = hash_threshold_of(std::min(percent, 100.0));
  settings.keeps_nothing = percent <= 0 || (settings.mode == SamplerMode::kHashSeed &&
                                            settings.hash_threshold == kNever);
  settings.hash_seed =
      static_cast<std::uint32_t>(node.child("hash_seed").integer(0, 0, 0xffffffffLL));
  settings.fails_closed = node.child("fail_closed").boolean(true);
  settings.precision = static_cast<int>(node.child("sampling_precision").integer(4, 1, 14));
  const auto source = node.child("attribute_source");
  const std::string text = source.text("traceID");
  if (text != "traceID" && text != "record")
    source.note_error(fmt::format("\"{}\" is not traceID or record", text));
  settings.uses_trace_id = text == "traceID";
  settings.from_attribute = node.child("from_attribute").text();
  settings.sampling_priority = node.child("sampling_priority").text();
  return settings;
}

std::unique_ptr<intake::Stage> make_sampler_stage(SamplerSettings settings) {
  return std::make_unique<SamplerStage>(std::move(settings));
}

}  // namespace vigia::collector::processors::sampler
