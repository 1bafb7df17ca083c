#include "storage/sync/progress.hpp"

#include "storage/sync/copy_rate.hpp"
#include "storage/sync/resume.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace veer::storage::sync {

namespace {

constexpr std::chrono::milliseconds report_every{100};
constexpr std::chrono::seconds log_every{10};

bool in_progress(const TableStatus& table) {
    return table.state != TableState::streaming && table.state != TableState::refused;
}

}  // namespace

std::vector<TableStatus> refusals(const source::Catalogue& catalogue) {
    std::vector<TableStatus> refused;
    for (const source::Refusal& refusal : catalogue.refused) {
        refused.push_back({{}, refusal.name, TableState::refused, refusal.reason, 0, 0});
    }
    return refused;
}

void Progress::begin(const std::string& database, const std::vector<Table>& tables) {
    tables_ = tables;
    begun_ = true;
    ready_ = false;
    parted_ = false;
    {
        const std::scoped_lock lock{mutex_};
        status_.tables.clear();
        for (const Table& table : tables) {
            entry(table);
        }
    }
    observer_.begin(database, tables);
}

void Progress::rows(TableOid table, std::span<const Row> rows) {
    observer_.rows(table, rows);
    const std::scoped_lock lock{mutex_};
    for (TableStatus& status : status_.tables) {
        if (status.oid == table) {
            count(status, rows.size(), 0);
        }
    }
    report(false);
}

void Progress::copied(TableOid table, std::uint64_t rows, std::uint64_t bytes) {
    const std::scoped_lock lock{mutex_};
    for (TableStatus& status : status_.tables) {
        if (status.oid == table) {
            count(status, rows, bytes);
        }
    }
    report(false);
}

void Progress::resume_copy(const Table& table, std::uint64_t rows, std::uint64_t bytes) {
    const std::scoped_lock lock{mutex_};
    TableStatus& status = entry(table);
    status.rows_done = rows;
    status.bytes_done = bytes;
    begin_stage(status);
}

void Progress::build(const Table& table) {
    const std::scoped_lock lock{mutex_};
    TableStatus& status = entry(table);
    status.state = TableState::building;
    status.reason.clear();
    status.rows_estimated = static_cast<double>(std::exchange(status.rows_done, 0));
    begin_stage(status);
    report(true);
}

void Progress::begin_stage(const TableStatus& table) {
    const Clock::time_point now = Clock::now();
    stages_[table.oid] = {now, now, table.rows_done};
}

/// Counts, and says so from time to time.
void Progress::count(TableStatus& status, std::uint64_t rows, std::uint64_t bytes) {
    status.rows_done += rows;
    status.bytes_done += bytes;
    const auto found = stages_.find(status.oid);
    if (found == stages_.end()) {
        return;
    }
    Stage& stage = found->second;
    const Clock::time_point now = Clock::now();
    const std::chrono::duration<double> took = now - stage.begun;
    const Rate rate = rate_of(
        {status.rows_done - stage.rows, status.rows_done, status.rows_estimated, took.count()}
    );
    status.rows_per_second = rate.rows_per_second;
    status.seconds_left = rate.seconds_left;
    if (now - stage.logged >= log_every) {
        stage.logged = now;
        spdlog::info(
            "sync: {} {}: {}", to_string(status.state), status.name, describe_progress(status)
        );
    }
}

void Progress::ready(Lsn applied) {
    observer_.ready(applied);
    ready_ = true;
    const std::scoped_lock lock{mutex_};
    status_.applied = applied;
    for (const Table& table : tables_) {
        set(table, TableState::streaming, "");
    }
}

void Progress::part(std::span<const Change> changes) {
    parted_ = true;
    observer_.part(changes);
}

void Progress::apply(const Transaction& transaction) {
    observer_.apply(transaction);
    parted_ = false;
    const std::scoped_lock lock{mutex_};
    status_.applied = transaction.end_lsn;
    report(false);
}

void Progress::applied(Lsn lsn) {
    observer_.applied(lsn);
    const std::scoped_lock lock{mutex_};
    status_.applied = lsn;
    report(false);
}

void Progress::repair(std::span<const Change> changes) {
    observer_.repair(changes);
}

void Progress::redefine(const std::vector<Table>& tables) {
    if (!difference(tables_, tables).has_value()) {
        return;
    }
    const std::vector<Table> before = std::exchange(tables_, tables);
    observer_.redefine(tables);
    const std::scoped_lock lock{mutex_};
    for (const Table& table : before) {
        if (find_table(tables, table.oid) == nullptr) {
            std::erase_if(status_.tables, [&](const auto& known) {
                return known.oid == table.oid;
            });
        }
    }
    for (const Table& table : tables) {
        set(table, TableState::streaming, "");
    }
    report(true);
}

void Progress::join(const Table& table) {
    observer_.join(table);
    const std::scoped_lock lock{mutex_};
    set(table, TableState::copying, entry(table).reason);
    TableStatus& status = entry(table);
    status.rows_done = 0;
    status.bytes_done = 0;
    begin_stage(status);
    report(true);
}

void Progress::catch_up(TableOid table, std::span<const Change> changes) {
    observer_.catch_up(table, changes);
}

void Progress::joined(const Table& table) {
    observer_.joined(table.oid);
    tables_.push_back(table);
    const std::scoped_lock lock{mutex_};
    set(table, TableState::streaming, "");
    report(true);
}

void Progress::abandon(TableOid table) {
    observer_.abandon(table);
}

void Progress::expect(const std::vector<Table>& wanted, std::vector<TableStatus> refused) {
    const std::scoped_lock lock{mutex_};
    const std::vector<TableStatus> before = status_.tables;
    std::erase_if(status_.tables, [&](const TableStatus& known) {
        return known.state != TableState::streaming && find_table(wanted, known.oid) == nullptr;
    });
    for (const Table& table : wanted) {
        entry(table);
    }
    std::move(refused.begin(), refused.end(), std::back_inserter(status_.tables));
    if (before != status_.tables) {
        report(true);
    }
}

void Progress::set_state(const Table& table, TableState state, std::string reason) {
    const std::scoped_lock lock{mutex_};
    set(table, state, std::move(reason));
    report(true);
}

void Progress::enter(Phase phase, std::string reason) {
    const std::scoped_lock lock{mutex_};
    const bool changed = phase != status_.phase || reason != status_.reason;
    status_.phase = phase;
    status_.reason = std::move(reason);
    report(changed);
}

void Progress::prove(std::uint32_t timeline) {
    const std::scoped_lock lock{mutex_};
    const bool changed = timeline != status_.timeline;
    status_.timeline = timeline;
    report(changed);
}

bool Progress::ready_for(const std::vector<Table>& tables, Lsn applied) const {
    return ready_ && !parted_ && position() == applied &&
           !reason_to_copy(tables_, tables).has_value();
}

Lsn Progress::position() const {
    const std::scoped_lock lock{mutex_};
    return status_.applied;
}

TableStatus& Progress::entry(const Table& table) {
    const auto found =
        std::find_if(status_.tables.begin(), status_.tables.end(), [&](const auto& known) {
            return known.oid == table.oid;
        });
    if (found != status_.tables.end()) {
        return *found;
    }
    TableStatus made;
    made.oid = table.oid;
    made.name = table.schema + "." + table.name;
    made.rows_estimated = std::max(0.0, table.estimated_rows);
    status_.tables.push_back(std::move(made));
    return status_.tables.back();
}

void Progress::set(const Table& table, TableState state, std::string reason) {
    TableStatus& status = entry(table);
    status.name = table.schema + "." + table.name;
    status.rows_estimated = std::max(0.0, table.estimated_rows);
    status.state = state;
    status.reason = std::move(reason);
    status.rows_per_second = 0;
    status.seconds_left.reset();
    stages_.erase(table.oid);
}

void Progress::report(bool at_once) {
    const auto now = std::chrono::steady_clock::now();
    if (!at_once && now - reported_ < report_every) {
        return;
    }
    reported_ = now;
    Status told = status_;
    told.rows_done = 0;
    told.rows_estimated = 0;
    for (const TableStatus& table : told.tables) {
        told.rows_done += table.rows_done;
        told.rows_estimated += table.rows_estimated;
    }
    const bool complete =
        std::any_of(told.tables.begin(), told.tables.end(), [](const auto& table) {
            return table.state == TableState::streaming;
        });
    if (told.phase == Phase::streaming && !complete &&
        std::any_of(told.tables.begin(), told.tables.end(), in_progress)) {
        told.phase = Phase::copying;
    }
    observer_.status(told);
}

}  // namespace veer::storage::sync
