#pragma once

#include "config/config.hpp"
#include "index/replica.hpp"
#include "router/candidate.hpp"
#include "storage/error.hpp"
#include "storage/source/connection.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace veer::proxy::candidate {

/// Sessions of veer's own role on one other server: read only, made when needed, kept for the next.
///
///     admit() ─▶ place ─▶ take() ─▶ statement ─▶ give_back()      at most places_max at a time
///                                      └─ failed: closed; nobody is admitted for `pause`
///
/// Invariants:
/// 1. No more than places_max sessions, and none of them waits longer than its bounds.
/// 2. A session that has failed is never used again.
class Sessions {
  public:
    static constexpr std::size_t places_max = 8;
    static constexpr std::chrono::milliseconds connect_time_max{1000};
    static constexpr std::chrono::milliseconds statement_time_max{1000};
    static constexpr std::chrono::milliseconds pause{2000};

    explicit Sessions(std::string dsn) : dsn_(std::move(dsn)) {}

    const std::string& dsn() const { return dsn_; }

    /// Null where all places are taken, or a session has failed a moment ago.
    static std::shared_ptr<void> admit(const std::shared_ptr<Sessions>& sessions);

    struct Session {
        storage::source::Connection connection;
        std::uint32_t ef_search = 0;
    };

    storage::Result<std::unique_ptr<Session>> take();
    void give_back(std::unique_ptr<Session> session);

    /// A session has failed: the others are closed as well, they may be as dead.
    void note_failure();

    /// An answer has come too late for the client: others are not to wait as long.
    void note_late();

  private:
    using Clock = std::chrono::steady_clock;

    std::string dsn_;
    std::atomic<std::size_t> places_ = 0;
    std::mutex mutex_;  // guards all below
    std::vector<std::unique_ptr<Session>> idle_;
    Clock::time_point not_before_{};
};

/// What the other server calls the distance. Where both are named, the operator orders and the
/// function tells how far: for an operator that gives a square, or a rank.
struct DistanceNames {
    std::string operator_name = {};
    std::string function_name = {};  ///< "l2_distance", "lantern.l2sq_dist"; empty: by the operator

    friend bool operator==(const DistanceNames&, const DistanceNames&) = default;
};

/// One route's table on another server:
///
///     SELECT key, copied columns, distance FROM table [WHERE ...] ORDER BY distance LIMIT rows
///
/// Keys and values are asked for only where the columns have the primary's types there; operator,
/// function and vector type are those that the other server's catalogue has for the column.
class PostgresCandidate final : public router::Candidate {
  public:
    PostgresCandidate(
        std::shared_ptr<Sessions> sessions,
        const index::IndexedColumn& column,
        DistanceNames names,
        std::chrono::milliseconds lag_max
    );

    std::size_t identity() const override;

    std::chrono::milliseconds lag_max() const override { return lag_max_; }

    std::shared_ptr<void> admit() override { return Sessions::admit(sessions_); }

    router::Found search(const router::SearchOrder& order) override;

  private:
    /// The distance, twice: as it is told, and as it orders.
    struct Expressions {
        std::string told;
        std::string ordering;
    };

    storage::Result<Expressions> distance(Sessions::Session& session);
    storage::Result<std::string> by_operator(Sessions::Session& session) const;
    storage::Result<std::string> by_function(Sessions::Session& session) const;
    std::string statement(const router::SearchOrder& order, const Expressions& by) const;
    storage::Result<void> know_types(Sessions::Session& session);
    std::optional<storage::Error> refuse_types(const router::SearchOrder& order) const;
    storage::Result<std::vector<index::Hit>> ask(
        Sessions::Session& session, const router::SearchOrder& order
    );

    std::shared_ptr<Sessions> sessions_;
    storage::Table table_;
    std::size_t vector_;
    DistanceNames names_;
    std::chrono::milliseconds lag_max_;
    mutable std::mutex mutex_;
    std::map<std::string, std::uint32_t> types_;  // of the table's columns there, by name
    std::optional<Expressions> distance_;
};

/// The other servers that the configuration names; each has one set of sessions, however many
/// routes go there. Thread-safe.
class Candidates {
  public:
    /// Of the route's engine, which it has.
    std::shared_ptr<router::Candidate> make(
        const config::Route& route, const index::IndexedColumn& column
    );

  private:
    struct Server {
        std::string dsn;
        std::weak_ptr<Sessions> sessions;
    };

    std::mutex mutex_;
    std::vector<Server> servers_;
};

}  // namespace veer::proxy::candidate
