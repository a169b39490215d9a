#include "libs/disk_log/testing/memory_files.hpp"

#include <set>

namespace vigia::disk_log {
namespace {

struct Content {
  std::string bytes;
  std::string durable;
};

using Names = std::map<std::string, std::shared_ptr<Content>>;

}  // namespace

struct MemoryFiles::State {
  mutable std::mutex mutex;
  std::function<bool(std::string_view, const std::string&)> is_failing;
  std::uint64_t capacity = ~std::uint64_t{0};
  Names names;
  Names durable_names;
  std::set<std::string> locks;
  struct BadSector {
    std::string path;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };
  std::vector<BadSector> bad_sectors;

  Result<void> check_sectors(const std::string& path, std::uint64_t from, std::uint64_t to) const {
    for (const BadSector& bad : bad_sectors) {
      if (bad.path == path && from < bad.to && bad.from < to)
        return fail(ErrorCode::kCorrupt, "reading " + path + ": input/output error");
    }
    return {};
  }
  Result<void> ask(std::string_view call, const std::string& path) const {
    if (is_failing && is_failing(call, path))
      return fail(ErrorCode::kUnavailable, std::string(call) + " " + path + ": made to fail");
    return {};
  }
  std::uint64_t used() const {
    std::set<const Content*> files;  // each once, whatever its names
    for (const auto& [name, content] : names) files.insert(content.get());
    std::uint64_t bytes = 0;
    for (const Content* content : files) bytes += content->bytes.size();
    return bytes;
  }
};

namespace {

template <typename State>
class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<State> state, std::string path, std::shared_ptr<Content> content)
      : state_(std::move(state)), path_(std::move(path)), content_(std::move(content)) {}

  Result<void> append(const std::vector<std::string_view>& parts) override {
    const std::lock_guard lock(state_->mutex);
    std::string bytes;
    for (const std::string_view part : parts) bytes += part;
    if (auto asked = state_->ask("write", path_); !asked) {
      content_->bytes += bytes.substr(0, bytes.size() / 2);
      return asked;
    }
    const std::uint64_t used = state_->used();
    const std::uint64_t room = state_->capacity > used ? state_->capacity - used : 0;
    if (bytes.size() > room) {
      content_->bytes += bytes.substr(0, room);
      return fail(ErrorCode::kUnavailable, "writing " + path_ + ": no space left on device");
    }
    content_->bytes += bytes;
    return {};
  }

  Result<void> sync() override {
    const std::lock_guard lock(state_->mutex);
    if (auto asked = state_->ask("sync", path_); !asked) return asked;
    content_->durable = content_->bytes;
    return {};
  }

  Result<void> truncate(std::uint64_t bytes) override {
    const std::lock_guard lock(state_->mutex);
    if (auto asked = state_->ask("truncate", path_); !asked) return asked;
    content_->bytes.resize(bytes);
    return {};
  }

  Result<void> read_at(std::uint64_t offset, std::size_t count, std::string& out) const override {
    const std::lock_guard lock(state_->mutex);
    if (auto asked = state_->ask("read", path_); !asked) return asked;
    if (auto checked = state_->check_sectors(path_, offset, offset + count); !checked)
      return checked;
    out = offset < content_->bytes.size() ? content_->bytes.substr(offset, count) : "";
    return {};
  }

  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(state_->mutex);
    return content_->bytes.size();
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
  std::shared_ptr<Content> content_;
};

template <typename State>
class MemoryLock final : public DirectoryLock {
 public:
  MemoryLock(std::shared_ptr<State> state, std::string directory)
      : state_(std::move(state)), directory_(std::move(directory)) {}
  MemoryLock(const MemoryLock&) = delete;
  MemoryLock& operator=(const MemoryLock&) = delete;
  ~MemoryLock() override {
    const std::lock_guard lock(state_->mutex);
    state_->locks.erase(directory_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string directory_;
};

}  // namespace

MemoryFiles::MemoryFiles() : state_(std::make_shared<State>()) {}
MemoryFiles::~MemoryFiles() = default;

void MemoryFiles::fail_when(
    std::function<bool(std::string_view call, const std::string& path)> is_failing) {
  const std::lock_guard lock(state_->mutex);
  state_->is_failing = std::move(is_failing);
}

void MemoryFiles::spoil(const std::string& path, std::uint64_t from, std::uint64_t to) {
  const std::lock_guard lock(state_->mutex);
  state_->bad_sectors.push_back({path, from, to});
}

void MemoryFiles::mend_sectors() {
  const std::lock_guard lock(state_->mutex);
  state_->bad_sectors.clear();
}

void MemoryFiles::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

void MemoryFiles::cut_power(double keep_unsynced) {
  const std::lock_guard lock(state_->mutex);
  Names after;
  for (const auto& [name, content] : state_->durable_names) {
    auto left = std::make_shared<Content>();
    left->bytes = content->durable;
    if (content->bytes.size() > content->durable.size()) {
      const std::size_t unsynced = content->bytes.size() - content->durable.size();
      const auto kept = static_cast<std::size_t>(static_cast<double>(unsynced) * keep_unsynced);
      left->bytes += content->bytes.substr(content->durable.size(), kept);
    }
    left->durable = left->bytes;
    after[name] = std::move(left);
  }
  state_->names = after;
  state_->durable_names = std::move(after);
  state_->locks.clear();
}

std::uint64_t MemoryFiles::used_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->used();
}

std::vector<std::string> MemoryFiles::names(const std::string& directory) {
  return *list(directory);
}

std::string MemoryFiles::content(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  return state_->names.at(path)->bytes;
}

void MemoryFiles::set_content(const std::string& path, std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  auto content = std::make_shared<Content>();
  content->bytes = bytes;
  content->durable = std::move(bytes);
  state_->names[path] = content;
  state_->durable_names[path] = content;
}

Result<std::unique_ptr<File>> MemoryFiles::create(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (auto asked = state_->ask("create", path); !asked) return forward(asked);
  auto content = std::make_shared<Content>();
  state_->names[path] = content;
  return std::make_unique<MemoryFile<State>>(state_, path, content);
}

Result<std::unique_ptr<File>> MemoryFiles::open_to_read(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (auto asked = state_->ask("open", path); !asked) return forward(asked);
  const auto found = state_->names.find(path);
  if (found == state_->names.end())
    return fail(ErrorCode::kNotFound, "opening " + path + ": no such file");
  return std::make_unique<MemoryFile<State>>(state_, path, found->second);
}

Result<void> MemoryFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  if (auto asked = state_->ask("rename", from); !asked) return asked;
  auto node = state_->names.extract(from);
  if (node.empty()) return fail(ErrorCode::kNotFound, "renaming " + from + ": no such file");
  state_->names[to] = node.mapped();
  return {};
}

Result<void> MemoryFiles::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (auto asked = state_->ask("remove", path); !asked) return asked;
  if (state_->names.erase(path) == 0)
    return fail(ErrorCode::kNotFound, "removing " + path + ": no such file");
  return {};
}

Result<void> MemoryFiles::link(const std::string& path, const std::string& second) {
  const std::lock_guard lock(state_->mutex);
  if (auto asked = state_->ask("link", path); !asked) return asked;
  const auto found = state_->names.find(path);
  if (found == state_->names.end())
    return fail(ErrorCode::kNotFound, "linking " + path + ": no such file");
  if (!state_->names.emplace(second, found->second).second)
    return fail(ErrorCode::kUnavailable, "linking " + path + ": the name is taken");
  return {};
}

Result<std::vector<std::string>> MemoryFiles::list(const std::string& directory) {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> found;
  for (const auto& [path, content] : state_->names) {
    if (path.starts_with(directory + "/")) found.push_back(path.substr(directory.size() + 1));
  }
  return found;
}

Result<void> MemoryFiles::create_directory(const std::string& /*directory*/) { return {}; }

Result<void> MemoryFiles::sync_directory(const std::string& directory) {
  const std::lock_guard lock(state_->mutex);
  if (auto asked = state_->ask("sync", directory); !asked) return asked;
  std::erase_if(state_->durable_names,
                [&](const auto& entry) { return entry.first.starts_with(directory + "/"); });
  for (const auto& [path, content] : state_->names) {
    if (path.starts_with(directory + "/")) state_->durable_names[path] = content;
  }
  return {};
}

Result<std::unique_ptr<DirectoryLock>> MemoryFiles::lock(const std::string& directory) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->locks.insert(directory).second)
    return fail(ErrorCode::kUnavailable, "folder " + directory + " is in use");
  return std::make_unique<MemoryLock<State>>(state_, directory);
}

}  // namespace vigia::disk_log
