#include "services/router/stores/asked_shard.hpp"

namespace vigia::router::stores {
namespace {

using upstream::Ask;
using upstream::AskedStore;

void ask_one(const AskedStore& store, Ask ask,
             Task<void(Result<wire::prometheus_api::Envelope>)> done) {
  store.ask(std::move(ask), std::move(done));
}

void ask_one(const AskedStore& store, Ask ask, Task<void(Result<net::ClientResponse>)> done) {
  store.fetch(std::move(ask), std::move(done));
}

bool may_another(const Ask& ask, const Error& error) {
  if (ask.interest && ask.interest->is_lost()) return false;
  if (upstream::is_lost(error)) return ask.lane == upstream::Lane::kUsual;
  return upstream::is_store_fault(error);
}

/// One request on its way from member to member; lives as long as an answer is missing.
template <typename Answer>
class Round : public std::enable_shared_from_this<Round<Answer>> {
 public:
  Round(std::vector<const AskedStore*> members, Ask ask, Task<void(Result<Answer>)> done)
      : members_(std::move(members)), ask_(std::move(ask)), done_(std::move(done)) {}

  void go() {
    // A copy: the next member is asked the same.
    ask_one(*members_[next_++], ask_, [self = this->shared_from_this()](Result<Answer> answer) {
      self->take(std::move(answer));
    });
  }

 private:
  void take(Result<Answer> answer) {
    const bool was_lost = !answer && upstream::is_lost(answer.error());
    const bool is_second_loss = was_lost && std::exchange(was_lost_, true);
    if (!answer && next_ < members_.size() && !is_second_loss &&
        may_another(ask_, answer.error())) {
      return go();
    }
    done_(std::move(answer));
  }

  const std::vector<const AskedStore*> members_;
  const Ask ask_;
  Task<void(Result<Answer>)> done_;
  std::size_t next_ = 0;
  bool was_lost_ = false;
};

}  // namespace

void AskedShard::ask(Ask ask, Task<void(Result<wire::prometheus_api::Envelope>)> done) const {
  auto members = order_(ask.customer);
  std::make_shared<Round<wire::prometheus_api::Envelope>>(std::move(members), std::move(ask),
                                                          std::move(done))
      ->go();
}

void AskedShard::fetch(Ask ask, Task<void(Result<net::ClientResponse>)> done) const {
  auto members = order_(ask.customer);
  std::make_shared<Round<net::ClientResponse>>(std::move(members), std::move(ask), std::move(done))
      ->go();
}

}  // namespace vigia::router::stores
