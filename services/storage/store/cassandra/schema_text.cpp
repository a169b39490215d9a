#include "services/storage/store/cassandra/schema_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "libs/base/hex.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::string_view kKeyspace = "observability";
constexpr std::string_view kReplication = "'datacenter1': 3";
constexpr std::string_view kStep = "-- step ";
constexpr std::size_t kNameMax = 48;  // Cassandra's own, for keyspaces

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string with_settings(std::string statement, const SchemaSettings& settings) {
  replace_all(statement, kReplication,
              fmt::format("'{}': {}", settings.datacenter, settings.replication_factor));
  replace_all(statement, kKeyspace, settings.keyspace);
  return statement;
}

/// "3: title" of a step's line.
Result<SchemaStep> step_of(std::string_view head, std::size_t steps) {
  SchemaStep step;
  const auto read = std::from_chars(head.data(), head.data() + head.size(), step.version);
  const std::string_view rest(read.ptr, static_cast<std::size_t>(head.end() - read.ptr));
  if (read.ec != std::errc() || !rest.starts_with(": ") ||
      step.version != static_cast<std::int32_t>(steps) + 1) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the schema's step {} is not \"-- step {}: title\"", head, steps + 1));
  }
  step.title = rest.substr(2);
  return step;
}

/// Gathers statements line by line.
class SchemaReader {
 public:
  explicit SchemaReader(const SchemaSettings& settings) : settings_(settings) {}

  Result<void> take(std::string_view line) {
    if (line.starts_with(kStep)) {
      if (auto ended = end(); !ended) return ended;
      auto step = step_of(line.substr(kStep.size()), text_.steps.size());
      if (!step) return forward(step);
      text_.steps.push_back(std::move(*step));
      return {};
    }
    if (line.starts_with("--") || line.empty()) return {};
    statement_.append(line).push_back('\n');
    if (!line.ends_with(';')) return {};
    statement_.resize(statement_.size() - 2);
    return add(std::exchange(statement_, {}));
  }

  Result<void> end() const {
    if (statement_.empty()) return {};
    return fail(ErrorCode::kInvalid,
                fmt::format("a statement of the schema has no end: {}", statement_));
  }
  SchemaText text() && { return std::move(text_); }

 private:
  Result<void> add(std::string statement) {
    if (statement.find(" IF NOT EXISTS ") == std::string::npos) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("a statement of the schema may not be run twice: {}", statement));
    }
    if (text_.steps.empty()) {
      text_.base.push_back(with_settings(std::move(statement), settings_));
      return {};
    }
    SchemaStep& step = text_.steps.back();
    // It tells a step that was edited from the one that was released.
    step.text_hash = sha256_hex(step.text_hash + statement);
    step.statements.push_back(with_settings(std::move(statement), settings_));
    return {};
  }

  const SchemaSettings& settings_;
  SchemaText text_;
  std::string statement_;
};

}  // namespace

Result<void> check_schema_settings(const SchemaSettings& settings) {
  const std::string& keyspace = settings.keyspace;
  const auto is_keyspace = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
  if (keyspace.empty() || keyspace.size() > kNameMax || !is_lower(keyspace.front()) ||
      !std::all_of(keyspace.begin(), keyspace.end(), is_keyspace)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("keyspace \"{}\": a lower-case letter, then up to 47 of them, digits "
                            "and underscores",
                            keyspace));
  }
  // It stands in quotes in the middle of a statement.
  const auto is_datacenter = [](char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  };
  if (settings.datacenter.empty() ||
      !std::all_of(settings.datacenter.begin(), settings.datacenter.end(), is_datacenter)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("datacenter \"{}\": letters, digits, _ - .", settings.datacenter));
  }
  if (settings.replication_factor < 1 || settings.replication_factor > 9) {
    return fail(ErrorCode::kInvalid, "replication_factor: 1 to 9");
  }
  return {};
}

Result<SchemaText> read_schema(std::string_view cql, const SchemaSettings& settings) {
  SchemaReader reader(settings);
  while (!cql.empty()) {
    const std::size_t end = std::min(cql.find('\n'), cql.size());
    if (auto taken = reader.take(cql.substr(0, end)); !taken) return forward(taken);
    cql.remove_prefix(std::min(end + 1, cql.size()));
  }
  if (auto ended = reader.end(); !ended) return forward(ended);
  return std::move(reader).text();
}

}  // namespace vigia::storage::store::cassandra
