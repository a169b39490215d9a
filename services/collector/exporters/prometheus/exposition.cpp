#include "services/collector/exporters/prometheus/exposition.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "libs/model/label_name.hpp"
#include "libs/model/labels.hpp"
#include "libs/wire/prometheus/exemplars.hpp"

namespace vigia::collector::exporters::prometheus {
namespace {

using wire::prometheus::FamilyType;
using wire::prometheus::LabelPair;

constexpr std::string_view kTotal = "_total";
constexpr std::string_view kInfo = "_info";

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return low;
}

/// Calls visit for each part of a list, blanks around it taken off.
template <typename Visit>
void for_each_part(std::string_view list, char separator, Visit&& visit) {
  while (!list.empty()) {
    const std::size_t end = list.find(separator);
    visit(trimmed(list.substr(0, end)));
    if (end == std::string_view::npos) return;
    list.remove_prefix(end + 1);
  }
}

/// One of Accept's ranges that we can give.
struct Offer {
  bool is_open_metrics = false;
  Escaping escaping = Escaping::kUnderscores;
  double weight = 1;
};

std::optional<Offer> read_offer(std::string_view range) {
  Offer offer;
  bool is_first = true;
  bool is_known = false;
  for_each_part(range, ';', [&](std::string_view part) {
    const std::string text = lower(part);
    if (is_first) {
      offer.is_open_metrics = text == "application/openmetrics-text";
      is_known = offer.is_open_metrics || text == "text/plain" || text == "text/*" || text == "*/*";
      is_first = false;
    } else if (text.starts_with("q=")) {
      offer.weight = std::clamp(std::strtod(text.c_str() + 2, nullptr), 0.0, 1.0);
    } else if (text == "escaping=allow-utf-8") {
      offer.escaping = Escaping::kAllowUtf8;
    } else if (text == "escaping=dots") {
      offer.escaping = Escaping::kDots;
    } else if (text == "escaping=values") {
      offer.escaping = Escaping::kValues;
    } else if (text.starts_with("version=") && offer.is_open_metrics && text != "version=1.0.0" &&
               text != "version=0.0.1") {
      is_known = false;
    }
  });
  return is_known && offer.weight > 0 ? std::optional(offer) : std::nullopt;
}

std::string_view type_word(FamilyType type, bool is_open_metrics) {
  switch (type) {
    case FamilyType::kCounter:
      return "counter";
    case FamilyType::kGauge:
    case FamilyType::kInfo:
    case FamilyType::kStateset:
      return "gauge";
    case FamilyType::kHistogram:
    case FamilyType::kGaugeHistogram:
      return "histogram";
    case FamilyType::kSummary:
      return "summary";
    case FamilyType::kUnknown:
      break;
  }
  return is_open_metrics ? "unknown" : "untyped";
}

void append_escaped(std::string& out, std::string_view text, bool escapes_quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && escapes_quotes)) out += '\\';
    out += c;
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text, true);
  out += '"';
}

std::string value_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

bool is_classic(char c, bool is_first, bool is_label) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return is_letter || (c == ':' && !is_label) || (!is_first && c >= '0' && c <= '9');
}

/// The code point at the front of UTF-8, which is taken off.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  std::size_t size = 1;
  char32_t character = first;
  if (first >= 0xf0) {
    size = 4;
    character = first & 0x07U;
  } else if (first >= 0xe0) {
    size = 3;
    character = first & 0x0fU;
  } else if (first >= 0xc0) {
    size = 2;
    character = first & 0x1fU;
  }
  size = std::min(size, text.size());
  for (std::size_t i = 1; i < size; ++i)
    character = (character << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(size);
  return character;
}

void append_label(std::string& out, const std::string& name, std::string_view value,
                  bool& is_first) {
  if (!is_first) out += ',';
  is_first = false;
  if (is_classic_label_name(name)) {
    out += name;
  } else {
    append_quoted(out, name);
  }
  out += '=';
  append_quoted(out, value);
}

}  // namespace

void negotiate(std::string_view accept, bool may_be_open_metrics, Exposition& exposition) {
  Offer best;
  best.weight = -1;
  for_each_part(accept, ',', [&](std::string_view range) {
    const auto offer = read_offer(range);
    if (!offer || (offer->is_open_metrics && !may_be_open_metrics)) return;
    const bool is_better =
        offer->weight > best.weight ||
        (offer->weight == best.weight && offer->is_open_metrics && !best.is_open_metrics);
    if (is_better) best = *offer;
  });
  exposition.is_open_metrics = best.is_open_metrics;
  exposition.escaping = best.escaping;
}

std::string content_type(const Exposition& exposition) {
  constexpr std::string_view kEscapings[] = {"underscores", "allow-utf-8", "dots", "values"};
  // Names in quotes are of text format 1.0.0; a reader that knows nothing of it is told as ever.
  const bool is_newer = exposition.escaping != Escaping::kUnderscores;
  std::string text = exposition.is_open_metrics ? "application/openmetrics-text; version=1.0.0"
                     : is_newer                 ? "text/plain; version=1.0.0"
                                                : "text/plain; version=0.0.4";
  text += "; charset=utf-8";
  if (is_newer)
    text += fmt::format("; escaping={}", kEscapings[static_cast<std::size_t>(exposition.escaping)]);
  return text;
}

std::string escaped_name(std::string_view name, Escaping escaping, bool is_label) {
  const bool is_good = is_label ? is_classic_label_name(name) : is_classic_metric_name(name);
  if (escaping == Escaping::kAllowUtf8) return std::string(name);
  if (is_good && escaping != Escaping::kDots) return std::string(name);
  std::string out = escaping == Escaping::kValues ? "U__" : "";
  for (bool is_first = true; !name.empty(); is_first = false) {
    const char c = name.front();
    const bool is_kept = is_classic(c, is_first, is_label);
    const char32_t character = take_character(name);
    if (escaping == Escaping::kUnderscores) {
      out += is_kept ? c : '_';
    } else if (c == '_') {
      out += "__";
    } else if (escaping == Escaping::kDots && c == '.') {
      out += "_dot_";
    } else if (is_kept) {
      out += c;
    } else if (escaping == Escaping::kDots) {
      out += "__";
    } else {
      out += fmt::format("_{:x}_", static_cast<std::uint32_t>(character));
    }
  }
  return out;
}

FamilyWriter::FamilyWriter(const Exposition& exposition, std::string_view name, FamilyType type,
                           bool is_base_free)
    : exposition_(exposition), word_(type_word(type, exposition.is_open_metrics)) {
  name_ =
      escaped_name(fmt::format("{}{}", exposition.name_prefix, name), exposition.escaping, false);
  family_ = name_;
  has_exemplars_ = type == FamilyType::kCounter || type == FamilyType::kHistogram;
  if (!exposition.is_open_metrics) return;
  // There a counter's samples end in _total and an info's in _info, and the family's name does not.
  if (type == FamilyType::kCounter) {
    if (name_.ends_with(kTotal) && name_.size() > kTotal.size() && is_base_free) {
      family_.resize(family_.size() - kTotal.size());
    } else {
      word_ = "unknown";
      has_exemplars_ = false;
    }
  } else if (type == FamilyType::kInfo && name_.ends_with(kInfo) && name_.size() > kInfo.size()) {
    family_.resize(family_.size() - kInfo.size());
    word_ = "info";
  }
}

void FamilyWriter::head(std::string& out, std::string_view help) const {
  const auto line = [&](std::string_view word) {
    out += fmt::format("# {} ", word);
    if (is_classic_metric_name(family_)) {
      out += family_;
    } else {
      append_quoted(out, family_);
    }
    out += ' ';
  };
  if (!help.empty()) {
    line("HELP");
    append_escaped(out, help, exposition_.is_open_metrics);
    out += '\n';
  }
  line("TYPE");
  out += word_;
  out += '\n';
}

void FamilyWriter::sample(std::string& out, const ShownSample& sample) const {
  const bool is_name_inside = !is_classic_metric_name(name_);
  if (!is_name_inside) {
    out += name_;
    out += sample.suffix;
  }
  labels(out, sample, is_name_inside);
  out += ' ';
  out += value_text(sample.value);
  if (exposition_.has_timestamps) {
    if (exposition_.is_open_metrics) {
      out += fmt::format(" {:.3f}", static_cast<double>(sample.timestamp_ms) / 1e3);
    } else {
      out += fmt::format(" {}", sample.timestamp_ms);
    }
  }
  if (exposition_.is_open_metrics && has_exemplars_) exemplar(out, sample);
  out += '\n';
}

void FamilyWriter::labels(std::string& out, const ShownSample& sample, bool is_name_inside) const {
  const auto labels = wire::prometheus::decode_labels(sample.label_bytes);
  bool is_first = true;
  const std::size_t begin = out.size();
  out += '{';
  if (is_name_inside) {
    append_quoted(out, fmt::format("{}{}", name_, sample.suffix));
    is_first = false;
  }
  std::vector<std::string> written;
  const auto append = [&](std::string_view own, std::string_view value) {
    std::string name = escaped_name(own, exposition_.escaping, true);
    // Two names that are one to this reader: the first stays.
    if (name != own) {
      if (std::find(written.begin(), written.end(), name) != written.end()) return;
      if (labels && !labels->get(name).empty()) return;
      written.push_back(name);
    }
    append_label(out, name, value, is_first);
  };
  for (const LabelPair& label : exposition_.const_labels) append(label.first, label.second);
  if (labels) {
    for (const Label& label : *labels) {
      const bool is_ours =
          std::any_of(exposition_.const_labels.begin(), exposition_.const_labels.end(),
                      [&label](const LabelPair& known) { return known.first == label.name; });
      if (!is_ours) append(label.name, label.value);
    }
  }
  if (!sample.extra_name.empty()) append(sample.extra_name, sample.extra_value);
  if (is_first) {
    out.resize(begin);
  } else {
    out += '}';
  }
}

void FamilyWriter::exemplar(std::string& out, const ShownSample& sample) const {
  if (sample.exemplar.empty()) return;
  const auto shown = wire::prometheus::decode_exemplar(sample.exemplar);
  if (!shown) return;
  out += " # {";
  bool is_first = true;
  for (const LabelPair& label : shown->labels)
    append_label(out, escaped_name(label.first, exposition_.escaping, true), label.second,
                 is_first);
  out += fmt::format("}} {} {:.3f}", value_text(shown->value),
                     static_cast<double>(shown->timestamp_ms) / 1e3);
}

}  // namespace vigia::collector::exporters::prometheus
