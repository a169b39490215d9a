#include "services/storage/store/cassandra/catalog_statements.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint32_t kSeriesRows = 500;  // labels of some hundred bytes each

void prepare_series(CatalogStatements& all, Preparation& to) {
  all.read_id = to.prepare(
      "SELECT fingerprint, metric, shard FROM {}.series_ids WHERE customer_id = ? AND series_id = "
      "?");
  all.write_id = to.prepare(
      "INSERT INTO {}.series_ids (customer_id, series_id, fingerprint, metric, shard) VALUES (?, "
      "?, ?, ?, ?) USING TIMESTAMP ?");
  all.delete_id = to.prepare(
      "DELETE FROM {}.series_ids USING TIMESTAMP ? WHERE customer_id = ? AND series_id = ?");
  all.claim = to.prepare_once(
      "INSERT INTO {}.series_claims (series_id, fingerprint, shard) VALUES (?, ?, ?) IF NOT "
      "EXISTS");
  all.read_claim =
      to.prepare("SELECT fingerprint, shard FROM {}.series_claims WHERE series_id = ?");
  all.write_series = to.prepare(
      "INSERT INTO {}.series (customer_id, metric, shard, series_id, labels, last_day) VALUES (?, "
      "?, ?, ?, ?, ?) USING TIMESTAMP ?");
  all.write_first_day = to.prepare(
      "UPDATE {}.series USING TIMESTAMP ? SET first_day = ? WHERE customer_id = ? AND metric = ? "
      "AND shard = ? AND series_id = ?");
  all.scan_series = to.prepare(
      "SELECT series_id, labels, first_day, last_day FROM {}.series WHERE customer_id = ? AND "
      "metric = ? AND shard = ?",
      kSeriesRows);
  all.delete_series = to.prepare(
      "DELETE FROM {}.series USING TIMESTAMP ? WHERE customer_id = ? AND metric = ? AND shard = ? "
      "AND series_id = ?");
  all.delete_first_day = to.prepare(
      "DELETE first_day FROM {}.series USING TIMESTAMP ? WHERE customer_id = ? AND metric = ? AND "
      "shard = ? AND series_id = ?");
}

void prepare_metrics(CatalogStatements& all, Preparation& to) {
  all.write_metric = to.prepare(
      "INSERT INTO {}.metrics (customer_id, metric, shard, last_day) VALUES (?, ?, ?, ?) USING "
      "TIMESTAMP ?");
  all.list_all_shards =
      to.prepare("SELECT metric, shard, last_day FROM {}.metrics WHERE customer_id = ?");
  all.list_shards = to.prepare(
      "SELECT metric, shard, last_day FROM {}.metrics WHERE customer_id = ? AND metric = ?");
  all.delete_metric = to.prepare(
      "DELETE FROM {}.metrics USING TIMESTAMP ? WHERE customer_id = ? AND metric = ? AND shard = "
      "?");
}

void prepare_texts(CatalogStatements& all, Preparation& to) {
  all.write_name = to.prepare(
      "INSERT INTO {}.label_names (customer_id, name, last_day) VALUES (?, ?, ?) USING TIMESTAMP "
      "?");
  all.write_name_first = to.prepare(
      "UPDATE {}.label_names USING TIMESTAMP ? SET first_day = ? WHERE customer_id = ? AND name = "
      "?");
  all.list_names = to.prepare(
      "SELECT name, first_day, last_day FROM {}.label_names WHERE customer_id = ? AND name > ?");
  all.delete_name =
      to.prepare("DELETE FROM {}.label_names USING TIMESTAMP ? WHERE customer_id = ? AND name = ?");
  all.delete_name_first = to.prepare(
      "DELETE first_day FROM {}.label_names USING TIMESTAMP ? WHERE customer_id = ? AND name = ?");
  all.write_value = to.prepare(
      "INSERT INTO {}.label_values (customer_id, name, value, last_day) VALUES (?, ?, ?, ?) USING "
      "TIMESTAMP ?");
  all.write_value_first = to.prepare(
      "UPDATE {}.label_values USING TIMESTAMP ? SET first_day = ? WHERE customer_id = ? AND name "
      "= ? AND value = ?");
  all.list_values = to.prepare(
      "SELECT value, first_day, last_day FROM {}.label_values WHERE customer_id = ? AND name = ? "
      "AND value > ?");
  all.delete_value = to.prepare(
      "DELETE FROM {}.label_values USING TIMESTAMP ? WHERE customer_id = ? AND name = ? AND value "
      "= ?");
  all.delete_value_first = to.prepare(
      "DELETE first_day FROM {}.label_values USING TIMESTAMP ? WHERE customer_id = ? AND name = ? "
      "AND value = ?");
}

}  // namespace

Result<void> CatalogStatements::prepare(Preparation& preparation) {
  read_secret = preparation.prepare("SELECT secret FROM {}.secrets WHERE name = 'series'");
  add_secret = preparation.prepare_once(
      "INSERT INTO {}.secrets (name, secret) VALUES ('series', ?) IF NOT EXISTS");
  read_customer = preparation.prepare("SELECT labels_seed FROM {}.customers WHERE customer_id = ?");
  add_customer = preparation.prepare_once(
      "INSERT INTO {}.customers (customer_id, labels_seed, made_ms) VALUES (?, ?, ?) IF NOT "
      "EXISTS");
  list_customers = preparation.prepare("SELECT customer_id, labels_seed FROM {}.customers");
  prepare_series(*this, preparation);
  prepare_metrics(*this, preparation);
  prepare_texts(*this, preparation);
  return preparation.outcome();
}

}  // namespace vigia::storage::store::cassandra
