// A Content-Type, in whatever spelling (RFC 9110 §8.3.1).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia::net {

/// "Application/X-Protobuf ; proto=\"prometheus.WriteRequest\"": the type and the names of
/// parameters in any case, white space around the semicolons, values as tokens or quoted.
class MediaType {
 public:
  explicit MediaType(std::string_view header);
  const std::string& type() const { return type_; }  ///< in lower case, without parameters
  /// `name` in lower case. "" where it is not there.
  std::string_view parameter(std::string_view name) const;

 private:
  std::string type_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace vigia::net
