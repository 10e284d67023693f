#include "node/key_tables.hpp"

#include "node/progress.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"

namespace troupe::node {

namespace {

std::string table_of_keys(const value::list& keys) {
  std::vector<row> rows{{"ID", "ROLE", "NAMESPACE", "CREATED", "NAME"}};
  auto text = [](const value& x, std::string_view key) { return one_line(text_of(x, key)); };
  for (auto& x : keys)
    rows.push_back({text(x, "id"), text(x, "role"), std::to_string(number_of(x, "namespace")),
                    text(x, "created_at"), text(x, "name")});
  return keys.empty() ? "no keys\n" : table_of(rows);
}

} // namespace

int show_new_key(console& to, const value& key, format how) {
  if (how == format::table) {
    auto text = [&](std::string_view member) { return one_line(text_of(key, member)); };
    to.out(text("key") + "\n");
    to.err("key " + text("id") + " (" + text("role") + ", " + text("name")
           + "): keep it now, it is stored nowhere\n");
  } else {
    show(to, key, how);
  }
  return flushed(to, "nobody has seen the key: `troupe keys revoke " + one_line(text_of(key, "id"))
                         + "`, then make another one");
}

int show_keys(console& to, const value::list& keys, format how) {
  if (how == format::table)
    to.out(table_of_keys(keys));
  else if (how == format::json)
    to.out_json(keys);
  else
    for (auto& x : keys)
      to.out_line(x);
  return flushed(to);
}

int show_revoked(console& to, const std::string& id, const std::string& note, format how) {
  if (how == format::table)
    to.out("revoked " + id + note + "\n");
  else
    show(to, value::object{{"revoked", id}}, how);
  return flushed(to, "it is revoked; `troupe keys list` shows what is left");
}

} // namespace troupe::node
