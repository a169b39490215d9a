#include "services/storage/store/rocksdb/kv/folder_files.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

namespace vigia::storage::store::rocksdb::kv {

tl::unexpected<Error> refused(const std::string& what) {
  return fail(ErrorCode::kUnavailable, "cold store: " + what);
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Result<void> write_durably(const std::string& path, std::string_view bytes, bool is_first) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (is_first ? O_TRUNC : O_APPEND);
  const int file = open(path.c_str(), flags, 0640);
  if (file < 0) return refused(path + " cannot be written");
  bool ok = true;
  while (ok && !bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    ok = written > 0;
    if (ok) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  ok = ok && fdatasync(file) == 0;
  close(file);
  if (!ok) return refused(path + " cannot be written: is the disk full?");
  return {};
}

void sync_folder(const std::string& directory) {
  const int folder = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

std::uint64_t number_in(const std::string& name, std::size_t at) {
  return std::strtoull(name.c_str() + at, nullptr, 10);
}

}  // namespace vigia::storage::store::rocksdb::kv
