#pragma once

#include "proxy/session/prepared_statement.hpp"
#include "proxy/session/unnamed.hpp"
#include "router/complaint.hpp"

#include <boost/circular_buffer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace veer::proxy::session {

/// What the server (or veer) owes next.
enum class Awaited : std::uint8_t {
    parse,
    bind,
    describe_statement,
    describe_portal,
    execute,
    close,
    sync,
    query,  ///< simple Query: anything up to ReadyForQuery
    function_call,
    copy_end,    ///< no reply: the client ended its COPY data here
    local,       ///< bytes of veer's own, due when all before is done
    local_sync,  ///< ReadyForQuery of veer's own, with the status of that moment
};

/// What becomes of a server message.
enum class Fate : std::uint8_t {
    forward,  ///< the client asked for it
    swallow,  ///< veer asked for it, for the client's sake: an error of it is the client's
    ignore,   ///< veer asked for it: an error of it is nobody's
    facts,    ///< veer asked for it: the session's facts
    stash,    ///< the client's, held back until its statement is complete
    count,    ///< veer asked for it: how many rows a search inside a statement has
};

struct Expected {
    Awaited awaited = Awaited::query;
    Fate fate = Fate::forward;
    bool plain = false;  ///< of query and execute: SELECT without a call, changes nothing
    std::shared_ptr<const PreparedStatement> statement =
        {};                                      ///< of parse, describe: the search, if any
    std::string name = {};                       ///< of parse: the statement's name; of query:
                                                 ///< of the one that it deallocates, if that is all
    bool frees_name = false;                     ///< of close: `name` is no statement's afterwards
    bool superseded = false;                     ///< of parse: the name means another by now
    std::string bytes = {};                      ///< of local
    std::shared_ptr<const Unnamed> before = {};  ///< what its sending has changed
    std::string notice = {};                     ///< of query and execute: goes before their end
    /// Of query and parse: Postgres has another text than the client's; how its error is told.
    std::shared_ptr<const router::Complaint> wording = {};
};

/// One server message, matched with what was asked.
struct Reply {
    Fate fate = Fate::forward;
    Awaited awaited = Awaited::query;
    bool last = false;  ///< the expectation is met and gone
    bool plain = false;
    std::shared_ptr<const PreparedStatement> statement = {};
    std::string name = {};
    bool frees_name = false;
    bool superseded = false;
    std::string notice = {};  ///< with a CommandComplete or PortalSuspended: goes before it
};

/// What an ErrorResponse does.
struct Failure {
    Fate fate = Fate::forward;
    std::shared_ptr<const Unnamed> before =
        {};  ///< of the first message that the server skips, if any
    std::shared_ptr<const router::Complaint> wording = {};  ///< of what has failed
    bool may_have_written = false;  ///< and committed that, before it failed
};

/// The FIFO of everything owed to the client, in the order of its requests (WIRE.md 3.1, design 1
/// of PgBouncer): server replies match the head, veer's own bytes come out when they reach the
/// head.
///
///     head ─▶ parse(forward) · local("...") · sync(forward) · query(forward) ◀─ tail
///
/// Invariants:
/// 1. After an error in an extended-protocol reply everything up to the next sync is dropped: the
/// server
///    skips it, veer's own answers included. A Query in between is skipped as well (WIRE.md 3.2,
///    7).
/// 2. While `skipping()`, the server ignores what it gets until Sync: nothing but that is expected.
/// 3. Asynchronous messages (notice, notification, parameter status) never reach the queue.
class ReplyQueue {
  public:
    void expect(Expected expected);

    bool empty() const { return queue_.empty(); }

    std::size_t size() const { return queue_.size(); }

    bool skipping() const { return skipping_; }

    /// True where a ReadyForQuery is on its way: waiting for it cannot deadlock.
    bool has_barrier() const;

    /// True where nothing but Parse, Describe of a statement, and Close is unanswered.
    bool only_preparation() const;

    /// True where a reply is awaited to something that may write, or change the session.
    bool writer_pending() const;

    /// True where something on its way changes what is unnamed in the server, and may be skipped.
    bool change_pending() const { return counts_.changes > 0; }

    /// The statement that `name` will mean when the replies on their way have come (null: none that
    /// is a search); nothing where neither a Parse nor a Close of that name is on its way.
    std::optional<std::shared_ptr<const PreparedStatement>> pending_statement(std::string_view name
    ) const;

    /// `name` means something else from here on than the Parse or Close that may be on its way
    /// says: a statement of veer's own, or none after a simple Query.
    void supersede(std::string_view name);

    /// True where what comes next is of a batch of veer's own that counts rows.
    bool counting() const;

    /// Matches a message that is neither ErrorResponse nor asynchronous. Nothing where it answers
    /// nothing that was asked: veer has lost track.
    std::optional<Reply> on_message(char type);

    /// ErrorResponse: what becomes of it. Drops what the server skips.
    Failure on_error();

    /// What becomes of the next message.
    Fate next_fate() const { return queue_.empty() ? Fate::forward : queue_.front().fate; }

    /// CopyInResponse: what the client sent between its Execute and the end of its data (a Sync) is
    /// ignored by the server (manual 55.2.6). True where the client has ended its data already.
    bool on_copy_in();

    /// The next due bytes of veer's own, if it is their turn; removes them. `status` goes into a
    /// ReadyForQuery of veer's own.
    bool take_local(std::string& out, char status);

  private:
    /// How many of `queue_` are of each kind: a pipeline may be tens of thousands deep.
    struct Counts {
        std::size_t barriers = 0;
        std::size_t writers = 0;
        std::size_t names = 0;  // Parse and Close of the client's statements
        std::size_t changes = 0;
    };

    /// Grows as needed; a deque would allocate every few messages.
    using Queue = boost::circular_buffer<Expected>;

    void count(const Expected& expected, std::size_t change);
    void pop_front();
    void drop(const Queue::iterator& first, const Queue::iterator& last);
    void drop_marks();

    Queue queue_{8};
    Counts counts_;
    bool skipping_ = false;
};

}  // namespace veer::proxy::session
