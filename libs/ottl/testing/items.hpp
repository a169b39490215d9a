// Items for tests: a log record, a span with an event, a data point, each in a resource and scope.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/ottl/context.hpp"
#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/record.hpp"
#include "libs/wire/edit/editable.hpp"

namespace vigia::ottl::testing {

/// Encoded attributes of the field `number`: texts, and under "n" 7, "x" 1.5, "yes" true,
/// "list" ["a", 2], "map" {"in": "deep"}.
std::string attributes(std::uint32_t number,
                       const std::vector<std::pair<std::string, std::string>>& texts);

/// One item of a context with what it stands in, which statements and conditions can be run for.
class Item {
 public:
  explicit Item(Context context);
  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;

  /// "true", "false", or "fault: …", or "error: …" where it is none.
  std::string ask(std::string_view condition);
  /// "" where it ran, else "fault: …" or "error: …".
  std::string run(std::string_view statement);
  /// The value as text, "nil" where there is none.
  std::string show(std::string_view path);
  wire::edit::Editable& at(MessageLevel level) { return *record_.at(level); }
  Record& record() { return record_; }
  Evaluation& evaluation() { return evaluation_; }

 private:
  void begin();

  Context context_;
  std::vector<std::string> sources_;
  wire::edit::Editable resource_;
  wire::edit::Editable scope_;
  wire::edit::Editable outer_;  ///< a span around an event, a metric around a point
  wire::edit::Editable item_;
  wire::edit::Editable cache_;
  Record record_;
  Evaluation evaluation_;
};

}  // namespace vigia::ottl::testing
