#pragma once

#include "config/config.hpp"
#include "index/replica.hpp"
#include "proxy/compare/background.hpp"
#include "router/candidate.hpp"
#include "router/compare/ef_curve.hpp"
#include "router/compare/golden_inbox.hpp"
#include "router/compare/golden_set.hpp"
#include "router/compare/load.hpp"
#include "router/compare/sampling.hpp"
#include "router/cutover/traffic.hpp"
#include "router/ef_learner.hpp"
#include "router/learned_ef.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace veer::proxy::compare {

/// Keeps a golden set for each route that is served: gives its searches their exact answers, again
/// where the stream says so, and asks the index for them now and then.
///
///     compared searches ──offer()──▶ sets ◀── changes ── GoldenInbox ◀── stream
///                                     │ each round: judge what is stale, while there is budget;
///                                     ▼ ask the index what was judged, and all every measure_every
///                                  measured(): the recall, for guards and for people
///
/// Invariants:
/// 1. One niced thread does all of it, in slices, at a quarter of [compare] judge_cores, and is at
///    work for a quarter of load_max. To follow the stream takes half of the former at most: what
///    comes above that is lost, and judged again.
/// 2. Where a route learns its ef, each measurement is made at the ef that is asked for, too. It
///    goes on from what was learnt in a process before, where that is of the same index and target.
/// 3. A measurement counts only where the exact answer holds after all changes that the index may
///    have shown while it was asked. Of another server (router::Candidate) nobody knows what it
///    shows: there an answer counts once nothing has altered it for lag_max().
class GoldenKeeper {
  public:
    struct Served {
        std::string route;
        std::shared_ptr<const index::IndexedColumn> column;
        std::optional<double> recall_target = std::nullopt;           ///< nothing: ef is not learnt
        std::shared_ptr<router::cutover::Traffic> traffic = nullptr;  ///< is told what is learnt
        std::shared_ptr<router::Candidate> candidate = nullptr;  ///< answers in the index' place
    };

    struct Parts {
        index::Replica& replica;
        router::compare::GoldenInbox& inbox;
        std::function<std::vector<Served>()> served;  ///< the routes whose index answers
        std::function<std::uint64_t()> searches;      ///< of clients so far, see LoadBudget
        /// Is told on the keeper's thread.
        std::function<void(const std::string& route, const router::compare::GoldenSummary&)>
            measured;
        std::vector<router::LearnedEf> learned = {};  ///< in a process before
        /// Is told on the keeper's thread whenever a route has learnt another ef: of all routes.
        std::function<void(const std::vector<router::LearnedEf>&)> keep_learned = nullptr;
        std::chrono::milliseconds period{500};
        std::chrono::milliseconds measure_every{10'000};
    };

    explicit GoldenKeeper(Parts parts);
    GoldenKeeper(const GoldenKeeper&) = delete;
    GoldenKeeper& operator=(const GoldenKeeper&) = delete;
    ~GoldenKeeper();

    /// Takes size and budget. The thread starts with the first configuration that wants a set.
    void configure(const config::Config& config);

    /// A search of real traffic, with its exact answer where somebody has worked it out. Any
    /// thread.
    void offer(
        const std::string& route,
        router::compare::GoldenSet::Search search,
        std::optional<router::compare::GoldenSet::Exact> exact = std::nullopt
    );

    /// Some of a route's; none where it has no set.
    std::vector<router::compare::GoldenSet::Search> searches(
        const std::string& route, std::size_t count
    ) const;

    /// As of the last round or measurement: nobody waits for the sets.
    std::map<std::string, router::compare::GoldenSummary> summaries() const;

    /// The recall of a route's set at each ef that is tried, up to the first that finds everything.
    using Curve = std::vector<router::compare::EfPoint>;

    /// As they were measured last, by route.
    std::map<std::string, Curve> curves() const;

    /// Told on the keeper's thread, once; empty where the route has no set, or veer ends. False,
    /// and nobody is told, where another one is waited for, or there are no golden sets.
    bool tune(std::string route, std::function<void(Curve)> done);

    void stop();

  private:
    using Set = router::compare::GoldenSet;

    void serve();
    void round(bool ask_all);
    void fit(const std::vector<Served>& served);
    void show();
    void drain();
    bool follow(const std::vector<Set::Change>& changes);
    void lose(storage::Lsn upto);
    bool may_follow(double& before);
    void judge_stale(const Served& served);
    void judge(const Served& served, const Set::Due& due);
    void ask_index(const Served& served, const Set::Due& due);
    std::optional<storage::Lsn> shown_by(const Served& served) const;
    void note_applied();
    index::Result<std::vector<index::Hit>> search(
        const Served& served, const Set::Due& due, std::size_t ef
    );
    void learn(const Served& served, const Set::Due& due);
    router::EfLearner& learner_of(const Served& served);
    void keep(const Served& served, const router::EfLearner& learner);
    Curve curve_of(const std::string& route);
    void tune_if_asked();
    bool may_work();
    void charge(double seconds, const Flight& flight);

    Parts parts_;
    std::atomic<bool> stopped_ = false;  // ends what is being judged
    std::atomic<double> share_ = 0;      // of a processor
    mutable std::mutex shown_mutex_;     // guards shown_ and curves_, for as long as a copy takes
    std::map<std::string, router::compare::GoldenSummary> shown_;
    mutable std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    std::map<std::string, std::unique_ptr<Set>> sets_;
    std::size_t capacity_ = 0;
    router::compare::Budget budget_{0};
    router::compare::Budget following_{0};     ///< of that, what following the stream may take
    router::compare::LoadBudget load_{1, 10};  // saves up what measuring all at once takes
    std::minstd_rand random_;
    bool stopping_ = false;

    struct Asked {
        std::string route;
        std::function<void(Curve)> done;
    };

    struct Learner {
        router::EfLearner learner;
        std::string index;  // that it learns of
    };

    std::optional<Asked> asked_;               // for a curve
    std::map<std::string, Curve> curves_;      // those that were asked for
    std::map<std::string, Learner> learners_;  // the thread's own, as the next

    struct Applied {
        std::chrono::steady_clock::time_point at;
        storage::Lsn lsn;
    };

    std::deque<Applied> applied_;  // how far the copy was when, as far back as candidates may be
    std::thread thread_;
};

}  // namespace veer::proxy::compare
