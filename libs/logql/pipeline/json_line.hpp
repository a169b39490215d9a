// Members of JSON lines as labels.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::logql::pipeline {

/// `a.b[0]["c d"]`: names and places, from the outside in.
using JsonPath = std::vector<std::variant<std::string, std::size_t>>;

/// kInvalid on what is no path.
Result<JsonPath> parse_json_path(std::string_view text);

/// Reads JSON lines, one after another; memory is kept from line to line. Not thread-safe.
class JsonLine {
 public:
  /// Gets a member; false ends the reading.
  using See = std::function<bool(std::string_view name, std::string_view value)>;
  /// Gets the value at `paths[index]`.
  using SeePath = std::function<bool(std::size_t index, std::string_view value)>;

  JsonLine();
  JsonLine(JsonLine&&) noexcept;
  JsonLine& operator=(JsonLine&&) noexcept;
  ~JsonLine();

  /// Each member that is a text, a number or true or false, by its name as a label: those of inner
  /// objects have the outer names before theirs, with "_" between. Arrays and null are passed over;
  /// a number stays as it is written. What was seen before a fault was seen. kInvalid says what is
  /// wrong with the line.
  Result<void> walk(std::string_view line, const See& see);
  /// The values at these paths, each at most once: texts without quotes, objects and arrays as they
  /// are written, null as "".
  Result<void> extract(std::string_view line, const std::vector<JsonPath>& paths,
                       const SeePath& see);
  /// The members of the outermost object that are texts, by their own names.
  Result<void> texts(std::string_view line, const See& see);

 private:
  struct Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace vigia::logql::pipeline
