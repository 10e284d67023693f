#include "node/admin_verbs.hpp"

#include "core/names.hpp"
#include "node/choice.hpp"
#include "node/completion.hpp"
#include "node/doctor.hpp"
#include "node/job_verbs.hpp"
#include "node/node_keys.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>

namespace troupe::node {

namespace {

constexpr auto keys_footer =
    R"(A key is shown once, when it is made; only its hash is kept. A node on loopback without any key
takes every caller for admin.

Where: --url URL or TROUPE_URL is a node, which an admin's key may ask for the keys of its own
namespace. Else it is the file of keys of --data or -c, by default that of TROUPE_DATA_DIR or
./.troupe: a running node notices what changes there within a second. Root may do it for a node of
another user: the file stays that user's.

Roles: viewer (look), worker (run attempts), operator (look, submit, control, delete), admin (all).

Examples:
  troupe keys create --role operator --name ci
  troupe keys list --url https://node:7700
  troupe keys revoke 1a2b3c4d)";

constexpr auto audit_footer =
    R"(Every line has the hash of the one before. Prints the newest hash: note it elsewhere, and give it
back with --head, because who can write to the directory can also write the whole log anew.

Examples:
  troupe audit verify --data /var/lib/troupe
  troupe audit verify --head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08)";

constexpr auto doctor_footer =
    R"(Looks at the data directory, its disk, the clock, limits, the port and the keys, as a node would need
them, and says what to do. The exit code is 1 if anything is bad.

Examples:
  troupe doctor --data /var/lib/troupe
  troupe doctor -c /etc/troupe/node.json -o json)";

constexpr auto completion_footer = R"(Examples:
  source <(troupe completion bash)
  troupe completion zsh > ~/.zfunc/_troupe
  troupe completion fish > ~/.config/fish/completions/troupe.fish)";

/// What was asked for: filled while arguments are read.
struct request {
  std::string config, id, role = "operator", head, shell;
  key_wish wish;
  target_options at; ///< Of keys.
};

/// Where the things of one node are.
void add_places(CLI::App& verb, const cli_targets& cli, request& r) {
  verb.add_option("-c,--config", r.config, "The configuration of the node, which names its data")
      ->type_name("FILE");
  verb.add_option("--data", r.at.data, "A data directory (default: $TROUPE_DATA_DIR, else .troupe)")
      ->type_name("DIR")
      ->check(directory());
  add_format_option(verb, cli.how);
}

security_places places(const request& r) { return {r.config, r.at.data}; }

/// Does one thing to a file of keys, or another at a node. Without a node that somebody has named
/// it is the file: the first key is made before there is one.
template <class InFile, class AtNode>
int dispatch(console& to, const request& r, InFile in_file, AtNode at_node) {
  if (!r.config.empty() && r.at.url)
    return to.fail({fault::bad_usage, "-c does not go with --url", "keys are those of one node",
                    "leave one of them out"});
  if (!r.config.empty())
    return in_file(places(r));
  auto place = target_of(r.at);
  if (!place)
    return to.fail(place.trouble());
  return place->is_node() && place->is_named ? at_node(place->node) : in_file(places(r));
}

int create(console& to, const cli_targets& cli, request& r) {
  r.wish.what = *parse_role(r.role);
  if (!core::is_name(r.wish.name))
    return to.fail({fault::bad_usage, core::quoted(r.wish.name) + " is no name of a key",
                    "a name is 1 to 128 of A-Z a-z 0-9 _ . : -", "--name ci"});
  return dispatch(
      to, r, [&](const security_places& at) { return create_key(to, at, r.wish, cli.how); },
      [&](auto& node) { return create_node_key(to, node, r.wish, cli.how); });
}

int list(console& to, const cli_targets& cli, request& r) {
  return dispatch(
      to, r, [&](const security_places& at) { return list_keys(to, at, cli.how); },
      [&](auto& node) { return list_node_keys(to, node, cli.how); });
}

/// A whole key may be given, too: its secret goes no further.
std::string id_of(const std::string& key) {
  auto id = id_of_key(key);
  return id.empty() ? key : std::string{id};
}

int revoke(console& to, const cli_targets& cli, request& r) {
  r.id = id_of(r.id);
  return dispatch(
      to, r, [&](const security_places& at) { return revoke_key(to, at, r.id, cli.how); },
      [&](auto& node) { return revoke_node_key(to, node, r.id, cli.how); });
}

void add_keys(CLI::App& app, const cli_targets& cli, request& r) {
  auto& keys =
      add_group(app, "keys", "create, list, revoke: who may call a node", keys_footer, "Keep");
  auto& make = add_verb(keys, cli, "create", "Make a key and print it, once", keys_footer,
                        [&r, cli](console& to) { return create(to, cli, r); });
  make.add_option("--role", r.role, "viewer, worker, operator or admin (default: operator)")
      ->type_name("ROLE")
      ->check(one_of({role_names().begin(), role_names().end()}));
  make.add_option("--name", r.wish.name, "What the audit log calls its holder")->type_name("NAME");
  make.add_option("--namespace", r.wish.ns,
                  "The namespace that it opens (default: 0, at a node the asking key's)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{UINT32_MAX}).description(""));
  auto& show = add_verb(keys, cli, "list", "Show the keys, without what is secret", keys_footer,
                        [&r, cli](console& to) { return list(to, cli, r); });
  auto& end = add_verb(keys, cli, "revoke", "Make a key worthless", keys_footer,
                       [&r, cli](console& to) { return revoke(to, cli, r); });
  end.add_option("ID", r.id, "The 8 digits that `troupe keys list` shows (or the whole key)")
      ->required();
  for (auto verb : {&make, &show, &end}) {
    add_places(*verb, cli, r);
    add_node_options(*verb, r.at);
  }
}

void add_audit(CLI::App& app, const cli_targets& cli, request& r) {
  auto& audit =
      add_group(app, "audit", "verify: check the log of who changed what", audit_footer, "Keep");
  auto& verify = add_verb(audit, cli, "verify", "Check that no line was changed or removed",
                          audit_footer, [&r, cli](console& to) {
                            auto head = r.head.empty() ? std::nullopt : std::optional{r.head};
                            return verify_audit(to, places(r), head, cli.how);
                          });
  verify.add_option("--head", r.head, "A hash that was noted earlier and must still be there")
      ->type_name("HASH");
  add_places(verify, cli, r);
}

void add_completion(CLI::App& app, const cli_targets& cli, request& r) {
  auto& verb = add_verb(app, cli, "completion", "Print the script that completes words in a shell",
                        completion_footer, [&r, &app](console& to) {
                          to.out(completion_script(*parse_shell(r.shell), completion_of(app)));
                          return to.flush() ? number(exit_code::ok) : to.fail(fault::output_failed);
                        });
  verb.group("Look");
  verb.add_option("SHELL", r.shell, "bash, zsh or fish")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}));
}

} // namespace

void add_admin_verbs(CLI::App& app, const cli_targets& cli) {
  static request r; // One command line a process.
  add_keys(app, cli, r);
  add_audit(app, cli, r);
  auto& look = add_verb(
      app, cli, "doctor", "Look whether this machine is fit for a node, and say what to do",
      doctor_footer, [cli](console& to) { return doctor(to, places(r), cli.how); });
  look.group("Look");
  add_places(look, cli, r);
  add_completion(app, cli, r);
}

} // namespace troupe::node
