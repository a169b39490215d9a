#include "services/storage/store/rocksdb/kv/damage_text.hpp"

#include <chrono>

#include <fmt/format.h>

#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr std::size_t kGapsShown = 8;

std::string date_of(std::uint32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// Keys of chunks, spans and logs begin with the day and the customer's number.
std::string place_of(const std::string& family, std::string_view key, std::string_view none) {
  if (key.empty()) return std::string(none);
  if (family == "default" || family == "identity")
    return fmt::format("an index row of kind {}", key.substr(0, 1));
  bool ok = true;
  const std::uint32_t day = take_key_u32(key, ok);
  const std::uint32_t customer = take_key_u32(key, ok);
  if (!ok) return std::string(none);
  return fmt::format("{} customer {}", date_of(day), customer);
}

}  // namespace

std::string describe_gaps(const std::string& family, const std::vector<KeyGap>& gaps) {
  if (gaps.empty()) return {};
  std::string text;
  for (std::size_t i = 0; i < gaps.size() && i < kGapsShown; ++i) {
    text += fmt::format("{}from {} to {}", i == 0 ? "" : "; ",
                        place_of(family, gaps[i].after, "the file's first row"),
                        place_of(family, gaps[i].before, "the file's last row"));
  }
  if (gaps.size() > kGapsShown) text += fmt::format("; and {} more", gaps.size() - kGapsShown);
  return fmt::format("rows of {} that lay in its damaged blocks: {}",
                     family == "default" ? "the index" : family, text);
}

}  // namespace vigia::storage::store::rocksdb::kv
