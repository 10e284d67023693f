#include "node/admin_verbs.hpp"

#include "node/completion.hpp"
#include "node/doctor.hpp"
#include "node/security_commands.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace troupe::node {

namespace {

constexpr auto keys_footer =
    R"(A key is shown once, when it is made; the file keeps only its hash. A running node notices new and
revoked keys within a second. A node on loopback without any key takes every caller for admin.

Roles: viewer (look), worker (run attempts), operator (look, submit, control, delete), admin (all).

Examples:
  troupe keys create --role operator --name ci
  troupe keys list
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
  std::string config, id, name = "unnamed", role = "operator", head, shell;
  std::uint32_t ns = 0;
};

CLI::App& add_act(CLI::App& to, const cli_targets& cli, const char* name, const char* about,
                  const char* footer, std::function<int(console&)> act) {
  auto verb = to.add_subcommand(name, about);
  verb->footer(footer);
  verb->callback([cli, act = std::move(act)] { cli.act = act; });
  return *verb;
}

void add_places(CLI::App& verb, const cli_targets& cli, request& r) {
  verb.add_option("-c,--config", r.config, "The configuration of the node, which names its data")
      ->type_name("FILE");
  add_data_option(verb, cli.data);
  add_format_option(verb, cli.how);
}

security_places places(const cli_targets& cli, const request& r) { return {r.config, cli.data}; }

void add_keys(CLI::App& app, const cli_targets& cli, request& r) {
  auto& keys = *app.add_subcommand("keys", "create, list, revoke: who may call a node");
  keys.group("Keep");
  keys.require_subcommand(1);
  auto& create = add_act(
      keys, cli, "create", "Make a key and print it, once", keys_footer, [&r, cli](console& to) {
        return create_key(to, places(cli, r), *parse_role(r.role), r.name, r.ns, cli.how);
      });
  std::vector<std::string> roles(role_names().begin(), role_names().end());
  create.add_option("--role", r.role, "viewer, worker, operator or admin (default: operator)")
      ->type_name("ROLE")
      ->check(CLI::IsMember(roles).description(""));
  create.add_option("--name", r.name, "What the audit log calls its holder")->type_name("NAME");
  create.add_option("--namespace", r.ns, "The namespace that it opens (default: 0)")
      ->type_name("N");
  auto& list = add_act(keys, cli, "list", "Show the keys, without what is secret", keys_footer,
                       [&r, cli](console& to) { return list_keys(to, places(cli, r), cli.how); });
  auto& revoke =
      add_act(keys, cli, "revoke", "Make a key worthless", keys_footer,
              [&r, cli](console& to) { return revoke_key(to, places(cli, r), r.id, cli.how); });
  revoke.add_option("ID", r.id, "The 8 digits that `troupe keys list` shows")->required();
  for (auto verb : {&create, &list, &revoke})
    add_places(*verb, cli, r);
}

void add_audit(CLI::App& app, const cli_targets& cli, request& r) {
  auto& audit = *app.add_subcommand("audit", "verify: check the log of who changed what");
  audit.group("Keep");
  audit.require_subcommand(1);
  auto& verify = add_act(audit, cli, "verify", "Check that no line was changed or removed",
                         audit_footer, [&r, cli](console& to) {
                           auto head = r.head.empty() ? std::nullopt : std::optional{r.head};
                           return verify_audit(to, places(cli, r), head, cli.how);
                         });
  verify.add_option("--head", r.head, "A hash that was noted earlier and must still be there")
      ->type_name("HASH");
  add_places(verify, cli, r);
}

void add_completion(CLI::App& app, const cli_targets& cli, request& r) {
  auto& verb = add_act(app, cli, "completion", "Print the script that completes words in a shell",
                       completion_footer, [&r, &app](console& to) {
                         to.out(completion_script(*parse_shell(r.shell), completion_of(app)));
                         return to.flush() ? number(exit_code::ok) : to.fail(fault::output_failed);
                       });
  verb.group("Look");
  verb.add_option("SHELL", r.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
}

} // namespace

void add_admin_verbs(CLI::App& app, const cli_targets& cli) {
  static request r; // One command line a process.
  add_keys(app, cli, r);
  add_audit(app, cli, r);
  auto& look = add_act(
      app, cli, "doctor", "Look whether this machine is fit for a node, and say what to do",
      doctor_footer, [cli](console& to) { return doctor(to, r.config, cli.data, cli.how); });
  look.group("Look");
  add_places(look, cli, r);
  add_completion(app, cli, r);
}

} // namespace troupe::node
