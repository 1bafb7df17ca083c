#pragma once

#include "router/compare/change_log.hpp"
#include "storage/sync/observer.hpp"

namespace veer::proxy::compare {

/// Notes what the stream brings on its way to the index:
///
///     Syncer ──▶ ChangeTap ──▶ Replica
///                   └─▶ ChangeLog, first: what a search can see has been noted
class ChangeTap final : public storage::sync::Observer {
  public:
    ChangeTap(router::compare::ChangeLog& log, storage::sync::Observer& next)
        : log_(log), next_(next) {}

    void begin(const std::string& database, const std::vector<storage::Table>& tables) override {
        log_.restart(log_.noted());
        next_.begin(database, tables);
    }

    void rows(storage::TableOid table, std::span<const storage::Row> rows) override {
        next_.rows(table, rows);
    }

    void ready(storage::Lsn applied) override {
        log_.restart(applied);
        next_.ready(applied);
    }

    void apply(const storage::Transaction& transaction) override {
        log_.note(transaction);
        next_.apply(transaction);
    }

    void redefine(const std::vector<storage::Table>& tables) override { next_.redefine(tables); }

    void join(const storage::Table& table) override { next_.join(table); }

    void catch_up(storage::TableOid table, std::span<const storage::Change> changes) override {
        next_.catch_up(table, changes);
    }

    /// What the table caught up with has not been noted.
    void joined(storage::TableOid table) override {
        log_.restart(log_.noted());
        next_.joined(table);
    }

    void abandon(storage::TableOid table) override { next_.abandon(table); }

    /// What was wrong until now explains any difference.
    void repair(std::span<const storage::Change> changes) override {
        log_.restart(log_.noted());
        next_.repair(changes);
    }

    void applied(storage::Lsn lsn) override {
        log_.note_position(lsn);
        next_.applied(lsn);
    }

    void status(const storage::sync::Status& status) override { next_.status(status); }

  private:
    router::compare::ChangeLog& log_;
    storage::sync::Observer& next_;
};

}  // namespace veer::proxy::compare
