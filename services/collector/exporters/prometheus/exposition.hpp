// How values are written for whoever scrapes: Prometheus' text format or OpenMetrics, with names
// that it can read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/prometheus/labels_encoding.hpp"
#include "libs/wire/prometheus/series_builder.hpp"

namespace vigia::collector::exporters::prometheus {

/// What becomes of names that are no classic ones (Prometheus, "content negotiation", `escaping`).
enum class Escaping : std::uint8_t { kUnderscores, kAllowUtf8, kDots, kValues };

struct Exposition {
  bool is_open_metrics = false;
  Escaping escaping = Escaping::kUnderscores;
  bool has_timestamps = false;
  std::string name_prefix = {};  ///< before each name: "acme_"
  /// On each series, in the place of the sender's of that name; sorted.
  std::vector<wire::prometheus::LabelPair> const_labels = {};
};

/// Sets form and escaping by what Accept asks for: of the forms that it names the one of the
/// highest weight, OpenMetrics where they are alike; text of whoever names none. Who does not ask
/// for UTF-8 is given underscores.
void negotiate(std::string_view accept, bool may_be_open_metrics, Exposition& exposition);
std::string content_type(const Exposition& exposition);

/// A name as that reader is shown it; a label's where `is_label`.
std::string escaped_name(std::string_view name, Escaping escaping, bool is_label);

/// What a sample says beside its family.
struct ShownSample {
  std::string_view suffix;       ///< "_bucket"; ""
  std::string_view label_bytes;  ///< encoded labels, without name, `le` and `quantile`
  std::string_view extra_name;   ///< le, quantile, or ""
  std::string extra_value = {};
  double value = 0;
  std::int64_t timestamp_ms = 0;
  std::string_view exemplar = {};  ///< an encoded field, or ""
};

/// One family's lines in one form.
class FamilyWriter {
 public:
  /// `is_base_free`: no other family has the name without `_total`. All outlive the writer.
  FamilyWriter(const Exposition& exposition, std::string_view name,
               wire::prometheus::FamilyType type, bool is_base_free);
  void head(std::string& out, std::string_view help) const;
  void sample(std::string& out, const ShownSample& sample) const;

 private:
  void labels(std::string& out, const ShownSample& sample, bool is_name_inside) const;
  void exemplar(std::string& out, const ShownSample& sample) const;

  const Exposition& exposition_;
  std::string name_;       // of samples, escaped
  std::string family_;     // of the head
  std::string_view word_;  // its type
  bool has_exemplars_ = false;
};

}  // namespace vigia::collector::exporters::prometheus
