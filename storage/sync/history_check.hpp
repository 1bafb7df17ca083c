#pragma once

#include "storage/error.hpp"
#include "storage/source/pgoutput.hpp"
#include "storage/store/sync_state.hpp"

namespace veer::storage::sync {

/// Proves, before anything is applied or served, that the upstream's log is the one that the copy
/// was following. A position proves nothing: a restored snapshot or a promoted standby soon has
/// another transaction at the same place.
///
///     stream starts at the landmark, the last transaction that the copy has:
///
///     landmark ───── nothing for us, as before ───── applied ─────▶
///     sent again,                                    reached: proven
///     the same xid and time
///
/// Anything else (another transaction, one in between, none) is another history: Errc::gone.
///
/// Only a transaction with a change of a published table can show anything. Others change no row of
/// the copy, and come or do not: the server tells of an empty one where it was large enough to be
/// sent in pieces, which depends on where it begins to read.
///
/// Where the slot is past the landmark, by veer's own word at a shutdown (History::confirmed), it
/// need not come again: a slot that knows that word has the log up to it.
class HistoryCheck {
  public:
    HistoryCheck(const store::History& history, Lsn applied, Lsn confirmed_flush);

    bool proven() const { return state_ == State::proven; }

    /// Takes the begin of a transaction with changes; returns whether it is new, and to be applied.
    Result<bool> take(const source::pgoutput::Begin& begin);

    /// Takes one without. The landmark of an earlier version of veer may be such a one.
    void take_empty(const source::pgoutput::Begin& begin);

    /// Takes a position up to which everything has come.
    Result<void> passed(Lsn position);

  private:
    enum class State { before_landmark, before_applied, proven };

    Error another_history(const std::string& what) const;

    store::Landmark landmark_;
    Lsn applied_;
    State state_;
};

}  // namespace veer::storage::sync
