#include "storage/sync/catalogue_watch.hpp"

#include "storage/source/catalogue.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/sync/resume.hpp"

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

Result<std::optional<std::string>> CatalogueWatch::look(source::Connection& connection) const {
    auto catalogue = source::discover(connection);
    if (!catalogue.has_value()) {
        return catalogue.error();
    }
    if (auto different = difference(state_.tables, catalogue->tables)) {
        return different;
    }
    auto publication =
        source::publication_fingerprint(connection, state_.publication, state_.tables);
    if (!publication.has_value()) {
        return publication.error();
    }
    if (*publication != state_.publication_fingerprint) {
        return std::optional<std::string>{
            "the publication " + state_.publication + " is gone or was changed"};
    }
    return std::optional<std::string>{};
}

}  // namespace veer::storage::sync
