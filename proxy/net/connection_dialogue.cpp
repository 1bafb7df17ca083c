#include "proxy/net/connection.hpp"
#include "proxy/net/session_facts.hpp"

// A client of veer itself: the console, in place of a session with Postgres.

namespace veer::proxy::net {

namespace {

/// An operator must get in when no client does, so these are counted apart; and this machine's own
/// operator when others hold all of them.
constexpr std::size_t dialogues_max = 64;
constexpr std::size_t dialogues_max_of_owner = 2 * dialogues_max;

/// Of a dialogue's answers: it is not asked on while more waits for a slow reader.
constexpr std::size_t dialogue_unsent_max = std::size_t{256} * 1024;

}  // namespace

bool Connection::begin_dialogue(const session::ForwardStartup& forward) {
    if (!shared_.make_dialogue) {
        return false;
    }
    const NumericAddress peer = peer_of(client_.socket.descriptor());
    const TlsLayer& layer = greeting_->layer();
    const Caller caller{
        .local = local_,
        .owner = local_ && peer_is_owner(client_.socket.descriptor()),
        .loopback = !local_ && peer.loopback,
        .address = peer.text,
        .channel_binding = layer.encrypted() ? layer.tls()->endpoint_hash() : ""};
    dialogue_ = shared_.make_dialogue(
        caller,
        forward.message,
        [wake = task(weak_from_this(), [](Connection& self) { self.on_dialogue_wake(); }),
         &loop = worker_.loop] { loop.post(wake); }
    );
    if (!dialogue_) {
        return false;
    }
    in_dialogues_ = true;
    const std::size_t most = caller.owner ? dialogues_max_of_owner : dialogues_max;
    if (shared_.dialogues.fetch_add(1) >= most) {
        refuse("53300", "sorry, too many clients of the console already");
        return true;
    }
    stage_ = Stage::conversing;
    client_.layer = greeting_->take_layer();
    greeting_.reset();
    dialogue_->begin(worker_.output);
    if (!forward.rest.empty()) {
        dialogue_->on_client(forward.rest, worker_.output);
    }
    carry_out_dialogue();
    return true;
}

void Connection::converse() {
    const Socket::Result result = client_.socket.receive(worker_.in);
    if (result.would_block) {
        return;
    }
    const std::string_view bytes = client_.open({worker_.in.data(), result.bytes});
    if (!bytes.empty()) {
        dialogue_->on_client(bytes, worker_.output);
    }
    if (result.bytes == 0 || client_.ended) {
        client_.ended = true;
        worker_.output.close = true;
    }
    carry_out_dialogue();
}

void Connection::on_dialogue_wake() {
    if (stage_ == Stage::conversing) {
        dialogue_->on_wake(worker_.output);
        carry_out_dialogue();
    }
    settle();
}

void Connection::carry_out_dialogue() {
    if (client_.send(worker_.output.to_client)) {
        client_.gone = true;
    }
    worker_.output.to_client.clear();
    if (std::exchange(worker_.output.close, false)) {
        begin_closing();
    } else if (dialogue_->let_in()) {
        worker_.loop.cancel(deadline_);
    }
}

bool Connection::may_read_dialogue() const {
    return !client_.ended && !dialogue_->paused() && client_.unsent() < dialogue_unsent_max;
}

SessionFacts Connection::describe() const {
    const NumericAddress peer = peer_of(client_.socket.descriptor());
    SessionFacts facts{
        .number = number_,
        .user = user_,
        .database = database_,
        .application_name = application_name_,
        .address = peer.text,
        .port = peer.port,
        .state = state_word(),
        .tls = client_.layer.encrypted(),
        .connected_at = connected_at_,
        .unsent_bytes = accounted_};
    if (server_) {
        facts.server_address = server_endpoint_.host;
        facts.server_port = server_endpoint_.port;
        facts.server_tls = server_->layer.encrypted();
    }
    if (session_) {
        const session::LastSearch& last = session_->last_search();
        facts.server_pid = session_->backend_pid();
        facts.last_engine = last.engine;
        facts.last_reason = last.reason;
        facts.last_route = last.route;
        facts.last_ms = last.milliseconds;
        facts.route_override = last.wish;
        facts.key = last.key;
    }
    return facts;
}

std::string_view Connection::state_word() const {
    switch (stage_) {
        case Stage::starting:
        case Stage::connecting:
            return "login";
        case Stage::relaying:
            return login_ ? "login" : session_->state_word();
        case Stage::conversing:
            return dialogue_->paused() ? "active" : "idle";
        case Stage::canceling:
            return "cancel";
        case Stage::closing:
        case Stage::closed:
            break;
    }
    return "closing";
}

}  // namespace veer::proxy::net
