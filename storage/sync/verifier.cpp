#include "storage/sync/verifier.hpp"

#include "storage/source/table_copy.hpp"
#include "storage/sync/resume.hpp"
#include "storage/sync/surviving.hpp"
#include "storage/verify/key_range.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

namespace veer::storage::sync {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds piece_time_max{3};
/// More are not repaired row by row: the table is copied again.
constexpr std::size_t repairs_max = 1'000;
constexpr std::size_t keys_at_once = 200;
/// A comparison that fails is tried again: the catalogue may have to be read again first.
constexpr int failures_max = 8;
constexpr milliseconds again_after{1'000};
/// Rows that were written while they were repaired are compared again.
constexpr int rounds_max = 4;
constexpr std::chrono::seconds stream_time_max{30};
constexpr milliseconds stream_poll{5};
constexpr std::size_t logged_max = 10;

std::string name_of(const Table& table) {
    return table.schema + "." + table.name;
}

TableVerdict verdict_of(const Table& table, std::string trouble) {
    TableVerdict verdict;
    verdict.oid = table.oid;
    verdict.name = name_of(table);
    verdict.trouble = std::move(trouble);
    return verdict;
}

/// Adds differences; `known` are the keys counted so far.
void add_differences(
    TableVerdict& verdict,
    const Table& table,
    const std::vector<verify::Difference>& differences,
    std::set<RowKey>& known
) {
    for (const verify::Difference& difference : differences) {
        if (!known.insert(difference.key).second) {
            continue;
        }
        ++verdict.differences;
        if (verdict.named.size() < TableVerdict::named_max) {
            verdict.named.push_back(verify::describe(table, difference));
        }
    }
}

void say(const TableVerdict& verdict) {
    if (verdict.differences == 0) {
        return;
    }
    std::string rows;
    for (std::size_t i = 0; i < std::min(verdict.named.size(), logged_max); ++i) {
        rows += (rows.empty() ? "" : "; ") + verdict.named[i];
    }
    spdlog::error(
        "sync: the copy of {} was wrong in {} rows, of which {} are repaired: {}{}",
        verdict.name,
        verdict.differences,
        verdict.repaired,
        rows,
        verdict.differences > logged_max ? "; ..." : ""
    );
}

/// Reads the rows that differ as the table has them.
Result<void> collect(
    verify::TableRange& upstream,
    source::Connection& connection,
    const std::vector<verify::Difference>& differences,
    Repair& repair
) {
    std::vector<RowKey> wanted;
    const TableOid oid = repair.table.oid;
    const auto fetch = [&]() -> Result<void> {
        if (wanted.empty()) {
            return {};
        }
        const std::string condition = upstream.any_of(wanted);
        wanted.clear();
        return source::copy_rows(
            connection,
            repair.table,
            condition,
            [&](std::span<const Row> rows, std::size_t /*bytes*/) {
                for (const Row& row : rows) {
                    repair.changes.emplace_back(Upsert{oid, std::nullopt, row});
                }
                return Result<void>{};
            }
        );
    };
    for (const verify::Difference& difference : differences) {
        if (difference.kind == verify::Difference::Kind::extra) {
            repair.changes.emplace_back(Delete{oid, difference.key});
            continue;
        }
        wanted.push_back(difference.key);
        if (wanted.size() == keys_at_once) {
            if (auto fetched = fetch(); !fetched.has_value()) {
                return fetched;
            }
        }
    }
    return fetch();
}

}  // namespace

Verifier::Verifier(Context context)
    : context_{std::move(context)}, watch_{[this] {
          return context_.store.view();
      }} {
    context_.options.wake = &wake_;
    thread_ = std::thread{[this] {
        surviving("the verification", wake_, [this] { run(); });
    }};
    context_.desk.open();
}

Verifier::~Verifier() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    wake_.wake();
    changed_.notify_all();
    context_.desk.close("The stream was interrupted.");
    thread_.join();
}

void Verifier::set_tables(std::vector<Table> complete, std::vector<Table> others) {
    const std::scoped_lock lock{mutex_};
    complete_ = std::move(complete);
    others_ = std::move(others);
    told_ = true;
    if (comparing_.has_value() && find_table(complete_, *comparing_) == nullptr) {
        comparing_.reset();
    }
}

std::optional<Repair> Verifier::take_repair() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(repair_, std::nullopt);
}

bool Verifier::still_due(const Repair& repair, const Change& change) const {
    const auto* const upsert = std::get_if<Upsert>(&change);
    const auto* const removed = std::get_if<Delete>(&change);
    if (!comparing() || (upsert == nullptr && removed == nullptr)) {
        return false;
    }
    const RowKey& key = upsert != nullptr ? upsert->row.key : removed->key;
    return !watch_.touched(key, repair.point);
}

void Verifier::repaired(std::uint64_t rows) {
    const std::scoped_lock lock{mutex_};
    repaired_ = rows;
    changed_.notify_all();
}

bool Verifier::stopping() const {
    const std::scoped_lock lock{mutex_};
    return stopping_;
}

/// False once the table has left the stream, if only for a while.
bool Verifier::comparing() const {
    const std::scoped_lock lock{mutex_};
    return comparing_.has_value();
}

std::vector<TableOid> Verifier::patrolled() const {
    const std::scoped_lock lock{mutex_};
    std::vector<TableOid> oids;
    for (const Table& table : complete_) {
        if (verify::key_is_ordered(table)) {
            oids.push_back(table.oid);
        }
    }
    return oids;
}

void Verifier::run() {
    while (!stopping()) {
        if (auto request = context_.desk.next(context_.patrol.due())) {
            serve(*request);
        } else if (!stopping()) {
            if (auto due = context_.patrol.next(patrolled(), Clock::now())) {
                patrol(*due);
            }
        }
    }
}

void Verifier::serve(const VerifyRequest& request) {
    std::vector<Table> complete;
    std::vector<TableVerdict> verdicts;
    bool told = false;
    const auto wanted = [&](const Table& table) {
        return !request.table.has_value() || *request.table == table.oid;
    };
    {
        const std::scoped_lock lock{mutex_};
        told = told_;
        std::copy_if(complete_.begin(), complete_.end(), std::back_inserter(complete), wanted);
        for (const Table& table : others_) {
            if (wanted(table)) {
                verdicts.push_back(verdict_of(table, "Its copy is not complete."));
            }
        }
    }
    for (const Table& table : complete) {
        TableVerdict verdict = whole(table.oid, request.rows_per_second);
        verdict.name = name_of(table);
        context_.desk.count(verdict, verdict.trouble.empty(), std::chrono::system_clock::now());
        say(verdict);
        verdicts.push_back(std::move(verdict));
    }
    if (verdicts.empty()) {
        verdicts.push_back(
            verdict_of({}, told ? "There is no copy of it." : "The stream has not begun yet.")
        );
    }
    context_.desk.answer(std::move(verdicts));
}

TableVerdict Verifier::whole(TableOid oid, double rows_per_second) {
    TableVerdict verdict;
    verdict.oid = oid;
    std::set<RowKey> known;
    const verify::Pace pace{rows_per_second, Clock::now()};
    Bounds bounds{std::nullopt, std::numeric_limits<std::uint64_t>::max()};
    if (rows_per_second > 0) {  // about a second's
        bounds.rows_max = static_cast<std::uint64_t>(rows_per_second) + 1;
    }
    int failures = 0;
    int rounds = 1;
    for (;;) {
        auto done = piece(oid, bounds);
        if (!done.has_value()) {
            if (stopping() || ++failures == failures_max) {
                verdict.trouble = done.error().message;
                return verdict;
            }
            wake_.sleep(again_after);
            continue;
        }
        failures = 0;
        add_differences(verdict, done->table, done->differences, known);
        verdict.repaired += done->repaired;
        if (done->copy_again) {
            verdict.rows += done->rows;
            verdict.trouble = "So many rows differ that the table is copied again.";
            return verdict;
        }
        if (done->repaired < done->differences.size() && rounds++ < rounds_max) {
            continue;
        }
        rounds = 1;
        verdict.rows += done->rows;
        if (!done->end.has_value()) {
            return verdict;
        }
        bounds.after = std::move(done->end);
        wake_.sleep(pace.pause(verdict.rows, Clock::now()));
    }
}

void Verifier::patrol(const verify::Patrol::Piece& due) {
    auto done = piece(due.table, {due.after, due.rows_max});
    if (!done.has_value()) {
        context_.patrol.failed(Clock::now());
        TableVerdict verdict;
        {
            const std::scoped_lock lock{mutex_};
            const Table* const table = find_table(complete_, due.table);
            if (stopping_ || table == nullptr) {
                return;
            }
            verdict = verdict_of(*table, done.error().message);
        }
        context_.desk.count(verdict, false, std::chrono::system_clock::now());
        return;
    }
    TableVerdict verdict = verdict_of(done->table, "");
    std::set<RowKey> known;
    add_differences(verdict, done->table, done->differences, known);
    verdict.rows = done->rows;
    verdict.repaired = done->repaired;
    say(verdict);
    const bool whole = !done->end.has_value() && !done->copy_again;
    context_.desk.count(verdict, whole, std::chrono::system_clock::now());
    context_.patrol.compared(done->rows, std::move(done->end), Clock::now());
}

/// The libraries below may throw where memory runs out.
Result<Verifier::Piece> Verifier::piece(TableOid oid, const Bounds& bounds) {
    std::optional<Table> table;
    {
        const std::scoped_lock lock{mutex_};
        if (const Table* const found = find_table(complete_, oid)) {
            table = *found;
            comparing_ = oid;
        }
    }
    if (!table.has_value()) {
        return Error{Errc::gone, "Its copy is not complete."};
    }
    Result<Piece> done = Error{Errc::unexpected, ""};
    try {
        watch_.begin(oid);
        done = watched_piece(*table, bounds);
    } catch (const std::exception& thrown) {
        done =
            Error{Errc::unexpected, std::string{"The comparison failed: "} + thrown.what() + "."};
    }
    watch_.end();
    if (!done.has_value()) {
        catalogue_.reset();
    }
    const std::scoped_lock lock{mutex_};
    comparing_.reset();
    return done;
}

Result<Verifier::Piece> Verifier::watched_piece(const Table& table, const Bounds& bounds) {
    if (!catalogue_.has_value()) {
        auto opened = source::Connection::open(context_.options);
        if (!opened.has_value()) {
            return opened.error();
        }
        catalogue_.emplace(std::move(*opened));
    }
    const std::string slot = context_.name + "_verify";
    auto at = open_at_point(
        {context_.options, slot, context_.name, context_.columns, context_.identity},
        *catalogue_,
        table
    );
    if (!at.has_value()) {
        return at.error();
    }
    Piece piece{table, {}, 0, {}, 0, false};
    Repair repair{table, at->point, {}, {}};
    if (auto compared = compare(bounds, *at, piece, repair); !compared.has_value()) {
        return compared.error();
    }
    if (auto ended = at->connection.query("COMMIT"); !ended.has_value()) {
        return ended.error();
    }
    if (!comparing()) {
        return Error{Errc::gone, "The table left the stream while it was compared."};
    }
    if (piece.differences.empty() && !piece.copy_again) {
        return piece;
    }
    auto repaired = hand_over(std::move(repair));
    if (!repaired.has_value()) {
        return repaired.error();
    }
    piece.repaired = *repaired;
    return piece;
}

Result<void> Verifier::compare(
    const Bounds& bounds, TableAtPoint& at, Piece& piece, Repair& repair
) {
    if (auto waited = wait_for(at.point); !waited.has_value()) {
        return waited;
    }
    auto view = watch_.view_at(at.point);
    if (!view.has_value()) {
        return view.error();
    }
    auto upstream = verify::TableRange::make(at.connection, piece.table);
    if (!upstream.has_value()) {
        return upstream.error();
    }
    verify::TableCheck check{piece.table, *upstream, **view, bounds.after};
    const Clock::time_point deadline = Clock::now() + piece_time_max;
    do {
        auto found = check.next();
        if (!found.has_value()) {
            return found.error();
        }
        piece.rows += found->rows;
        piece.differences.insert(
            piece.differences.end(), found->differences.begin(), found->differences.end()
        );
        piece.copy_again = found->more || piece.differences.size() > repairs_max;
    } while (!check.finished() && !piece.copy_again && !stopping() &&
             piece.rows < bounds.rows_max && Clock::now() < deadline);
    piece.end = check.finished() ? std::nullopt : check.after();
    if (piece.copy_again) {
        repair.copy_again =
            std::to_string(piece.differences.size()) + " rows or more differed from the table";
        return {};
    }
    return collect(*upstream, at.connection, piece.differences, repair);
}

/// Until all that commits before `point` has been written.
Result<void> Verifier::wait_for(Lsn point) {
    const Clock::time_point deadline = Clock::now() + stream_time_max;
    context_.nudge.request();
    while (context_.progress.position() < point) {
        if (stopping() || Clock::now() >= deadline) {
            return Error{
                Errc::connection, "The stream is too far behind for its tables to be compared."};
        }
        wake_.sleep(stream_poll);
    }
    return {};
}

Result<std::uint64_t> Verifier::hand_over(Repair repair) {
    std::unique_lock lock{mutex_};
    repaired_.reset();
    repair_ = std::move(repair);
    changed_.wait(lock, [this] { return repaired_.has_value() || stopping_; });
    repair_.reset();
    if (!repaired_.has_value()) {
        return Error{Errc::connection, "The stream was interrupted."};
    }
    return *repaired_;
}

}  // namespace veer::storage::sync
