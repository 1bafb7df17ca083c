#include "storage/sync/catalogue_watch.hpp"

#include "storage/source/catalogue.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/sync/resume.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace veer::storage::sync {

CatalogueWatch::CatalogueWatch(
    source::ConnectOptions options, store::SyncState state, std::chrono::milliseconds every
)
    : options_{std::move(options)}, state_{std::move(state)}, every_{every} {
    options_.wake = &wake_;
    thread_ = std::thread{[this] {
        run();
    }};
}

CatalogueWatch::~CatalogueWatch() {
    wake_.wake();
    thread_.join();
}

std::optional<std::string> CatalogueWatch::finding() const {
    if (!found_.load(std::memory_order_acquire)) {
        return std::nullopt;
    }
    const std::scoped_lock lock{mutex_};
    return finding_;
}

void CatalogueWatch::run() {
    std::optional<source::Connection> connection;
    for (;; wake_.sleep(every_)) {
        if (wake_.woken()) {
            return;
        }
        if (!connection.has_value()) {
            auto opened = source::Connection::open(options_);
            if (!opened.has_value()) {
                continue;
            }
            connection.emplace(std::move(*opened));
        }
        auto seen = look(*connection);
        if (!seen.has_value()) {
            connection.reset();
        } else if (seen->has_value()) {
            const std::scoped_lock lock{mutex_};
            finding_ = std::move(*seen);
            found_.store(true, std::memory_order_release);
            return;
        }
    }
}

std::optional<CatalogueChange> CatalogueWatch::take_change() {
    if (!changed_.load(std::memory_order_acquire)) {
        return std::nullopt;
    }
    const std::scoped_lock lock{mutex_};
    changed_.store(false, std::memory_order_release);
    return std::exchange(change_, std::nullopt);
}

Result<std::optional<std::string>> CatalogueWatch::look(source::Connection& connection) {
    auto catalogue = source::discover(connection);
    if (!catalogue.has_value()) {
        return catalogue.error();
    }
    if (auto reason = reason_to_copy(state_.tables, catalogue->tables)) {
        return reason;
    }
    auto publication =
        source::publication_fingerprint(connection, state_.publication, catalogue->tables);
    if (!publication.has_value()) {
        return publication.error();
    }
    if (!publication->has_value() ||
        !source::continues_publication(state_.publication_fingerprint, **publication)) {
        // A table that was dropped between the two questions has left its publication, too.
        auto again = source::discover(connection);
        if (!again.has_value()) {
            return again.error();
        }
        if (difference(catalogue->tables, again->tables).has_value()) {
            return std::optional<std::string>{};  // the next look sees it whole
        }
        return std::optional<std::string>{
            "the publication " + state_.publication + " is gone or was changed"};
    }
    if (auto different = difference(state_.tables, catalogue->tables)) {
        spdlog::info("sync: going on, though {}", *different);
        follow(connection, {std::move(catalogue->tables), std::move(**publication)});
    }
    return std::optional<std::string>{};
}

void CatalogueWatch::follow(source::Connection& connection, CatalogueChange change) {
    if (change.tables.size() < state_.tables.size()) {
        auto left = source::leave_publication(connection, state_.publication, change.tables);
        if (!left.has_value()) {
            spdlog::warn(
                "sync: the publication {} keeps a table that is no longer copied: {}",
                state_.publication,
                left.error().message
            );
        }
    }
    state_.tables = change.tables;
    state_.publication_fingerprint = change.publication_fingerprint;
    const std::scoped_lock lock{mutex_};
    change_ = std::move(change);
    changed_.store(true, std::memory_order_release);
}

}  // namespace veer::storage::sync
