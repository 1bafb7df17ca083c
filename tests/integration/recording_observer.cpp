#include "tests/integration/recording_observer.hpp"

#include "storage/partitions.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace veer::tests {

using storage::Lsn;
using storage::Row;
using storage::Table;
using storage::TableOid;

void RecordingObserver::expect(bool holds, const std::string& what) {
    if (!holds) {
        violations_.push_back(what);
    }
}

void RecordingObserver::begin(const std::string& /*database*/, const std::vector<Table>& tables) {
    const std::scoped_lock lock{mutex_};
    tables_ = tables;
    rows_.clear();
    expect(joining_.empty(), "begin while a table joins");
    values_.clear();
    parts_.clear();
    begun_ = true;
    ready_ = false;
    ++begins_;
}

void RecordingObserver::rows(TableOid table, std::span<const Row> rows) {
    const std::scoped_lock lock{mutex_};
    const bool joins = !joining_.empty() && joining_.front().oid == table;
    expect(begun_ && (!ready_ || joins), "rows outside of a copy");
    expect(rows.size() <= 1'000, "a batch of more than 1000 rows");
    for (const Row& row : rows) {
        expect(rows_[table].emplace(row.key, row.vectors).second, "a key was copied twice");
        values_[table][row.key] = row.values;
    }
}

void RecordingObserver::ready(Lsn applied) {
    const std::scoped_lock lock{mutex_};
    expect(begun_ && !ready_, "ready out of order");
    ready_ = true;
    position_ = applied;
}

void RecordingObserver::apply(const storage::Transaction& transaction) {
    const std::scoped_lock lock{mutex_};
    expect(ready_, "apply before ready");
    expect(transaction.end_lsn > position_, "a transaction came twice or out of order");
    position_ = transaction.end_lsn;
    for (const storage::Change& one : std::exchange(parts_, {})) {
        if (still_followed(one)) {
            change(one, false);
        }
    }
    for (const storage::Change& one : transaction.changes) {
        change(one, false);
    }
}

void RecordingObserver::part(std::span<const storage::Change> changes) {
    const std::scoped_lock lock{mutex_};
    expect(ready_, "a part before ready");
    parts_.insert(parts_.end(), changes.begin(), changes.end());
}

/// False where the table has left since it came.
bool RecordingObserver::still_followed(const storage::Change& change) const {
    if (const auto* const upsert = std::get_if<storage::Upsert>(&change)) {
        return complete(upsert->table);
    }
    if (const auto* const removed = std::get_if<storage::Delete>(&change)) {
        return complete(removed->table);
    }
    return complete(std::get<storage::Truncate>(change).tables.front());
}

bool RecordingObserver::complete(TableOid table) const {
    return std::any_of(tables_.begin(), tables_.end(), [&](const Table& known) {
        return known.oid == table;
    });
}

void RecordingObserver::change(const storage::Change& change, bool joining) {
    if (const auto* const upsert = std::get_if<storage::Upsert>(&change)) {
        expect(joining || complete(upsert->table), "a row of a table that is not complete");
        TableRows& rows = rows_[upsert->table];
        if (upsert->old_key.has_value()) {
            expect(rows.erase(*upsert->old_key) == 1, "an old key was not there");
            values_[upsert->table].erase(*upsert->old_key);
        }
        const auto unchanged = [](const storage::VectorValue& value) {
            return std::holds_alternative<storage::UnchangedVector>(value);
        };
        expect(
            std::none_of(upsert->row.vectors.begin(), upsert->row.vectors.end(), unchanged),
            "an unresolved vector"
        );
        rows[upsert->row.key] = upsert->row.vectors;
        values_[upsert->table][upsert->row.key] = upsert->row.values;
    } else if (const auto* const removed = std::get_if<storage::Delete>(&change)) {
        expect(rows_[removed->table].erase(removed->key) == 1, "a deleted row was not there");
        values_[removed->table].erase(removed->key);
    } else {
        for (const TableOid table : std::get<storage::Truncate>(change).tables) {
            rows_[table].clear();
            values_[table].clear();
        }
    }
}

void RecordingObserver::redefine(const std::vector<Table>& tables) {
    const std::scoped_lock lock{mutex_};
    expect(ready_, "redefine before ready");
    for (const Table& table : tables) {
        expect(
            std::any_of(
                tables_.begin(),
                tables_.end(),
                [&](const Table& before) {
                    return storage::with_partitions_of(before, table).same_rows(table);
                }
            ),
            "a table came, or became another one, without a copy"
        );
    }
    for (const Table& table : tables_) {
        const bool stays = std::any_of(tables.begin(), tables.end(), [&](const Table& now) {
            return now.oid == table.oid;
        });
        if (!stays) {
            rows_.erase(table.oid);
        }
    }
    tables_ = tables;
}

void RecordingObserver::join(const Table& table) {
    const std::scoped_lock lock{mutex_};
    expect(ready_ && joining_.empty(), "join before ready, or during another");
    expect(!complete(table.oid), "a complete table joins");
    rows_.erase(table.oid);
    joining_ = {table};
    ++copies_[table.name];
}

void RecordingObserver::catch_up(TableOid table, std::span<const storage::Change> changes) {
    const std::scoped_lock lock{mutex_};
    expect(!joining_.empty() && joining_.front().oid == table, "catch_up outside of a join");
    for (const storage::Change& one : changes) {
        change(one, true);
    }
}

void RecordingObserver::joined(TableOid table) {
    const std::scoped_lock lock{mutex_};
    expect(!joining_.empty() && joining_.front().oid == table, "joined outside of a join");
    tables_.insert(tables_.end(), joining_.begin(), joining_.end());
    joining_.clear();
}

void RecordingObserver::abandon(TableOid table) {
    const std::scoped_lock lock{mutex_};
    expect(!joining_.empty() && joining_.front().oid == table, "abandon outside of a join");
    joining_.clear();
    rows_.erase(table);
}

void RecordingObserver::repair(std::span<const storage::Change> changes) {
    const std::scoped_lock lock{mutex_};
    expect(ready_, "repair before ready");
    for (const storage::Change& one : changes) {
        if (const auto* const removed = std::get_if<storage::Delete>(&one)) {
            rows_[removed->table].erase(removed->key);
        } else {
            change(one, false);
        }
    }
}

void RecordingObserver::applied(Lsn lsn) {
    const std::scoped_lock lock{mutex_};
    expect(ready_, "applied before ready");
    expect(lsn >= position_, "the position went back");
    position_ = lsn;
}

void RecordingObserver::status(const storage::sync::Status& status) {
    const std::scoped_lock lock{mutex_};
    using storage::sync::Phase;
    if (status_.phase == Phase::streaming && status.phase != Phase::streaming) {
        ++interruptions_;
    }
    status_ = status;
    const auto note = [this](const std::string& reason) {
        if (std::find(reasons_.begin(), reasons_.end(), reason) == reasons_.end()) {
            reasons_.push_back(reason);
        }
    };
    note(status.reason);
    for (const storage::sync::TableStatus& table : status.tables) {
        note(table.reason);
    }
}

TableRows RecordingObserver::table_rows(const std::string& name) const {
    const std::scoped_lock lock{mutex_};
    for (const Table& table : tables_) {
        const auto rows = rows_.find(table.oid);
        if (table.name == name && rows != rows_.end()) {
            return rows->second;
        }
    }
    return {};
}

TableValues RecordingObserver::table_values(const std::string& name) const {
    const std::scoped_lock lock{mutex_};
    for (const Table& table : tables_) {
        const auto values = values_.find(table.oid);
        if (table.name == name && values != values_.end()) {
            return values->second;
        }
    }
    return {};
}

std::vector<Table> RecordingObserver::tables() const {
    const std::scoped_lock lock{mutex_};
    return tables_;
}

storage::sync::Status RecordingObserver::last_status() const {
    const std::scoped_lock lock{mutex_};
    return status_;
}

bool RecordingObserver::told(const std::string& text) const {
    const std::scoped_lock lock{mutex_};
    return std::any_of(reasons_.begin(), reasons_.end(), [&](const std::string& reason) {
        return reason.find(text) != std::string::npos;
    });
}

Lsn RecordingObserver::position() const {
    const std::scoped_lock lock{mutex_};
    return position_;
}

int RecordingObserver::begins() const {
    const std::scoped_lock lock{mutex_};
    return begins_;
}

int RecordingObserver::copies() const {
    const std::scoped_lock lock{mutex_};
    int most = 0;
    for (const auto& [table, count] : copies_) {
        most = std::max(most, count);
    }
    return most;
}

int RecordingObserver::copies(const std::string& table) const {
    const std::scoped_lock lock{mutex_};
    const auto found = copies_.find(table);
    return found == copies_.end() ? 0 : found->second;
}

int RecordingObserver::interruptions() const {
    const std::scoped_lock lock{mutex_};
    return interruptions_;
}

storage::sync::TableStatus RecordingObserver::table_status(const std::string& name) const {
    const std::scoped_lock lock{mutex_};
    for (const storage::sync::TableStatus& table : status_.tables) {
        if (table.name.ends_with("." + name)) {
            return table;
        }
    }
    return {};
}

std::vector<std::string> RecordingObserver::violations() const {
    const std::scoped_lock lock{mutex_};
    return violations_;
}

bool RecordingObserver::reached(Lsn lsn) const {
    const std::scoped_lock lock{mutex_};
    const bool all_joined = std::all_of(
        status_.tables.begin(),
        status_.tables.end(),
        [](const storage::sync::TableStatus& table) {
            return table.state == storage::sync::TableState::streaming ||
                   table.state == storage::sync::TableState::refused;
        }
    );
    return status_.phase == storage::sync::Phase::streaming && ready_ && all_joined &&
           joining_.empty() && position_ >= lsn;
}

std::string store_directory(const PostgresServer& server) {
    return (server.directory() / "store").string();
}

storage::sync::SyncOptions options(const PostgresServer& server, const std::string& user) {
    storage::sync::SyncOptions made{
        server.dsn(user), store_directory(server), std::chrono::milliseconds{500}};
    made.copy.range_bytes = 64U << 10U;  // tables are small here
    return made;
}

pid_t spawn_syncer(const PostgresServer& server) {
    return spawn_syncer(options(server));
}

pid_t spawn_syncer(const storage::sync::SyncOptions& options) {
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        RecordingObserver observer;
        storage::sync::Syncer syncer{options, observer};
        syncer.start();
        for (;;) {
            pause();
        }
    }
    return child;
}

bool caught_up(const PostgresServer& server, const RecordingObserver& observer) {
    const Lsn insert = storage::parse_lsn(server.value("SELECT pg_current_wal_insert_lsn()"));
    const Lsn token = storage::normalise_insert_lsn(insert, 8192, 16U << 20U);
    return wait_until([&] { return observer.reached(token); });
}

bool read_unwatched(const PostgresServer& server) {
    // The look is asked for again every half second until it is taken.
    return server.value(
               "SELECT count(*) FILTER (WHERE query LIKE 'COPY%') > 0 AND count(*) FILTER (WHERE "
               "state = 'idle' AND state_change < now() - interval '3 s') > 1 "
               "FROM pg_stat_activity WHERE application_name LIKE 'veer%'"
           ) == "t";
}

bool no_slot_in_use(const PostgresServer& server) {
    return wait_until([&] {
        return server.value("SELECT count(*) FROM pg_replication_slots WHERE active") == "0";
    });
}

bool wait_for_phase(const RecordingObserver& observer, storage::sync::Phase phase) {
    return wait_until([&] { return observer.last_status().phase == phase; });
}

TableRows rows_in_postgres(
    const PostgresServer& server, const std::string& table, const std::string& columns
) {
    TableRows rows;
    const std::string sql = std::string{"SELECT "}.append(columns).append(" FROM ").append(table);
    for (const auto& fields : server.query(sql)) {
        const auto id = static_cast<std::uint64_t>(std::stoll(fields.front()));
        std::string key;
        for (int shift = 56; shift >= 0; shift -= 8) {
            key.push_back(static_cast<char>(id >> static_cast<unsigned>(shift)));
        }
        Row row;
        storage::append_key_column(row.key, key);
        for (std::size_t field = 1; field < fields.size(); ++field) {
            if (fields[field] == "\\N") {
                row.vectors.emplace_back(storage::NullVector{});
                continue;
            }
            std::vector<float> floats;
            for (const char* at = fields[field].c_str() + 1; *at != '\0';) {
                char* end = nullptr;
                floats.push_back(std::strtof(at, &end));
                at = end + 1;
            }
            row.vectors.emplace_back(std::move(floats));
        }
        rows.emplace(row.key, row.vectors);
    }
    return rows;
}

TableRows rows_in_store(const std::string& directory, const std::string& name) {
    TableRows rows;
    auto store = storage::store::Store::open(directory);
    if (!store.has_value()) {
        throw std::runtime_error{store.error().message};
    }
    const auto state = store->state().value();
    for (const Table& table : state.value().tables) {
        if (table.name == name) {
            store
                ->for_each_row(
                    table.oid,
                    [&](Row&& row) {
                        rows.emplace(row.key, row.vectors);
                        return true;
                    }
                )
                .value();
        }
    }
    return rows;
}

}  // namespace veer::tests
