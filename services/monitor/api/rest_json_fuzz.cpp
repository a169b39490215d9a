// Bodies, cookies and times as they come from outside: no crash, no endless work, and what is read
// can be written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/base/rfc3339.hpp"
#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/json/writer.hpp"
#include "services/monitor/api/body.hpp"
#include "services/monitor/sessions/authenticator.hpp"

namespace vigia::monitor::api {
namespace {

void read_body(const json::JsonValue& value) {
  BodyReader body(value);
  const auto id = body.text("id", 1, 200);
  body.optional_boolean("is_enabled");
  body.optional_integer("limit", 0, 10);
  body.optional_time("expires_at");
  if (body.problem().empty()) CHECK(!id.empty());
  json::JsonWriter writer;
  writer.begin_object().member("id", id).end_object();
  const auto again = json::parse_json(writer.text());
  CHECK(again && (*again)["id"].text() == id);
}

}  // namespace
}  // namespace vigia::monitor::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = vigia::json::parse_json(text);
  if (value) vigia::monitor::api::read_body(*value);
  vigia::monitor::sessions::cookie_value(text, "vigia");
  const auto time = vigia::parse_rfc3339(text);
  if (time) CHECK(vigia::parse_rfc3339(vigia::format_rfc3339(*time).value()) == time);
  return 0;
}
