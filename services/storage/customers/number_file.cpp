#include "services/storage/customers/number_file.hpp"

#include <fstream>

#include <fmt/format.h>

#include "libs/base/crc32c.hpp"

namespace vigia::storage::customers {
namespace {

// Before the ids, so that a file of no customers is not an empty one.
constexpr char kBegin = ':';
constexpr char kBetween = ',';
constexpr std::size_t kNumbersMax = 10'000'000;

std::optional<CustomerId> id_of_text(std::string_view text) {
  if (text == CustomerId::provider().text()) return CustomerId::provider();
  auto id = CustomerId::parse(text);
  if (!id) return std::nullopt;
  return *std::move(id);
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> ids;
  text.remove_prefix(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(kBetween), text.size());
    ids.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

bool is_numbers(std::string_view text) {
  if (!text.starts_with(kBegin)) return false;
  for (const std::string& id : split(text)) {
    if (!id.empty() && !id_of_text(id)) return false;
  }
  return true;
}

}  // namespace

NumberFile::NumberFile(Key /*key*/, disk_log::KeptLineForm form, disk_log::FileSystem& files)
    : form_(std::move(form)), files_(files) {}

Result<std::unique_ptr<NumberFile>> NumberFile::open(const std::string& path,
                                                     disk_log::FileSystem& files) {
  auto opened =
      std::make_unique<NumberFile>(Key{}, disk_log::KeptLineForm{path, is_numbers}, files);
  const auto line = disk_log::read_kept_line(opened->form_, files);
  if (!line) return forward(line);
  if (line->text.empty() && line->damaged > 0) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("{} and {}.copy are both damaged: they say which customers the "
                            "write-ahead log beside them names. Put one of them back; or delete "
                            "them, then what the log still holds is set aside in the quarantine",
                            path, path));
  }
  const std::lock_guard lock(opened->mutex_);
  if (!line->text.empty()) opened->ids_ = split(line->text);
  for (std::size_t i = 0; i < opened->ids_.size(); ++i) {
    if (opened->ids_[i].empty()) continue;
    opened->numbers_[opened->ids_[i]] = static_cast<std::uint32_t>(i + 1);
  }
  if (line->text.empty()) {
    if (auto written = opened->write(); !written) return forward(written);
  }
  return opened;
}

std::map<std::uint32_t, CustomerId> NumberFile::look(const std::string& path) {
  std::map<std::uint32_t, CustomerId> known;
  for (const char* const ending : {"", ".copy"}) {
    std::ifstream file(path + ending);
    std::string line;
    std::getline(file, line);
    const std::size_t blank = line.rfind(' ');
    if (blank == std::string::npos) continue;
    const std::string text = line.substr(0, blank);
    if (line.substr(blank + 1) != fmt::format("{:08x}", crc32c(text)) || !is_numbers(text))
      continue;
    const std::vector<std::string> ids = split(text);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      auto id = id_of_text(ids[i]);
      if (id) known.emplace(static_cast<std::uint32_t>(i + 1), *std::move(id));
    }
    return known;
  }
  return known;
}

Result<void> NumberFile::write() {
  std::string text(1, kBegin);
  for (const std::string& id : ids_) text.append(id).push_back(kBetween);
  return disk_log::write_kept_line(form_, text, files_);
}

Result<CustomerNumber> NumberFile::number_of(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  const auto known = numbers_.find(customer.text());
  if (known != numbers_.end()) return CustomerNumber{known->second};
  ids_.push_back(customer.text());
  if (auto written = write(); !written) {
    // It may stand in the file all the same: then the next write says the same of it.
    ids_.pop_back();
    return fail(ErrorCode::kUnavailable, written.error().message);
  }
  const auto number = static_cast<std::uint32_t>(ids_.size());
  numbers_[customer.text()] = number;
  return CustomerNumber{number};
}

std::optional<CustomerId> NumberFile::id_of(CustomerNumber number) const {
  const std::lock_guard lock(mutex_);
  if (number.value == 0 || number.value > ids_.size()) return std::nullopt;
  return id_of_text(ids_[number.value - 1]);
}

Result<void> NumberFile::keep_unowned(CustomerNumber number,
                                      std::span<const store::ClosedChunk> /*chunks*/) {
  return fail(ErrorCode::kNotFound, fmt::format("number {} is no customer's", number.value));
}

void NumberFile::note_used(CustomerNumber number) {
  const std::lock_guard lock(mutex_);
  if (number.value > ids_.size() && number.value <= kNumbersMax) ids_.resize(number.value);
}

Result<void> NumberFile::forget(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  const auto known = numbers_.find(customer.text());
  if (known == numbers_.end()) return {};
  std::string& id = ids_[known->second - 1];
  id.clear();
  if (auto written = write(); !written) {
    id = customer.text();
    return fail(ErrorCode::kUnavailable, written.error().message);
  }
  numbers_.erase(known);
  return {};
}

}  // namespace vigia::storage::customers
