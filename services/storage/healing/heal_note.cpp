#include "services/storage/healing/heal_note.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "libs/base/crc32c.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::healing {
namespace {

constexpr std::string_view kHead = "vigia heal 1 ";
constexpr std::string_view kFloorHead = "vigia heal from 1 ";
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

Result<TimestampMs> parse_ms(std::string_view number) {
  TimestampMs time_ms = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), time_ms);
  if (error != std::errc() || end != number.data() + number.size() || time_ms < 0) {
    return tl::unexpected<Error>(damaged());
  }
  return time_ms;
}

Result<void> read_line(std::string_view line, HealedUpTo& healed) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return tl::unexpected<Error>(damaged());
  const std::string_view name = line.substr(0, blank);
  auto customer = name == CustomerId::provider().text() ? Result<CustomerId>(CustomerId::provider())
                                                        : CustomerId::parse(name);
  if (!customer) return tl::unexpected<Error>(damaged());
  const auto up_to_ms = parse_ms(line.substr(blank + 1));
  if (!up_to_ms) return forward(up_to_ms);
  healed.insert_or_assign(*std::move(customer), *up_to_ms);
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

// A draft, synced and renamed.
Result<void> write_file(const std::string& directory, std::string_view name, std::string_view text,
                        disk_log::FileSystem& files) {
  const std::string path = directory + "/" + std::string(name);
  const std::string draft = path + std::string(kDraft);
  auto file = files.create(draft);
  if (!file) return forward(file);
  if (auto written = (*file)->append({text}); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto renamed = files.rename(draft, path); !renamed) return renamed;
  return files.sync_directory(directory);
}

Result<TimestampMs> read_floor(const std::string& directory, disk_log::FileSystem& files) {
  std::string text;
  const auto read = read_file(directory + "/" + std::string(kFloorFile), files, text);
  if (!read && read.error().code == ErrorCode::kNotFound) return 0;
  if (!read) return forward(read);
  if (text.size() < kSumBytes) return tl::unexpected<Error>(damaged());
  std::string_view rest = std::string_view(text).substr(0, text.size() - kSumBytes);
  if (text.substr(rest.size()) != sum_of(rest)) return tl::unexpected<Error>(damaged());
  const auto line = take_line(rest);
  if (!line.has_value() || !line->starts_with(kFloorHead) || !rest.empty())
    return tl::unexpected<Error>(damaged());
  return parse_ms(line->substr(kFloorHead.size()));
}

Result<void> raise_floor(const std::string& directory, TimestampMs to_ms,
                         disk_log::FileSystem& files) {
  // One that is damaged may have been later than any clock of now: the newest is known again.
  const auto known = read_floor(directory, files);
  if (!known && known.error().code == ErrorCode::kUnavailable) return forward(known);
  const std::string text = fmt::format("{}{}\n", kFloorHead, std::max(known.value_or(0), to_ms));
  return write_file(directory, kFloorFile, text + sum_of(text), files);
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
                             TimestampMs now_ms, disk_log::FileSystem& files) {
  const std::string path = directory + "/" + std::string(kNoteFile);
  std::string text;
  const auto read = read_file(path, files, text);
  auto note = read ? decode_any(text) : Result<Note>(tl::unexpected<Error>(read.error()));
  TimestampMs floor_ms = now_ms;
  if (note) {
    for (const auto& [name, up_to_ms] : note->healed) floor_ms = std::max(floor_ms, up_to_ms);
  }
  if (auto raised = raise_floor(directory, floor_ms, files); !raised) return raised;
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

Result<TimestampMs> HealNote::floor_ms() const { return read_floor(directory_, files_); }

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
  return write_file(directory_, kNoteFile, encode_note(prometheus_, healed), files_);
}

}  // namespace vigia::storage::healing
