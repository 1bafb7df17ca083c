#include "proxy/secret_store.hpp"

#include "proxy/auth/user_list.hpp"
#include "storage/source/connection.hpp"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

namespace veer::proxy {

namespace {

using storage::source::Connection;

/// Logins that wait for the query at once.
constexpr std::size_t requests_max = 1000;
constexpr std::streamoff file_bytes_max = std::streamoff{64} << 20U;

/// Postgres' own conditions for a login by password (crypt.c, get_role_password).
constexpr const char* default_query =
    "SELECT CASE WHEN rolvaliduntil IS NULL "
    "OR rolvaliduntil OPERATOR(pg_catalog.>=) pg_catalog.now() THEN rolpassword END "
    "FROM pg_catalog.pg_authid "
    "WHERE rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND rolcanlogin";

/// Empty, and `problem` set, where it cannot be read.
std::string read_file(const std::string& name, std::string& problem) {
    std::ifstream stream(name, std::ios::binary | std::ios::ate);
    const std::streamoff size = stream.tellg();
    if (!stream || size < 0) {
        problem = "[auth] file \"" + name + "\" cannot be read: " + std::strerror(errno);
        return {};
    }
    if (size > file_bytes_max) {
        problem = "[auth] file \"" + name + "\" is longer than 64 MiB";
        return {};
    }
    std::string text(static_cast<std::size_t>(size), '\0');
    stream.seekg(0);
    stream.read(text.data(), size);
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

/// What the query says of one user, on a connection that is opened where there is none.
net::SecretAnswer ask(
    std::optional<Connection>& connection,
    const std::string& dsn,
    const storage::source::Wake& wake,
    const std::string& query,
    const std::string& user
) {
    for (const bool fresh : {!connection.has_value(), true}) {
        if (!connection) {
            auto opened = Connection::open(
                {.dsn = dsn, .application_name = "veer auth", .replication = false, .wake = &wake}
            );
            if (!opened.has_value()) {
                spdlog::error("[auth] query: {}", opened.error().message);
                return {};
            }
            connection.emplace(*std::move(opened));
        }
        const auto rows = connection->query(query, user);
        if (rows.has_value()) {
            const int last = rows->columns() - 1;
            if (rows->size() != 1 || last < 0 || rows->is_null(0, last)) {
                return {.available = true, .secret = std::nullopt};
            }
            std::string text = rows->text(0, last);
            net::SecretAnswer answer{.available = true, .secret = auth::parse_scram_secret(text)};
            auth::wipe(text);
            return answer;
        }
        const bool connection_lost = rows.error().code == storage::Errc::connection;
        if (fresh || !connection_lost) {
            spdlog::error("[auth] query: {}", rows.error().message);
        }
        if (connection_lost) {
            connection.reset();
        }
        if (fresh || !connection_lost) {
            return {};
        }
    }
    return {};
}

}  // namespace

SecretStore::SecretStore(std::string dsn) : dsn_(std::move(dsn)) {}

SecretStore::~SecretStore() {
    stop();
}

std::string SecretStore::configure(const config::Auth& auth) {
    auth::UserList list;
    if (!auth.file.empty()) {
        std::string problem;
        std::string text = read_file(auth.file, problem);
        if (!problem.empty()) {
            return problem;
        }
        auto parsed = auth::parse_user_list(text);
        auth::wipe(text);
        if (parsed.has_error()) {
            return auth.file + ':' + std::to_string(parsed.error().line) +
                   ": not \"user\" \"secret\"";
        }
        list = *std::move(parsed);
        if (list.unusable > 0) {
            spdlog::warn(
                "[auth] file: {} users have no SCRAM secret, and cannot be logged in by veer",
                list.unusable
            );
        }
    }
    const std::lock_guard lock(mutex_);
    from_file_ = std::move(list.secrets);
    file_given_ = !auth.file.empty();
    query_ = auth.query == "default" ? default_query : auth.query;
    return {};
}

bool SecretStore::configured() const {
    const std::lock_guard lock(mutex_);
    return file_given_ || !query_.empty();
}

void SecretStore::look_up(const std::string& user, const net::Security::Done& done) {
    if (auto answer = answer_at_once(user, done)) {
        done(*std::move(answer));
    }
}

/// Nothing where the query is to be asked.
std::optional<net::SecretAnswer> SecretStore::answer_at_once(
    const std::string& user, const net::Security::Done& done
) {
    const std::lock_guard lock(mutex_);
    if (const auto found = from_file_.find(user); found != from_file_.end()) {
        return net::SecretAnswer{.available = true, .secret = found->second};
    }
    if (query_.empty()) {
        return net::SecretAnswer{.available = true, .secret = std::nullopt};
    }
    if (stopping_ || requests_.size() >= requests_max) {
        return net::SecretAnswer{};
    }
    requests_.push_back({.user = user, .done = done});
    if (!thread_.joinable()) {
        thread_ = std::thread([this] { serve(); });
    }
    changed_.notify_one();
    return std::nullopt;
}

void SecretStore::serve() {
    std::optional<Connection> connection;
    for (;;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
        if (stopping_) {
            return;
        }
        const Request request = std::move(requests_.front());
        requests_.pop_front();
        const std::string query = query_;
        lock.unlock();
        net::SecretAnswer answer = ask(connection, dsn_, wake_, query, request.user);
        lock.lock();
        if (stopping_) {
            return;
        }
        lock.unlock();
        request.done(std::move(answer));
    }
}

void SecretStore::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        requests_.clear();
    }
    wake_.wake();
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

}  // namespace veer::proxy
