#include "actors/supervisor.hpp"

#include "messages/supervision.hpp"

#include <algorithm>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace {

using self_ptr = caf::stateful_actor<supervisor_state>*;

void start(self_ptr self, std::size_t index) {
  auto& child = self->state.children[index];
  child.actor = child.spec.start(self);
  self->monitor(child.actor);
}

void end_children(self_ptr self) {
  for (auto& child : self->state.children)
    if (child.actor)
      self->send_exit(child.actor, caf::exit_reason::user_shutdown);
}

void end_all(self_ptr self, const caf::error& reason) {
  end_children(self);
  self->quit(reason);
}

/// Once none of the children is there any more.
void escalate_if_alone(self_ptr self) {
  auto& st = self->state;
  if (std::ranges::any_of(st.children, [](auto& x) { return bool(x.actor); }))
    return;
  st.how.escalate(*st.escalated);
  self->quit(caf::exit_reason::unhandled_exception);
}

bool meant(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown;
}

void child_down(self_ptr self, const caf::down_msg& m) {
  auto& st = self->state;
  for (std::size_t i = 0; i < st.children.size(); ++i) {
    auto& child = st.children[i];
    if (!child.actor || child.actor.address() != m.source)
      continue;
    child.actor = {};
    if (st.escalated)
      return escalate_if_alone(self);
    if (meant(m.reason))
      return;
    auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        self->clock().now().time_since_epoch());
    auto verdict = child.restarts.failed(st.how.policy, now);
    if (!verdict.escalate && child.spec.starts_again) {
      if (st.how.restarts)
        st.how.restarts(child.spec.name);
      self->delayed_send(self, verdict.delay, messages::restart_child{i});
      continue;
    }
    st.escalated = child.spec.name;
    end_children(self);
    return escalate_if_alone(self);
  }
}

} // namespace

caf::behavior supervisor(caf::stateful_actor<supervisor_state>* self, supervision how) {
  self->set_default_handler(caf::drop);
  auto& st = self->state;
  st.how = std::move(how);
  for (auto& spec : st.how.children)
    st.children.push_back({spec, {}, {}});
  self->set_down_handler([self](const caf::down_msg& m) { child_down(self, m); });
  self->set_exit_handler([self](const caf::exit_msg& m) { end_all(self, m.reason); });
  for (std::size_t i = 0; i < st.children.size(); ++i)
    start(self, i);
  return {
      [self](const messages::restart_child& m) {
        if (!self->state.escalated)
          start(self, m.index);
      },
  };
}

} // namespace troupe::actors
