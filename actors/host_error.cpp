#include "actors/host_error.hpp"

#include <caf/make_message.hpp>
#include <caf/sec.hpp>

namespace troupe {

namespace {

/// A piece of text that an error carries; empty if it has none.
std::string text_of(const caf::message& context, std::size_t at) {
  return context.match_element<std::string>(at) ? context.get_as<std::string>(at) : "";
}

bool is(const caf::error& x, caf::sec code) {
  return x.category() == caf::atom("system") && x.code() == static_cast<std::uint8_t>(code);
}

std::string render(std::uint8_t code, caf::atom_value, const caf::message& context) {
  auto detail = context.empty() ? "" : text_of(context, 0);
  return to_string(ec{code}) + (detail.empty() ? "" : ": " + detail);
}

std::string render_failure(std::uint8_t, caf::atom_value, const caf::message& context) {
  if (context.size() != 2)
    return "failure";
  return text_of(context, 0) + ": " + text_of(context, 1);
}

} // namespace

namespace host {

caf::error failed(std::string code, std::string detail) {
  return {1, actors::failure_category, caf::make_message(std::move(code), std::move(detail))};
}

} // namespace host

ec code_of(const caf::error& x) noexcept {
  return x && x.category() == actors::runtime_category ? ec{x.code()} : ec::none;
}

void caf_runtime::prepare(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", std::size_t{100});
  config.add_message_types<caf::id_block::troupe_host>();
  config.add_error_category(actors::runtime_category, render);
  config.add_error_category(actors::failure_category, render_failure);
}

namespace actors {

caf::error to_caf(const error& x) {
  return {static_cast<std::uint8_t>(x.code), runtime_category, caf::make_message(x.detail)};
}

problem problem_of(const caf::actor_system& system, const caf::error& x) {
  if (x.category() == failure_category && x.context().size() == 2)
    return {text_of(x.context(), 0), "", text_of(x.context(), 1)};
  if (is(x, caf::sec::request_receiver_down))
    return {"actor_down", "", "the actor has ended; the host has to replace it"};
  if (is(x, caf::sec::unexpected_message) || is(x, caf::sec::unexpected_response))
    return {"bad_answer", "",
            "the actor must answer `troupe::host::attempt` with a `troupe::value` or an error"};
  return {is(x, caf::sec::runtime_error) ? "exception" : "error", "", system.render(x)};
}

} // namespace actors

} // namespace troupe
