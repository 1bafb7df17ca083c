#include "proxy/net/host_watch.hpp"

#include "storage/source/connection.hpp"

#include <optional>

namespace veer::proxy::net {

namespace {

using storage::source::Connection;

constexpr std::chrono::seconds period{1};

/// reset_val is what a session of this role begins with; veer's own sets it for itself.
constexpr const char* question =
    "SELECT pg_catalog.pg_is_in_recovery(), (SELECT reset_val OPERATOR(pg_catalog.=) 'on' FROM "
    "pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'default_transaction_read_only')";

HostRole role_of_failure(const storage::Error& error) {
    return error.code == storage::Errc::connection ? HostRole::unreachable : HostRole::unreadable;
}

HostRole ask(Connection& connection) {
    const auto answer = connection.query(question);
    if (!answer) {
        return role_of_failure(answer.error());
    }
    if (answer->boolean(0, 0)) {
        return HostRole::standby;
    }
    return answer->boolean(0, 1) ? HostRole::read_only : HostRole::primary;
}

}  // namespace

HostWatch::HostWatch(std::string dsn, Upstreams& upstreams)
    : dsn_(std::move(dsn)), upstreams_(upstreams) {}

void HostWatch::start() {
    if (!upstreams_.needs_roles()) {
        return;
    }
    for (const Endpoint& host : upstreams_.hosts()) {
        threads_.emplace_back([this, &host] { watch(host); });
    }
}

void HostWatch::stop() {
    wake_.wake();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

void HostWatch::watch(const Endpoint& host) {
    std::optional<Connection> connection;
    while (!wake_.woken()) {
        HostRole role = HostRole::unreachable;
        if (!connection) {
            auto opened = Connection::open(
                {.dsn = dsn_,
                 .application_name = "veer host watch",
                 .wake = &wake_,
                 .only_host =
                     storage::source::Host{
                         .name = host.host, .port = host.port, .by_address = host.by_address}}
            );
            if (opened) {
                connection = *std::move(opened);
            } else {
                role = role_of_failure(opened.error());
            }
        }
        if (connection) {
            role = ask(*connection);
            if (role == HostRole::unreachable || role == HostRole::unreadable) {
                connection.reset();
            }
        }
        if (!wake_.woken()) {
            upstreams_.note_role(host, role);
            wake_.sleep(period);
        }
    }
}

}  // namespace veer::proxy::net
