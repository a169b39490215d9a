// An acknowledged body as the disk log gives it, and plain.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"

namespace vigia::collector::bodies {

struct LogBody {
  disk_log::BodyEncoding encoding = disk_log::BodyEncoding::kPlain;
  std::string stored = {};  ///< as it was appended
  /// In the place of `stored`: disk_log::DiskRecord::recent.
  std::shared_ptr<const std::string> recent = {};
  std::string unpacked = {};  ///< once opened, where it is packed

  /// kCorrupt, kInvalid: damage, for intake has read it before.
  Result<void> open();
  std::string_view as_stored() const { return recent ? std::string_view(*recent) : stored; }
  std::string_view plain() const {
    return encoding == disk_log::BodyEncoding::kPlain ? as_stored() : unpacked;
  }
};

/// A packed body, plain.
Result<std::string> unpack_body(disk_log::BodyEncoding encoding, std::string_view stored);

}  // namespace vigia::collector::bodies
