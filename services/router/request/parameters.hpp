// The parameters of a request: of its URL and, for POST, its form body, as one list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "libs/net/message.hpp"

namespace vigia::router::request {

using Form = std::vector<std::pair<std::string, std::string>>;

/// What the caller sent. Only what a handler asks for by name goes on, so an unknown parameter
/// ends here. Immutable.
class Parameters {
 public:
  static constexpr std::size_t kSelectorsMax = 16;

  /// kInvalid on a broken escape, on a body that is not a form, on a GET with a body, and over
  /// 1,000 parameters.
  static Result<Parameters> read(const net::Request& request);

  /// The one value of a name. kInvalid where URL and body, or one of them, give different values:
  /// which of them the caller meant must not be guessed.
  Result<std::optional<std::string>> single(std::string_view name) const;
  /// Every value of a name, in order.
  std::vector<std::string> all(std::string_view name) const;
  /// All match[]; kInvalid where there are more than kSelectorsMax, since a store looks through its
  /// index, or its rules, for each, and holds what all of them name.
  Result<std::vector<std::string>> selectors() const;

  Result<std::optional<TimestampMs>> time(std::string_view name) const;
  /// kInvalid where it is not longer than 0.
  Result<std::optional<Duration>> length(std::string_view name) const;
  /// kInvalid where it is less than 0.
  Result<std::optional<Duration>> length_or_zero(std::string_view name) const;

 private:
  Form values_;
};

}  // namespace vigia::router::request
