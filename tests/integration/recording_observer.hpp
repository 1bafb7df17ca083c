#pragma once

#include "storage/store/store.hpp"
#include "storage/sync/observer.hpp"
#include "storage/sync/syncer.hpp"
#include "tests/support/postgres_server.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace veer::tests {

/// The rows of one table: RowKey to vectors.
using TableRows = std::map<storage::RowKey, std::vector<storage::VectorValue>>;

/// The same of its copied columns.
using TableValues = std::map<storage::RowKey, std::vector<storage::ColumnValue>>;

/// Keeps what it is told, as an index would, and checks the order of the calls.
class RecordingObserver : public storage::sync::Observer {
  public:
    void begin(const std::string& database, const std::vector<storage::Table>& tables) override;
    void rows(storage::TableOid table, std::span<const storage::Row> rows) override;
    void ready(storage::Lsn applied) override;
    void part(std::span<const storage::Change> changes) override;
    void apply(const storage::Transaction& transaction) override;
    void redefine(const std::vector<storage::Table>& tables) override;
    void join(const storage::Table& table) override;
    void catch_up(storage::TableOid table, std::span<const storage::Change> changes) override;
    void joined(storage::TableOid table) override;
    void abandon(storage::TableOid table) override;
    void repair(std::span<const storage::Change> changes) override;
    void applied(storage::Lsn lsn) override;
    void status(const storage::sync::Status& status) override;

    TableRows table_rows(const std::string& name) const;
    TableValues table_values(const std::string& name) const;
    std::vector<storage::Table> tables() const;  ///< that are complete
    /// Of the table, by its name without the schema; an empty one where it is not known.
    storage::sync::TableStatus table_status(const std::string& name) const;
    storage::sync::Status last_status() const;
    /// True where any status so far had a reason, a table's or everybody's, with this text.
    bool told(const std::string& text) const;
    storage::Lsn position() const;
    int begins() const;
    int copies() const;  ///< of the table that was copied most often
    int copies(const std::string& table) const;
    int interruptions() const;  ///< times that the phase `streaming` was left
    std::vector<std::string> violations() const;

    /// True where the observer streams, has applied `lsn`, and no table is still to join.
    bool reached(storage::Lsn lsn) const;

  private:
    void expect(bool holds, const std::string& what);
    void change(const storage::Change& change, bool joining);
    bool complete(storage::TableOid table) const;
    bool still_followed(const storage::Change& change) const;

    mutable std::mutex mutex_;
    std::vector<storage::Table> tables_;
    std::vector<storage::Table> joining_;  ///< one, or none
    std::map<storage::TableOid, TableRows> rows_;
    std::map<std::string, int> copies_;
    std::map<storage::TableOid, TableValues> values_;
    storage::sync::Status status_;
    std::vector<std::string> reasons_;
    std::vector<storage::Change> parts_;  ///< of a transaction that is not complete
    storage::Lsn position_;
    bool begun_ = false;
    bool ready_ = false;
    int begins_ = 0;
    int interruptions_ = 0;
    std::vector<std::string> violations_;
};

/// Waits until nobody streams: a walsender lives on for a moment when its client has gone.
bool no_slot_in_use(const PostgresServer& server);

/// The store is below the server's directory. The catalogue is read more often than by default.
std::string store_directory(const PostgresServer& server);
storage::sync::SyncOptions options(
    const PostgresServer& server, const std::string& user = "postgres"
);

/// Runs a syncer in a process of its own, until it is killed.
pid_t spawn_syncer(const PostgresServer& server);
pid_t spawn_syncer(const storage::sync::SyncOptions& options);

/// Waits until the observer has everything that is committed now.
bool caught_up(const PostgresServer& server, const RecordingObserver& observer);

/// True while a copy reads a table, and the catalogue was looked at: with a `catalogue_every` of an
/// hour nobody will look again.
bool read_unwatched(const PostgresServer& server);

/// Waits until the observer's last status has the phase.
bool wait_for_phase(const RecordingObserver& observer, storage::sync::Phase phase);

/// The table as Postgres has it: key columns of type bigint and the vectors as text.
TableRows rows_in_postgres(
    const PostgresServer& server, const std::string& table, const std::string& columns = "id, emb"
);

/// The table as the store has it; the syncer must be stopped.
TableRows rows_in_store(const std::string& directory, const std::string& table);

}  // namespace veer::tests
