#pragma once

#include "proxy/session/local_answer.hpp"
#include "proxy/session/prepared_statement.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace veer::proxy::session {

/// A portal that exists in veer only: a complete answer, of which the client fetches what it likes.
///
///     Bind ──▶ [ rows 1..n ] ──Execute(2)──▶ 1 2 PortalSuspended ──Execute(0)──▶ 3..n SELECT n-2
///                                                                ──Execute(0)──▶ SELECT 0
///
/// Invariants:
/// 1. An Execute that returns as many rows as it asked for suspends, even at the end (PortalRun of
///    Postgres: only fewer rows show that there are no more).
/// 2. What Postgres would need to have the portal too is kept: the rows themselves, which it is
/// then
///    given as constants (constant_rows.hpp). To run the statement again would be another answer.
class LocalPortal {
  public:
    LocalPortal() = default;
    LocalPortal(LocalAnswer answer, std::shared_ptr<const PreparedStatement> statement);

    const LocalAnswer& answer() const { return answer_; }

    /// DataRows and CommandComplete or PortalSuspended. `rows_max` as in Execute: 0 or less is all.
    std::string execute(std::int32_t rows_max);

    /// Rows that the client has.
    std::size_t returned() const { return returned_; }

    /// Nothing is left to be fetched.
    bool at_end() const { return returned_ == answer_.row_count; }

    /// False of what Postgres cannot have: SHOW veer.x, and a statement about veer's own indexes.
    bool of_search() const { return answer_.counted && statement_ == nullptr; }

    /// Of a statement about veer's own indexes, that is done when the portal is executed; else
    /// null.
    const std::shared_ptr<const PreparedStatement>& statement() const { return statement_; }

    std::size_t bytes() const { return answer_.rows.size(); }

  private:
    LocalAnswer answer_;
    std::size_t at_ = 0;  // of answer_.rows
    std::size_t returned_ = 0;
    std::shared_ptr<const PreparedStatement> statement_;
};

/// The client's local portals by name, "" among them. Bounded in number and bytes. None that
/// a client may still read of a search is older than a savepoint that veer sees: before one
/// Postgres is given them.
class LocalPortals {
  public:
    static constexpr std::size_t portals_max = 64;
    static constexpr std::size_t bytes_max = std::size_t{16} << 20U;

    bool empty() const { return portals_.empty(); }

    bool full() const { return portals_.size() >= portals_max || bytes() > bytes_max; }

    /// Null where there is none of that name.
    LocalPortal* find(std::string_view name);

    bool has_named() const;
    void put(std::string_view name, LocalPortal portal);
    void erase(std::string_view name);

    /// The transaction is over.
    void clear();

    std::size_t bytes() const;

    auto begin() const { return portals_.begin(); }

    auto end() const { return portals_.end(); }

  private:
    std::map<std::string, LocalPortal, std::less<>> portals_;
};

}  // namespace veer::proxy::session
