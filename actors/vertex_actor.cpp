#include "actors/vertex_actor.hpp"

#include "actors/attempt_reports.hpp"
#include "actors/faults.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

attempt_report run_one(const environment& env, const msg::run_vertices& m, msg::pure_task& task) {
  auto& shape = m.plan->shape(task.vertex);
  if (shape.kind == "noop") {
    auto output = shape.config.find("output");
    return {attempt_end::succeeded, output ? *output : value{}, {}};
  }
  auto& name = m.plan->names[task.vertex];
  return env.call_inline({{},
                          m.job,
                          name,
                          1,
                          to_string(m.job) + "/" + name,
                          shape.config,
                          std::move(task.inputs),
                          shape.timeouts});
}

bool needs_blob(const attempt_report& x) {
  return x.outcome == attempt_end::succeeded
         && core::encoded_size(x.output) > limits::record_value_bytes_max;
}

/// An output that goes to a blob is told by itself, once it is there.
void send_later(environment& env, const msg::run_vertices& m, core::vertex_index v,
                attempt_report x) {
  to_result(env, m.ns, v, std::move(x), [to = m.from](core::attempt_result r) {
    msg::vertices_done late;
    late.results.push_back(std::move(r));
    caf::anon_send(to, std::move(late));
  });
}

using result_list = std::vector<core::attempt_result>;

void run_task(environment& env, const msg::run_vertices& m, msg::pure_task& task,
              result_list& done) {
  auto v = task.vertex;
  auto x = run_one(env, m, task);
  if (needs_blob(x))
    send_later(env, m, v, std::move(x));
  else
    to_result(env, m.ns, v, std::move(x),
              [&](core::attempt_result r) { done.push_back(std::move(r)); });
}

/// What cannot be done for want of memory, say, fails its vertex alone.
void try_task(environment& env, const msg::run_vertices& m, msg::pure_task& task,
              result_list& done) {
  try {
    run_task(env, m, task, done);
  } catch (const std::exception& x) {
    done.push_back(
        {task.vertex, core::attempt_end::failed, {}, problem{"exception", "", x.what()}});
  }
}

void run(environment& env, msg::run_vertices& m) {
  auto begin = std::chrono::steady_clock::now();
  msg::vertices_done done;
  done.results.reserve(m.tasks.size());
  for (auto& task : m.tasks)
    try_task(env, m, task, done.results);
  auto took = std::chrono::steady_clock::now() - begin;
  done.took = std::chrono::duration_cast<core::duration>(took);
  if (!done.results.empty())
    caf::anon_send(m.from, std::move(done));
}

} // namespace

caf::behavior vertex_actor(caf::event_based_actor* self, std::shared_ptr<environment> env) {
  self->set_default_handler(caf::drop);
  report_faults(self, "vertex", env);
  return {
      [env](msg::run_vertices& m) { run(*env, m); },
  };
}

} // namespace troupe::actors
