#include "services/router/json/targets.hpp"

#include <array>

#include <simdjson.h>

#include "libs/base/json_text.hpp"
#include "libs/model/labels.hpp"

namespace vigia::router::json {
namespace {

namespace dom = simdjson::dom;

bool is_of(dom::element target, const CustomerId& customer) {
  std::string_view value;
  return target["labels"][kCustomerLabel].get_string().get(value) == simdjson::SUCCESS &&
         value == customer.text();
}

/// The fields that are shown; of the others clients get the form alone.
std::string own_target(dom::element target, bool (*hides_error)(std::string_view)) {
  std::string out = R"({"discoveredLabels":{},"labels":)";
  out += std::string(simdjson::minify(target["labels"]));
  out += R"(,"scrapePool":"","scrapeUrl":"","globalUrl":"","lastError":)";
  const std::string_view error = target["lastError"].get_string();
  out += json_text(hides_error(error) ? "the target could not be scraped" : error);
  constexpr std::array<std::string_view, 5> kShown{"lastScrape", "lastScrapeDuration", "health",
                                                   "scrapeInterval", "scrapeTimeout"};
  for (const std::string_view name : kShown) {
    dom::element value;
    if (target[name].get(value) != simdjson::SUCCESS) continue;
    out += ",\"" + std::string(name) + "\":" + std::string(simdjson::minify(value));
  }
  return out + "}";
}

}  // namespace

Result<std::vector<std::string>> read_targets(std::string_view json,
                                              const std::optional<CustomerId>& customer,
                                              bool (*hides_error)(std::string_view text)) {
  try {
    dom::parser parser;
    const dom::element root = parser.parse(json.data(), json.size());
    std::vector<std::string> targets;
    for (const dom::element target : root["activeTargets"].get_array()) {
      if (!customer) {
        targets.push_back(simdjson::minify(target));
      } else if (is_of(target, *customer)) {
        targets.push_back(own_target(target, hides_error));
      }
    }
    return targets;
  } catch (const simdjson::simdjson_error&) {
    return fail(ErrorCode::kCorrupt, "targets of the hot store cannot be read");
  }
}

}  // namespace vigia::router::json
