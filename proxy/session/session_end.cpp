#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/reader.hpp"

// What ends a statement or the session from outside: cancel, shutdown, a server that goes away.

namespace veer::proxy::session {

Session::CancelAction Session::on_cancel(Instant now, Output& out) {
    if (state_ != State::open) {
        return CancelAction::forward;  // what it runs is not followed
    }
    const bool storing = attempt_ && attempt_->stage == Attempt::Stage::storing;
    if (storing || (replies_.empty() && !attempt_)) {
        return CancelAction::nothing;  // what another session may see at any moment stays
    }
    const bool ours = attempt_ && (attempt_->stage == Attempt::Stage::waiting ||
                                   attempt_->stage == Attempt::Stage::searching);
    if (ours) {
        // Postgres gets the statement and then the cancel: the error, and what it does to the
        // transaction, are its own.
        pass(router::reason::canceled, now, out);
    }
    ++cancels_;
    return CancelAction::forward;
}

void Session::on_cancel_relayed(Instant now, Output& out) {
    if (cancels_ > 0) {
        --cancels_;
    }
    drain_inbox(now, out);
}

bool Session::at_rest() const {
    return state_ == State::open && transaction_ == 'I' && replies_.empty() && !attempt_ &&
           inbox_.empty() && outbox_.empty() && passing_ == 0 && passing_server_ == 0 &&
           !batch_upstream_ && !batch_local_ && cancels_ == 0;
}

std::uint32_t Session::backend_pid() const {
    return wire::Reader(backend_key_).u32();
}

std::string_view Session::state_word() const {
    if (state_ == State::raw) {
        return "relayed";
    }
    if (busy() || !replies_.empty()) {
        return "active";
    }
    if (transaction_ == 'I') {
        return "idle";
    }
    return transaction_ == 'T' ? "idle in transaction" : "idle in transaction (aborted)";
}

std::size_t Session::held_bytes() const {
    const std::size_t of_attempt =
        attempt_ ? attempt_->held.size() + attempt_->stash.size() + attempt_->rewritten.size() : 0;
    return inbox_.size() + outbox_.size() + of_attempt + portals_.bytes();
}

void Session::on_shutdown(Output& out) {
    end_with(out, "57P01", "terminating connection due to administrator command");
}

void Session::on_idle_timeout(Output& out) {
    end_with(out, "57P05", "terminating connection due to idle-session timeout");
}

void Session::on_server_closed(Output& out) {
    out.to_client += outbox_;
    if (replies_.writer_pending()) {
        router_.note_write();  // perhaps it has committed, and only the word of it is lost
    }
    if (state_ == State::starting) {
        out.close = true;  // Postgres ends a login that is none without a word
    } else {
        end_with(out, "08006", "the connection to the upstream server was lost");
    }
}

void Session::end_with(Output& out, wire::Bytes sqlstate, wire::Bytes message) {
    const bool between_frames = outbox_.empty() && passing_server_ == 0 && state_ != State::raw;
    if (between_frames && !fatal_seen_ && !client_ended_) {
        wire::write_fatal(out.to_client, sqlstate, message);
    }
    out.close = true;
}

}  // namespace veer::proxy::session
