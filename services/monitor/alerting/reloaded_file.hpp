// A file that another program reads when it is told to.
#pragma once

#include <string>

#include <sys/types.h>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/alerting/channel_selection.hpp"

namespace vigia::monitor::alerting {

/// How readers are asked, and what is counted of it.
struct ReloadParts {
  net::Client& client;
  service::Counter& reloads;
  service::Counter& failures;
};

/// Thread contract: one thread.
class ReloadedFile {
 public:
  /// `name` for the log: "rules of hot-0".
  ReloadedFile(ReloadParts parts, std::string name, std::string file, std::string reload_url,
               mode_t mode)
      : parts_(parts),
        name_(std::move(name)),
        file_(std::move(file)),
        reload_url_(std::move(reload_url)),
        mode_(mode) {}

  /// Writes where the content differs, without telling the reader. kUnavailable where it cannot be
  /// written.
  Result<void> write(const std::string& content);
  /// Writes and makes the reader load it; where it is loaded already, nothing. A refused content is
  /// replaced by the one before it, which the reader still runs. kAway where the reader does not
  /// answer, or answers what is no refusal of a content; then the content stays, and is read when
  /// the reader starts. An error where the file cannot be written.
  Result<Verdict> load(const std::string& content);
  /// The newest refusal, cut; "" for none.
  const std::string& refusal() const { return refusal_; }
  const std::string& name() const { return name_; }

 private:
  Verdict reload();

  ReloadParts parts_;
  const std::string name_;
  const std::string file_;
  const std::string reload_url_;
  const mode_t mode_;
  std::string loaded_;  ///< what the reader runs, "" where that is not known
  std::string refusal_;
};

}  // namespace vigia::monitor::alerting
