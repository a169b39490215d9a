// How a store takes a customer out of its folder, and what it says of it afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::storage::instance {

/// Told what is being done, and of what.
using RemovalProgress = std::function<void(const std::string& what)>;

/// What a look at every byte that could be the customer's has found afterwards.
struct RemovalProof {
  std::uint64_t files = 0;  ///< read
  std::uint64_t rows = 0;   ///< in them, of the others
  /// The number that was the customer's is somebody else's by now: the customer's name was looked
  /// for, and rows that might be left under the number cannot be told from those of the other.
  bool is_number_gone = false;
  /// Where something of the customer is, or may be since it cannot be told: nothing is left out.
  std::vector<std::string> left;
};

/// REQUIRES: the folder's log is empty (keep::settle). Takes every row of the customer out, has the
/// database write anew whatever files held one, and reads all files to see. A kill at any moment
/// costs nothing but time: the same call goes on. kNotFound where the folder knows no such customer
/// and no removal of it that was begun; kUnavailable where a process holds the folder.
using RemoveCustomer = Result<RemovalProof> (*)(const CustomerId& customer,
                                                const std::string& directory,
                                                const RemovalProgress& progress);

}  // namespace vigia::storage::instance
