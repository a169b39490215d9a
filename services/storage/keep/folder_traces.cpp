#include "services/storage/keep/folder_traces.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "services/storage/customers/number_file.hpp"

namespace vigia::storage::keep {
namespace {

namespace fs = std::filesystem;

// In order, so that two runs say the same. What is not there has none.
std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) names.insert(at->path().filename().string());
  }
  return names;
}

// "c3-s71-….chunk", of the number 3, whole or damaged.
bool is_chunk_of(const customers::NumberFile& numbers, const CustomerId& customer,
                 std::string_view name) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(name.data() + std::min<std::size_t>(name.size(), 1),
                                    name.data() + name.size(), number);
  return name.starts_with('c') && read.ec == std::errc() && numbers.id_of({number}) == customer;
}

}  // namespace

Result<void> forget_in_folder(const CustomerId& customer, const std::string& folder,
                              disk_log::FileSystem& files) {
  const auto lock = files.lock(folder);
  if (!lock) return forward(lock);
  auto numbers = customers::NumberFile::open(folder + "/vigia-customers", files);
  if (!numbers) return forward(numbers);
  const std::string chunks = folder + "/quarantine/chunks";
  const auto names = files_in(chunks);
  for (const std::string& name : names) {
    if (!is_chunk_of(**numbers, customer, name)) continue;
    if (auto removed = files.remove(chunks + "/" + name); !removed) return removed;
  }
  if (auto synced = names.empty() ? Result<void>() : files.sync_directory(chunks); !synced) {
    return synced;
  }
  // Last: it says whose these were.
  return (*numbers)->forget(customer);
}

std::vector<std::string> left_in_folder(const std::string& folder) {
  constexpr std::string_view kDoubt =
      "it may hold rows of every customer; look at it, delete it, and run this again";
  std::vector<std::string> left;
  for (const std::string& name : files_in(folder + "/wal")) {
    if (name.starts_with("segment-")) left.push_back(fmt::format("wal/{}: {}", name, kDoubt));
  }
  for (const std::string& name : files_in(folder + "/quarantine")) {
    left.push_back(fmt::format("quarantine/{}: {}", name, kDoubt));
  }
  return left;
}

}  // namespace vigia::storage::keep
