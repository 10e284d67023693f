#include "node/http/server.hpp"

#include "node/http/answer_text.hpp"
#include "node/http/session.hpp"
#include "node/http/tls_files.hpp"
#include "storage/own_thread.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::http {

namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

constexpr auto told = asio::as_tuple(asio::use_awaitable);
constexpr auto accept_pause = 100ms; ///< While the process has too many open files.
constexpr auto cut_time = 1s;        ///< For connections that were cut off to end.
constexpr unsigned threads_max = 4;

unsigned thread_count(unsigned chosen) {
  return chosen > 0 ? chosen : std::clamp(std::thread::hardware_concurrency(), 1u, threads_max);
}

result<tcp::endpoint> endpoint_of(const http_options& x) {
  boost::system::error_code code;
  auto address = asio::ip::make_address(x.address == "localhost" ? "127.0.0.1" : x.address, code);
  if (code)
    return error{ec::invalid_spec, "/http/address: \"" + x.address + "\" is no IP address"};
  return tcp::endpoint{address, x.port};
}

/// Refuses a connection that there is no room for, without waiting for its request.
void turn_away(auto& from, const http_options& x) {
  if (x.rejected)
    x.rejected(kind_of(refusal::too_many_connections).code);
  boost::system::error_code ignored;
  auto id = request_id_of(nullptr);
  auto peer = from.remote_endpoint(ignored).address().to_string();
  auto answer = problem_answer(refusal::too_many_connections,
                               std::to_string(x.connections_max) + " connections are open");
  from.non_blocking(true, ignored);
  auto text = last_answer(answer, id);
  from.write_some(asio::buffer(text), ignored);
  if (x.observe)
    x.observe({"", "-", answer.status, {}, id, nullptr, "-", "-", "", bool(ignored), peer});
}

/// One thread and the connections that are its own.
struct lane {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::set<std::shared_ptr<session>> sessions; ///< Only on its thread.
  std::jthread thread;
};

} // namespace

struct server::impl {
  explicit impl(http_options options) : shared{live_options{std::move(options)}, router{{}}} {}
  ~impl();

  status use_tls();
  status listen();
  void start();
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(lane& on, tcp::socket socket, bool crowded);
  void on_every_lane(const std::function<void(session&)>& act);
  void connection_ended();
  bool wait_for_none(std::chrono::milliseconds limit);

  shared_parts shared;
  std::optional<asio::ssl::context> tls;
  std::vector<std::unique_ptr<lane>> lanes;
  std::optional<tcp::acceptor> acceptor;
  std::uint16_t port = 0;
  std::mutex mutex;
  std::condition_variable ended;
};

status server::impl::use_tls() {
  auto options = shared.options.load();
  auto& x = *options;
  if (x.tls_cert.empty() && x.tls_key.empty())
    return {};
  tls.emplace(asio::ssl::context::tls_server);
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1
                   | asio::ssl::context::no_tlsv1_1);
  if (auto wrong = load_tls_files(*tls, x.tls_cert, x.tls_key))
    return error{ec::invalid_spec, wrong->pointer + ": " + wrong->detail};
  return {};
}

status server::impl::listen() {
  auto options = shared.options.load();
  auto at = endpoint_of(*options);
  if (!at)
    return at.error();
  boost::system::error_code code;
  acceptor.emplace(lanes.front()->io);
  acceptor->open(at->protocol(), code);
  if (!code)
    acceptor->set_option(tcp::acceptor::reuse_address{true}, code);
  if (!code)
    acceptor->bind(*at, code);
  if (!code)
    acceptor->listen(asio::socket_base::max_listen_connections, code);
  if (code)
    return error{ec::io_failed, "cannot listen on " + options->address + ":"
                                    + std::to_string(options->port) + ": " + code.message()};
  port = acceptor->local_endpoint(code).port();
  return {};
}

void server::impl::start() {
  asio::co_spawn(lanes.front()->io, accept(), asio::detached);
  for (auto& x : lanes)
    x->thread = storage::own_thread([&io = x->io] { io.run(); });
}

asio::awaitable<void> server::impl::accept() {
  for (std::size_t next = 0; !shared.closing; ++next) {
    auto& on = *lanes[next % lanes.size()];
    auto [code, socket] = co_await acceptor->async_accept(on.io, told);
    if (shared.closing)
      co_return;
    if (code) { // Out of file descriptors, mostly: some will be given back.
      asio::steady_timer pause{lanes.front()->io, accept_pause};
      co_await pause.async_wait(told);
      continue;
    }
    auto options = shared.options.load();
    auto& x = *options;
    auto open = ++shared.open;
    boost::system::error_code ignored;
    if (open > x.connections_max) {
      turn_away(socket, x);
      connection_ended();
      continue;
    }
    socket.set_option(tcp::no_delay{true}, ignored);
    auto crowded = open + x.connections_reserved > x.connections_max;
    asio::co_spawn(on.io, serve(on, std::move(socket), crowded), asio::detached);
  }
}

asio::awaitable<void> server::impl::serve(lane& on, tcp::socket socket, bool crowded) {
  auto x = std::make_shared<session>(make_wire(std::move(socket), tls ? &*tls : nullptr), shared,
                                     crowded);
  on.sessions.insert(x);
  if (shared.closing)
    x->close_soon();
  co_await x->run();
  on.sessions.erase(x);
  connection_ended();
}

void server::impl::connection_ended() {
  std::scoped_lock lock{mutex};
  --shared.open;
  ended.notify_all();
}

void server::impl::on_every_lane(const std::function<void(session&)>& act) {
  for (auto& x : lanes)
    asio::post(x->io, [lane = x.get(), act] {
      for (auto all = lane->sessions; auto& session : all)
        act(*session);
    });
}

bool server::impl::wait_for_none(std::chrono::milliseconds limit) {
  std::unique_lock lock{mutex};
  return ended.wait_for(lock, limit, [this] { return shared.open == 0; });
}

server::impl::~impl() {
  for (auto& x : lanes)
    x->io.stop();
  for (auto& x : lanes)
    x->thread = {};
}

server::server(std::unique_ptr<impl> x) : impl_(std::move(x)) {}

void server::change(http_options options) { impl_->shared.options.store(std::move(options)); }

void server::check_keys() {
  impl_->on_every_lane([](session& x) { x.check_key(); });
}

server::~server() { shut(0ms); }

result<std::unique_ptr<server>> server::open(http_options options) {
  auto made = std::make_unique<impl>(std::move(options));
  for (unsigned i = 0; i < thread_count(made->shared.options.load()->threads); ++i)
    made->lanes.push_back(std::make_unique<lane>());
  if (auto ready = made->use_tls(); !ready)
    return ready.error();
  if (auto listening = made->listen(); !listening)
    return listening.error();
  return std::unique_ptr<server>{new server{std::move(made)}};
}

void server::serve(std::vector<route> routes) {
  impl_->shared.routes = router{std::move(routes)};
  impl_->start();
}

std::uint16_t server::port() const noexcept { return impl_->port; }
std::size_t server::connections() const noexcept { return impl_->shared.open; }
std::size_t server::body_bytes() const noexcept { return impl_->shared.bodies.taken(); }
std::size_t server::answer_bytes() const noexcept { return impl_->shared.answers.taken(); }

bool server::shut(std::chrono::milliseconds limit) {
  if (impl_->shared.closing.exchange(true) && impl_->shared.open == 0)
    return true;
  asio::post(impl_->lanes.front()->io, [this] {
    boost::system::error_code ignored;
    impl_->acceptor->close(ignored);
  });
  impl_->on_every_lane([](session& x) { x.close_soon(); });
  if (impl_->wait_for_none(limit))
    return true;
  impl_->on_every_lane([](session& x) { x.kill(); });
  impl_->wait_for_none(cut_time);
  return false;
}

} // namespace troupe::http
