#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace veer::tests {

/// The real veer binary, run for a test: own data directory, own configuration file, any free port.
///
/// Invariants:
/// 1. The process dies with the object, and with the test if that dies first.
/// 2. Its log is kept in `directory()/log` and printed where start-up fails.
/// 3. It may wait long for the index to catch up, its stream may stand still for long, and searches
///    may be slow: how fast the machine is that a test runs on decides nothing. A test of these
///    says otherwise, with a freshness_wait, or a table [guards], of its own.
class VeerProcess {
  public:
    enum class Build : std::uint8_t {
        whole,
        faulty,  ///< its index can be broken, see faulty_index.cpp
    };

    /// Starts veer in `directory` (made where missing) with `toml` as its veer.toml. Throws where
    /// it does not come to listen within three minutes: a test cannot go on without it.
    VeerProcess(
        std::filesystem::path directory,
        const std::string& upstream,
        const std::string& toml,
        Build build = Build::whole
    );
    VeerProcess(const VeerProcess&) = delete;
    VeerProcess& operator=(const VeerProcess&) = delete;
    ~VeerProcess();

    int port() const { return port_; }

    /// "host=127.0.0.1 port=... " and what `rest` says.
    std::string dsn(const std::string& rest) const;

    /// Replaces veer.toml and sends SIGHUP. The caller waits for the effect.
    void reload(const std::string& toml);

    void signal(int number) const;

    /// From now on the index is broken like this; not at all where it is empty. Of Build::faulty.
    void set_fault(const std::string& fault) const;

    /// SIGTERM, or SIGKILL; returns the wait status.
    int stop(bool kill = false);

    std::string log() const;

    struct Said {
        int exit_code = -1;
        std::string output;
    };

    /// Runs one of veer's own commands for this veer's data directory, whether it runs or not.
    Said command(const std::string& words) const;

  private:
    void launch();
    void write_config(const std::string& toml) const;
    void await_port();

    std::filesystem::path directory_;
    std::string upstream_;
    Build build_;
    pid_t pid_ = -1;
    int port_ = 0;
};

}  // namespace veer::tests
