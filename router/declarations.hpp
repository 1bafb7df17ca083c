#pragma once

#include "router/complaint.hpp"
#include "router/declaration.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// What statements have declared so far, of one database.
///
/// Thread-safe. A change is stored before anybody sees it: what is told to a client survives.
///
/// Invariants:
/// 1. No two are of one route, no two collections have one name, no two indexes one name in one
///    schema.
/// 2. At most `most` of them.
class Declarations {
  public:
    static constexpr std::size_t most = 1000;

    using All = std::vector<Declaration>;

    /// Stores all of them; a sentence where that failed, and then what was stored before holds.
    using Save = std::function<std::string(const All&)>;

    Declarations(All known, std::string database, Save save);

    std::shared_ptr<const All> all() const;

    /// Changes with each change.
    std::uint64_t revision() const;

    /// Whose tables they are of.
    const std::string& database() const { return database_; }

    bool has_index(std::string_view name) const;

    /// A Complaint, and nothing has changed: it is there already, or cannot be stored.
    std::optional<Complaint> add(const Declaration& declaration);
    std::optional<Complaint> remove(const Declaration& declaration);

  private:
    std::optional<Complaint> replace(All wanted);

    const std::string database_;
    const Save save_;
    std::mutex changing_;  // held while a change is stored, so that others can look meanwhile
    mutable std::mutex mutex_;
    std::shared_ptr<const All> all_;  // under mutex_, as the next
    std::uint64_t revision_ = 1;
};

/// Why it cannot be added to the others.
std::optional<Complaint> collision(const Declaration& declaration, const Declarations::All& others);

}  // namespace veer::router
