#pragma once

#include "proxy/session/output.hpp"
#include "router/notice.hpp"
#include "router/route.hpp"
#include "router/search_function.hpp"
#include "router/session_facts.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::proxy::session {

/// A session's facts for one route, and for how long they may be believed.
struct KnownFacts {
    router::SessionFacts facts;
    std::shared_ptr<const router::RouteTable> routes;
    const router::Route* route = nullptr;  ///< in `routes`
    std::string joined = {};               ///< what was asked beside, which held
    std::uint64_t epoch = 0;               ///< Router::write_epoch() before they were asked for
    Instant taken;
};

/// What the session's backend said of itself, by route.
///
/// Invariants:
/// 1. A fact is believed for `age_max`, so long can a REVOKE or DDL elsewhere stay unnoticed, and
///    less where the session has a timeout so short that veer must let Postgres hear of it.
/// 2. It is believed under the RouteTable and the write epoch that it was asked under, only.
/// 3. Whatever may change the session clears all.
/// 4. Where a table can lose rows without a word in the stream, each search asks.
class FactsCache {
  public:
    static constexpr std::int64_t age_max_ns = 1'000'000'000;
    static constexpr std::size_t routes_max = 8;

    /// Null where they have to be asked for.
    const KnownFacts* find(
        const std::shared_ptr<const router::RouteTable>& routes,
        const router::Route& route,
        std::string_view joined,
        std::uint64_t epoch,
        Instant now
    ) const;

    void put(KnownFacts known);

    /// What the session wants to hear; nothing where it has to be asked for.
    const std::optional<router::NoticeSettings>& notices() const { return notices_; }

    void put(router::NoticeSettings notices) { notices_ = notices; }

    /// Which of veer's own names Postgres has, too; null where it has to be asked for.
    const router::TakenNames* names(Instant now) const {
        const bool fresh = names_ && now.nanoseconds - names_taken_.nanoseconds < age_max_ns;
        return fresh ? &*names_ : nullptr;
    }

    void put(router::TakenNames names, Instant now) {
        names_ = std::move(names);
        names_taken_ = now;
    }

    void clear() {
        known_.clear();
        notices_.reset();
        names_.reset();
    }

  private:
    std::vector<KnownFacts> known_;
    std::optional<router::NoticeSettings> notices_;
    std::optional<router::TakenNames> names_;
    Instant names_taken_;
};

}  // namespace veer::proxy::session
