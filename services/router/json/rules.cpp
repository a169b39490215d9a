#include "services/router/json/rules.hpp"

#include <set>

#include <simdjson.h>

#include "libs/base/json_text.hpp"
#include "libs/model/labels.hpp"

namespace vigia::router::json {
namespace {

namespace dom = simdjson::dom;

bool carries(dom::element item, const std::optional<CustomerId>& customer) {
  if (!customer) return true;
  std::string_view value;
  return item["labels"][kCustomerLabel].get_string().get(value) == simdjson::SUCCESS &&
         value == customer->text();
}

std::vector<std::string> own_items(dom::element list, const std::optional<CustomerId>& customer) {
  std::vector<std::string> items;
  if (list.is_null()) return items;
  for (const dom::element item : list.get_array()) {
    if (carries(item, customer)) items.push_back(simdjson::minify(item));
  }
  return items;
}

void append_field(std::string& out, std::string_view key, std::string_view value) {
  if (out.size() > 1) out += ',';
  out += json_text(key);
  out += ':';
  out += value;
}

std::string own_rule(dom::element rule, const std::optional<CustomerId>& customer) {
  std::string out = "{";
  for (const dom::key_value_pair field : rule.get_object()) {
    const bool is_alerts = field.key == "alerts";
    append_field(out, field.key,
                 is_alerts ? join_list(own_items(field.value, customer))
                           : std::string(simdjson::minify(field.value)));
  }
  return out + "}";
}

/// Empty where none of the group's rules are the customer's.
std::string own_group(dom::element group, const std::optional<CustomerId>& customer) {
  std::string out = "{";
  bool has_rules = false;
  for (const dom::key_value_pair field : group.get_object()) {
    if (field.key == "file") {
      // The path of the provider's file; clients want the field, not what is in it.
      append_field(out, field.key, "\"\"");
    } else if (field.key == "rules" && !field.value.is_null()) {
      std::vector<std::string> rules;
      for (const dom::element rule : field.value.get_array()) {
        // A rule's label says whose it is; its alerts are looked at each as well, since a rule
        // without a fence may yield others'.
        if (carries(rule, customer)) rules.push_back(own_rule(rule, customer));
      }
      has_rules = !rules.empty();
      append_field(out, field.key, join_list(rules));
    } else {
      append_field(out, field.key, std::string(simdjson::minify(field.value)));
    }
  }
  return has_rules ? out + "}" : "";
}

template <typename T, typename Read>
Result<T> parsed(std::string_view json, const Read& read) {
  try {
    dom::parser parser;
    return read(parser.parse(json.data(), json.size()));
  } catch (const simdjson::simdjson_error&) {
    return fail(ErrorCode::kCorrupt, "an answer of the hot store cannot be read");
  }
}

}  // namespace

std::string join_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    out += item;
  }
  return out + "]";
}

Result<std::vector<std::string>> read_alerts(std::string_view json,
                                             const std::optional<CustomerId>& customer) {
  return parsed<std::vector<std::string>>(
      json, [&](dom::element root) { return own_items(root["alerts"], customer); });
}

Result<std::vector<std::string>> read_groups(std::string_view json,
                                             const std::optional<CustomerId>& customer) {
  return parsed<std::vector<std::string>>(json, [&](dom::element root) {
    std::vector<std::string> groups;
    for (const dom::element group : root["groups"].get_array()) {
      std::string text = customer ? own_group(group, customer) : simdjson::minify(group);
      if (!text.empty()) groups.push_back(std::move(text));
    }
    return groups;
  });
}

void drop_repeated(std::vector<std::string>& items) {
  dom::parser parser;
  std::set<std::string> seen;
  std::erase_if(items, [&](const std::string& item) {
    dom::element labels;
    // What cannot be told apart stays.
    if (parser.parse(item)["labels"].get(labels) != simdjson::SUCCESS) return false;
    return !seen.insert(simdjson::minify(labels)).second;
  });
}

}  // namespace vigia::router::json
