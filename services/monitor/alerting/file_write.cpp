#include "services/monitor/alerting/file_write.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace vigia::monitor::alerting {
namespace {

tl::unexpected<Error> failed(const std::string& path) {
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

bool write_and_sync(int descriptor, const std::string& content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const auto wrote = ::write(descriptor, content.data() + done, content.size() - done);
    if (wrote < 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

std::string read_file_or_empty(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return file ? content.str() : std::string();
}

Result<void> replace_file(const std::string& path, const std::string& content, mode_t mode) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  // Beside it and renamed: Prometheus and Alertmanager read the file whenever they are told to,
  // also by others, and must find the old one or the new one, never a half.
  const std::string draft = path + ".draft";
  const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (descriptor < 0) return failed(draft);
  const bool is_written = write_and_sync(descriptor, content);
  ::close(descriptor);
  if (!is_written || ::rename(draft.c_str(), path.c_str()) != 0) return failed(path);
  return {};
}

}  // namespace vigia::monitor::alerting
