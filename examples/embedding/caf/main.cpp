// A program with actors of its own. One of them, `pricer`, runs a vertex of a durable job; another,
// `shop`, submits the job and follows its events.
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <iostream>
#include <troupe/caf.hpp>
#include <troupe/graph_builder.hpp>

namespace host = troupe::host;

// A message of the program's own: its type ids begin where CAF's end.
struct price_of {
  std::string article{};
};
CAF_BEGIN_TYPE_ID_BLOCK(shop, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(shop, (price_of))
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(price_of)
CAF_END_TYPE_ID_BLOCK(shop)

namespace {

/// Answers other actors and runs vertices.
caf::behavior pricer(caf::event_based_actor* self) {
  auto price = [](const std::string& article) { return std::int64_t(10 * article.size()); };
  return {
      [price](const price_of& m) { return price(m.article); },
      [self, price](const host::attempt& m) -> caf::result<troupe::value> {
        auto article = m.inputs.find("job")->string();
        if (!article)
          return host::failed("no_article", "the job's input has to be a string");
        self->send(caf::actor_cast<caf::actor>(self->current_sender()),
                   host::attempt_log{m.token, "looked up " + *article});
        return troupe::value{price(*article)};
      },
      [](const host::end_attempt&) {}, // Every attempt is answered at once.
  };
}

struct shop_state {
  troupe::job_id job;
};

void print(const troupe::event& x) {
  auto vertex = x.data.find("vertex");
  std::cout << x.id << ' ' << x.type << ' ' << (vertex ? *vertex->string() : "") << '\n';
}

/// Orders a price and ends when it is known.
caf::behavior shop(caf::stateful_actor<shop_state>* self, troupe::runtime_actor runtime) {
  auto refused = [self](const caf::error& x) {
    std::cerr << self->system().render(x) << '\n';
    self->quit(x);
  };
  troupe::graph_builder graph{"pricing"};
  graph.add("price", "actor", {{"name", "pricer"}});
  self->request(runtime, caf::infinite, host::add_graph{graph.build()})
      .then(
          [=](const troupe::graph_id& id) {
            self->request(runtime, caf::infinite, host::submit{{.graph = id, .input = "teapot"}})
                .then(
                    [=](const troupe::job_id& job) {
                      self->state.job = job;
                      self->request(runtime, caf::infinite,
                                    host::subscribe{.job = job, .credit = 2})
                          .then([](const host::subscription&) {}, refused);
                    },
                    refused);
          },
          refused);
  return {
      [=](const host::events& m) {
        for (auto& x : m.list)
          print(x);
        self->send(runtime, host::more{m.of, std::uint32_t(m.list.size())});
      },
      [=](const host::events_end&) {
        self->request(runtime, caf::infinite, host::get{self->state.job})
            .then(
                [self](const troupe::job_info& x) {
                  auto price = x.result.find("price");
                  std::cout << to_string(x.state) << ": a teapot costs "
                            << (price && price->integer() ? *price->integer() : 0) << '\n';
                  self->quit();
                },
                refused);
      },
  };
}

} // namespace

int main() {
  caf::actor_system_config config;
  troupe::caf_runtime::prepare(config); // Before the system is made.
  config.add_message_types<caf::id_block::shop>();
  caf::actor_system system{config}; // Before the runtime: it has to outlive it.
  auto runtime = troupe::caf_runtime::open(system, {.memory = true}, {},
                                           {{.name = "pricer", .actor = system.spawn(pricer)}});
  if (!runtime) {
    std::cerr << to_string(runtime.code()) << ": " << runtime.error().detail << '\n';
    return 1;
  }
  caf::scoped_actor self{system};
  auto shopping = self->spawn<caf::monitored>(shop, runtime->handle());
  self->wait_for(shopping);
}
