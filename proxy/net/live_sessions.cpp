#include "proxy/net/live_sessions.hpp"

#include <utility>

namespace veer::proxy::net {

void LiveSessions::add(
    const std::string& key, EventLoop& loop, const std::weak_ptr<Connection>& session
) {
    const std::scoped_lock lock(mutex_);
    entries_.insert_or_assign(
        key, Entry{.loop = &loop, .address = session.lock().get(), .session = session}
    );
}

void LiveSessions::remove(const std::string& key, const Connection& session) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.address == &session) {
        entries_.erase(found);
    }
}

bool LiveSessions::visit(std::string_view key, Visit visit) const {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        return false;
    }
    // Locked over there only: the last owner must let go of it on its own thread.
    found->second.loop->post([session = found->second.session, visit = std::move(visit)] {
        visit(session.lock().get());
    });
    return true;
}

}  // namespace veer::proxy::net
