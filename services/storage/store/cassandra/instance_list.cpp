#include "services/storage/store/cassandra/instance_list.hpp"

namespace vigia::storage::store::cassandra {

Result<void> InstanceList::prepare(Preparation& preparation) {
  read_ = preparation.prepare("SELECT instance, taken_by FROM {}.instances");
  return preparation.outcome();
}

Result<std::vector<SharingNumber>> InstanceList::read() {
  std::vector<SharingNumber> all;
  auto read = session_.for_each_row({*read_, {}, "", kRequestDeadline},
                                    [&](vigia::cassandra::RowReader& row) {
                                      const std::int64_t number = row.read_bigint();
                                      const std::int64_t taken_by = row.read_bigint();
                                      // Its own number there: all of it is taken over. What cannot
                                      // be read may live.
                                      if (!row.ok() || taken_by != number)
                                        all.push_back(static_cast<SharingNumber>(number));
                                      return true;
                                    });
  if (!read) return tl::unexpected<Error>(store_error(std::move(read.error())));
  return all;
}

}  // namespace vigia::storage::store::cassandra
