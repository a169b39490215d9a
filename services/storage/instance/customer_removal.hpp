// How a store takes a customer out of its folder, and what it says of it afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

/// How many rows, or partitions of rows, there are of a customer, by table.
using RowsByTable = std::map<std::string, std::uint64_t>;

struct SharedProof {
  std::uint64_t tables = 0;       ///< read
  std::uint64_t rows = 0;         ///< in them, of the others; of most tables their partitions
  std::vector<std::string> left;  ///< as RemovalProof's
};

/// A customer on his way out of a store that several instances share. A kill at any moment costs
/// nothing but time: the same calls, from the first on, go on. Errors: kUnavailable where not all
/// machines that have to answer do. Thread contract: one thread.
class SharedRemoval {
 public:
  virtual ~SharedRemoval() = default;
  /// Waits long enough to see whether an instance lives. kUnavailable, naming it, where one does:
  /// what it has in memory of the customer it would write again.
  virtual Result<void> expect_alone(const RemovalProgress& progress) = 0;
  virtual Result<RowsByTable> count(const RemovalProgress& progress) = 0;
  /// Other instances that have something of the customer open, a line for each, which the proof has
  /// again. `identity`: of the folder whose instance this is. To be told before anything goes: what
  /// names them goes, too.
  virtual Result<std::vector<std::string>> others_open(std::uint64_t identity) = 0;
  /// What it has taken out.
  virtual Result<RowsByTable> remove(const RemovalProgress& progress) = 0;
  /// Reads all of it again, from every machine that has a copy. REQUIRES:
  /// expect_alone.
  virtual Result<SharedProof> prove(const RemovalProgress& progress) = 0;
};

}  // namespace vigia::storage::instance
