#include "tests/sim/played.hpp"

#include "config/config.hpp"
#include "proxy/session/session.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/writer.hpp"
#include "router/router.hpp"
#include "tests/sim/model_server.hpp"
#include "tests/unit/proxy/sample_copy.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace veer::sim {

namespace wire = proxy::wire;
namespace session = proxy::session;

namespace {

const index::Replica& sample() {
    static index::Replica replica{1};
    [[maybe_unused]] static const bool loaded = (session::load_sample(replica), true);
    return replica;
}

config::Config everything_to_the_index() {
    config::Config config;
    config.defaults.percent = 100;
    return config;
}

/// Messages for people: types, with the SQLSTATE of errors, the status of ReadyForQuery and tags.
std::string listed(const std::vector<std::string>& messages, std::size_t from) {
    constexpr std::size_t most = 12;
    std::string found;
    for (std::size_t i = from; i < std::min(messages.size(), from + most); ++i) {
        const wire::Bytes payload = wire::Bytes(messages[i]).substr(wire::frame_header_bytes);
        found += ' ';
        found += messages[i].front();
        if (messages[i].front() == 'E') {
            found += '(' + wire::decode_diagnostics(payload).sqlstate + ')';
        } else if (messages[i].front() == 'C' || messages[i].front() == 'Z') {
            found += '(' + std::string(payload.substr(0, payload.find('\0'))) + ')';
        }
    }
    return found.empty() ? " nothing" : found;
}

/// In a failed transaction every statement gets an error; which one is all the same to the client.
/// (veer may forget, in a batch that failed, a portal that Postgres still has.)
std::vector<std::string> without_details_of_failed_transactions(std::vector<std::string> messages) {
    bool failed = false;
    for (std::string& message : messages) {
        if (message.front() == 'Z') {
            failed = message.back() == 'E';
        } else if (message.front() == 'E' && failed) {
            message.resize(1);
        }
    }
    return messages;
}

constexpr std::size_t notice = 0;

/// What the server sends on its own, whenever it likes.
std::string unasked(std::size_t which) {
    std::string bytes;
    if (which == notice) {
        wire::MessageWriter(bytes, 'N').u8('S').text("NOTICE").u8('C').text("00000").u8(0);
    } else if (which == 1) {
        wire::MessageWriter(bytes, 'A').i32(7).text("channel").text("payload");
    } else {
        wire::MessageWriter(bytes, 'S').text("application_name").text("sim");
    }
    return bytes;
}

bool is_unasked(const std::string& message) {
    return message == unasked(0) || message == unasked(1) || message == unasked(2);
}

/// The client's end: whole messages out of bytes, without what nobody asked for.
class Reader {
  public:
    void receive(std::string_view bytes) {
        rest_ += bytes;
        wire::FrameHeader header;
        while (wire::peek_header(rest_, header) == wire::FrameStatus::ok &&
               rest_.size() >= header.whole_bytes) {
            std::string message = rest_.substr(0, header.whole_bytes);
            rest_.erase(0, header.whole_bytes);
            if (is_unasked(message)) {
                ++unasked_;
            } else {
                read_.push_back(std::move(message));
            }
        }
    }

    const std::vector<std::string>& read() const { return read_; }

    std::size_t unasked_count() const { return unasked_; }

    bool between_messages() const { return rest_.empty(); }

  private:
    std::string rest_;
    std::vector<std::string> read_;
    std::size_t unasked_ = 0;
};

class Stage {
  public:
    Stage(Pace pace, unsigned seed)
        : pace_(pace),
          dice_(seed),
          config_(everything_to_the_index()),
          router_(config_, sample()),
          session_({}, router_, {.major = 3, .minor = 0, .parameters = {{"user", "me"}}}) {
        session_.on_server(ModelServer::greeting(), now_, out_);
        out_ = {};
    }

    Played play(const std::vector<ClientMessage>& conversation) {
        for (const ClientMessage& message : conversation) {
            to_session_ += message.bytes;
            direct_.receive(message.bytes);
            direct_.overflow();
            for (const std::string& reply : direct_.take()) {
                expected_.push_back(reply);
            }
            sent_bytes_ += message.bytes.size();
            if (message.settle || dice_.once_in(4)) {
                settle();
            } else if (dice_.once_in(2)) {
                step();
            }
            if (message.settle) {
                compare(message.label);
            }
            if (!played_.problem.empty()) {
                break;
            }
        }
        played_.cut_off = direct_.cut_off();
        played_.facts_asked = server_.facts_asked();
        played_.rewritten = server_.rewritten();
        const auto routes = router_.routes();
        const std::size_t answered = routes->routes.front().traffic->veer.load();
        played_.local = answered - std::min(answered, played_.rewritten);
        return std::move(played_);
    }

  private:
    /// Everything that can happen happens, until nothing is left.
    void settle() {
        std::size_t steps = 0;
        while (played_.problem.empty() && step()) {
            if (++steps > 200'000) {
                complain("it never ends");
            }
        }
    }

    /// One thing that can happen; false where there is none.
    bool step() {
        disturb();
        const std::size_t first = dice_.below(5);
        for (std::size_t i = 0; i < 5; ++i) {
            if (happen((first + i) % 5)) {
                after_event();
                return true;
            }
        }
        return false;
    }

    bool happen(std::size_t event) {
        switch (event) {
            case 0:
                if (to_session_.empty() || session_.paused()) {
                    return false;
                }
                session_.on_client(cut(to_session_), now_, out_);
                return true;
            case 1:
                if (to_server_.empty()) {
                    return false;
                }
                server_.receive(cut(to_server_));
                return true;
            case 2:
                if (from_server_.empty()) {
                    return false;
                }
                session_.on_server(cut(from_server_), now_, out_);
                return true;
            case 3:
                if (!wait_) {
                    return false;
                }
                now_.nanoseconds = std::max(
                    now_.nanoseconds, std::exchange(wait_, std::nullopt)->deadline.nanoseconds
                );
                session_.on_waited(now_, out_);
                return true;
            default:
                if (!search_) {
                    return false;
                }
                carry_out(*std::exchange(search_, std::nullopt));
                return true;
        }
    }

    void carry_out(const session::PendingSearch& search) {
        session_.on_found(search.number, search.order.run(), now_, out_);
    }

    /// Things that must make no difference: time, others' writes, a cancel that comes to nothing,
    /// a full buffer at the server, messages that nobody asked for.
    void disturb() {
        if (pace_ != Pace::any) {
            return;
        }
        now_.nanoseconds += static_cast<std::int64_t>(dice_.below(20'000'000));
        if (dice_.once_in(100)) {
            router_.note_write();
        }
        if (dice_.once_in(100) &&
            session_.on_cancel(now_, out_) == session::Session::CancelAction::forward) {
            ++cancels_;
        }
        if (cancels_ > 0 && dice_.once_in(3)) {
            --cancels_;
            session_.on_cancel_relayed(now_, out_);
        }
        after_event();
        if (dice_.once_in(5)) {
            server_.overflow();
        }
        if (dice_.once_in(30)) {
            const std::size_t which = dice_.below(3);
            from_server_ += unasked(which);
            ++(which == notice ? notices_sent_ : unasked_sent_);
        }
    }

    void after_event() {
        client_.receive(out_.to_client);
        to_server_ += out_.to_server;
        if (out_.wait) {
            wait_ = out_.wait;
        }
        if (out_.search) {
            search_ = out_.search;
        }
        if (out_.close) {
            complain("veer closes");
        }
        out_ = {};
        for (const std::string& message : server_.take()) {
            from_server_ += message;
        }
        const std::size_t kept = session_.kept_bytes();
        if (kept > sent_bytes_ || session_.unanswered() > sent_bytes_) {
            complain("veer keeps more than it was sent");
        }
    }

    std::string cut(std::string& bytes) {
        std::size_t length = bytes.size();
        if (pace_ == Pace::bytewise) {
            length = 1;
        } else if (pace_ == Pace::any && !dice_.once_in(3)) {
            length = 1 + dice_.below(bytes.size());
        }
        std::string piece = bytes.substr(0, length);
        bytes.erase(0, length);
        return piece;
    }

    void compare(const std::string& where) {
        while (cancels_ > 0) {
            --cancels_;
            session_.on_cancel_relayed(now_, out_);
            after_event();
            settle();
        }
        const auto expected = without_details_of_failed_transactions(expected_);
        const auto got = without_details_of_failed_transactions(client_.read());
        const auto differs =
            std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
        const auto at = static_cast<std::size_t>(differs.first - expected.begin());
        const bool all_due = differs.second == got.end() && got.size() >= direct_.due();
        if (!all_due) {
            complain(
                "after " + where + ": message " + std::to_string(at) + " on should be" +
                listed(expected_, at) + "\n  and is" + listed(client_.read(), at)
            );
        } else if (!client_.between_messages() || client_.unasked_count() < unasked_sent_ || client_.unasked_count() > unasked_sent_ + notices_sent_) {
            // A notice amid the answer to veer's own question is veer's.
            complain("after " + where + ": a notice or the like was lost or cut");
        } else if (session_.kept_bytes() > 0 || session_.paused()) {
            complain("after " + where + ": veer is still waiting");
        }
    }

    void complain(std::string problem) {
        if (played_.problem.empty()) {
            played_.problem = std::move(problem);
        }
    }

    Pace pace_;
    Dice dice_;
    config::Config config_;
    router::Router router_;
    session::Session session_;
    session::Output out_;
    session::Instant now_{1};
    ModelServer server_;
    ModelServer direct_;
    Reader client_;
    std::vector<std::string> expected_;
    std::string to_session_;
    std::string to_server_;
    std::string from_server_;
    std::optional<session::Wait> wait_;
    std::optional<session::PendingSearch> search_;
    std::size_t cancels_ = 0;
    std::size_t unasked_sent_ = 0;  // but for notices
    std::size_t notices_sent_ = 0;
    std::size_t sent_bytes_ = 0;
    Played played_;
};

}  // namespace

Played play(const std::vector<ClientMessage>& conversation, Pace pace, unsigned seed) {
    return Stage(pace, seed).play(conversation);
}

std::vector<ClientMessage> shrink(
    std::vector<ClientMessage> conversation, Pace pace, unsigned seed, std::string& problem
) {
    constexpr unsigned other_schedules = 5;
    const auto fails = [&](const std::vector<ClientMessage>& candidate) {
        for (unsigned i = 0; i <= other_schedules; ++i) {
            Played played = play(candidate, pace, seed + i);
            if (!played.problem.empty() && !played.cut_off) {
                problem = std::move(played.problem);
                return true;
            }
        }
        return false;
    };
    for (bool shorter = true; shorter;) {
        shorter = false;
        for (std::size_t i = conversation.size(); i-- > 0;) {
            std::vector<ClientMessage> candidate = conversation;
            candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(i));
            if (!candidate.empty()) {
                candidate.back().settle = true;
            }
            if (fails(candidate)) {
                conversation = std::move(candidate);
                shorter = true;
            }
        }
    }
    return conversation;
}

}  // namespace veer::sim
