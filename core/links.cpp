#include "core/links.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::core {

namespace {

const shard_link& link_to(const link_state& x, shard_id peer) {
  static const shard_link none;
  auto found = x.peers.find(peer);
  return found == x.peers.end() ? none : found->second;
}

bool tells_more(const shard_link& x, std::uint64_t sequence) {
  return !x.unacknowledged.empty() && sequence >= x.unacknowledged.front().sequence
         && sequence <= x.sent;
}

struct applier {
  link_state& state;

  void operator()(const message_sent& x) {
    auto& link = state.peers[x.to];
    if (x.sequence != link.sent + 1)
      return;
    link.sent = x.sequence;
    link.unacknowledged.push_back(x);
  }

  void operator()(const message_received& x) {
    auto& link = state.peers[x.from];
    if (x.sequence == link.received + 1)
      link.received = x.sequence;
  }

  void operator()(const message_acknowledged& x) {
    auto& link = state.peers[x.to];
    if (!tells_more(link, x.sequence))
      return;
    while (!link.unacknowledged.empty() && link.unacknowledged.front().sequence <= x.sequence)
      link.unacknowledged.pop_front();
  }

  void operator()(const auto&) {}
};

void write(writer& out, const child_requested& x) {
  out(x.ns, x.parent, x.vertex, x.proof, x.queue, x.graph);
  put(out, x.input);
}

void read(reader& in, child_requested& x) {
  in(x.ns, x.parent, x.vertex, x.proof, x.queue, x.graph);
  get(in, x.input);
}

void write(writer& out, const child_ended& x) {
  out(x.parent, x.vertex, x.proof, x.outcome, x.error);
  put(out, x.output);
}

void read(reader& in, child_ended& x) {
  in(x.parent, x.vertex, x.proof, x.outcome, x.error);
  get(in, x.output);
}

template <class... Ts>
bool read_body(reader& in, record_type of, std::variant<Ts...>& to) {
  return ((of.number == Ts::type.number && of.version == Ts::type.version
           && (read(in, to.template emplace<Ts>()), true))
          || ...);
}

} // namespace

void apply(link_state& x, const record& r) { std::visit(applier{x}, r.body); }

message_sent decide_send(const link_state& x, shard_id to, bytes body) {
  return {to, link_to(x, to).sent + 1, std::move(body)};
}

receipt decide_receive(const link_state& x, shard_id from, std::uint64_t sequence) {
  auto received = link_to(x, from).received;
  if (sequence <= received)
    return receipt::repeat;
  return sequence == received + 1 ? receipt::fresh : receipt::ahead;
}

std::optional<message_acknowledged> decide_acknowledged(const link_state& x, shard_id to,
                                                        std::uint64_t sequence) {
  if (!tells_more(link_to(x, to), sequence))
    return {};
  return message_acknowledged{to, sequence};
}

std::vector<message_sent> resume(const link_state& x) {
  std::vector<message_sent> again;
  for (auto& [peer, link] : x.peers) {
    auto size = std::min(link.unacknowledged.size(), limits::link_window_max);
    auto begin = link.unacknowledged.begin();
    again.insert(again.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  return again;
}

bytes encode_message(const message_body& x) {
  bytes data;
  writer out{data};
  std::visit(
      [&](auto& body) {
        out(body.type.number, body.type.version);
        write(out, body);
      },
      x);
  return data;
}

result<message_body> decode_message(byte_view data) {
  reader in{data};
  record_type of{};
  in(of.number, of.version);
  message_body x;
  if (in.ok && !read_body(in, of, x))
    return error{ec::unknown_record, "message type " + std::to_string(of.number) + " version "
                                         + std::to_string(of.version)
                                         + " is not known to this version of troupe"};
  if (!in.ok || !in.in.empty())
    return error{ec::journal_corrupt, "the fields of a message do not fit its length"};
  return x;
}

job_added child_of(const child_requested& x) {
  job_added child;
  child.queue = x.queue;
  child.graph = x.graph;
  child.input = x.input;
  child.parent = x.parent;
  child.parent_vertex = x.vertex;
  child.parent_proof = x.proof;
  return child;
}

child_ended end_of(const job& child, payload result) {
  assert(terminal(child.state));
  child_ended end{child.spec.parent, child.spec.parent_vertex, child.spec.parent_proof, {}, {}, {}};
  if (child.state == job_state::completed) {
    end.output = std::move(result);
    return end;
  }
  end.outcome = attempt_end::failed;
  if (child.state == job_state::failed)
    end.error = child.error;
  else
    end.error = {std::string{"child_"} + to_string(child.state), "",
                 "the job that the vertex asked for was " + std::string{to_string(child.state)}};
  return end;
}

} // namespace troupe::core
