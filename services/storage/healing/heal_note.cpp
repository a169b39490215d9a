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

Result<HealedUpTo> decode_note(std::string_view prometheus, std::string_view text) {
  if (text.size() < kSumBytes) return tl::unexpected<Error>(damaged());
  std::string_view rest = text.substr(0, text.size() - kSumBytes);
  if (text.substr(rest.size()) != sum_of(rest)) return tl::unexpected<Error>(damaged());
  const auto head = take_line(rest);
  if (!head.has_value() || !head->starts_with(kHead)) return tl::unexpected<Error>(damaged());
  if (head->substr(kHead.size()) != prometheus) {
    return fail(ErrorCode::kNotFound, fmt::format("it is of {}", head->substr(kHead.size())));
  }
  HealedUpTo healed;
  while (!rest.empty()) {
    const auto line = take_line(rest);
    if (!line.has_value()) return tl::unexpected<Error>(damaged());
    if (auto read = read_line(*line, healed); !read) return forward(read);
  }
  return healed;
}

Result<void> forget_note(const std::string& directory, disk_log::FileSystem& files) {
  const std::string path = directory + "/" + std::string(kNoteFile);
  for (const std::string& each : {path, path + std::string(kDraft)}) {
    auto removed = files.remove(each);
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  }
  return files.sync_directory(directory);
}

HealedUpTo HealNote::load() const {
  const auto file = files_.open_to_read(path_);
  if (!file && file.error().code == ErrorCode::kNotFound) return {};
  std::string text;
  const auto read = file ? (*file)->read_at(0, kFileBytesMax, text) : forward(file);
  auto healed = read ? decode_note(prometheus_, text)
                     : Result<HealedUpTo>(tl::unexpected<Error>(read.error()));
  if (healed) return *std::move(healed);
  service::log_warn("what was healed from hot is not known: it is compared again",
                    {{"file", path_}, {"why", healed.error().message}});
  return {};
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
