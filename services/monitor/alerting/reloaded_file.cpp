#include "services/monitor/alerting/reloaded_file.hpp"

#include "libs/service/log.hpp"
#include "services/monitor/alerting/file_write.hpp"

namespace vigia::monitor::alerting {
namespace {

constexpr std::chrono::seconds kReloadTimeout{5};
constexpr std::size_t kRefusalBytesMax = 500;

// Prometheus and Alertmanager answer 500 to a file that they do not take. Anything else (no
// lifecycle interface, a proxy's 502) says nothing about the file.
bool is_refusal(int status) { return status == 500 || status == 400; }

}  // namespace

Result<void> ReloadedFile::write(const std::string& content) {
  if (content == read_file_or_empty(target_.file)) return {};
  return replace_file(target_.file, content, target_.mode);
}

Result<Verdict> ReloadedFile::load(const std::string& content) {
  if (content == loaded_ && content == read_file_or_empty(target_.file)) return Verdict::kTaken;
  const auto present = read_file_or_empty(target_.file);
  if (!present.empty() && present != content) {
    auto kept = replace_file(target_.file + ".previous", present, target_.mode);
    if (!kept) return forward(kept);
  }
  auto written = write(content);
  if (!written) return forward(written);
  const auto verdict = reload();
  if (verdict == Verdict::kTaken) loaded_ = content;
  if (verdict != Verdict::kRefused) return verdict;
  // Right after a start what the reader runs is not known, but it is what the file held.
  const auto& running = loaded_.empty() ? present : loaded_;
  if (!running.empty() && running != content) {
    auto restored = replace_file(target_.file, running, target_.mode);
    if (!restored) return forward(restored);
  }
  return verdict;
}

Verdict ReloadedFile::reload() {
  net::ClientRequest request;
  request.method = "POST";
  request.url = target_.reload_url;
  request.timeout = kReloadTimeout;
  auto answer = parts_.client.fetch(std::move(request));
  const bool is_taken = answer && answer->status / 100 == 2;
  (is_taken ? parts_.reloads : parts_.failures).add();
  if (!answer) return Verdict::kAway;
  if (is_taken) {
    refusal_.clear();
    service::log_info("alerting loaded", {{"what", target_.name}});
    return Verdict::kTaken;
  }
  const bool is_new = refusal_ != answer->body.substr(0, kRefusalBytesMax);
  refusal_ = answer->body.substr(0, kRefusalBytesMax);
  if (is_refusal(answer->status)) return Verdict::kRefused;
  if (is_new) {
    service::log_error(
        "alerting not loaded",
        {{"what", target_.name}, {"status", std::to_string(answer->status)}, {"answer", refusal_}});
  }
  return Verdict::kAway;
}

}  // namespace vigia::monitor::alerting
