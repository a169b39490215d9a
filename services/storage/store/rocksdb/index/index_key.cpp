#include "services/storage/store/rocksdb/index/index_key.hpp"

#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::index::index_key {
namespace {

std::string with_customer(char kind, customers::CustomerNumber customer) {
  std::string key(1, kind);
  kv::append_key_u32(key, customer.value);
  return key;
}

std::string with_name(char kind, customers::CustomerNumber customer, std::string_view name) {
  std::string key = with_customer(kind, customer);
  key += name;
  key.push_back('\0');  // ends the name: "up" must not see "upstream"
  return key;
}

}  // namespace

std::string customers() { return "c/"; }
std::string customer(std::string_view id) { return customers().append(id); }

std::string hash(const LabelsHash& hash) {
  std::string key = "h";
  kv::append_key_u64(key, hash.high);
  kv::append_key_u64(key, hash.low);
  return key;
}

std::string all_series(customers::CustomerNumber customer) { return with_customer('s', customer); }
std::string metric(customers::CustomerNumber customer, std::string_view name) {
  return with_name('s', customer, name);
}
std::string series(customers::CustomerNumber customer, std::string_view name, store::SeriesId id) {
  std::string key = metric(customer, name);
  kv::append_key_u64(key, id.value);
  return key;
}

std::string all_copies(customers::CustomerNumber customer) { return with_customer('l', customer); }
std::string copy(customers::CustomerNumber customer, store::SeriesId id) {
  std::string key = all_copies(customer);
  kv::append_key_u64(key, id.value);
  return key;
}

std::string all_labels(customers::CustomerNumber customer) { return with_customer('v', customer); }
std::string label(customers::CustomerNumber customer, std::string_view name) {
  return with_name('v', customer, name);
}
std::string label_value(customers::CustomerNumber customer, std::string_view name,
                        std::string_view value) {
  return label(customer, name).append(value);
}

}  // namespace vigia::storage::store::rocksdb::index::index_key
