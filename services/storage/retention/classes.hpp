// Which classes of retention there are, and which customer has which.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/service/config.hpp"
#include "services/storage/retention/keeps.hpp"

namespace vigia::storage::retention {

struct ClassSettings {
  std::map<std::string, Keeps> classes;  ///< by name
  std::string customers_file;            ///< "": all have `retention:`
};

/// Of the keys `retention_classes` and `retention_customers_file`; `all` is `retention:`, from
/// which comes what a class does not name. What cannot be is noted at its key.
ClassSettings read_classes(const service::ConfigNode& root, const RetentionSettings& all);

/// What a customers file says.
struct CustomerClasses {
  std::map<CustomerId, std::string> class_of;  ///< a class that there is, or another word
  std::size_t left_out = 0;                    ///< entries that are none
  std::string first_problem;                   ///< of these
};

/// `customers: [{id: cliente-a, class: long}]`. An entry that cannot be read is left out, so that
/// it does not keep the others' from taking effect. kInvalid, with the line, for what is no such
/// file, and where a customer stands twice: nobody knows which of the two is meant.
Result<CustomerClasses> parse_customers(std::string_view text, const std::string& name);
/// kNotFound or kUnavailable where it cannot be read, kInvalid past 16 MiB.
Result<std::string> read_customers_file(const std::string& path);

/// What a start goes on without: kInvalid names the first entry that is left out, or whose class is
/// none, and how many there are. For --check-config.
Result<void> check_customers(const ClassSettings& settings);

}  // namespace vigia::storage::retention
