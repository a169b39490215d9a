#include "services/monitor/alerting/hot_store.hpp"

#include "services/monitor/alerting/limits.hpp"

namespace vigia::monitor::alerting {

bool is_hot_store_there(net::Client& client, const std::string& url) {
  net::ClientRequest request;
  request.url = url + "/-/ready";
  request.timeout = kThereTimeout;
  const auto answer = client.fetch(std::move(request));
  return answer && answer->status < 500;
}

}  // namespace vigia::monitor::alerting
