#include "services/storage/healing/heal_note.hpp"

#include <charconv>

#include <fmt/format.h>

#include "libs/base/crc32c.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::healing {
namespace {

constexpr std::string_view kHead = "vigia heal 1 ";
constexpr std::size_t kSumBytes = 9;  // eight digits and the end of their line
constexpr std::string_view kDraft = ".new";
constexpr std::size_t kFileBytesMax = 64U << 20U;

std::string sum_of(std::string_view text) { return fmt::format("{:08x}\n", crc32c(text)); }

Error damaged() { return {ErrorCode::kCorrupt, "no note of what is healed"}; }

// The next line of `rest`, without its end, which is there.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

Result<void> read_line(std::string_view line, HealedUpTo& healed) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return tl::unexpected<Error>(damaged());
  const std::string_view name = line.substr(0, blank);
  auto customer = name == CustomerId::provider().text() ? Result<CustomerId>(CustomerId::provider())
                                                        : CustomerId::parse(name);
  if (!customer) return tl::unexpected<Error>(damaged());
  const std::string_view number = line.substr(blank + 1);
  TimestampMs up_to_ms = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), up_to_ms);
  if (error != std::errc() || end != number.data() + number.size() || up_to_ms < 0) {
    return tl::unexpected<Error>(damaged());
  }
  healed.insert_or_assign(*std::move(customer), up_to_ms);
  return {};
}

}  // namespace

std::string encode_note(std::string_view prometheus, const HealedUpTo& healed) {
  std::string text = fmt::format("{}{}\n", kHead, prometheus);
  for (const auto& [customer, up_to_ms] : healed) {
    text += fmt::format("{} {}\n", customer.text(), up_to_ms);
  }
  return text + sum_of(text);
}

namespace {

struct Note {
  std::string_view prometheus;
  HealedUpTo healed;
};

Result<Note> decode_any(std::string_view text) {
  if (text.size() < kSumBytes) return tl::unexpected<Error>(damaged());
  std::string_view rest = text.substr(0, text.size() - kSumBytes);
  if (text.substr(rest.size()) != sum_of(rest)) return tl::unexpected<Error>(damaged());
  const auto head = take_line(rest);
  if (!head.has_value() || !head->starts_with(kHead)) return tl::unexpected<Error>(damaged());
  Note note{head->substr(kHead.size()), {}};
  while (!rest.empty()) {
    const auto line = take_line(rest);
    if (!line.has_value()) return tl::unexpected<Error>(damaged());
    if (auto read = read_line(*line, note.healed); !read) return forward(read);
  }
  return note;
}

Result<void> read_file(const std::string& path, disk_log::FileSystem& files, std::string& text) {
  const auto file = files.open_to_read(path);
  if (!file) return forward(file);
  if (auto read = (*file)->read_at(0, kFileBytesMax, text); !read) return forward(read);
  return {};
}

Result<void> remove_file(const std::string& path, disk_log::FileSystem& files) {
  auto removed = files.remove(path);
  if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  return {};
}

}  // namespace

Result<HealedUpTo> decode_note(std::string_view prometheus, std::string_view text) {
  auto note = decode_any(text);
  if (!note) return forward(note);
  if (note->prometheus != prometheus) {
    return fail(ErrorCode::kNotFound, fmt::format("it is of {}", note->prometheus));
  }
  return std::move(note->healed);
}

// The file stays where it can be read: without it the next start would take for a first one, and
// fetch of all, the customer too should he come again, what hot has of the days before.
Result<void> forget_customer(const std::string& directory, const CustomerId& customer,
                             disk_log::FileSystem& files) {
  const std::string path = directory + "/" + std::string(kNoteFile);
  std::string text;
  const auto read = read_file(path, files, text);
  auto note = read ? decode_any(text) : Result<Note>(tl::unexpected<Error>(read.error()));
  if (note) {
    note->healed.erase(customer);
    const HealNote file(directory, std::string(note->prometheus), files);
    return file.keep(note->healed);
  }
  for (const std::string& each : {path, path + std::string(kDraft)}) {
    if (auto removed = remove_file(each, files); !removed) return removed;
  }
  return files.sync_directory(directory);
}

std::optional<HealedUpTo> HealNote::load() const {
  std::string text;
  const auto read = read_file(path_, files_, text);
  if (!read && read.error().code == ErrorCode::kNotFound) return std::nullopt;
  auto healed = read ? decode_note(prometheus_, text)
                     : Result<HealedUpTo>(tl::unexpected<Error>(read.error()));
  if (healed) return *std::move(healed);
  service::log_warn("what was healed from hot is not known: it is compared again",
                    {{"file", path_}, {"why", healed.error().message}});
  return std::nullopt;
}

Result<void> HealNote::keep(const HealedUpTo& healed) const {
  const std::string draft = path_ + std::string(kDraft);
  auto file = files_.create(draft);
  if (!file) return forward(file);
  if (auto written = (*file)->append({encode_note(prometheus_, healed)}); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto renamed = files_.rename(draft, path_); !renamed) return renamed;
  return files_.sync_directory(directory_);
}

}  // namespace vigia::storage::healing
