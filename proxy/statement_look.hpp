#pragma once

#include "proxy/admin/operations.hpp"
#include "router/compare/mismatch_store.hpp"
#include "router/compare/observation.hpp"
#include "router/router.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>

namespace veer::proxy {

/// One statement that an operator asks about by its text alone. Nobody runs it: what only a session
/// knows (rights, search_path, transaction, settings) is taken to be as good as it can be.
///
///     text ──▶ router: read, route, values, bucket ──▶ who would answer (explain_search)
///                                                  └─▶ the search itself (search_in)
struct AskedStatement {
    std::string text;
    std::string role = {};         ///< that rules are asked about
    std::string application = {};  ///< likewise
    std::string client = {};       ///< likewise: an address
};

/// EXPLAIN ROUTE: one row, see columns_of(Command).
admin::Outcome explain_search(
    router::Router& router, const AskedStatement& asked, std::uint64_t wanted_max
);

/// COMPARE: the search that the statement is, to be put to all parties; counted nowhere.
admin::Result<router::compare::Observation> search_in(
    router::Router& router, const std::string& text, std::uint64_t wanted_max
);

/// The answers of all parties side by side, a row for each place; the verdict in the first.
admin::Outcome side_by_side(const router::compare::Mismatch& compared, const storage::Table& table);

}  // namespace veer::proxy
