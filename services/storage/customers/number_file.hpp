// Customers' numbers in a file of the instance's folder: for a store that gives none, since several
// instances share it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/disk_log/file_system.hpp"
#include "libs/disk_log/kept_line.hpp"
#include "services/storage/customers/customer_numbers.hpp"

namespace vigia::storage::customers {

/// The file lies twice, each time whole (docs/formats/customer-numbers.md). Thread contract: any
/// thread.
class NumberFile final : public CustomerNumbers {
  struct Key {};  // only open makes one

 public:
  /// `files` must outlive it. kCorrupt where both files are damaged: numbers that are given again
  /// would give one customer what the write-ahead log holds of another. kUnavailable.
  static Result<std::unique_ptr<NumberFile>> open(const std::string& path,
                                                  disk_log::FileSystem& files);
  /// Who has which number, by whichever of the two files is whole; nobody where none is. Changes
  /// nothing, so that whoever looks at a folder leaves it as it is.
  static std::map<std::uint32_t, CustomerId> look(const std::string& path);
  NumberFile(Key key, disk_log::KeptLineForm form, disk_log::FileSystem& files);

  Result<CustomerNumber> number_of(const CustomerId& customer) override;
  std::optional<CustomerId> id_of(CustomerNumber number) const override;
  /// Refuses them as their own fault: who writes them tries again and sets them aside in the
  /// quarantine, with their number.
  Result<void> keep_unowned(CustomerNumber number,
                            std::span<const store::ClosedChunk> chunks) override;
  /// Neither this number nor a lower one is given to anybody new.
  void note_used(CustomerNumber number);
  /// Takes the customer out, on disk when it returns; the number is given to nobody. Nothing where
  /// he is not known. Errors as number_of's.
  Result<void> forget(const CustomerId& customer);

 private:
  Result<void> write();  // under mutex_

  const disk_log::KeptLineForm form_;
  disk_log::FileSystem& files_;
  mutable std::mutex mutex_;
  std::vector<std::string> ids_;  // of number 1, 2, …; "": nobody's
  std::map<std::string, std::uint32_t> numbers_;
};

}  // namespace vigia::storage::customers
