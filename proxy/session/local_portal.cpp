#include "proxy/session/local_portal.hpp"

#include "proxy/wire/backend.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace veer::proxy::session {

LocalPortal::LocalPortal(LocalAnswer answer, std::shared_ptr<const PreparedStatement> statement)
    : answer_(std::move(answer)), statement_(std::move(statement)) {}

std::string LocalPortal::execute(std::int32_t rows_max) {
    const std::size_t wanted =
        rows_max > 0 ? static_cast<std::size_t>(rows_max) : answer_.row_count - returned_;
    const std::size_t from = at_;
    std::size_t count = 0;
    wire::FrameHeader header;
    while (count < wanted && returned_ < answer_.row_count) {
        wire::peek_header(wire::Bytes(answer_.rows).substr(at_), header);
        at_ += header.whole_bytes;
        ++returned_;
        ++count;
    }
    std::string messages = answer_.rows.substr(from, at_ - from);
    if (rows_max > 0 && count == wanted) {
        wire::write_portal_suspended(messages);
    } else {
        messages += std::exchange(answer_.notice, {}) + answer_.completion(count);
    }
    return messages;
}

LocalPortal* LocalPortals::find(std::string_view name) {
    const auto found = portals_.find(name);
    return found == portals_.end() ? nullptr : &found->second;
}

bool LocalPortals::has_named() const {
    return !portals_.empty() && !portals_.rbegin()->first.empty();
}

void LocalPortals::put(std::string_view name, LocalPortal portal) {
    portals_.insert_or_assign(std::string(name), std::move(portal));
}

void LocalPortals::erase(std::string_view name) {
    if (const auto found = portals_.find(name); found != portals_.end()) {
        portals_.erase(found);
    }
}

void LocalPortals::clear() {
    portals_.clear();
}

std::size_t LocalPortals::bytes() const {
    return std::accumulate(
        portals_.begin(),
        portals_.end(),
        std::size_t{0},
        [](std::size_t sum, const auto& named) { return sum + named.second.bytes(); }
    );
}

}  // namespace veer::proxy::session
