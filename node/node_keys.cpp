#include "node/node_keys.hpp"

#include "graph_json/value_json.hpp"
#include "node/client/node_client.hpp"
#include "node/key_tables.hpp"

namespace troupe::node {

int create_node_key(console& to, const client::endpoint& at, const key_wish& wish, format how) {
  value::object asked{{"role", std::string{to_string(wish.what)}}, {"name", wish.name}};
  if (wish.ns)
    asked.emplace("namespace", std::int64_t{*wish.ns});
  auto made = client::node_client{at}.add_key(graph_json::to_json(value{std::move(asked)}));
  return made ? show_new_key(to, *made, how) : to.fail(made.trouble());
}

int list_node_keys(console& to, const client::endpoint& at, format how) {
  auto keys = client::node_client{at}.keys();
  return keys ? show_keys(to, *keys, how) : to.fail(keys.trouble());
}

int revoke_node_key(console& to, const client::endpoint& at, const std::string& id, format how) {
  auto wrong = client::node_client{at}.revoke_key(id);
  return wrong ? to.fail(*wrong) : show_revoked(to, id, "", how);
}

} // namespace troupe::node
