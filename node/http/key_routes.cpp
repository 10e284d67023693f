#include "core/names.hpp"
#include "node/http/body_fields.hpp"
#include "node/security/key_fields.hpp"
#include "node/security/key_rules.hpp"

#include <cassert>

/// Keys of the caller's namespace: listed, made and revoked in the file that `troupe keys` changes.
namespace troupe::http {

namespace {

using graph_json::json_place;
using graph_json::member;
using graph_json::problem_list;
using node::key_verdict;

/// What a new key is to be.
struct key_body {
  std::string name = "unnamed";
  node::role role{};
  std::optional<namespace_id> ns; ///< Unset: the caller's.
};

void read_any_namespace(std::optional<namespace_id>& to, value& from, const json_place& at,
                        problem_list& out) {
  node::read_namespace(to.emplace(), from, at, out);
}

constexpr graph_json::field<key_body> key_fields[] = {
    {"role", member<node::read_role, &key_body::role>, true},
    {"name", member<graph_json::read_name, &key_body::name>},
    {"namespace", member<read_any_namespace, &key_body::ns>},
};

std::string number_of(namespace_id ns) { return std::to_string(static_cast<std::uint32_t>(ns)); }

// One table.
response verdict_answer(key_verdict why, const principal& who) {
  switch (why) {
  case key_verdict::caller_gone:
    return problem_answer(refusal::no_key, who.key.empty() ? "this node has keys by now"
                                                           : "the key was revoked meanwhile");
  case key_verdict::other_namespace:
    return problem_answer(refusal::forbidden, "the key opens namespace " + number_of(who.ns)
                                                  + ", and makes keys of that one only; `troupe "
                                                    "keys create --data DIR` makes any, where "
                                                    "the node's files are");
  case key_verdict::no_such_key:
    return problem_answer(refusal::no_such_key, "it was never made in namespace "
                                                    + number_of(who.ns) + ", or is revoked");
  case key_verdict::own_key:
    return problem_answer(refusal::locks_out, "the key is the one that asks: have another admin "
                                              "revoke it, or `troupe keys revoke --data DIR`");
  case key_verdict::first_not_admin:
    return problem_answer(refusal::locks_out, "with its first key the node asks every caller for "
                                              "one: that has to be an admin's");
  case key_verdict::allowed: break;
  }
  assert(false);
  return problem_answer(refusal::unexpected, "a change of keys was not judged");
}

/// Has `act` done by the pool, where it may wait for the disk and for others who change the file.
void on_keys(const api_ptr& in, const call_ptr& to, std::function<void(node::key_ring&)> act) {
  auto keys = in->outside.keys;
  if (!keys)
    return to->out(problem_answer(refusal::no_such_route, "this node keeps no keys"));
  on_pool(in, to, [keys, act = std::move(act)] { act(*keys); });
}

/// A check under the file's lock that keeps its verdict.
template <class May>
auto judged(key_verdict& to, May may) {
  return [&to, may](const std::vector<node::stored_key>& there) -> status {
    to = may(there);
    return to == key_verdict::allowed ? status{} : error{ec::illegal_request};
  };
}

/// What is wrong with the file is not the caller's fault.
void refuse_file(const call_ptr& to, const error& why) {
  refuse(to, why.code == ec::invalid_spec ? error{ec::io_failed, why.detail} : why);
}

void refuse_change(const call_ptr& to, key_verdict verdict, const error& why) {
  if (verdict == key_verdict::allowed)
    refuse_file(to, why);
  else
    to->out(verdict_answer(verdict, to->in.who));
}

void list_keys(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  on_keys(in, to, [to](node::key_ring& ring) {
    auto keys = node::read_keys(ring.file());
    if (!keys)
      return refuse_file(to, keys.error());
    value::list all;
    for (auto& x : node::keys_of(to->in.who, std::move(*keys)))
      all.push_back(node::to_value(x));
    to->out(json_answer(200, value::object{{"keys", std::move(all)}}));
  });
}

void create_key(const api_ptr& in, const call_ptr& to) {
  auto asked = body_of(to, key_fields);
  if (!asked)
    return;
  on_keys(in, to, [to, asked = std::move(*asked)](node::key_ring& ring) {
    auto& who = to->in.who;
    auto ns = asked.ns.value_or(who.ns);
    auto verdict = key_verdict::allowed;
    auto now = std::chrono::floor<core::duration>(std::chrono::system_clock::now());
    auto made = node::create_key(
        ring.file(), asked.role, asked.name, ns, now,
        judged(verdict, [&](auto& there) { return node::may_create(who, asked.role, ns, there); }));
    if (!made)
      return refuse_change(to, verdict, made.error());
    ring.refresh_changed();
    auto shown = node::to_value(made->stored);
    shown["key"] = made->text;
    auto answer = json_answer(201, shown);
    answer.done =
        "key " + made->stored.id + ", " + std::string{to_string(asked.role)} + ", " + asked.name;
    to->out(std::move(answer));
  });
}

void revoke_key(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  on_keys(in, to, [to](node::key_ring& ring) {
    auto& id = to->in.arguments.name;
    auto verdict = key_verdict::allowed;
    auto revoked = node::revoke_key(ring.file(), id, judged(verdict, [&](auto& there) {
                                      return node::may_revoke(to->in.who, id, there);
                                    }));
    if (!revoked)
      return refuse_change(to, verdict, revoked.error());
    ring.refresh_changed();
    to->out({204});
  });
}

} // namespace

void add_key_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  constexpr auto needs = action::manage_keys;
  all.push_back({"GET", "/v1/keys", bound(to, list_keys), none, needs});
  all.push_back({"POST", "/v1/keys", bound(to, create_key), json, needs});
  all.push_back({"DELETE", "/v1/keys/{key}", bound(to, revoke_key), none, needs});
}

} // namespace troupe::http
