#pragma once

#include "storage/lsn.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

namespace veer::index {

/// Who waits for which position. Not synchronised: Replica guards it, and runs what it hands out
/// outside its lock.
class Waiters {
  public:
    using Id = std::uint64_t;
    using Done = std::function<void()>;

    /// Ids begin at 1.
    Id add(storage::Lsn lsn, Done done);

    /// Forgets a waiter; one already told is fine.
    void cancel(Id id);

    /// Takes out those whose position is reached, in the order of their positions.
    std::vector<Done> reached(storage::Lsn applied);

    /// Takes out all.
    std::vector<Done> all();

  private:
    using ByLsn = std::multimap<storage::Lsn, std::pair<Id, Done>>;

    std::vector<Done> take(ByLsn::iterator end);

    ByLsn by_lsn_;
    std::unordered_map<Id, ByLsn::iterator> by_id_;
    Id last_ = 0;
};

}  // namespace veer::index
