#pragma once

#include "config/config.hpp"
#include "index/replica.hpp"
#include "proxy/compare/background.hpp"
#include "proxy/compare/pgvector.hpp"
#include "router/compare/change_log.hpp"
#include "router/compare/ignored.hpp"
#include "router/compare/ledger.hpp"
#include "router/compare/load.hpp"
#include "router/compare/observation.hpp"
#include "router/compare/sampling.hpp"
#include "storage/source/wake.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace veer::proxy::compare {

/// Compares what sessions offer, beside their way: a few threads, each with a connection of veer's
/// own to Postgres.
///
///     session ──offer()──▶ [ at most one for each idle thread ] ──▶ thread: veer's search,
///     pgvector,
///        └─ never waits        else dropped and counted                the exact answer; settle;
///        judge
///                                                                        └─▶ Ledger
///
/// All of it is in flight for load_max of the time and no more (LoadBudget), of which a quarter
/// is left to golden sets; where that is a bound, one comparison at a time.
///
/// The exact answer is worked out in slices (Pace), each thread at its part of judge_cores.
///
/// Invariants:
/// 1. offer() takes a lock only where it is free, and allocates no more than its argument.
/// 2. Nothing is queued: without an idle thread and without budget it is shed.
/// 3. Each comparison ends: statements, the exact answer and the wait for the stream are bounded.
/// 4. A copy that was replaced meanwhile is no evidence: the comparison counts as failed.
class Comparer final : public router::compare::Sink {
  public:
    struct Parts {
        std::string dsn;  ///< of veer's own role
        index::Replica& replica;
        router::compare::ChangeLog& log;
        router::compare::Ledger& ledger;
        router::compare::Ignored* ignored = nullptr;  ///< what is not to be counted; or null
        std::function<void()> nudge;  ///< asks the sync to bring the stream up to the present
        /// Is told of every comparison, equal or not, on the comparing thread: what gates and
        /// guards of a cutover feed on. May be empty.
        std::function<void(const router::compare::Mismatch&)> compared = {};
    };

    explicit Comparer(Parts parts);
    ~Comparer() override;

    /// Takes rates and budgets. Threads start with the first configuration that compares anything.
    void configure(const config::Config& config);

    void offer(router::compare::Observation observation) noexcept override;

    /// A kept search, to be compared once more: with another `ef_search` it says whether more
    /// effort would have found what was missed. Column and candidate are the route's today.
    struct Replay {
        std::shared_ptr<const router::compare::Mismatch> kept;
        std::shared_ptr<const index::IndexedColumn> column;
        std::shared_ptr<router::Candidate> candidate = nullptr;
        std::optional<std::uint32_t> ef_search = std::nullopt;

        router::compare::Observation observation() const;
    };

    /// Now, on the calling thread and a connection of its own. Nothing where Postgres does not
    /// answer, or the copy is not served. Counts nowhere.
    std::optional<router::compare::Mismatch> once(const router::compare::Observation& observation);

    using Told = std::function<void(std::optional<router::compare::Mismatch>)>;

    /// The same on a thread of the comparer's, which tells `done`. False, and nobody is told, where
    /// another one is waited for already, or nothing was ever compared.
    bool once_aside(router::compare::Observation observation, Told done);

    void stop();

  private:
    static constexpr unsigned thread_count = 2;

    /// Why there is no comparison.
    enum class Failed : std::uint8_t {
        server,     ///< Postgres could not be reached
        statement,  ///< Postgres has refused this search
        candidate,  ///< the route's other server has no answer
        copy,       ///< it was replaced meanwhile, or memory has run out
    };
    using Compared = std::variant<router::compare::Mismatch, Failed>;

    struct Waiting {
        router::compare::Observation observation;
        Told done;
    };

    /// Why an observation was not taken.
    enum class Shed : std::uint8_t { none, load, budget, busy };

    Shed take(router::compare::Observation& observation);
    Shed admit(std::int64_t now_ns);
    void serve();
    void serve(const router::compare::Observation& observation, Pgvector& pgvector);
    Compared compare(
        Pgvector& pgvector, const router::compare::Observation& observation, Flight& flight
    );
    Compared compare_guarded(
        Pgvector& pgvector, const router::compare::Observation& observation, Flight& flight
    );
    bool paused(const std::string& route);
    void pause(const std::string& route, Failed why);
    std::optional<router::compare::Rows> exact(
        const router::compare::Observation& observation, Flight& flight
    );
    bool settle(storage::Lsn lsn, Flight& flight);
    bool still_served(const router::compare::Observation& observation) const;

    Parts parts_;
    storage::source::Wake wake_;
    std::atomic<bool> stopped_ = false;       // ends what is being judged
    std::atomic<double> judge_share_ = 0.25;  // of a processor, for each thread
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<router::compare::Observation> taken_;  // under mutex_, as is all below
    unsigned idle_ = 0;
    router::compare::RecentSamples recent_;
    std::optional<Waiting> waiting_;
    router::compare::Pauses pauses_;
    router::compare::Budget budget_{0};
    router::compare::Budget judge_budget_{0};
    router::compare::LoadBudget load_;
    bool bounded_ = false;  // one at a time
    unsigned flying_ = 0;   // comparisons taken and not ended
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace veer::proxy::compare
