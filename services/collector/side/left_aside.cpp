#include "services/collector/side/left_aside.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "libs/disk_log/file_system.hpp"
#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {
namespace {

constexpr char kSlash = '~';  // of an exporter's id, in a file's name

std::string exporter_of(std::string folder) {
  std::replace(folder.begin(), folder.end(), kSlash, '/');
  return folder;
}

// Heads alone: this is a start, and what lies aside may be gigabytes.
Result<LeftAside> survey(const std::string& folder, disk_log::FileSystem& files) {
  auto names = files.list(folder);
  if (!names) return forward(names);
  LeftAside left;
  std::set<CustomerId> customers;
  for (const std::string& name : *names) {
    if (!is_side_entry(name)) continue;
    const auto head = read_side_head(files, folder + "/" + name);
    if (!head) {
      ++left.unreadable;
      continue;
    }
    customers.insert(head->customer);
    left.items += head->items;
    left.bytes += head->content_bytes;
    if (left.oldest_received_ms == 0 || head->received_ms < left.oldest_received_ms)
      left.oldest_received_ms = head->received_ms;
  }
  left.customers = customers.size();
  return left;
}

}  // namespace

std::string side_folder(const std::string& data_directory, std::string exporter) {
  std::replace(exporter.begin(), exporter.end(), '/', kSlash);
  return data_directory + "/side/" + exporter;
}

Result<std::vector<LeftAside>> find_left_aside(const std::string& data_directory,
                                               const std::vector<std::string>& exporters) {
  std::set<std::string> known;
  for (const std::string& exporter : exporters) known.insert(side_folder(data_directory, exporter));
  std::vector<LeftAside> found;
  std::error_code fault;
  std::filesystem::directory_iterator folder(data_directory + "/side", fault);
  if (fault == std::errc::no_such_file_or_directory) return found;
  for (; !fault && folder != std::filesystem::directory_iterator(); folder.increment(fault)) {
    const std::string path = folder->path().string();
    std::error_code unknown;
    // Folders of exporters that the configuration names no more: nobody delivers what is in them.
    if (!folder->is_directory(unknown) || known.contains(path)) continue;
    auto left = survey(path, disk_log::system_files());
    if (!left || (left->items == 0 && left->unreadable == 0)) continue;
    left->exporter = exporter_of(folder->path().filename().string());
    found.push_back(*std::move(left));
  }
  if (fault) return fail(ErrorCode::kInternal, data_directory + "/side: " + fault.message());
  return found;
}

bool is_left_aside(const std::string& data_directory, const std::string& exporter) {
  std::error_code fault;
  return std::filesystem::exists(side_folder(data_directory, exporter), fault);
}

}  // namespace vigia::collector::side
