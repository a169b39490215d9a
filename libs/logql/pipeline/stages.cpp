#include "libs/logql/pipeline/stages.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/label_values.hpp"
#include "libs/logql/pipeline/logfmt_pairs.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

/// What is no UTF-8, or was none once, is no value of a label.
std::string_view label_value_of(std::string_view text) {
  return text.find(kReplacementCharacter) == std::string_view::npos ? text : std::string_view();
}

/// Of a line each of whose members is looked up among so many names, which is quick for one.
std::size_t cost_among(std::size_t names, std::string_view text) {
  constexpr std::size_t kNamesOfAByte = 16;
  return text.size() * (1 + names / kNamesOfAByte);
}

void fail_bound(LineState& line, std::string_view error) {
  line.labels.fail(error, fmt::format("more than {} labels or {} bytes of them: the rest is left "
                                      "out",
                                      kLineLabelsMax, kLineLabelBytesMax));
}

}  // namespace

bool ExtractJson::run(LineState& line) {
  // Each member is looked up among the paths.
  if (!line.work.take(cost_among(paths.size(), line.text))) return true;
  if (!paths.empty()) return run_paths(line);
  bool is_in_bounds = true;
  const auto done = json.walk(line.text, [&](std::string_view name, std::string_view value) {
    is_in_bounds = line.labels.extract(name, label_value_of(value));
    return is_in_bounds;
  });
  if (!done) line.labels.fail(kJsonError, done.error().message);
  if (!is_in_bounds) fail_bound(line, kJsonError);
  return true;
}

bool ExtractJson::run_paths(LineState& line) {
  if (line.text.empty()) return true;
  bool is_in_bounds = true;
  std::vector<bool> is_found(paths.size());
  const auto done = json.extract(line.text, paths, [&](std::size_t index, std::string_view value) {
    is_found[index] = true;
    is_in_bounds = line.labels.extract(labels[index], label_value_of(value));
    return is_in_bounds;
  });
  if (!done) line.labels.fail(kJsonError, done.error().message);
  for (std::size_t i = 0; i < labels.size() && is_in_bounds; ++i) {
    if (!is_found[i] && !line.labels.has(labels[i])) is_in_bounds = line.labels.set(labels[i], "");
  }
  if (!is_in_bounds) fail_bound(line, kJsonError);
  return true;
}

/// False past the bounds.
bool ExtractLogfmt::take(LineState& line, std::string_view key, std::string_view value) const {
  if (value.empty() && !stage.keeps_empty) return true;
  value = label_value_of(value);
  const std::string name = label_name_of(key, true);
  if (stage.wanted.empty()) return name.empty() || line.labels.extract(name, value);
  for (const Extraction& one : stage.wanted) {
    if (one.path != key && one.path != name) continue;
    if (!line.labels.extract(one.label, value)) return false;
  }
  return true;
}

bool ExtractLogfmt::run(LineState& line) const {
  if (!line.work.take(cost_among(stage.wanted.size(), line.text))) return true;
  LogfmtPairs pairs(line.text);
  while (true) {
    switch (pairs.next()) {
      case LogfmtPairs::PairStep::kEnd:
        for (const Extraction& one : stage.wanted) {
          if (line.labels.has(one.label) || line.labels.set(one.label, "")) continue;
          fail_bound(line, kLogfmtError);
          break;
        }
        return true;
      case LogfmtPairs::PairStep::kPair:
        if (take(line, pairs.key(), pairs.value())) break;
        fail_bound(line, kLogfmtError);
        return true;
      case LogfmtPairs::PairStep::kBad:
        if (!stage.is_strict) break;
        line.labels.fail(kLogfmtError, pairs.fault());
        return true;
    }
  }
}

bool ExtractGroups::run(LineState& line) {
  if (!line.work.take(regex.work_of(line.text.size())) || !regex.find(line.text, 0, groups))
    return true;
  for (const auto& [place, name] : names) {
    if (line.labels.extract(name, label_value_of(groups[place]))) continue;
    fail_bound(line, kRegexpError);
    break;
  }
  return true;
}

bool ExtractCaptures::run(LineState& line) const {
  if (!line.work.take(line.text.size())) return true;
  bool is_in_bounds = true;
  pattern.extract(line.text, [&](std::string_view name, std::string_view value) {
    is_in_bounds = is_in_bounds && line.labels.extract(name, label_value_of(value));
  });
  if (!is_in_bounds) fail_bound(line, kPatternError);
  return true;
}

bool Unpack::run(LineState& line) {
  if (line.text.empty() || !line.work.take(line.text.size())) return true;
  bool is_in_bounds = true;
  bool has_entry = false;
  const auto done = json.texts(line.text, [&](std::string_view name, std::string_view value) {
    if (name == "_entry") {
      has_entry = true;
      entry = value;
      return true;
    }
    is_in_bounds = line.labels.extract(label_name_of(name, true), label_value_of(value));
    return is_in_bounds;
  });
  if (!done) line.labels.fail(kJsonError, done.error().message);
  if (!is_in_bounds) fail_bound(line, kJsonError);
  if (done && has_entry) line.text = entry;
  return true;
}

bool Decolorize::run(LineState& line) {
  if (!line.work.take(line.text.size())) return true;
  if (line.text.find('\x1B') == std::string_view::npos &&
      line.text.find("\xC2\x9B") == std::string_view::npos) {
    return true;
  }
  // It only takes away, and a sequence ends before the next one begins, so that all searches
  // together see the line once: neither bound can be passed.
  LineWork work(std::numeric_limits<std::size_t>::max());
  if (replace_all(colors, Replacement("", colors, true), line.text, {line.text.size(), work},
                  plain)) {
    line.text = plain;
  }
  return true;
}

bool FormatLine::run(LineState& line) {
  const auto done = format.run({line.labels, line.text, line.time_ns, line.work}, made);
  if (done) {
    line.text = made;
  } else {
    line.labels.fail(kTemplateError, done.error().message);
  }
  return true;
}

/// All templates of one stage see the labels as they were at the first of them.
void FormatLabels::make_values(LineState& line) {
  values.resize(items.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    values[i].reset();
    if (!items[i].format) continue;
    std::string made;
    const auto done = items[i].format->run({line.labels, line.text, line.time_ns, line.work}, made);
    bytes += made.size();
    if (done && bytes > kLineLabelBytesMax) {
      fail_bound(line, kTemplateError);
    } else if (done) {
      values[i] = std::move(made);
    } else {
      line.labels.fail(kTemplateError, done.error().message);
    }
  }
}

void FormatLabels::rename(LineState& line, const LabelTemplate& item) {
  if (!line.labels.has(item.source)) return;
  const std::string value(line.labels.get(item.source));
  if (!line.work.take(value.size())) return;
  if (!line.labels.set(item.label, value)) fail_bound(line, kTemplateError);
  if (item.label != item.source) line.labels.remove(item.source);
}

bool FormatLabels::run(LineState& line) {
  bool has_values = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].format) {
      rename(line, items[i]);
      continue;
    }
    if (!has_values) make_values(line);
    has_values = true;
    if (values[i] && !line.labels.set(items[i].label, *values[i])) fail_bound(line, kTemplateError);
  }
  return true;
}

bool ChooseLabels::run(LineState& line) const {
  // A label of which nothing is known, as too little work is left, stays.
  const auto is_chosen = [&](const Choice& choice, std::string_view name, std::string_view value) {
    return choice.label == name &&
           (!choice.only || choice.only->is_met_by(value, line.work, is_kept));
  };
  if (!is_kept) {
    // One by one, as errors are labels here, and an absent one has the value "".
    for (const Choice& choice : choices) {
      if (is_chosen(choice, choice.label, line.labels.get(choice.label))) {
        line.labels.remove(choice.label);
      }
    }
    return true;
  }
  line.labels.remove_if([&](std::string_view name, std::string_view value) {
    return std::none_of(choices.begin(), choices.end(),
                        [&](const Choice& choice) { return is_chosen(choice, name, value); });
  });
  return true;
}

bool UnwrapLabel::run(LineState& line) const {
  using Conversion = UnwrapStage::Conversion;
  const std::string_view text = line.labels.get(stage.label);
  if (text.empty()) return false;
  std::optional<double> value;
  if (!line.work.take(text.size())) {
    line.sample = 0;
    return true;
  }
  switch (stage.conversion) {
    case Conversion::kNone:
      value = number_of(text);
      break;
    case Conversion::kDuration:
    case Conversion::kDurationSeconds:
      value = seconds_of(text);
      break;
    case Conversion::kBytes:
      value = bytes_of(text);
      break;
  }
  if (!value) {
    line.labels.fail(kSampleError,
                     fmt::format("{}=\"{:.200}\" cannot be unwrapped", stage.label, text));
  }
  line.sample = value.value_or(0);
  return true;
}

}  // namespace vigia::logql::pipeline
