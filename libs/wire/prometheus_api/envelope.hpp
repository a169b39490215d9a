// Answers of Prometheus' HTTP API, read without touching what they carry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::wire::prometheus_api {

/// {"status":…,"data":…,"errorType":…,"error":…,"warnings":[…],"infos":[…]}. Keeps the body; `data`
/// is a piece of it.
class Envelope {
 public:
  /// kCorrupt where the body is not such an answer.
  static Result<Envelope> read(std::string body);

  static constexpr std::string_view kPlainStart = R"({"status":"success","data":)";

  bool is_success() const { return is_success_; }
  /// The value of "data" as it came, "null" where there is none.
  std::string_view data() const { return std::string_view(body_).substr(data_at_, data_size_); }
  /// The body up to the end of its data, kPlainStart and data, where it has nothing else; the
  /// envelope is empty then.
  std::optional<std::string> take_plain() &&;
  /// What `stats=1` has put behind the result: samples that the query held at once at the most.
  /// Nothing where it is not there. With `cut` the data is left as it were without it.
  std::optional<std::uint64_t> peak_samples(bool cut);
  const std::string& error_type() const { return error_type_; }
  const std::string& error() const { return error_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  const std::vector<std::string>& infos() const { return infos_; }

 private:
  std::string body_;
  bool is_success_ = false;
  std::size_t data_at_ = 0;
  std::size_t data_size_ = 0;
  std::string error_type_;
  std::string error_;
  std::vector<std::string> warnings_;
  std::vector<std::string> infos_;
};

}  // namespace vigia::wire::prometheus_api
