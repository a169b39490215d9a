// A file that another program reads when it is told to.
#pragma once

#include <functional>
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

/// What is written where, and who is told.
struct Target {
  std::string name;  ///< for the log: "rules of hot-0"
  std::string file;
  mode_t mode = 0600;
  std::string reload_url;  ///< POST: the reader loads the file
  /// What is to stand in it now; called by the thread that writes. Empty where whoever has the
  /// ReloadedFile gives the content, as of a file whose parts are tried one by one.
  std::function<std::string()> render = {};
};

/// Thread contract: one thread.
class ReloadedFile {
 public:
  ReloadedFile(ReloadParts parts, Target target) : parts_(parts), target_(std::move(target)) {}

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
  const Target& target() const { return target_; }

 private:
  Verdict reload();

  ReloadParts parts_;
  Target target_;
  std::string loaded_;  ///< what the reader runs, "" where that is not known
  std::string refusal_;
};

}  // namespace vigia::monitor::alerting
