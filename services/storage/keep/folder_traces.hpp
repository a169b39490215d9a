// What the folder of an instance has of a customer where its rows lie elsewhere: the number by
// which its log knew him, and chunks in quarantine.
#pragma once

#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"
#include "libs/model/ids.hpp"

namespace vigia::storage::keep {

/// Takes the customer out of `vigia-customers` and of `quarantine/chunks`. REQUIRES: the folder's
/// log is empty (settle), and no process holds it: kUnavailable where one does. A kill on the way
/// leaves what the same call takes away. Errors as NumberFile's. Thread contract: one thread.
Result<void> forget_in_folder(const CustomerId& customer, const std::string& folder,
                              disk_log::FileSystem& files);

/// Where the folder may hold rows of the customer still, a line each: files of the log, and damaged
/// ones that were set aside, which hold everybody's; by their names, they are not read.
std::vector<std::string> left_in_folder(const std::string& folder);

}  // namespace vigia::storage::keep
