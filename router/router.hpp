#pragma once

#include "config/config.hpp"
#include "index/replica.hpp"
#include "router/compare/ledger.hpp"
#include "router/cutover/control.hpp"
#include "router/declarations.hpp"
#include "router/freshness.hpp"
#include "router/known_functions.hpp"
#include "router/plan_cache.hpp"
#include "router/reason_counts.hpp"
#include "router/receipts.hpp"
#include "router/route.hpp"
#include "router/statement.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// What all sessions share: routes, plans, and the knowledge that something was written.
///
/// Thread-safe. Routes are replaced, never changed: whoever holds a RouteTable may use it to the
/// end of its statement.
class Router {
  public:
    Router(const config::Config& config, const index::Replica& replica);

    /// Takes percentages, salts, rules, gates and guards from a new configuration.
    void configure(const config::Config& config);

    /// The routes of the copy as it is now. Never null.
    std::shared_ptr<const RouteTable> routes();

    /// False for a statement that cannot be a search, nor call a function of some route: it needs
    /// no reading.
    bool may_be_search(std::string_view text) const;

    /// Reads a statement's text; cheap where only its literals are new.
    Statement read(std::string_view text);

    /// The same of the statement that an EXPLAIN is about; nothing where the text is none.
    std::optional<Statement> read_explained(std::string_view text);

    /// Counts committed writes that went through veer. A search that read an older value than this
    /// must ask how far the index has to be (DESIGN.md section 4, "causal").
    std::uint64_t write_epoch() const { return write_epoch_.load(std::memory_order_acquire); }

    void note_write() { write_epoch_.fetch_add(1, std::memory_order_acq_rel); }

    /// True where the index is known to contain every write up to this epoch: some search has
    /// waited for a position taken after it. Spares the others the wait.
    bool covered(std::uint64_t epoch) const {
        return covered_epoch_.load(std::memory_order_acquire) >= epoch;
    }

    void note_covered(std::uint64_t epoch) {
        std::uint64_t known = covered_epoch_.load(std::memory_order_relaxed);
        while (known < epoch &&
               !covered_epoch_.compare_exchange_weak(known, epoch, std::memory_order_acq_rel)) {
        }
    }

    storage::Lsn applied() const { return replica_.applied(); }

    /// Of which applied() is a position: of two servers that were one, each goes on counting.
    std::uint32_t timeline() const { return replica_.timeline(); }

    /// As of when the copy is known to hold everything.
    FreshnessGauge& freshness() { return freshness_; }

    /// Where traffic goes: every change of it, and its state, guards and audit.
    cutover::Control& control() { return control_; }

    /// All traffic goes to Postgres.
    bool panic() const { return control_.panic(); }

    /// Where searches went, and why.
    ReasonCounts& reasons() { return reasons_; }

    /// The last searches one by one.
    Receipts& receipts() { return receipts_; }

    const PlanCache& plans() const { return plans_; }

    /// Where sampled searches go, once they are answered; null: nowhere. Outlives its use.
    void set_comparison(compare::Sink* sink) { comparison_.store(sink, std::memory_order_release); }

    compare::Sink* comparison() const { return comparison_.load(std::memory_order_acquire); }

    /// What has been heard of the functions that routes name.
    KnownFunctions& functions() { return functions_; }

    /// What comparisons have come to.
    compare::Ledger& ledger() { return ledger_; }

    /// SHOW veer.routes.
    static const std::vector<std::string>& route_columns();
    std::vector<std::vector<std::string>> describe_routes();

    /// Who makes a route's candidate where its configuration names an engine. Before the first
    /// routes().
    using MakeCandidate = std::function<
        std::shared_ptr<Candidate>(const config::Route&, const index::IndexedColumn&)>;

    void set_candidates(MakeCandidate make) { make_candidate_ = std::move(make); }

    /// What statements declare; it outlives the router. Before the first routes().
    void set_declarations(Declarations& declarations) { declarations_ = &declarations; }

    /// Null where statements can declare nothing.
    Declarations* declarations() const { return declarations_; }

  private:
    std::shared_ptr<const RouteTable> build(const index::Generation* generation);
    Route make_route(
        const index::IndexedColumn& column,
        const std::string& database,
        const std::vector<Declaration>& declared
    );
    std::string reason_of(const Route& route, const std::string& of_all) const;
    void add_other_tables(
        const RouteTable& table,
        const storage::sync::Status& status,
        std::vector<std::vector<std::string>>& rows
    ) const;

    static void add_declared(
        const RouteTable& table,
        const storage::sync::Status& status,
        std::vector<std::vector<std::string>>& rows
    );

    using Names = std::vector<std::string>;

    void keep_function_names(const config::Config& config);

    const index::Replica& replica_;
    MakeCandidate make_candidate_;
    Declarations* declarations_ = nullptr;
    PlanCache plans_;
    ReasonCounts reasons_;
    Receipts receipts_;
    compare::Ledger ledger_;
    FreshnessGauge freshness_;
    std::atomic<compare::Sink*> comparison_ = nullptr;
    std::atomic<std::uint64_t> write_epoch_ = 1;
    std::atomic<std::uint64_t> covered_epoch_ = 0;  // an earlier process may have passed writes on
    cutover::Control control_;
    KnownFunctions functions_;
    std::atomic<const Names*> function_names_ = nullptr;  // in names_

    std::mutex mutex_;        // guards all below
    std::list<Names> names_;  // of each configuration: a session may still read an older one
    config::Config config_;
    std::shared_ptr<const index::Generation> generation_;
    std::shared_ptr<const RouteTable> routes_;
    std::uint64_t reshuffles_ = 0;  // that routes_ knows of
    std::uint64_t declared_ = 0;    // the same: the revision of the declarations
};

}  // namespace veer::router
