#include "services/router/api/loki/log_page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

namespace vigia::router::api::loki {
namespace {

namespace dom = simdjson::dom;

// What storage says where a page ends before the records do: the cursor says so, too.
constexpr std::string_view kMore[] = {"results truncated", "the search was ended"};

Error no_page() {
  return {ErrorCode::kCorrupt, "the long-term store does not answer as it should"};
}

std::string text_of(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::STRING:
      return std::string(value.get_string().value_unsafe());
    case dom::element_type::INT64:
      return fmt::format("{}", value.get_int64().value_unsafe());
    case dom::element_type::UINT64:
      return fmt::format("{}", value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
      return fmt::format("{}", value.get_double().value_unsafe());
    case dom::element_type::BOOL:
      return value.get_bool().value_unsafe() ? "true" : "false";
    default:
      return {};
  }
}

bool read_text(const dom::element& record, std::string_view name, std::string_view& text) {
  return record[name].get_string().get(text) == simdjson::SUCCESS;
}

bool read_attributes(const dom::element& record, std::string_view name,
                     RecordAttributes& attributes) {
  attributes.clear();
  dom::object object;
  if (record[name].get_object().get(object) != simdjson::SUCCESS) return false;
  for (const auto field : object) attributes.emplace_back(field.key, text_of(field.value));
  return true;
}

bool read_time(const dom::element& record, std::int64_t& time_ns) {
  std::string_view text;
  if (!read_text(record, "time_ns", text)) return false;
  std::uint64_t time = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, time);
  if (failure != std::errc{} || stop != end) return false;
  // Beyond 2262, where no time of Loki's reaches.
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  time_ns = time > static_cast<std::uint64_t>(kMost) ? kMost : static_cast<std::int64_t>(time);
  return true;
}

bool read_record(const dom::element& from, LogRecord& record) {
  return read_time(from, record.time_ns) && read_text(from, "severity", record.severity) &&
         read_text(from, "body", record.body) && read_text(from, "trace_id", record.trace_id) &&
         read_text(from, "span_id", record.span_id) &&
         read_attributes(from, "attributes", record.attributes) &&
         read_attributes(from, "resource", record.resource);
}

bool read_numbers(const dom::element& from, CountedStream::Window& window) {
  dom::array numbers;
  if (from.get_array().get(numbers) != simdjson::SUCCESS || numbers.size() != 3) return false;
  const std::array<std::uint64_t*, 3> places{&window.number, &window.lines, &window.bytes};
  std::size_t i = 0;
  for (const dom::element number : numbers) {
    if (number.get_uint64().get(*places.at(i++)) != simdjson::SUCCESS) return false;
  }
  return true;
}

bool read_stream(const dom::element& from, CountedStream& stream) {
  stream.windows.clear();
  if (!read_text(from, "service_name", stream.service_name) ||
      !read_text(from, "node_id", stream.node_id) ||
      !read_text(from, "environment", stream.environment) ||
      !read_text(from, "severity", stream.severity) ||
      from["records"].get_uint64().get(stream.lines) != simdjson::SUCCESS ||
      from["bytes"].get_uint64().get(stream.bytes) != simdjson::SUCCESS) {
    return false;
  }
  dom::array windows;
  if (from["windows"].get_array().get(windows) != simdjson::SUCCESS) return true;
  for (const dom::element window : windows) {
    if (!read_numbers(window, stream.windows.emplace_back())) return false;
  }
  return true;
}

bool only_says_more(std::string_view warning) {
  for (const std::string_view begin : kMore) {
    if (warning.starts_with(begin)) return true;
  }
  return false;
}

// 0 where it does not say.
std::uint64_t read_number(const dom::element& from, std::string_view name) {
  std::uint64_t number = 0;
  return from[name].get_uint64().get(number) == simdjson::SUCCESS ? number : 0;
}

PageWork read_work(const dom::element& looked_at) {
  return {read_number(looked_at, "records"), read_number(looked_at, "bytes"),
          std::chrono::microseconds(
              std::min<std::uint64_t>(read_number(looked_at, "work_us"), INT32_MAX))};
}

PageEnd read_end(const dom::element& page) {
  PageEnd end;
  dom::element looked_at;
  end.says_looked_at = page["looked_at"].get(looked_at) == simdjson::SUCCESS;
  if (end.says_looked_at) end.looked_at = read_work(looked_at);
  std::string_view cursor;
  if (read_text(page, "cursor", cursor)) end.cursor = cursor;
  end.is_cut = !end.cursor.empty();
  dom::array warnings;
  if (page["warnings"].get_array().get(warnings) != simdjson::SUCCESS) return end;
  for (const dom::element warning : warnings) {
    std::string_view text;
    if (warning.get_string().get(text) != simdjson::SUCCESS) continue;
    if (only_says_more(text)) {
      end.is_cut = true;
    } else {
      end.warnings.emplace_back(text);
    }
  }
  return end;
}

}  // namespace

Result<PageEnd> read_page(std::string_view json,
                          const std::function<Result<bool>(const LogRecord&)>& visit) {
  dom::parser parser;
  dom::element page;
  dom::array records;
  if (parser.parse(json.data(), json.size()).get(page) != simdjson::SUCCESS ||
      page["data"].get_array().get(records) != simdjson::SUCCESS) {
    return tl::unexpected<Error>(no_page());
  }
  LogRecord record;
  std::size_t visited = 0;
  for (const dom::element each : records) {
    if (!read_record(each, record)) return tl::unexpected<Error>(no_page());
    const auto goes_on = visit(record);
    if (!goes_on) return forward(goes_on);
    ++visited;
    if (!*goes_on) break;
  }
  PageEnd end = read_end(page);
  end.is_read_whole = visited == records.size();
  return end;
}

Result<std::optional<PageEnd>> read_counts(
    std::string_view json, const std::function<Result<void>(const CountedStream&)>& visit) {
  dom::parser parser;
  dom::element page;
  dom::array streams;
  if (parser.parse(json.data(), json.size()).get(page) != simdjson::SUCCESS ||
      page["data"].get_array().get(streams) != simdjson::SUCCESS) {
    return tl::unexpected<Error>(no_page());
  }
  bool is_counted = true;
  if (page["counted"].get_bool().get(is_counted) == simdjson::SUCCESS && !is_counted) {
    return std::optional<PageEnd>();
  }
  CountedStream stream;
  for (const dom::element each : streams) {
    if (!read_stream(each, stream)) return tl::unexpected<Error>(no_page());
    if (auto done = visit(stream); !done) return forward(done);
  }
  return std::optional<PageEnd>(read_end(page));
}

}  // namespace vigia::router::api::loki
