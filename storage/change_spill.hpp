#pragma once

#include "storage/error.hpp"
#include "storage/row.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace veer::storage {

/// Where the changes of a transaction go that is too large for memory, until it ends.
///
///     add, add, add ─▶ seal()        durable, and read again from the first on, until removed
///          └──▶ gone with the object
class ChangeSpill {
  public:
    ChangeSpill() = default;
    ChangeSpill(const ChangeSpill&) = delete;
    ChangeSpill& operator=(const ChangeSpill&) = delete;
    virtual ~ChangeSpill() = default;

    /// `subxid` is the subtransaction's, or the transaction's own xid. Requires a change of one
    /// table.
    virtual Result<void> add(std::uint32_t subxid, const Change& change) = 0;

    /// Makes durable what was added; nothing more may come.
    virtual Result<void> seal() = 0;

    /// Changes added so far.
    virtual std::uint32_t count() const = 0;

    /// On disk, about.
    virtual std::uint64_t bytes() const = 0;
};

/// Makes an empty one for the transaction.
using OpenSpill = std::function<Result<std::shared_ptr<ChangeSpill>>(std::uint32_t xid)>;

}  // namespace veer::storage
