#include "services/storage/store/events.hpp"

namespace vigia::storage::store {
namespace {

tl::unexpected<Error> no_index() {
  return fail(ErrorCode::kInvalid,
              "this store keeps no index of spans: a trace is read by its id alone");
}

}  // namespace

Result<LogArrivals> EventStore::log_arrivals(const CustomerId& /*customer*/,
                                             std::optional<std::uint64_t> /*after*/) {
  return fail(ErrorCode::kInvalid,
              "this store does not know in what order log records came: read them by their times");
}

Result<TraceEnd> EventStore::find_traces(const CustomerId& /*customer*/,
                                         const TraceQuery& /*query*/, const TraceVisit& /*visit*/,
                                         const WorkLimit& /*limit*/) {
  return no_index();
}

Result<TextPage> EventStore::services(const CustomerId& /*customer*/, const ServiceQuery& /*query*/,
                                      const WorkLimit& /*limit*/) {
  return no_index();
}

Result<OperationPage> EventStore::operations(const CustomerId& /*customer*/,
                                             std::string_view /*service*/,
                                             const OperationQuery& /*query*/,
                                             const WorkLimit& /*limit*/) {
  return no_index();
}

}  // namespace vigia::storage::store
