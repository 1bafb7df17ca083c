#include "tests/support/postgres_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>

namespace veer::tests {

namespace {

namespace fs = std::filesystem;

/// The newest server below Debian's directory, or the one that VEER_TEST_POSTGRES names in its
/// place.
fs::path find_binaries() {
    fs::path best;
    int best_version = 0;
    std::error_code error;
    const char* const named = std::getenv("VEER_TEST_POSTGRES");
    const fs::path servers = named == nullptr ? "/usr/lib/postgresql" : named;
    for (const auto& entry : fs::directory_iterator{servers, error}) {
        const int version = std::atoi(entry.path().filename().c_str());
        if (version > best_version && fs::exists(entry.path() / "bin" / "initdb")) {
            best_version = version;
            best = entry.path() / "bin";
        }
    }
    if (best.empty()) {
        throw std::runtime_error{"no PostgreSQL server is installed; run scripts/install"};
    }
    return best;
}

bool is_free(std::uint16_t port) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(listener);
    return bound;
}

/// Below the ports that the kernel gives by itself to who connects, or binds to port 0: one of them
/// may be taken between here and the server's start, or while it is down.
int free_port() {
    std::random_device random;
    std::uniform_int_distribution<int> ports{10'000, 29'999};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        if (const int port = ports(random); is_free(static_cast<std::uint16_t>(port))) {
            return port;
        }
    }
    throw std::runtime_error{"no free port"};
}

const passwd* server_user() {
    if (geteuid() != 0) {
        return nullptr;
    }
    const passwd* const user = getpwnam("postgres");
    if (user == nullptr) {
        throw std::runtime_error{"there is no user postgres to run PostgreSQL as"};
    }
    return user;
}

}  // namespace

PostgresServer::PostgresServer(const std::vector<std::string>& settings)
    : binaries_{find_binaries()} {
    std::string name = (fs::temp_directory_path() / "veer-pg-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error{"cannot make a temporary directory"};
    }
    directory_ = name;
    if (const passwd* const user = server_user();
        user != nullptr && chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) {
        throw std::runtime_error{"cannot give the temporary directory to user postgres"};
    }
    const std::string data = directory_ / "data";
    if (run(
            {binaries_ / "initdb",
             "-D",
             data,
             "-U",
             "postgres",
             "--auth=trust",
             "--no-sync",
             "--encoding=UTF8",
             "--locale=C"}
        ) != 0) {
        throw std::runtime_error{"initdb failed; see " + (directory_ / "log").string()};
    }
    port_ = free_port();
    for (const std::string& setting :
         {"port = " + std::to_string(port_),
          std::string{"listen_addresses = '127.0.0.1'"},
          "unix_socket_directories = '" + directory_.string() + "'",
          std::string{"fsync = off"},
          std::string{"autovacuum = off"},  // else it begins after a minute: on a slow machine
          std::string{"wal_level = logical"},
          std::string{"shared_buffers = 32MB"},
          std::string{"max_wal_senders = 10"},
          std::string{"max_replication_slots = 10"}}) {
        configure(setting);
    }
    for (const std::string& setting : settings) {
        configure(setting);
    }
    try {
        start();
        exec("CREATE EXTENSION vector");
    } catch (...) {
        end(SIGQUIT);
        throw;
    }
}

PostgresServer::~PostgresServer() {
    end(SIGQUIT);
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

std::string PostgresServer::dsn(const std::string& user, const std::string& database) const {
    return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user +
           " dbname=" + database + " sslmode=disable";
}

void PostgresServer::exec(const std::string& sql) const {
    PostgresClient{dsn()}.exec(sql);
}

Rows PostgresServer::query(const std::string& sql) const {
    return PostgresClient{dsn()}.query(sql);
}

std::string PostgresServer::value(const std::string& sql) const {
    return PostgresClient{dsn()}.value(sql);
}

void PostgresServer::configure(const std::string& setting) const {
    std::ofstream file{directory_ / "data" / "postgresql.conf", std::ios::app};
    file << setting << '\n';
}

void PostgresServer::start() {
    postmaster_ = spawn({binaries_ / "postgres", "-D", directory_ / "data"});
    const auto accepts = [&] {
        try {
            return PostgresClient{dsn()}.value("SELECT 1") == "1";
        } catch (const std::runtime_error&) {
            return false;
        }
    };
    if (!wait_until(accepts)) {
        throw std::runtime_error{"PostgreSQL does not start; see " + (directory_ / "log").string()};
    }
}

void PostgresServer::stop() {
    end(SIGINT);
}

void PostgresServer::stop_immediate() {
    end(SIGQUIT);
}

void PostgresServer::restart() {
    stop();
    start();
}

void PostgresServer::end(int signal) {
    if (postmaster_ < 0) {
        return;
    }
    kill(postmaster_, signal);
    while (waitpid(postmaster_, nullptr, 0) < 0 && errno == EINTR) {
    }
    postmaster_ = -1;
}

int PostgresServer::run(const std::vector<std::string>& arguments) const {
    int status = -1;
    const pid_t child = spawn(arguments);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

pid_t PostgresServer::spawn(const std::vector<std::string>& arguments) const {
    // Everything that allocates is done before the fork.
    const passwd* const user = server_user();
    const std::string log = directory_ / "log";
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) {
        throw std::runtime_error{"cannot fork"};
    }
    if (child > 0) {
        return child;
    }
    if (user != nullptr &&
        (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
        _exit(126);
    }
    // After setuid, which clears it. The parent may be gone already.
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (getppid() != parent || output < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
        chdir("/") != 0) {
        _exit(126);
    }
    execv(argv.front(), argv.data());
    _exit(127);
}

}  // namespace veer::tests
