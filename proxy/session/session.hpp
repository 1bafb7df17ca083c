#pragma once

#include "proxy/session/attempt.hpp"
#include "proxy/session/known_facts.hpp"
#include "proxy/session/local_portal.hpp"
#include "proxy/session/output.hpp"
#include "proxy/session/pending_notice.hpp"
#include "proxy/session/reply_queue.hpp"
#include "proxy/session/unnamed.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/startup.hpp"
#include "router/complaint.hpp"
#include "router/decide.hpp"
#include "router/management.hpp"
#include "router/router.hpp"
#include "router/search_function.hpp"
#include "router/session_facts.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::session {

struct SessionOptions {
    std::size_t inspected_bytes_max = std::size_t{1} << 20U;  ///< longer messages pass uninspected
    std::size_t stash_bytes_max = std::size_t{4} << 20U;      ///< of a rewritten statement's reply
    std::uint64_t wanted_max = 1000;                          ///< LIMIT + OFFSET
    std::uint64_t candidates_max = 4000;  ///< keys given to Postgres where it drops some of them
    std::int64_t freshness_wait_ns = 50'000'000;
};

/// One client's dialogue after its StartupMessage went upstream, as a state machine: bytes in,
/// bytes out; no socket, no thread, no clock.
///
///     client ──frames──▶ [ hold a search? ] ──▶ ReplyQueue.expect ──▶ server
///     client ◀─────────── local answers ◀────── ReplyQueue ◀──frames── server
///
/// States, from the most to the least trusting:
///     starting   until the first ReadyForQuery: bytes are relayed, parameters are noted
///     open       frames are followed; searches may be answered
///     raw        framing or order was lost, or a replication connection: bytes are relayed, for
///     ever
///
/// Invariants:
/// 1. Bytes that veer does not answer itself reach the other side unchanged and in order.
/// 2. No byte of a local answer is sent before the answer is complete.
/// 3. While paused(), client bytes are kept, not looked at; the owner should stop reading them.
/// 4. Every buffer is bounded by SessionOptions or by what the owner chooses to read.
class Session {
  public:
    Session(SessionOptions options, router::Router& router, const wire::StartupMessage& startup);

    /// What rules by client's address go by; empty over a Unix socket.
    void set_client_address(std::string numeric) { client_address_ = std::move(numeric); }

    void on_client(wire::Bytes bytes, Instant now, Output& out);
    void on_server(wire::Bytes bytes, Instant now, Output& out);

    /// The position of the last Output::wait was reached, or its deadline passed.
    void on_waited(Instant now, Output& out);

    /// What Output::search found. An answer to an older search than the last is ignored.
    void on_found(std::uint64_t number, const router::Found& found, Instant now, Output& out);

    /// What has come of Output::change: it is stored, or why not.
    void on_changed(
        std::uint64_t number, const std::optional<router::Complaint>& why, Instant now, Output& out
    );

    /// Upstream closed its side. Says so to a client that has not been told by the server itself.
    void on_server_closed(Output& out);

    /// The client sends no more. It may still read.
    void on_client_ended() { client_ended_ = true; }

    /// Nothing more will go to the server: its side may be ended. A message that the client left
    /// incomplete is dropped, unless a part of it went out: then the server must not wait for the
    /// rest (WIRE.md 3.2, 14).
    bool server_side_done() const { return client_ended_ && !paused(); }

    /// What becomes of a CancelRequest for this session.
    enum class CancelAction : std::uint8_t {
        forward,  ///< send it to the server of this session, then call on_cancel_relayed()
        nothing,  ///< there is nothing to cancel, or veer has canceled it itself
    };

    /// A CancelRequest with this session's key has come. After `forward` the session is paused, so
    /// that the cancel cannot hit a later statement (WIRE.md 3.5, 48).
    CancelAction on_cancel(Instant now, Output& out);

    /// The server has closed the connection of the cancel, or it came to nothing.
    void on_cancel_relayed(Instant now, Output& out);

    /// Says FATAL 57P01, as Postgres does at its own shutdown, and closes.
    void on_shutdown(Output& out);

    /// Says FATAL 57P05, as Postgres does at idle_session_timeout, and closes.
    void on_idle_timeout(Output& out);

    /// Between transactions, and neither side owes the other anything.
    bool at_rest() const;

    /// The payload of BackendKeyData (process id, secret key of 4 to 256 bytes); empty until the
    /// server has sent it.
    const std::string& backend_key() const { return backend_key_; }

    /// The server's process id; 0 until it has been told.
    std::uint32_t backend_pid() const;

    /// What SHOW veer.last says.
    const LastSearch& last_search() const { return last_; }

    /// pg_stat_activity's words, as far as the dialogue shows it: "idle", "active", ...
    std::string_view state_word() const;

    bool paused() const { return stalled_ || full_ || busy() || cancels_ > 0; }

    /// Whether so much has been answered in one go that the client is to read some of it first.
    bool full() const { return full_; }

    /// The client has read some of it.
    void on_room(Instant now, Output& out);

    /// Client bytes kept back so far.
    std::size_t kept_bytes() const { return inbox_.size(); }

    /// All bytes that the session holds back, of either side.
    std::size_t held_bytes() const;

    /// Requests that still wait for replies: a client that never reads must not fill the queue.
    std::size_t unanswered() const { return replies_.size(); }

  private:
    enum class State : std::uint8_t { starting, open, raw };

    /// Did the frame go its way?
    enum class Taken : std::uint8_t {
        yes,
        later,  ///< show it again once the attempt is settled
        stall,  ///< show it again once nothing is unanswered
    };

    // session_client.cpp: the client's frames
    std::size_t process(wire::Bytes bytes, Instant now, Output& out);
    std::size_t pass_part(wire::Bytes bytes, Output& out);
    Taken pass_uninspected(wire::Bytes bytes, const wire::FrameHeader& header, Output& out);
    std::optional<Taken> note_uninspected(const wire::Frame& seen, bool named, Output& out);
    std::optional<Taken> note_uninspected_bind(const wire::Frame& seen, bool named, Output& out);
    void drain_inbox(Instant now, Output& out);
    Taken on_client_frame(const wire::Frame& frame, Instant now, Output& out);
    Taken on_query(const wire::Frame& frame, Instant now, Output& out);
    Taken on_query_text(
        const wire::Frame& frame,
        wire::Bytes text,
        std::shared_ptr<const router::Complaint> wording,
        Instant now,
        Output& out
    );
    Taken on_parse_text(
        const wire::Frame& frame,
        const wire::Parse& parse,
        std::shared_ptr<const router::Complaint> wording,
        Instant now,
        Output& out
    );
    Taken show_relation(const wire::Frame& frame, const std::string& relation, Output& out);
    Taken on_parse(const wire::Frame& frame, Instant now, Output& out);
    Taken on_bind(const wire::Frame& frame, Instant now, Output& out);
    void on_sync(const wire::Frame& frame, Output& out);
    void on_flush(const wire::Frame& frame, Output& out);

    // session_translate.cpp: statements about what Postgres does not have
    std::optional<Taken> translate(
        const wire::Frame& frame, wire::Bytes text, Instant now, Output& out
    );
    Taken translate_as(
        const wire::Frame& frame,
        const router::Statement& statement,
        const router::TakenNames& names,
        Instant now,
        Output& out
    );
    // session_manage.cpp: indexes of veer's own are made and dropped
    std::optional<Taken> manage(
        const wire::Frame& frame, wire::Bytes text, Instant now, Output& out
    );
    std::optional<Taken> execute_management(const wire::Frame& frame, Instant now, Output& out);
    void ask_management(
        const wire::Frame& frame,
        std::shared_ptr<const PreparedStatement> statement,
        bool alone,
        Instant now,
        Output& out
    );
    void on_management_ready(bool failed, Instant now, Output& out);
    router::ManagementDecision decide_management(const Attempt& attempt, bool failed) const;
    router::ManagementDecision decide_executed(const Attempt& attempt, bool failed) const;
    void store(Attempt attempt, const router::ManagementChange& change, Output& out);
    void tell_managed(const Attempt& attempt, const router::ManagementChange& change, Output& out);
    void remember_management(const Attempt& attempt, Output& out);
    void refuse_management(const Attempt& attempt, const router::Complaint& why, Output& out);
    void skip_management(Output& out);
    static LocalAnswer management_answer(const parser::Management& management);

    Taken take_text(
        const wire::Frame& frame,
        std::shared_ptr<const router::Complaint> wording,
        Instant now,
        Output& out
    );
    void on_names_ready(bool failed, Instant now, Output& out);
    static router::Complaint said_by(wire::Bytes error);
    static std::string worded(const wire::Frame& error, const router::Complaint& wording);

    // session_forward.cpp: frames on their way to the server, and the replies they are owed
    void forward(const wire::Frame& frame, Output& out);
    void forward_parse(
        const wire::Frame& frame, std::shared_ptr<const PreparedStatement> statement, Output& out
    );
    void forward_search(const wire::Frame& frame, const Attempt& attempt, Instant now, Output& out);
    void forget_unless_table(const Attempt& attempt, Instant now);
    /// A recognised search calls nothing that has effects, unless what it joins, or takes its
    /// vector from, is a view.
    static bool reads_tables_only(const parser::NearestNeighbourQuery& query);
    void settle_unnamed(const wire::Frame& frame, Output& out);
    void note_forwarded_bind(const wire::Frame& frame);
    void expect_reply_to(const wire::Frame& frame, bool plain);
    void expect_reply_to_query(const wire::Frame& frame, bool plain);
    void note_text(wire::Bytes text);
    void forget_unnamed();
    static bool names_unnamed(const wire::Frame& frame);
    void remember_unnamed();
    void see_query();
    void expect(Expected expected);
    void expect(Awaited awaited, Fate fate, bool plain = false);
    void emit_local(std::string bytes, Output& out);
    void emit_due(Output& out);
    std::shared_ptr<const PreparedStatement> statement_named(wire::Bytes name) const;

    // session_portal.cpp: portals that Postgres has not, and what may find that out
    std::optional<Taken> open_portals_for(const wire::Frame& frame, Output& out);
    std::optional<Taken> open_portals(std::optional<wire::Bytes> text, bool simple, Output& out);
    void open_upstream(const std::string& name, Fate fate, Output& out);
    void bind_upstream(
        const std::string& text,
        const std::vector<std::uint32_t>& types,
        const wire::Bind& bind,
        Fate fate,
        Output& out
    );
    void take_name_upstream(wire::Bytes portal, Output& out);
    Taken bind_twice(const wire::Frame& frame, wire::Bytes portal, Output& out);
    std::optional<router::Reason> refuse_portal(const Attempt& attempt) const;
    void note_portal_use(const wire::Parse& parse);

    // session_local.cpp: statements and portals that only veer knows
    std::optional<Taken> on_local_frame(const wire::Frame& frame, Instant now, Output& out);
    bool on_local_bind(const wire::Bind& bind, Output& out);
    bool concerns_local(
        const std::optional<wire::Execute>& execute, const std::optional<wire::Target>& target
    );
    bool execute_local(const wire::Execute& execute, std::string& answer, Output& out);
    Taken await_replies(Output& out);
    bool describe_or_close_portal(char type, wire::Bytes name, std::string& answer, Output& out);
    bool describe_or_close_statement(char type, wire::Bytes name, Instant now, std::string& answer);
    bool parse_locally(
        const wire::Frame& frame,
        const std::shared_ptr<const PreparedStatement>& statement,
        Instant now,
        Output& out
    );
    LocalAnswer answer_relation_named(const std::string& relation) const;
    std::vector<std::vector<std::string>> last_row() const;

    // session_server.cpp: the server's frames
    void on_starting_frame(const wire::Frame& frame);
    bool answers_veer() const;
    void on_server_frame(const wire::Frame& frame, Instant now, Output& out);
    void on_error(const wire::Frame& frame, Instant now, Output& out);
    void on_async(const wire::Frame& frame);
    void on_reply(const Reply& reply, const wire::Frame& frame, Instant now, Output& out);
    void on_parsed(const Reply& reply);
    bool has_room_for(wire::Bytes statement) const;
    void note_description(const Reply& reply, const wire::Frame& frame, Instant now);
    bool facts_allow(
        const std::shared_ptr<const router::RouteTable>& routes,
        const router::Route& route,
        const parser::NearestNeighbourQuery& query,
        Instant now
    ) const;
    void on_ready(const Reply& reply, const wire::Frame& frame, Instant now, Output& out);
    void end_transaction();
    void note_tag(wire::Bytes tag, bool plain, wire::Bytes deallocated = {});
    void note_cursors(wire::Bytes verb, wire::Bytes tag);
    void lose_track(wire::Bytes rest, Output& out);
    bool needs_whole(char type) const;
    bool completes_outbox(wire::Bytes bytes) const;
    bool passes_in_parts(char type, Instant now, Output& out);
    void fail_stash(const wire::Frame& frame, const wire::Diagnostics& diagnostics, bool counting);

    // session_end.cpp
    void end_with(Output& out, wire::Bytes sqlstate, wire::Bytes message);

    // session_search.cpp: the way of an Attempt to its decision
    bool busy() const { return attempt_ && attempt_->stage != Attempt::Stage::collecting; }

    std::optional<router::Reason> prepare(Attempt& attempt, const wire::Bind* bind);
    Taken collect(const wire::Frame& frame, Instant now, Output& out);
    void consider(Instant now, Output& out);
    void ask_facts(Output& out);
    void ask(const std::string& question, Output& out);
    void ask(
        const std::string& question,
        const std::vector<std::uint32_t>& parameter_types,
        wire::Bind bind,
        Output& out
    );
    void on_facts_ready(bool failed, Instant now, Output& out);
    void judge(Instant now, Output& out);
    void await_index(Instant now, Output& out);
    std::optional<router::Reason> choose_service();
    std::optional<router::Reason> refuse_rewrite() const;
    bool follows_another() const;
    bool index_has_caught_up();
    void search(Instant now, Output& out);
    void pass(router::Reason why, Instant now, Output& out);
    void abandon(Output& out);
    static bool described_alike(const Attempt& attempt);
    static bool inferred_alike(const Attempt& attempt);
    router::Asked asked(const Attempt& attempt) const;
    void record(std::string_view engine, router::Reason why, Instant now);
    void note_passed(router::Reason why, Attempt& attempt, Instant now);
    void note_found(const std::vector<index::Hit>& hits, Instant now);
    void write_receipt(const Attempt& attempt, std::int64_t at_ns);
    void observe(Attempt& attempt) const;
    void offer(std::optional<router::compare::Observation> observed, double milliseconds);

    std::optional<router::Reason> settled_without_facts(const Attempt& attempt) const;
    static std::string facts_condition(const Attempt& attempt);

    // session_function.cpp: a search that stands in a function
    std::optional<router::Reason> put_body(Attempt& attempt, parser::Refusal refusal);
    static std::optional<router::Reason> prepare_function(Attempt& attempt);
    void ask_function(Instant now, Output& out);
    void on_function_ready(bool failed, Instant now, Output& out);
    bool on_other_answer(bool failed, Instant now, Output& out);
    router::Reason note_gone();
    std::optional<router::Reason> doubt(Attempt& attempt, const parser::FunctionCall& call);

    // session_vector.cpp: a query vector that stands in a row
    std::optional<router::Reason> prepare_stored(
        Attempt& attempt, const std::vector<router::ParameterValue>& parameters
    ) const;
    void ask_vector(Instant now, Output& out);
    void on_vector_ready(bool failed, Instant now, Output& out);

    // session_candidates.cpp: how many rows the index is asked for
    std::uint64_t candidates_max() const;
    std::uint64_t first_candidates() const;
    std::uint64_t likely_candidates() const;
    std::optional<router::Reason> refuse_candidates(std::uint64_t rows) const;
    bool admitted();
    void serve_settled(const std::vector<index::Hit>& hits, Instant now, Output& out);
    void serve_each_settled(Instant now, Output& out);
    bool look_beyond_ties(std::uint64_t certain, Instant now, Output& out);
    void look_for(std::uint64_t rows, Output& out);
    void look_for_next(Output& out);
    void on_found_of_one(const std::vector<index::Hit>& hits, Instant now, Output& out);

    // session_notice.cpp: what the client is told of it
    void read(PreparedStatement& statement, wire::Bytes text);
    bool holds_to_tell(Attempt& attempt, router::Reason why, const wire::Bind* bind);
    bool consider_notices(Instant now, Output& out);
    void on_notices_ready(bool failed, Instant now, Output& out);
    router::Reason foresee();
    void tell_of_explain(Attempt& attempt, router::Reason why);
    void tell_of_passed(const Attempt& attempt, router::Reason why);
    std::string notice_of_answer(router::Reason why) const;

    // session_answer.cpp: its answer
    void serve(const std::vector<index::Hit>& hits, Instant now, Output& out);
    bool serve_locally(const std::vector<index::Hit>& hits, Output& out);
    void give_portal(LocalAnswer answer, Output& out);
    void serve_each(Instant now, Output& out);
    bool serve_rewritten(std::optional<std::string> text, Output& out);
    void run_rewritten(Output& out);
    void ask_count(Output& out);
    void note_count(const wire::Frame& frame);
    void finish_count(const wire::Frame& ready, Instant now, Output& out);
    std::vector<router::ParameterValue> bound_parameters(
        const Attempt& attempt, const wire::Bind* bind
    ) const;
    void stash(const wire::Frame& frame, Output& out);
    void overflow_stash(Output& out);
    bool refill(Output& out);
    void note_own_error();
    void finish_rewritten(const wire::Frame& ready, Instant now, Output& out);

    /// A function that the facts of this session denied, a right or a column being another.
    struct Doubt {
        std::shared_ptr<const router::Function> function;
        std::optional<Instant> until;  ///< Postgres answers; nothing: it has to be looked at again
    };

    SessionOptions options_;
    router::Router& router_;
    std::string database_;
    std::map<std::pair<std::string, std::string>, Doubt> doubts_;  // by schema, or "", and name
    /// When the sub-select for a query vector has failed alone, by the statement's shape: what its
    /// names mean here is nothing to other sessions.
    std::map<std::uint64_t, Instant> vectors_failed_;
    State state_ = State::starting;

    // towards the server
    std::string inbox_;            // client bytes not yet processed
    std::size_t cancels_ = 0;      // on their way to the server
    std::size_t passing_ = 0;      // bytes left of a client message that passes in parts
    bool full_ = false;            // until the client has read some of what it was answered
    bool stalled_ = false;         // the next frame waits until the session is quiet
    bool batch_upstream_ = false;  // the open extended batch has messages that the server saw
    bool batch_bound_ = false;     // and among them a Bind or Execute of the client
    bool batch_local_ = false;     // the open extended batch has messages that veer answered
    Unnamed unnamed_;
    std::shared_ptr<const router::Complaint> wording_;  // of the next Query or Parse upstream
    std::shared_ptr<const Unnamed> unnamed_before_;  // what the next expected message has changed
    bool deallocates_ = false;           // a text has mentioned DEALLOCATE: a function may run it
    bool named_upstream_ = false;        // this transaction may have cursors of the client's names
    bool portal_statements_ = false;     // some prepared statement may use a portal by name
    bool unnamed_uses_portals_ = false;  // the unnamed one may
    bool opening_ = false;               // a Query waits for portals that are given to Postgres
    std::string opening_error_;          // which has failed: the Query's answer
    bool flushed_ = false;               // and replies are on their way, which a frame waits for
    bool calls_seen_ = false;            // some prepared statement may call functions
    bool settings_touched_ = false;
    bool notices_touched_ = false;  // veer.notice among them
    PendingNotice notice_;

    // towards the client
    std::string outbox_;              // a server message not yet complete
    std::size_t passing_server_ = 0;  // bytes left of a server message that passes in parts
    bool dropping_server_ = false;    // and is for nobody
    bool copy_in_ = false;
    bool client_ended_ = false;
    bool fatal_seen_ = false;
    ReplyQueue replies_;

    // what the server said of itself
    std::string backend_key_;
    char transaction_ = 'I';
    bool utf8_ = false;
    bool standard_strings_ = true;
    bool maybe_wrote_ = false;   // since the transaction began
    std::string application_;    // as the server reports it
    std::string authorization_;  // likewise: not SET ROLE
    std::string description_;  // ParameterDescription of a known search, its RowDescription to come

    std::map<std::string, std::shared_ptr<const PreparedStatement>, std::less<>> statements_;
    LocalPortals portals_;

    std::optional<Attempt> attempt_;
    std::uint64_t searches_ = 0;  // asked for, and the number of the last
    std::uint64_t changes_ = 0;   // likewise
    std::string facts_row_;
    std::string facts_error_;  // an ErrorResponse to the question that is meant for the client
    bool facts_failed_ = false;
    bool facts_broken_ = false;  // the question has failed before: never again inside a transaction
    bool batch_failed_ = false;  // the client was sent an error while an attempt was on its way
    bool facts_of_batch_ = false;  // some were asked for before the Sync of what came before them
    FactsCache facts_;
    std::string client_address_;
    LastSearch last_;
    std::optional<Instant> passed_at_;  // a passed search that Postgres is answering
    std::optional<router::compare::Observation> passed_observed_;  // to be compared afterwards
    std::shared_ptr<router::cutover::Traffic>
        fell_back_;  // of a passed search that veer had failed
};

}  // namespace veer::proxy::session
