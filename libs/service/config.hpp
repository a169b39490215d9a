// Configuration files: YAML with the line of every key kept, so that an error can name it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::service {

/// One node of a configuration file. Reading collects errors instead of returning them one by one:
/// a service reads all its keys, then asks `ConfigFile::finish`. Values are kept after the file is
/// gone.
class ConfigNode {
 public:
  /// The value of a key of this map. A missing key gives a node that is absent; reading it gives
  /// the fallback.
  ConfigNode child(std::string_view key) const;
  bool is_present() const;
  bool is_sequence() const;
  bool is_scalar() const;
  /// A scalar in quotes, or a block: it is a text, whatever it says.
  bool is_quoted() const;
  /// Keys of a map in file order; each counts as known only once `child` has asked for it.
  std::vector<std::string> keys() const;
  std::vector<ConfigNode> items() const;  ///< of a sequence

  // Each reads a scalar; where it is absent the fallback, where it cannot be read the fallback and
  // a noted error.
  std::string text(std::string_view fallback = "") const;
  std::string required_text() const;  ///< absent or empty is a noted error
  std::int64_t integer(std::int64_t fallback, std::int64_t min, std::int64_t max) const;
  double number(double fallback, double min, double max) const;
  bool boolean(bool fallback) const;
  Duration duration(Duration fallback) const;         ///< "15s", "400d"
  std::uint64_t bytes(std::uint64_t fallback) const;  ///< "512MiB", "64KiB", "1000"
  std::vector<std::string> text_list() const;

  /// Notes an error about this node: "collector.yaml:12: exporters.debug: …".
  void note_error(std::string_view message) const;
  /// Takes the whole subtree as known, keys unread (for parts that read it later).
  void accept_all() const;
  /// "exporters.otlp/x.endpoint"
  std::string path() const;
  int line() const;  ///< 1-based

  struct State;  // in the source only

 private:
  friend class ConfigFile;
  std::shared_ptr<State> state_;  // shared with the tree above it: nodes outlive the file
};

/// A parsed file, or several laid over each other. `${env:NAME}` and `${NAME}` in a scalar are
/// replaced (config_references.hpp), YAML's merge keys (`<<`) followed; doubled keys and, at
/// `finish`, keys that nobody asked for are errors with file, line and path.
class ConfigFile {
 public:
  /// kInvalid for YAML that cannot be read, kNotFound for a file that cannot.
  static Result<ConfigFile> load(const std::string& path);
  /// One configuration of several files, as the OpenTelemetry Collector has it: of a key that two
  /// give the later counts; maps are merged key by key, lists and single values replaced whole.
  /// Bounds are of all together. REQUIRES: one path at least.
  static Result<ConfigFile> load_all(const std::vector<std::string>& paths);
  static Result<ConfigFile> parse(std::string_view text, std::string name);
  ConfigNode root() const { return root_; }
  /// One clear line, or success: an unknown key that is spelt nearly as a missing one, with the key
  /// that may be meant; else the first error in file order.
  Result<void> finish() const;

 private:
  ConfigNode root_;
};

}  // namespace vigia::service
