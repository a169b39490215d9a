// Which fields lines have, of themselves and in their texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/pipeline.hpp"

namespace vigia::router::api::loki {

/// What the values of a field look like.
enum class FieldType : std::uint8_t { kInt, kFloat, kBoolean, kDuration, kBytes, kString };
std::string_view to_string(FieldType type);
FieldType type_of(std::string_view value);

struct DetectedField {
  FieldType type = FieldType::kString;              ///< of all values that were seen
  std::set<std::string, std::less<>> values;        ///< different ones: kFieldValuesMax at the most
  std::set<std::string_view, std::less<>> parsers;  ///< that found it; none: it stands beside lines
};

inline constexpr std::size_t kFieldValuesMax = 1'000;      // of one
inline constexpr std::size_t kFieldBytesMax = 16U << 20U;  // names and values of all of them

/// Looks at one line after another. Not thread-safe.
class FieldScan {
 public:
  /// As logql::pipeline::Pipeline::compile. `fields_max`: further ones are passed over.
  static Result<FieldScan> make(const logql::LogSelector& selector, std::size_t fields_max);

  /// False where the selector's stages leave the line out. Of one that passes: what stands beside
  /// it, what the stages found in it, and, where no stage reads it, what is in it as JSON or
  /// logfmt.
  bool add(const logql::pipeline::StoredLine& line);
  const std::map<std::string, DetectedField, std::less<>>& fields() const { return fields_; }

 private:
  FieldScan(logql::pipeline::Pipeline stages, logql::pipeline::Pipeline json,
            logql::pipeline::Pipeline logfmt);
  void add_field(std::string_view name, std::string_view value, std::string_view parser);
  void add_parsed(const Labels& parsed, std::string_view parser);

  logql::pipeline::Pipeline stages_;
  logql::pipeline::Pipeline json_;
  logql::pipeline::Pipeline logfmt_;
  std::vector<std::string_view> own_parsers_;  // of the selector
  std::size_t fields_max_ = 0;
  std::size_t bytes_ = 0;
  std::map<std::string, DetectedField, std::less<>> fields_;
};

}  // namespace vigia::router::api::loki
