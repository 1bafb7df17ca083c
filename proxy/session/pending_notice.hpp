#pragma once

#include "proxy/wire/frame.hpp"

#include <string>

namespace veer::proxy::session {

/// What is to be said of a statement that Postgres answers, until that goes there.
///
///     search passed ──put──▶ [ NoticeResponse ] ──take──▶ its Expected: comes out before
///                                                         CommandComplete
///
/// One at a time: of a portal that is bound and not executed before the next, nothing is said.
class PendingNotice {
  public:
    /// `simple`: for the next Query, else for the Execute of `portal`. No bytes: nothing.
    void put(std::string bytes, bool simple, std::string portal) {
        bytes_ = std::move(bytes);
        simple_ = simple;
        portal_ = std::move(portal);
    }

    /// Its bytes, where this Query or Execute is the one; nothing else.
    std::string take(const wire::Frame& frame);

  private:
    std::string bytes_;
    bool simple_ = false;
    std::string portal_;
};

}  // namespace veer::proxy::session
