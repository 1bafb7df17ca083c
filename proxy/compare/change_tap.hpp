#pragma once

#include "router/compare/change_log.hpp"
#include "router/compare/golden_inbox.hpp"
#include "storage/sync/observer.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace veer::proxy::compare {

/// Notes what the stream brings on its way to the index:
///
///     Syncer ──▶ ChangeTap ──▶ Replica
///                   └─▶ ChangeLog, GoldenInbox, first: what a search can see has been noted
class ChangeTap final : public storage::sync::Observer {
  public:
    ChangeTap(
        router::compare::ChangeLog& log,
        router::compare::GoldenInbox& golden,
        storage::sync::Observer& next
    )
        : log_(log), golden_(golden), next_(next) {}

    void begin(const std::string& database, const std::vector<storage::Table>& tables) override {
        restart(log_.noted());
        next_.begin(database, tables);
    }

    void rows(storage::TableOid table, std::span<const storage::Row> rows) override {
        next_.rows(table, rows);
    }

    void ready(storage::Lsn applied) override {
        restart(applied);
        next_.ready(applied);
    }

    /// As with repair(): what there is of such a transaction has not been noted.
    void part(std::span<const storage::Change> changes) override {
        parted_ = true;
        next_.part(changes);
    }

    void apply(const storage::Transaction& transaction) override {
        if (parted_) {
            restart(log_.noted());
        }
        log_.note(transaction, now_ns());
        golden_.note(transaction);
        next_.apply(transaction);
        if (std::exchange(parted_, false)) {
            restart(transaction.end_lsn);
        }
    }

    void redefine(const std::vector<storage::Table>& tables) override { next_.redefine(tables); }

    void join(const storage::Table& table) override { next_.join(table); }

    void catch_up(storage::TableOid table, std::span<const storage::Change> changes) override {
        next_.catch_up(table, changes);
    }

    /// What the table caught up with has not been noted.
    void joined(storage::TableOid table) override {
        restart(log_.noted());
        next_.joined(table);
    }

    void abandon(storage::TableOid table) override { next_.abandon(table); }

    /// What was wrong until now explains any difference.
    void repair(std::span<const storage::Change> changes) override {
        restart(log_.noted());
        next_.repair(changes);
        restart(log_.noted());  // an exact answer of meanwhile may have seen the one or the other
    }

    void applied(storage::Lsn lsn) override {
        log_.note_position(lsn, now_ns());
        next_.applied(lsn);
    }

    void status(const storage::sync::Status& status) override { next_.status(status); }

  private:
    static std::int64_t now_ns() {
        const auto since = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
    }

    void restart(storage::Lsn lsn) {
        log_.restart(lsn, now_ns());
        golden_.lose(lsn);
    }

    router::compare::ChangeLog& log_;
    router::compare::GoldenInbox& golden_;
    storage::sync::Observer& next_;
    bool parted_ = false;  ///< of a transaction parts have come
};

}  // namespace veer::proxy::compare
