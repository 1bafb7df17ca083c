#include "proxy/session/session.hpp"
#include "router/answer.hpp"
#include "router/candidate.hpp"
#include "router/ties.hpp"

#include <algorithm>
#include <chrono>

// How many rows the index is asked for, and whether what it found suffices.

namespace veer::proxy::session {

namespace {

/// Composite keys become one OR each, which Postgres plans one by one.
constexpr std::uint64_t composite_candidates_max = 256;

/// A walk takes a millisecond; reading every row of some millions for a filter that is new, some
/// hundred. What takes longer than this is not what veer is for.
constexpr std::chrono::seconds index_time_max{5};

/// Of all looks of one search together. Postgres, when it gets the statement after all, is to have
/// a good part of its own timeout left.
Instant give_up_time(Instant searched, std::int64_t statement_timeout_ns) {
    return {
        searched.nanoseconds +
        std::min<std::int64_t>(
            std::chrono::nanoseconds{index_time_max}.count(), statement_timeout_ns / 4
        )};
}

/// Why Postgres answers where the index had no answer.
router::Reason reason_of(const std::error_code& error) {
    if (error == index::Errc::late) {
        return router::reason::search_late;
    }
    if (error == index::Errc::too_many_visits) {
        return router::reason::search_wide;
    }
    return error == index::Errc::busy ? router::reason::search_busy : router::reason::short_answer;
}

/// Of all looks of one search together.
Instant answer_deadline(Instant searched) {
    const std::chrono::nanoseconds most = router::Candidate::answer_time_max;
    return {searched.nanoseconds + most.count()};
}

/// More keys than asked for, so that rows deleted a moment ago do not make the answer short.
std::uint64_t with_reserve(std::uint64_t wanted) {
    return wanted + std::max<std::uint64_t>(2, wanted / 8);
}

/// As many more again where Postgres orders by distances of halves: which rows are last, and which
/// are next, is not the same.
std::uint64_t of_halves(std::uint64_t wanted) {
    constexpr std::uint64_t least = 16;
    return wanted + std::max(least, wanted);
}

/// What `ef_search = "auto"` has learnt, it has learnt of searches without a condition, by the
/// column's own distances, in veer's own index. An ef that the statement says is that one, even
/// where it is what a session has that says nothing.
std::uint32_t effort(const Attempt& attempt) {
    if (attempt.statement->statement.hint.ef) {
        return attempt.facts.ef_search;
    }
    const bool as_learnt = !attempt.query().narrows() && !attempt.query().cast.to_half &&
                           attempt.route->candidate == nullptr;
    return as_learnt ? attempt.route->ef(attempt.facts.ef_search, attempt.facts.ef_is_set)
                     : attempt.facts.ef_search;
}

}  // namespace

std::uint64_t Session::candidates_max() const {
    const std::uint64_t most = attempt_->route->table().key.size() > 1 ? composite_candidates_max
                                                                       : options_.candidates_max;
    return most / attempt_->search.vectors();
}

/// 0 where the statement's conditions keep so few rows that Postgres had better look for them.
///
/// Of more keys than LIMIT of the choice by signs lets through, the signs would choose: another
/// page of the same choice, for which other keys are asked, would not begin where this one ends.
std::uint64_t Session::first_candidates() const {
    const std::uint64_t enough = likely_candidates();
    return std::min(enough, attempt_->search.chosen.value_or(enough));
}

/// So many that LIMIT rows will be left.
std::uint64_t Session::likely_candidates() const {
    const Attempt& attempt = *attempt_;
    const bool halves = attempt.query().cast.to_half;
    const std::uint64_t wanted =
        halves ? of_halves(attempt.search.wanted()) : attempt.search.wanted();
    if (attempt.service == router::Service::local) {
        return wanted;
    }
    const std::uint64_t enough = with_reserve(wanted);
    const std::uint64_t most = candidates_max();
    const bool told = attempt.search.rows.whole && !attempt.query().inner_join;
    if (told || enough > most) {
        return enough;
    }
    return attempt.statement->statement.plan->selectivity->candidates(wanted, most);
}

/// Of several vectors each row of the table is compared with the keys of all of them, where these
/// are ORs.
std::optional<router::Reason> Session::refuse_candidates(std::uint64_t rows) const {
    const Attempt& attempt = *attempt_;
    if (rows == 0) {
        return router::reason::selective;
    }
    const bool ors = attempt.query().several && attempt.route->table().key.size() > 1;
    return ors && rows > candidates_max() ? std::optional(router::reason::several_vectors)
                                          : std::nullopt;
}

/// Whether there is a place for a look, which look_for() takes along; on_found() gives it back.
bool Session::admitted() {
    Attempt& attempt = *attempt_;
    if (attempt.route->candidate == nullptr) {
        return true;
    }
    attempt.place = attempt.route->candidate->admit();
    return attempt.place != nullptr;
}

void Session::look_for(std::uint64_t rows, Output& out) {
    attempt_->candidates = rows;
    attempt_->hits.clear();
    look_for_next(out);
}

/// With the only vector, or the next of several.
void Session::look_for_next(Output& out) {
    Attempt& attempt = *attempt_;
    const std::uint64_t rows = attempt.candidates;
    attempt.stage = Attempt::Stage::searching;
    if (attempt.observed) {
        attempt.observed->applied = router_.applied();
    }
    out.search = PendingSearch{
        .number = ++searches_,
        .order =
            {.index = attempt.route->column.index,
             .vector = attempt.hits.empty() ? attempt.search.vector
                                            : attempt.search.others[attempt.hits.size() - 1],
             .rows = rows,
             .ef = std::max<std::uint64_t>(effort(attempt), rows),
             .filter = attempt.search.rows.filter,
             .columns = attempt.service == router::Service::local
                            ? router::copied_outputs(attempt.route->table(), attempt.query())
                            : std::vector<std::size_t>{},
             .visits_max = attempt.route->visits_max,
             .candidate = attempt.route->candidate,
             .place = attempt.place},
        .deadline = attempt.route->candidate ? std::optional(answer_deadline(attempt.searched))
                                             : std::nullopt,
        .gives_up = give_up_time(attempt.searched, attempt.facts.statement_timeout_ns)};
}

void Session::on_found(std::uint64_t number, const router::Found& found, Instant now, Output& out) {
    if (!attempt_ || attempt_->stage != Attempt::Stage::searching || number != searches_) {
        return;
    }
    attempt_->place.reset();  // what follows is Postgres' work
    if (replies_.skipping()) {
        pass(router::reason::pipelined, now, out);
    } else if (!attempt_->route->all_parse() || attempt_->route->unparsable_arrivals() != attempt_->arrivals) {
        pass(router::reason::unparsable, now, out);
    } else if (!found && attempt_->route->candidate) {
        pass(router::reason::engine, now, out);
    } else if (!found) {
        pass(reason_of(found.error()), now, out);
    } else if (found->size() < attempt_->search.wanted()) {
        // Rows that pgvector's index does not hold (NULL, zero norm) may belong into a short
        // answer.
        pass(router::reason::short_answer, now, out);
    } else if (attempt_->query().several) {
        on_found_of_one(*found, now, out);
    } else {
        attempt_->found = found->size();
        note_found(*found, now);
        serve_settled(*found, now, out);
    }
    emit_due(out);
    drain_inbox(now, out);
}

/// Of several vectors.
void Session::on_found_of_one(const std::vector<index::Hit>& hits, Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    const bool first = attempt.hits.empty();
    attempt.found = first ? hits.size() : std::min<std::uint64_t>(attempt.found, hits.size());
    attempt.hits.push_back(hits);
    if (attempt.hits.size() == attempt.search.vectors()) {
        serve_each_settled(now, out);
    } else if (admitted()) {
        look_for_next(out);
    } else {
        pass(router::reason::engine_busy, now, out);
    }
}

/// Where further keys say what comes first among rows of one distance, Postgres is given all of
/// these, or none.
void Session::serve_settled(const std::vector<index::Hit>& hits, Instant now, Output& out) {
    const Attempt& attempt = *attempt_;
    if (!attempt.query().tie_breakers) {
        serve(hits, now, out);
        return;
    }
    const std::size_t rows = router::rows_without_open_tie(hits, attempt.candidates);
    if (!look_beyond_ties(rows, now, out)) {
        serve({hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(rows)}, now, out);
    }
}

void Session::serve_each_settled(Instant now, Output& out) {
    Attempt& attempt = *attempt_;
    std::uint64_t fewest = attempt.found;
    if (attempt.query().tie_breakers) {
        for (std::vector<index::Hit>& hits : attempt.hits) {
            hits.resize(router::rows_without_open_tie(hits, attempt.candidates));
            fewest = std::min<std::uint64_t>(fewest, hits.size());
        }
    }
    if (!look_beyond_ties(fewest, now, out)) {
        serve_each(now, out);
    }
}

/// Where too few rows are certain. True: the attempt goes on, or is over.
bool Session::look_beyond_ties(std::uint64_t certain, Instant now, Output& out) {
    const Attempt& attempt = *attempt_;
    if (certain >= attempt.search.wanted()) {
        return false;
    }
    const std::uint64_t most =
        std::min(candidates_max(), attempt.search.chosen.value_or(candidates_max()));
    if (attempt.candidates >= most) {
        pass(router::reason::ties, now, out);
    } else if (admitted()) {
        look_for(std::min(2 * attempt.candidates, most), out);
    } else {
        pass(router::reason::engine_busy, now, out);
    }
    return true;
}

}  // namespace veer::proxy::session
