#pragma once

#include "proxy/net/event_loop.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace veer::proxy::net {

class Connection;

/// Which session of this process a CancelRequest is meant for: by process id and secret key, as
/// the server gave them to the client. Thread-safe; holds as many entries as there are sessions.
class LiveSessions {
  public:
    using Visit = std::function<void(Connection* session)>;

    /// `key` is the payload of BackendKeyData. A key that another server gave out as well belongs
    /// to the last session that has it.
    void add(const std::string& key, EventLoop& loop, const std::weak_ptr<Connection>& session);

    /// Only where it is this very session's.
    void remove(const std::string& key, const Connection& session);

    /// Calls `visit` on the session's own thread, with null where it has ended meanwhile. False,
    /// and no call, where nobody has the key.
    bool visit(std::string_view key, Visit visit) const;

  private:
    struct Entry {
        EventLoop* loop = nullptr;
        const Connection* address = nullptr;  // to compare; never followed
        std::weak_ptr<Connection> session;
    };

    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace veer::proxy::net
