#include "services/storage/retention/keeps_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"

namespace vigia::storage::retention {
namespace {

constexpr std::string_view kMagic = "VGRC";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kCrcBytes = 4;

Result<void> refused(const std::string& path) {
  return fail(ErrorCode::kUnavailable, fmt::format("{} cannot be written", path));
}

bool sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return false;
  const bool ok = fsync(opened) == 0;
  close(opened);
  return ok;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return fdatasync(file) == 0;
}

Result<void> store_whole(const std::string& path, std::string_view bytes) {
  const std::string draft = path + ".new";
  const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return refused(draft);
  const bool ok = write_all(file, bytes);
  close(file);
  if (!ok || rename(draft.c_str(), path.c_str()) != 0 || !sync_folder_of(path)) {
    return refused(path);
  }
  return {};
}

// Nothing where there is no file.
Result<std::optional<std::string>> read_whole(const std::string& path) {
  const auto unread = [&](int error) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} cannot be read ({}): see to the disk and the file's rights and "
                            "start again; nothing was changed",
                            path, std::strerror(error)));
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return std::optional<std::string>();
  if (file < 0) return unread(errno);
  std::string bytes;
  for (char block[1U << 14U];;) {
    const ssize_t count = read(file, block, sizeof(block));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      close(file);
      return unread(error);
    }
    if (count == 0) break;
    bytes.append(block, static_cast<std::size_t>(count));
  }
  close(file);
  return std::optional<std::string>(std::move(bytes));
}

bool is_whole(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + kCrcBytes) return false;
  const std::string_view content = bytes.substr(0, bytes.size() - kCrcBytes);
  ByteReader end(bytes.substr(content.size()));
  return end.read_u32() == crc32c(content);
}

// Of what is whole.
bool is_of_another_version(std::string_view bytes) {
  ByteReader reader(bytes.substr(kMagic.size(), bytes.size() - kMagic.size() - kCrcBytes));
  const std::uint32_t version = reader.read_u32();
  return reader.ok() && version != kVersion;
}

}  // namespace

std::string encode_keeps(const CustomerKeeps& keeps) {
  std::string bytes(kMagic);
  append_u32(bytes, kVersion);
  append_u32(bytes, static_cast<std::uint32_t>(keeps.size()));
  for (const auto& [customer, own] : keeps) {
    append_varint(bytes, customer.text().size());
    bytes += customer.text();
    for (const Duration keep : own.times) {
      append_u64(bytes, static_cast<std::uint64_t>(
                            std::chrono::duration_cast<std::chrono::milliseconds>(keep).count()));
    }
  }
  append_u32(bytes, crc32c(bytes));
  return bytes;
}

std::optional<CustomerKeeps> decode_keeps(std::string_view bytes) {
  if (!is_whole(bytes)) return std::nullopt;
  const std::string_view content = bytes.substr(0, bytes.size() - kCrcBytes);
  ByteReader reader(content.substr(kMagic.size()));
  if (reader.read_u32() != kVersion) return std::nullopt;
  CustomerKeeps keeps;
  const std::uint32_t count = reader.read_u32();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint64_t size = reader.read_varint();
    const auto customer = CustomerId::parse(reader.read_bytes(size));
    Keeps own;
    for (Duration& keep : own.times) {
      keep = std::chrono::milliseconds(static_cast<std::int64_t>(reader.read_u64()));
    }
    if (!customer || !reader.ok()) return std::nullopt;
    keeps.emplace(*customer, own);
  }
  if (!reader.ok() || !reader.rest().empty()) return std::nullopt;
  return keeps;
}

Result<CustomerKeeps> load_keeps(const std::string& path) {
  const auto bytes = read_whole(path);
  if (!bytes) return forward(bytes);
  if (!bytes->has_value()) return CustomerKeeps();
  if (is_whole(**bytes) && is_of_another_version(**bytes)) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} is of a version that this program does not know: start the program "
                            "that wrote it, or a newer one; nothing was changed",
                            path));
  }
  auto keeps = decode_keeps(**bytes);
  if (!keeps.has_value()) return fail(ErrorCode::kCorrupt, fmt::format("{} is damaged", path));
  return *std::move(keeps);
}

Result<void> store_keeps(const std::string& path, const CustomerKeeps& keeps) {
  return store_whole(path, encode_keeps(keeps));
}

std::string damaged_path(const std::string& path) { return path + ".damaged"; }

Result<void> set_aside(const std::string& path) {
  const auto bytes = read_whole(path);
  if (!bytes) return forward(bytes);
  if (!bytes->has_value()) return {};
  return store_whole(damaged_path(path), **bytes);
}

}  // namespace vigia::storage::retention
