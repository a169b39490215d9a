#include "services/storage/keep/set_aside.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/store/histogram_encoding.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::keep {
namespace {

namespace fs = std::filesystem;

// No chunk of the heads is a hundredth of it.
constexpr std::uintmax_t kFileBytesMax = 256U << 20U;
constexpr std::string_view kSetAside =
    "set aside because it was damaged; of its rows those are told that could be saved";

Result<std::vector<std::string>> files_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  if (!fs::exists(directory, error) && !error) return names;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code unknown;  // what cannot be looked at is named as well
    if (!at->is_directory(unknown)) names.push_back(at->path().filename().string());
  }
  if (error) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} cannot be listed: {}", directory, error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<quarantine::QuarantinedChunk> read_chunk(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return fail(ErrorCode::kUnavailable, "it cannot be read");
  if (size > kFileBytesMax) return fail(ErrorCode::kCorrupt, "no chunk is as large");
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.size() != size) return fail(ErrorCode::kUnavailable, "it cannot be read");
  return quarantine::decode(bytes);
}

Result<void> walk_chunks(const std::string& folder, const AsideVisit& visit,
                         std::vector<std::string>& unread) {
  const std::string place = "quarantine/chunks";
  const auto names = files_in(folder + "/" + place);
  if (!names) return forward(names);
  for (const std::string& name : *names) {
    if (name.ends_with(".new"))
      continue;  // of a write that a kill ended: the log has what it is of
    const auto chunk = read_chunk(fmt::format("{}/{}/{}", folder, place, name));
    if (!chunk) {
      unread.push_back(fmt::format("{}/{}: {}", place, name, chunk.error().message));
      continue;
    }
    if (auto visited = visit(*chunk); !visited) return visited;
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> walk_set_aside(const std::string& folder,
                                                const AsideVisit& visit) {
  std::vector<std::string> unread;
  if (auto walked = walk_chunks(folder, visit, unread); !walked) return forward(walked);
  const auto files = files_in(folder + "/quarantine");
  if (!files) return forward(files);
  for (const std::string& name : *files) {
    const bool is_note = name.ends_with(".note") || name.ends_with(".note.new");
    if (!is_note) unread.push_back(fmt::format("quarantine/{}: {}", name, kSetAside));
  }
  const auto logs = files_in(folder + "/wal");
  if (!logs) return forward(logs);
  for (const std::string& name : *logs) {
    if (name.ends_with(".damaged")) unread.push_back(fmt::format("wal/{}: {}", name, kSetAside));
  }
  return unread;
}

Result<instance::RawRow> raw_row_of(const quarantine::QuarantinedChunk& chunk) {
  instance::RawRow row{chunk.number, chunk.row.series, chunk.row.version, {}, {}};
  if (store::holds_histograms(chunk.row.encoding)) {
    auto histograms = store::histograms_of(chunk.row);
    if (!histograms) return forward(histograms);
    row.histograms = *std::move(histograms);
    return row;
  }
  auto samples = chunk::read_samples(chunk.row.data);
  if (!samples) return forward(samples);
  row.samples = *std::move(samples);
  return row;
}

}  // namespace vigia::storage::keep
