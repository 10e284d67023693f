#include "actors/job_parts.hpp"

#include <algorithm>
#include <caf/send.hpp>

namespace troupe::actors {

using core::vertex_index;

namespace {

/// What a `noop` gives, unless it is so large that it goes to a blob first.
std::optional<core::payload> constant_of(const value& config) {
  auto output = config.find("output");
  if (!output)
    return core::payload{};
  if (core::encoded_size(*output) > limits::record_value_bytes_max)
    return {};
  return core::payload{*output};
}

output with_beginnings(job_self self, output out) {
  if (self->state.beginning.empty())
    return out;
  return [to = caf::actor{self}, begins = std::exchange(self->state.beginning, {}),
          out = std::move(out)](const status& outcome) {
    if (outcome)
      for (auto& m : begins)
        caf::anon_send(to, m);
    if (out)
      out(outcome);
  };
}

} // namespace

const shape_traits& traits_of(job_self self, vertex_index v) {
  return self->state.traits[job_of(self).plan->shape_of[v]];
}

shape_traits make_traits(const environment& env, const core::vertex_shape& shape) {
  auto kind = env.kinds.find(shape.kind);
  auto runner = env.runners.find(shape.kind);
  shape_traits x;
  x.runner = runner == env.runners.end() ? nullptr : runner->second.get();
  if (kind == env.kinds.end())
    return x;
  auto pure = shape.pure;
  if (auto name = shape.config.find("name"); !pure && shape.kind == "function" && name)
    pure = env.is_pure_function(name->string() ? *name->string() : "");
  x.how = core::how_to_run(kind->second, shape.kind, shape.config, pure);
  x.holds_slot = core::holds_slot(kind->second, shape.config);
  if (shape.kind == "noop" && x.how == core::execution::inline_pure)
    x.constant = constant_of(shape.config);
  return x;
}

const core::vertex_detail* detail_of(job_self self, vertex_index v) {
  auto& run = job_of(self).run;
  if (!run)
    return nullptr;
  auto found = run->details.find(v);
  return found == run->details.end() ? nullptr : &found->second;
}

bool is_current(job_self self, vertex_index v, const core::token& proof) {
  auto detail = detail_of(self, v);
  return detail && detail->current == proof;
}

void arm(job_self self, vertex_index v) {
  auto due = detail_of(self, v)->due;
  self->state.armed.emplace(due, v);
  auto left = std::clamp(due - self->state.book->now(), core::duration{},
                         core::duration{limits::duration_max});
  if (left > core::duration{})
    self->delayed_send(self, left, messages::timer_due{v, due});
  else
    self->send(self, messages::timer_due{v, due});
}

void flush_if_full(job_self self) {
  if (self->state.book->is_full())
    flush(self);
}

void flush(job_self self, output out) {
  self->state.book->flush(with_beginnings(self, std::move(out)));
}

} // namespace troupe::actors
