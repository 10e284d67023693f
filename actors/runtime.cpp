#include "troupe/runtime.hpp"

#include "actors/answer_once.hpp"
#include "actors/engine.hpp"
#include "actors/job_book.hpp"
#include "actors/spec_check.hpp"
#include "core/place.hpp"
#include "core/render.hpp"
#include "messages/job.hpp"

#include <algorithm>
#include <future>

namespace troupe {

namespace {

namespace msg = messages;

error closed() { return {ec::not_ready, "the runtime is closed"}; }

/// Waits for the one answer that `ask` gets, at most `limits::request_deadline`.
template <class T>
T answer_of(const std::function<bool(std::function<void(const T&)>)>& ask,
            std::chrono::milliseconds deadline = limits::request_deadline) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  if (!ask(actors::answered<T>([promise](const T& x) { promise->set_value(x); })))
    return closed();
  if (future.wait_for(deadline) != std::future_status::ready)
    return error{ec::timed_out, "no answer within the deadline; the request may still be done"};
  return future.get();
}

} // namespace

struct runtime::impl {
  std::unique_ptr<actors::engine> engine;

  status move(job_id id, core::job_request on, std::string reason) {
    return answer_of<status>([&](auto done) {
      return engine->send(id, msg::move_job{id, on, std::move(reason), std::move(done)});
    });
  }
};

struct event_reader::impl {
  std::shared_ptr<actors::shard_context> shard;
  job_id job;
  std::uint64_t next = 1;       ///< The number to read next.
  std::uint64_t first_live = 0; ///< From this number on events are in the ring; 0: none is.
  bool watching = false;
  bool ended = false;
  storage::view::replay_state replayed;

  ~impl() {
    if (watching)
      shard->ring->close(job);
  }

  void take(event&& x, std::vector<event>& to) {
    next = x.id + 1;
    ended = x.type == "end";
    to.push_back(std::move(x));
  }

  /// Events that were recorded before this reader came, or that have left the ring.
  status read_view(std::vector<event>& to) {
    auto wanted = [&](event&& x) {
      if (x.id >= next) // Also what is in the ring by now: a record is read once.
        take(std::move(x), to);
      return true;
    };
    return shard->view->replay(
        job, shard->graph_source(), replayed,
        [&](const core::job& x, const core::record& r, const core::changes& seen) {
          if (x.events >= next)
            core::render(x, r, seen, wanted);
          return to.size() < limits::events_read_max;
        });
  }

  /// False when nothing has come until then.
  bool read_ring(std::vector<event>& to, std::chrono::steady_clock::time_point until) {
    std::vector<event> found;
    std::uint64_t first = 0;
    auto what = shard->ring->read(job, next, limits::events_read_max, until, found, first);
    if (what == actors::event_ring::found::nothing_yet)
      return false;
    if (what == actors::event_ring::found::gone)
      first_live = first;
    for (auto& x : found)
      take(std::move(x), to);
    return true;
  }
};

result<std::vector<event>> event_reader::next(std::chrono::milliseconds timeout) {
  auto& x = *impl_;
  auto until = std::chrono::steady_clock::now() + timeout;
  std::vector<event> events;
  while (events.empty() && !x.ended) {
    if (x.first_live == 0 || x.next < x.first_live) {
      if (auto read = x.read_view(events); !read)
        return read.error();
      if (events.empty() && (x.first_live == 0 || std::chrono::steady_clock::now() > until))
        return error{ec::timed_out, "the job has no further events yet"};
    } else if (!x.read_ring(events, until)) {
      auto journal = x.shard->log->state();
      return journal ? error{ec::timed_out, "no event has come within the deadline"}
                     : journal.error();
    }
  }
  return events;
}

runtime::runtime(std::unique_ptr<impl> x) : impl_(std::move(x)) {}
runtime::runtime(runtime&&) noexcept = default;
runtime& runtime::operator=(runtime&&) noexcept = default;
runtime::~runtime() = default;

result<runtime> runtime::open(const runtime_config& config, functions functions) {
  auto engine = actors::engine::open(config, std::move(functions));
  if (!engine)
    return engine.error();
  auto x = std::make_unique<impl>();
  x->engine = std::move(*engine);
  return runtime{std::move(x)};
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
  return impl_->engine->env().graphs->add(ns, graph);
}

result<graph_spec> runtime::graph(const graph_id& id, namespace_id ns) {
  return impl_->engine->env().graphs->spec(ns, id);
}

void runtime::submit(const job_spec& spec, accepted then, ended finally) {
  auto& engine = *impl_->engine;
  if (engine.env().blobs_lag())
    return then(error{ec::overloaded, "large values wait for the disk; repeat after a while"});
  auto request = actors::checked(spec, engine);
  if (!request)
    return then(request.error());
  request->accepted = actors::answered<result<job_id>>(std::move(then));
  request->ended = std::move(finally);
  auto refused = request->accepted;
  auto to = core::shard_of(core::place(spec.ns, spec.queue), engine.shards());
  if (!engine.send(to, std::move(*request)))
    refused(closed());
}

result<job_id> runtime::submit(const job_spec& spec) {
  return answer_of<result<job_id>>([&](auto done) { return submit(spec, std::move(done)), true; });
}

result<job_info> runtime::get(job_id id) {
  return answer_of<result<job_info>>([&](auto done) {
    return impl_->engine->send(id, msg::get_job{id, std::move(done)});
  });
}

result<std::vector<job_info>> runtime::list(const job_filter& filter) {
  std::vector<job_info> all;
  for (auto& shard : impl_->engine->contexts())
    for (auto& row :
         shard->view->list([&](auto& x) { return actors::matches(x, filter); }, filter.limit))
      all.push_back(actors::info_of(row));
  std::ranges::sort(all, std::greater{}, &job_info::id);
  if (all.size() > filter.limit)
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(filter.limit), all.end());
  return all;
}

result<job_info> runtime::wait(job_id id, std::chrono::milliseconds timeout) {
  std::function<void()> give_up;
  auto answer = answer_of<result<job_info>>(
      [&](auto done) {
        msg::end_waiter waiter{std::move(done)};
        give_up = waiter.taker();
        return impl_->engine->send(id, msg::await_end{id, std::move(waiter)});
      },
      timeout);
  give_up();
  return answer;
}

status runtime::cancel(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::cancel, std::move(reason));
}
status runtime::stop(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::stop, std::move(reason));
}
status runtime::pause(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::pause, std::move(reason));
}
status runtime::resume(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::resume, std::move(reason));
}

status runtime::release(job_id id) {
  return answer_of<status>([&](auto done) {
    return impl_->engine->send(id, msg::release_job{id, std::move(done)});
  });
}

result<event_reader> runtime::events(job_id id, std::uint64_t from) {
  auto first = answer_of<result<std::uint64_t>>([&](auto done) {
    return impl_->engine->send(id, msg::watch_job{id, std::move(done)});
  });
  if (!first)
    return first.error();
  event_reader reader;
  reader.impl_ = std::make_shared<event_reader::impl>();
  for (auto& shard : impl_->engine->contexts())
    if (shard.get() == &impl_->engine->shard(id))
      reader.impl_->shard = shard;
  reader.impl_->job = id;
  reader.impl_->next = std::max<std::uint64_t>(from, 1);
  reader.impl_->first_live = *first;
  reader.impl_->watching = *first != 0;
  return reader;
}

} // namespace troupe
