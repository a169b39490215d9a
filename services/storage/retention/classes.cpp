#include "services/storage/retention/classes.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

namespace vigia::storage::retention {
namespace {

constexpr std::size_t kFileBytesMax = 16U << 20U;
constexpr std::size_t kNameMax = 64;

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

bool is_made(const RetentionSettings& all, DataKind kind) {
  if (kind == DataKind::kRollup5m) return all.rollup_5m.is_made;
  if (kind == DataKind::kRollup1h) return all.rollup_1h.is_made;
  return kind != DataKind::kRollup1d || all.rollup_1d.is_made;
}

Keeps read_class(const service::ConfigNode& node, const RetentionSettings& all) {
  Keeps keeps = keeps_of(all);
  for (const DataKind kind : kKinds) {
    const service::ConfigNode key = node.child(to_string(kind));
    if (!key.is_present()) continue;
    keeps[kind] = read_keep(key, keeps[kind]);
    if (is_made(all, kind)) continue;
    key.note_error(
        fmt::format("these roll-ups are made of all customers or of none: retention.{} is off",
                    to_string(kind)));
  }
  return keeps;
}

struct NamedClass {
  std::string id;
  std::string class_name;
};

Result<CustomerId> read_entry(const service::ConfigNode& node, NamedClass& entry) {
  const service::ConfigNode id = node.child("id");
  const service::ConfigNode name = node.child("class");
  if (id.is_scalar()) entry.id = id.text();
  if (name.is_scalar()) entry.class_name = name.text();
  auto customer = CustomerId::parse(entry.id);
  if (!customer) return customer;
  if (entry.class_name.empty()) return fail(ErrorCode::kInvalid, "it names no class");
  return customer;
}

}  // namespace

ClassSettings read_classes(const service::ConfigNode& root, const RetentionSettings& all) {
  ClassSettings settings;
  const service::ConfigNode classes = root.child("retention_classes");
  for (const std::string& name : classes.keys()) {
    const service::ConfigNode node = classes.child(name);
    if (!is_name(name)) node.note_error("a class is named by a to z, 0 to 9, _ and -");
    settings.classes.emplace(name, read_class(node, all));
  }
  const service::ConfigNode file = root.child("retention_customers_file");
  settings.customers_file = file.text();
  if (!settings.classes.empty() && settings.customers_file.empty()) {
    classes.note_error("nobody has a class without retention_customers_file");
  }
  if (settings.classes.empty() && file.is_present()) {
    file.note_error("there are no retention_classes that a customer could have");
  }
  return settings;
}

Result<CustomerClasses> parse_customers(std::string_view text, const std::string& name) {
  auto file = service::ConfigFile::parse(text, name);
  if (!file) return forward(file);
  CustomerClasses customers;
  for (const service::ConfigNode& node : file->root().child("customers").items()) {
    NamedClass entry;
    const auto customer = read_entry(node, entry);
    node.accept_all();
    if (!customer) {
      if (customers.left_out++ == 0) {
        customers.first_problem = fmt::format("{}:{}: customer \"{}\": {}", name, node.line(),
                                              entry.id, customer.error().message);
      }
    } else if (!customers.class_of.emplace(*customer, entry.class_name).second) {
      return fail(ErrorCode::kInvalid, fmt::format("{}:{}: customer \"{}\" is given twice", name,
                                                   node.line(), entry.id));
    }
  }
  if (auto finished = file->finish(); !finished) return forward(finished);
  return customers;
}

Result<std::string> read_customers_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, fmt::format("{}: cannot be opened", path));
  std::string text;
  for (char block[1U << 14U]; file && text.size() <= kFileBytesMax;) {
    file.read(block, sizeof(block));
    text.append(block, static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be read", path));
  if (text.size() <= kFileBytesMax) return text;
  return fail(ErrorCode::kInvalid, fmt::format("{}: larger than {} bytes", path, kFileBytesMax));
}

Result<void> check_customers(const ClassSettings& settings) {
  if (settings.customers_file.empty()) return {};
  const auto text = read_customers_file(settings.customers_file);
  if (!text) return forward(text);
  const auto customers = parse_customers(*text, settings.customers_file);
  if (!customers) return forward(customers);
  std::string first = customers->first_problem;
  std::size_t wrong = customers->left_out;
  for (const auto& [customer, name] : customers->class_of) {
    if (settings.classes.contains(name)) continue;
    ++wrong;
    if (!first.empty()) continue;
    first = fmt::format("{}: customer \"{}\" has class \"{}\", which is none of retention_classes",
                        settings.customers_file, customer.text(), name);
  }
  if (wrong == 0) return {};
  return fail(ErrorCode::kInvalid,
              wrong == 1 ? first : fmt::format("{}; and {} more", first, wrong - 1));
}

}  // namespace vigia::storage::retention
