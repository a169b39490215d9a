// Which spans, log records or points a processor works on: `include` and `exclude`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/signal.hpp"
#include "libs/service/config.hpp"
#include "libs/wire/edit/edit.hpp"
#include "services/collector/config/part_keys.hpp"

namespace re2 {
class RE2;
}

namespace vigia::collector::processors::attributes {

/// Texts of which one has to be equal, or expressions of which one has to be found.
class TextFilter {
 public:
  /// Notes an error where an expression is none.
  static TextFilter read(const std::vector<std::string>& texts, bool is_regexp,
                         const service::ConfigNode& node);
  bool is_empty() const { return texts_.empty() && patterns_.empty(); }
  bool matches(std::string_view text) const;

 private:
  std::set<std::string, std::less<>> texts_;
  std::vector<std::shared_ptr<const re2::RE2>> patterns_;  // shared by the stages of all signals
};

/// An attribute that has to be there; and where a value is given, to have it.
struct AttributeFilter {
  std::string key;
  std::optional<std::string> value;  ///< an encoded AnyValue
  std::optional<TextFilter> text;    ///< where the match is by expressions
};

struct LibraryFilter {
  TextFilter name;
  std::optional<TextFilter> version;  ///< nothing: whichever
};

/// One of `include` and `exclude`. All kinds of things that it names have to match; of a list of
/// names one has to, of resources and attributes all, of libraries one. Thread contract: any
/// thread.
class PropertiesMatcher {
 public:
  /// Notes what is wrong: a key that no signal of the pipelines has, no key at all.
  static PropertiesMatcher read(const service::ConfigNode& node, const std::set<Signal>& signals,
                                config::Notes& notes);

  bool matches_resource(wire::edit::Editable& resource) const;
  bool matches_scope(wire::edit::Editable& scope) const;
  bool matches_metric(const wire::edit::Editable& metric) const;
  /// A span or a log record. A point is matched with its metric.
  bool matches_item(Signal signal, wire::edit::Editable& item) const;

 private:
  bool matches_span(wire::edit::Editable& span) const;
  bool matches_record(wire::edit::Editable& record) const;
  void read_severity(const service::ConfigNode& node);

  TextFilter services_, span_names_, span_kinds_, log_bodies_, log_severity_texts_, metric_names_;
  std::vector<AttributeFilter> resources_, attributes_;
  std::vector<LibraryFilter> libraries_;
  std::optional<std::int64_t> severity_min_;
  bool takes_no_severity_ = false;
};

}  // namespace vigia::collector::processors::attributes
