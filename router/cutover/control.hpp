#pragma once

#include "config/cutover.hpp"
#include "router/cutover/audit.hpp"
#include "router/cutover/command.hpp"
#include "router/cutover/drill.hpp"
#include "router/cutover/evidence.hpp"
#include "router/cutover/gates.hpp"
#include "router/cutover/guards.hpp"
#include "router/cutover/journal.hpp"
#include "router/cutover/moves.hpp"
#include "router/cutover/rules.hpp"
#include "router/cutover/traffic.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace veer::router::cutover {

/// Who keeps what must survive a restart. The first two do I/O, are called by store() alone, one at
/// a time; an empty answer is success, any other a sentence on what went wrong.
struct Keeper {
    std::function<std::string(const std::string& text)> save_state;    ///< replaces it whole
    std::function<std::string(const std::string& line)> append_audit;  ///< durable on return
    Hash hash;                                                         ///< of the audit's chain
    /// Has somebody call store() soon, and returns at once. Empty: whoever changes something stores
    /// it before the call returns.
    std::function<void()> wake = {};
};

/// What holds for all routes, from the configuration.
struct Policy {
    config::Cutover cutover;
    config::Gates gates;
    config::Guards guards;
};

/// SHOW ROUTES, one row.
struct RouteView {
    std::string route;
    State state = State::observe;
    double desired = 0;
    double allowed = 0;
    double effective = 0;
    std::string why;  ///< the effective share is not the desired one; empty where it is
    std::uint64_t revision = 0;
    Origin origin = Origin::file;
    Time since;
    bool held = false;
    std::optional<double> next_step;
    std::optional<Time> next_step_at;  ///< not before
    std::optional<Time> trial_until;
    std::optional<Trip> trip;
    Verdict verdict = Verdict::inconclusive;
    std::string obstacle;  ///< of the next step
    Evidence evidence;
    std::optional<Duration> lag;
    std::uint64_t veer = 0;
    std::uint64_t postgres = 0;
    std::uint64_t fallbacks = 0;
};

struct GateView {
    std::string route;
    Gate gate;
};

struct GuardView {
    std::string route;
    Guard guard;
};

/// A drill at one moment.
struct DrillLook {
    bool running = false;  ///< no: something real has moved the route, or there is panic
    bool closed = false;   ///< no search goes to the index
    std::string guard = {};
    std::uint64_t answers = 0;                          ///< comparisons that the guards needed
    std::optional<Duration> would_take = std::nullopt;  ///< at the route's own rate of comparisons
};

/// Everybody's handle on where traffic goes: console, HTTP, command line, signals and the file
/// change it, comparisons and measurements feed it, searches read what comes out of it.
///
///     Command ───────▶ ┐                      ┌──▶ Traffic (one store)  ◀── every search
///     Comparison ────▶ ├─ Control (a mutex) ──┼──▶ what is to be kept ──▶ store() ──▶ Keeper
///     Gauges, tick ──▶ ┘        ▲             └──▶ notices, for the log      │
///                               └── raises hold, operators get their answer ─┘
///
/// Invariants:
/// 1. Forward moves are stored before they hold, so that nothing holds that a restart forgets;
///    backward moves hold before they are stored. A forward move that could not be stored, or was
///    overtaken by a backward one meanwhile, leaves no trace but in the audit. What the
///    configuration says is stored: in its file.
/// 2. A forward move with another revision than the route's is refused; a backward move never is.
/// 3. No call but store() waits for a disk; none waits for a search, and no search for a call.
/// 4. An operator is told that a move is done when it is stored, and not before.
/// 5. Time is what callers say; should it go backwards, the last one holds.
///
/// Thread-safe.
class Control {
  public:
    Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    ~Control();

    /// Says where to keep things. Before restore(); without it nothing is kept.
    void connect(Keeper keeper);

    /// What was stored: the state's text (empty: none yet) and the audit's last line. A sentence
    /// where the state cannot be used: then everything stays on Postgres, commands that go forward
    /// are refused, and the stored text is not replaced.
    std::string restore(std::string_view state, std::string_view last_audit_line, Time now);

    void configure(const Policy& policy, std::vector<config::Rule> rules);

    /// Who says a route's share, and until when that holds.
    enum class ShareOf : std::uint8_t {
        file,              ///< the configuration; whenever it changes
        statement,         ///< that made the index: until somebody moves the route
        statement_beside,  ///< that made the index beside Postgres' own: of a new route alone
    };

    /// A route is there, with this share. Gives its Traffic, the same for the same name for ever.
    std::shared_ptr<Traffic> adopt(
        const std::string& route, double file_percent, ShareOf by = ShareOf::file
    );

    /// The routes whose index can answer, and no others: a condition of raises, shown by `why`.
    void set_live(const std::set<std::string>& routes);

    using Done = std::function<void(const Reply&)>;

    /// With the revision that the operator saw, or without. `done` is told once, by this call
    /// (refused, or nothing to do) or by the store() that has stored it, and must not come back
    /// here.
    void apply(
        const Command& command,
        std::optional<std::uint64_t> expected_revision,
        const Operator& who,
        Time now,
        Done done
    );

    void note(const std::string& route, const Comparison& comparison, Time now);
    void note(const std::string& route, const Gauges& gauges, Time now);

    /// A person or a program has put a file in the data directory, or taken it away.
    void set_panic_file(bool there, Time now);

    /// The evidence so far says nothing about what is served now (rebuilt, another ef_search, ...).
    void make_stale(const std::string& route, const std::string& why, Time now);

    /// Rehearses a failure on a route that has a share, or refuses: from the first step_drill() on
    /// the route's guards, as they stand, are told of the fault, until they have brought the
    /// effective share to 0. Position, guards and evidence stay what they were; a restart knows
    /// nothing of it.
    Reply begin_drill(const std::string& route, Fault fault, const Operator& who, Time now);

    DrillLook step_drill(const std::string& route, Time now);

    /// The share is again what it was. `recorded` is told once, when the audit has what was found.
    void end_drill(
        const std::string& route,
        const std::string& found,
        const Operator& who,
        Time now,
        const Done& recorded
    );

    /// What time brings: ends of trials, automatic steps, guards on counters. About ten times a
    /// second.
    void tick(Time now);

    /// Writes what has changed, by the Keeper; then raises hold and operators are answered. Returns
    /// when everything from before the call has been tried. Any thread; one at a time.
    void store();

    /// The last of it, with evidence that could have waited.
    void store_all();

    /// The stored state could not be read: restore() may be tried again.
    bool unreadable() const;

    /// Grows with each reshuffle: salts have to be taken again.
    std::uint64_t reshuffles() const { return reshuffles_.load(std::memory_order_acquire); }

    bool panic() const { return panic_.load(std::memory_order_relaxed) != 0; }

    /// The panic is being taken back, and ends when that is stored.
    bool unpanicking() const;

    /// Immutable; a reload makes another.
    std::shared_ptr<const RuleSet> rules() const;

    /// Added to a route's salt; empty until it is reshuffled.
    std::string salt_suffix(const std::string& route) const;

    std::vector<RouteView> routes() const;
    std::vector<GateView> gates() const;
    std::vector<GuardView> guards() const;
    std::vector<RuleView> rule_views() const;

    /// The last ones, oldest first; at most `recent_max`. All of them are in the audit file.
    std::vector<AuditRecord> audit() const;

    static constexpr std::size_t recent_max = 1000;

    /// Sentences for the log since the last call.
    std::vector<std::string> take_notices();

  private:
    struct Entry;

    /// On its way to the audit.
    struct Decision {
        AuditRecord record;
        Reply reply;  ///< for when it is stored
        Done done = {};
        std::uint64_t raise = 0;  ///< holds when stored, under this number; 0: holds already
    };

    struct Answer {
        Done done;
        Reply reply;
    };

    enum PanicSource : unsigned { by_command = 1, by_file = 2 };

    // Each requires mutex_. A Reply is what the operator is told now; without one `done` has been
    // taken, and is told later.
    using Now = std::optional<Reply>;
    Now decide(
        const Command& command,
        std::optional<std::uint64_t> expected,
        const Operator& who,
        Done& done
    );
    Now apply_to_all(const Command& command, const Operator& who, Done& done);
    Now set_panic(bool on, const Command& command, const Operator& who, Done& done);
    Reply unknown_route(const std::string& route) const;
    std::optional<Reply> no_drill(const Entry& entry) const;
    AuditRecord drill_record(const Entry& entry, const Operator& who) const;
    Now apply_to(
        Entry& entry,
        const Command& command,
        std::optional<std::uint64_t> expected,
        const Operator& who,
        Done& done
    );
    Now commit(
        Entry& entry, Position wanted, const Command& command, const Operator& who, Done& done
    );
    void move_by_itself(
        Entry& entry, Position wanted, std::string_view actor, const std::string& reason
    );
    void note(Entry& entry, const Comparison& comparison);
    void judge(Entry& entry, const std::vector<Trouble>& troubles);
    void advance(Entry& entry);
    void step_by_itself(Entry& entry);
    void settle(Entry& entry, Position wanted);
    Situation situation(const Entry& entry) const;
    std::string not_ready(const Entry& entry) const;
    AuditRecord record(const Entry& entry, const Position& wanted, const Operator& who) const;
    void publish(Entry& entry) const;
    void publish_all();
    Cause cause(const Entry& entry) const;
    void advance_clock(Time now);
    RouteView view(const Entry& entry) const;
    Entry* find(const std::string& route);

    // Storing (control_store.cpp). These require mutex_, too, but append() and stir().
    Now keep(Decision decision, Done& done);

    bool full() const { return outbox_.size() >= outbox_max; }

    std::deque<Decision> take(std::vector<Answer>& answers);
    std::string append(Decision& decision);
    std::string state_text(const std::deque<Decision>& batch, std::size_t appended) const;
    void conclude(
        std::deque<Decision> batch,
        std::size_t appended,
        const std::string& audit_problem,
        const std::string& state_problem,
        std::vector<Answer>& answers
    );
    void conclude_raise(Decision& decision, bool written, const std::string& problem);
    bool waits(const Decision& decision) const;
    void forget_raise(const Decision& decision);
    void not_in_effect(const Decision& decision, std::string_view why);
    bool wants_storing() const;
    void stir();

    static constexpr std::size_t outbox_max = 1000;

    Keeper keeper_;       // as it was when anybody else came to know of this
    std::mutex storing_;  // taken before mutex_; guards the next two
    std::uint64_t audit_seq_ = 0;
    std::string audit_hash_;

    mutable std::mutex mutex_;  // guards all below but the atomics
    Policy policy_;
    std::shared_ptr<RuleSet> rules_;
    std::map<std::string, std::unique_ptr<Entry>> entries_;
    std::atomic<unsigned> panic_ = 0;
    std::atomic<std::uint64_t> reshuffles_ = 0;
    bool unreadable_ = false;
    std::deque<Decision> outbox_;    // not in the audit yet, oldest first
    bool unsaved_ = false;           // the stored state is another
    bool evidence_unsaved_ = false;  // may wait a while
    std::uint64_t raises_ = 0;       // numbers given to them
    std::uint64_t unpanic_ = 0;      // the raise that ends the panic, while it waits
    std::string trouble_;            // with storing, the last time
    Time now_;
    Time saved_at_;
    Time not_before_;  // trying again what could not be stored
    std::deque<AuditRecord> recent_;
    std::vector<std::string> notices_;
};

}  // namespace veer::router::cutover
