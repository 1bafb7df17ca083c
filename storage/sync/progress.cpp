#include "storage/sync/progress.hpp"

#include "storage/sync/resume.hpp"

#include <algorithm>
#include <utility>

namespace veer::storage::sync {

namespace {

constexpr std::chrono::milliseconds report_every{100};

}  // namespace

void Progress::begin(const std::string& database, const std::vector<Table>& tables) {
    tables_ = tables;
    begun_ = true;
    ready_ = false;
    status_.rows_done = 0;
    status_.rows_estimated = 0;
    for (const Table& table : tables) {
        status_.rows_estimated += std::max(0.0, table.estimated_rows);
    }
    observer_.begin(database, tables);
}

void Progress::rows(TableOid table, std::span<const Row> rows) {
    observer_.rows(table, rows);
    status_.rows_done += rows.size();
    report(false);
}

void Progress::ready(Lsn applied) {
    observer_.ready(applied);
    ready_ = true;
    status_.applied = applied;
}

void Progress::apply(const Transaction& transaction) {
    observer_.apply(transaction);
    status_.applied = transaction.end_lsn;
    report(false);
}

void Progress::applied(Lsn lsn) {
    observer_.applied(lsn);
    status_.applied = lsn;
    report(false);
}

void Progress::redefine(const std::vector<Table>& tables) {
    if (difference(tables_, tables).has_value()) {
        tables_ = tables;
        observer_.redefine(tables);
    }
}

void Progress::enter(Phase phase, std::string reason) {
    const bool changed = phase != status_.phase || reason != status_.reason;
    status_.phase = phase;
    status_.reason = std::move(reason);
    report(changed);
}

bool Progress::ready_for(const std::vector<Table>& tables, Lsn applied) const {
    return ready_ && status_.applied == applied && !reason_to_copy(tables_, tables).has_value();
}

void Progress::report(bool at_once) {
    const auto now = std::chrono::steady_clock::now();
    if (at_once || now - reported_ >= report_every) {
        reported_ = now;
        observer_.status(status_);
    }
}

}  // namespace veer::storage::sync
