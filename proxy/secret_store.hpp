#pragma once

#include "config/config.hpp"
#include "proxy/net/security.hpp"
#include "storage/source/wake.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace veer::proxy {

/// Where clients' SCRAM secrets come from: the file of [auth], then its query, which runs on a
/// connection and a thread of its own, one at a time.
///
/// Invariants:
/// 1. Nothing of a client but its name, as a parameter, gets near the query; search_path is empty.
/// 2. No secret is kept of what the query answers: a password that has changed or run out counts at
///    once.
/// 3. Names and secrets are never logged.
class SecretStore {
  public:
    explicit SecretStore(std::string dsn);
    SecretStore(const SecretStore&) = delete;
    SecretStore& operator=(const SecretStore&) = delete;
    ~SecretStore();

    /// Reads what [auth] names. Empty where all is well, else a sentence, and nothing has changed.
    std::string configure(const config::Auth& auth);

    /// Is there anything to look up at all?
    bool configured() const;

    /// `done` is called once, here or on the thread of the query; not at all after stop().
    void look_up(const std::string& user, const net::Security::Done& done);

    void stop();

  private:
    struct Request {
        std::string user;
        net::Security::Done done;
    };

    std::optional<net::SecretAnswer> answer_at_once(
        const std::string& user, const net::Security::Done& done
    );
    void serve();

    std::string dsn_;
    storage::source::Wake wake_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, auth::ScramSecret, std::less<>> from_file_;  // under mutex_
    bool file_given_ = false;
    std::string query_;
    std::deque<Request> requests_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace veer::proxy
