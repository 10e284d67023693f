#include "troupe/runtime.hpp"

#include "actors/event_feed.hpp"
#include "actors/runtime_impl.hpp"
#include "actors/spec_check.hpp"

#include <algorithm>

namespace troupe {

namespace msg = messages;

namespace {

core::job_request request_of(job_change x) {
  switch (x) {
  case job_change::stop: return core::job_request::stop;
  case job_change::pause: return core::job_request::pause;
  case job_change::resume: return core::job_request::resume;
  default: return core::job_request::cancel;
  }
}

} // namespace

struct event_reader::impl {
  impl(std::shared_ptr<actors::shard_context> shard, job_id job, std::uint64_t from,
       std::uint64_t first_live)
      : feed(std::move(shard), job, from, first_live) {}

  actors::event_feed feed;
};

result<std::vector<event>> event_reader::next(std::chrono::milliseconds timeout, std::size_t most) {
  return impl_->feed.next(std::chrono::steady_clock::now() + timeout, most);
}

void event_reader::when_more(std::function<void()> told) { impl_->feed.when_more(std::move(told)); }

runtime::runtime(std::unique_ptr<impl> x) : impl_(std::move(x)) {}
runtime::runtime(runtime&&) noexcept = default;
runtime& runtime::operator=(runtime&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}
runtime::~runtime() {
  if (impl_) // What others still hold of the engine must not keep it open.
    impl_->engine->close();
}

result<runtime> runtime::open(const runtime_config& config, functions functions) {
  auto engine = actors::engine::open(config, std::move(functions));
  if (!engine)
    return engine.error();
  return runtime{std::make_unique<impl>(std::move(*engine))};
}

void runtime::close() { impl_->engine->close(); }

problems runtime::check(const graph_spec& graph) const {
  return core::check(graph, impl_->engine->env().kinds);
}

result<graph_id> runtime::add_graph(const graph_spec& graph, namespace_id ns) {
  auto wrong = check(graph);
  if (!wrong.empty())
    return error{ec::invalid_spec,
                 wrong.front().pointer + ": " + wrong.front().detail
                     + (wrong.size() > 1 ? " (and more; see runtime::check)" : "")};
  auto& engine = *impl_->engine;
  return engine.while_open([&] { return engine.env().graphs->add(ns, graph); });
}

result<graph_spec> runtime::graph(const graph_id& id, namespace_id ns) {
  auto& engine = *impl_->engine;
  return engine.while_open([&] { return engine.env().graphs->spec(ns, id); });
}

void runtime::submit_once(const job_spec& spec, accepted_once then, ended finally) {
  auto& engine = *impl_->engine;
  if (engine.env().blobs_lag())
    return then(engine.env().refused(
        spec.queue, {ec::overloaded, "large values wait for the disk; repeat after a while"}));
  auto request = engine.while_open([&] { return actors::checked(spec, engine); });
  if (!request)
    return then(engine.env().refused(spec.queue, request.error()));
  request->accepted = actors::answered<result<submitted>>(std::move(then));
  request->ended = std::move(finally);
  auto refused = request->accepted;
  if (!engine.send(impl_->home_of(spec.ns, spec.queue), std::move(*request)))
    refused(closed());
}

result<submitted> runtime::submit_once(const job_spec& spec) {
  return answer_of<result<submitted>>(
      [&](auto done) { return submit_once(spec, std::move(done)), true; });
}

void runtime::submit(const job_spec& spec, accepted then, ended finally) {
  auto told = [then = std::move(then)](const result<submitted>& x) {
    then(x ? result<job_id>{x->id} : x.error());
  };
  submit_once(spec, std::move(told), std::move(finally));
}

result<job_id> runtime::submit(const job_spec& spec) {
  return answer_of<result<job_id>>([&](auto done) { return submit(spec, std::move(done)), true; });
}

void runtime::get(job_id id, ended then) {
  impl_->ask<result<job_info>>(
      [&](auto done) {
        return impl_->engine->send(id, msg::get_job{id, std::move(done)});
      },
      std::move(then));
}

void runtime::describe(job_id id, ended then) {
  impl_->ask<result<job_info>>(
      [&](auto done) {
        return impl_->engine->send(id, msg::get_job{id, std::move(done), false});
      },
      std::move(then));
}

result<job_info> runtime::describe(job_id id) {
  return answer_of<result<job_info>>(
      [&](auto done) { return describe(id, std::move(done)), true; });
}

result<job_info> runtime::get(job_id id) {
  return answer_of<result<job_info>>([&](auto done) { return get(id, std::move(done)), true; });
}

std::function<void()> runtime::wait(job_id id, ended then) {
  auto taken_back = std::make_shared<std::atomic<bool>>(false);
  msg::end_waiter waiter{actors::answered<result<job_info>>(
      [taken_back, then = std::move(then)](const result<job_info>& x) {
        if (!*taken_back)
          then(x);
      })};
  if (!impl_->engine->send(id, msg::await_end{id, waiter}))
    waiter(closed());
  return [taken_back, take = waiter.taker()] {
    *taken_back = true;
    take();
  };
}

result<job_info> runtime::wait(job_id id, std::chrono::milliseconds timeout) {
  std::function<void()> give_up;
  auto answer = answer_of<result<job_info>>(
      [&](auto done) { return give_up = wait(id, std::move(done)), true; }, timeout);
  give_up();
  return answer;
}

void runtime::change(job_id id, job_change to, std::string reason, changed then) {
  impl_->ask<status>(
      [&](auto done) {
        return impl_->engine->send(
            id, msg::move_job{id, request_of(to), std::move(reason), std::move(done)});
      },
      std::move(then));
}

void runtime::add_message(job_id id, std::string text, changed then) {
  impl_->ask<status>(
      [&](auto done) {
        return impl_->engine->send(id, msg::add_message{id, std::move(text), std::move(done)});
      },
      std::move(then));
}

status runtime::add_message(job_id id, std::string text) {
  return answer_of<status>(
      [&](auto done) { return add_message(id, std::move(text), std::move(done)), true; });
}

status runtime::cancel(job_id id, std::string reason) {
  return impl_->move(*this, id, job_change::cancel, std::move(reason));
}
status runtime::stop(job_id id, std::string reason) {
  return impl_->move(*this, id, job_change::stop, std::move(reason));
}
status runtime::pause(job_id id, std::string reason) {
  return impl_->move(*this, id, job_change::pause, std::move(reason));
}
status runtime::resume(job_id id, std::string reason) {
  return impl_->move(*this, id, job_change::resume, std::move(reason));
}

status runtime::release(job_id id) {
  return answer_of<status>([&](auto done) {
    return impl_->engine->send(id, msg::release_job{id, std::move(done)});
  });
}

void runtime::events(job_id id, std::uint64_t from, watched then) {
  auto watching = [engine = impl_->engine, id, from,
                   then = std::move(then)](const result<std::uint64_t>& first) {
    if (!first)
      return then(first.error());
    event_reader reader;
    reader.impl_ = std::make_shared<event_reader::impl>(engine->context(id), id, from, *first);
    then(reader);
  };
  impl_->ask<result<std::uint64_t>>(
      [&](auto done) {
        return impl_->engine->send(id, msg::watch_job{id, std::move(done)});
      },
      std::move(watching));
}

result<event_reader> runtime::events(job_id id, std::uint64_t from) {
  return answer_of<result<event_reader>>(
      [&](auto done) { return events(id, from, std::move(done)), true; });
}

} // namespace troupe
