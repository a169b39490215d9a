// Answers of Prometheus' HTTP API, read without touching what they carry.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/wire/prometheus_api/envelope_scanner.hpp"
#include "libs/wire/prometheus_api/stored_bytes.hpp"

namespace vigia::wire::prometheus_api {

/// {"status":…,"data":…,"errorType":…,"error":…,"warnings":[…],"infos":[…]}. Keeps the body; `data`
/// is a piece of it. Or the body is stored elsewhere, and all but its data is here: copies of such
/// a one are small, and share what is stored.
class Envelope {
 public:
  /// kCorrupt where the body is not such an answer.
  static Result<Envelope> read(std::string body);
  /// Of a body that went through a scanner into `bytes`.
  static Result<Envelope> read_stored(ScannedEnvelope scanned,
                                      std::shared_ptr<const StoredBytes> bytes);

  static constexpr std::string_view kPlainStart = R"({"status":"success","data":)";

  bool is_success() const { return is_success_; }
  /// The value of "data" as it came, "null" where there is none, or it is stored: whoever may be
  /// given such a one asks that first.
  std::string_view data() const { return std::string_view(body_).substr(data_at_, data_size_); }
  bool is_stored() const { return stored_ != nullptr; }
  /// Where the body is stored, and which of its bytes are the data, in order. Null and none where
  /// it is not.
  const std::shared_ptr<const StoredBytes>& stored() const { return stored_; }
  std::vector<ByteRange> stored_data() const;
  /// Series of one that is stored, whose data is a vector or a matrix.
  std::uint64_t stored_series() const { return scanned_.results; }
  /// Bytes of the data, stored or not.
  std::uint64_t data_size() const;
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
  std::optional<std::uint64_t> peak_samples_here(bool cut);

  std::string body_;
  bool is_success_ = false;
  std::size_t data_at_ = 0;
  std::size_t data_size_ = 0;
  std::string error_type_;
  std::string error_;
  std::vector<std::string> warnings_;
  std::vector<std::string> infos_;
  // Of one that is stored. Shared with whoever else sends it.
  std::shared_ptr<const StoredBytes> stored_;
  ScannedEnvelope scanned_;
  bool is_stats_cut_ = false;
};

}  // namespace vigia::wire::prometheus_api
