#include "services/monitor/pages/pages.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/net/compression.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/pages/limits.hpp"

namespace vigia::monitor::pages {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndex = "/index.html";
constexpr std::string_view kHashed = "/assets/";  // where the build puts files
constexpr std::string_view kNodes = "/nodes/";    // the portal's pages of single nodes
constexpr auto kTypes = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{".html", "text/html; charset=utf-8"},
     {".js", "text/javascript; charset=utf-8"},
     {".mjs", "text/javascript; charset=utf-8"},
     {".css", "text/css; charset=utf-8"},
     {".json", "application/json"},
     {".map", "application/json"},
     {".webmanifest", "application/manifest+json"},
     {".svg", "image/svg+xml"},
     {".png", "image/png"},
     {".ico", "image/x-icon"},
     {".webp", "image/webp"},
     {".woff2", "font/woff2"},
     {".txt", "text/plain; charset=utf-8"}});

std::string type_of(const std::string& name) {
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

bool is_text(std::string_view type) {
  return type.starts_with("text/") || type.starts_with("application/json") ||
         type.starts_with("image/svg") || type.starts_with("application/manifest");
}

// A dot in the last part names a file, but for nodes, whose names may hold dots: "web.example.com".
bool is_place(std::string_view path) {
  if (path.starts_with(kNodes)) return true;
  const auto last = path.substr(path.rfind('/') + 1);
  return last.find('.') == std::string_view::npos && !path.starts_with(kHashed);
}

}  // namespace

Result<Pages::File> Pages::read(const std::string& path, const std::string& name) {
  const std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream) return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be read", path));
  File file;
  file.content = std::make_shared<const std::string>(content.str());
  file.type = type_of(name);
  file.etag = "\"" + sha256_hex(*file.content).substr(0, 32) + "\"";
  // The build puts a hash of the content into these names, so a changed file has another one.
  file.is_immutable = name.starts_with(kHashed);
  if (is_text(file.type)) {
    // Once at the start, not for each request.
    auto packed = net::compress("gzip", *file.content);
    if (packed && packed->size() < file.content->size()) {
      file.gzip = std::make_shared<const std::string>(std::move(*packed));
    }
  }
  return file;
}

Result<Pages> Pages::load(const std::string& directory) {
  Pages pages;
  std::error_code problem;
  if (directory.empty() || !fs::is_directory(directory, problem)) return pages;
  std::size_t bytes = 0;
  // Links are not followed, so nothing outside the folder can be served.
  for (const auto& entry : fs::recursive_directory_iterator(directory, problem)) {
    if (!entry.is_regular_file(problem) || entry.is_symlink(problem)) continue;
    const auto name = "/" + fs::relative(entry.path(), directory, problem).generic_string();
    bytes += entry.file_size(problem);
    if (bytes > kPortalBytesMax || pages.files_.size() >= kPortalFilesMax) {
      return fail(ErrorCode::kTooLarge,
                  fmt::format("portal: {} holds more than {} files or {} "
                              "MiB",
                              directory, kPortalFilesMax, kPortalBytesMax >> 20U));
    }
    auto file = read(entry.path().string(), name);
    if (!file) return forward(file);
    pages.files_.emplace(name, std::move(*file));
  }
  return pages;
}

net::Response Pages::answer(const net::RequestHead& head) const {
  if (head.method != "GET" && head.method != "HEAD") {
    auto response = api::to_response(api::Refusal(405, "invalid", "pages take GET"));
    response.headers.add("allow", "GET, HEAD");
    return response;
  }
  const auto found = files_.find(head.path);
  if (found != files_.end()) return to_response(found->second, head);
  const auto index = files_.find(kIndex);
  // Other paths are places within the page, which its script reads from the address. A file that is
  // missing must not be answered with a page: a browser would run it as a script and keep it.
  if (!is_place(head.path)) {
    return api::to_response(api::not_found().value());
  }
  if (index == files_.end()) {
    net::Response response;
    response.status = 503;
    response.headers.add("content-type", "text/plain; charset=utf-8");
    response.body = "The portal is not built, or portal.directory does not name where it lies.\n";
    return response;
  }
  return to_response(index->second, head);
}

net::Response Pages::to_response(const File& file, const net::RequestHead& head) {
  net::Response response;
  response.headers.add("etag", file.etag);
  response.headers.add("cache-control",
                       file.is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (head.headers.get("if-none-match") == file.etag) {
    response.status = 304;
    return response;
  }
  response.headers.add("content-type", file.type);
  response.headers.add("vary", "accept-encoding");
  const bool takes_gzip =
      head.headers.get("accept-encoding").find("gzip") != std::string_view::npos;
  if (takes_gzip && file.gzip) {
    response.headers.add("content-encoding", "gzip");
    response.shared_body = file.gzip;
  } else {
    response.shared_body = file.content;
  }
  return response;
}

}  // namespace vigia::monitor::pages
