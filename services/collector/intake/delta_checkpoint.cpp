#include "services/collector/intake/delta_checkpoint.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/model/customer_signal.hpp"

namespace vigia::collector::intake {
namespace {

constexpr std::string_view kHead = "vigia-delta-states 1\n";
constexpr std::size_t kSumBytes = 4;

tl::unexpected<Error> damaged(const std::string& path, std::string_view why) {
  return fail(ErrorCode::kCorrupt, fmt::format("{}: {}", path, why));
}

}  // namespace

DeltaCheckpoint::DeltaCheckpoint(const std::string& directory, disk_log::FileSystem& files)
    : directory_(directory), path_(directory + "/delta-states"), files_(files) {}

DeltaCheckpoint::Writing::Writing(disk_log::LogPosition position) {
  bytes_ = kHead;
  append_u64(bytes_, position.segment);
  append_u64(bytes_, position.offset);
}

void DeltaCheckpoint::Writing::add(const CustomerId& customer, std::string_view states) {
  if (states.empty()) return;
  append_sized(bytes_, customer.text());
  append_sized(bytes_, states);
}

Result<void> DeltaCheckpoint::write(Writing writing) {
  std::string& bytes = writing.bytes_;
  append_u32(bytes, crc32c(bytes));
  const std::string path = path_ + ".new";
  auto file = files_.create(path);
  if (!file) return forward(file);
  if (auto written = (*file)->append({bytes}); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto renamed = files_.rename(path, path_); !renamed) return renamed;
  return files_.sync_directory(directory_);
}

Result<disk_log::LogPosition> DeltaCheckpoint::read(const Taker& take) const {
  auto file = files_.open_to_read(path_);
  if (!file) return forward(file);
  const auto size = (*file)->size();
  if (!size) return forward(size);
  std::string bytes;
  if (auto got = (*file)->read_at(0, *size, bytes); !got) return forward(got);
  if (bytes.size() < kHead.size() + kSumBytes || !bytes.starts_with(kHead))
    return damaged(path_, "no states of deltas of version 1");
  const auto content = std::string_view(bytes).substr(0, bytes.size() - kSumBytes);
  ByteReader sum(std::string_view(bytes).substr(content.size()));
  if (sum.read_u32() != crc32c(content)) return damaged(path_, "its checksum is wrong");
  ByteReader reader(content.substr(kHead.size()));
  disk_log::LogPosition position;
  position.segment = reader.read_u64();
  position.offset = reader.read_u64();
  std::vector<std::pair<CustomerId, std::string_view>> found;
  while (reader.ok() && !reader.rest().empty()) {
    const auto customer = kept_customer(reader.read_sized());
    const std::string_view states = reader.read_sized();
    if (!reader.ok() || !customer) return damaged(path_, "it is cut off");
    found.emplace_back(*customer, states);
  }
  if (!reader.ok()) return damaged(path_, "it is cut off");
  for (const auto& [customer, states] : found) {
    if (auto taken = take(customer, states); !taken) return damaged(path_, taken.error().message);
  }
  return position;
}

}  // namespace vigia::collector::intake
