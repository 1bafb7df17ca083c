#include "storage/byte_reader.hpp"
#include "storage/sync/transaction_assembler.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <memory>

namespace veer::storage::sync {

namespace {

/// Counts what it is given, in the place of a disk.
class Shelf : public ChangeSpill {
  public:
    Result<void> add(std::uint32_t /*subxid*/, const Change& change) override {
        fuzz::require(
            !std::holds_alternative<Truncate>(change) ||
            std::get<Truncate>(change).tables.size() == 1
        );
        ++count_;
        return {};
    }

    Result<void> seal() override { return {}; }

    std::uint32_t count() const override { return count_; }

    std::uint64_t bytes() const override { return 64ULL * count_; }

  private:
    std::uint32_t count_ = 0;
};

bool is_followed(const Change& change) {
    if (const auto* const upsert = std::get_if<Upsert>(&change)) {
        return upsert->table == TableOid{100};
    }
    if (const auto* const removed = std::get_if<Delete>(&change)) {
        return removed->table == TableOid{100};
    }
    return std::get<Truncate>(change).tables == std::vector<TableOid>{{100}};
}

/// As the follower takes a message. False where the stream makes no sense: it is then given up.
bool take(TransactionAssembler& assembler, std::string_view message) {
    namespace pgoutput = source::pgoutput;
    const bool streaming = assembler.streaming();
    pgoutput::Streamed decoded;
    if (streaming) {
        auto streamed = pgoutput::decode_streamed(message);
        if (streamed.has_value()) {
            decoded = std::move(*streamed);
        } else {
            const auto owner = pgoutput::owner_of(message, true);
            if (owner.has_value()) {
                assembler.fail(*owner, "malformed");
            }
            return owner.has_value();
        }
    } else {
        auto plain = pgoutput::decode(message);
        if (!plain.has_value()) {
            const auto owner = pgoutput::owner_of(message);
            if (owner.has_value() && assembler.inside()) {
                assembler.fail(*owner, "malformed");
            }
            return owner.has_value() && assembler.inside();
        }
        decoded.message = std::move(*plain);
    }
    const auto transaction = assembler.take(decoded.message, decoded.xid);
    if (!transaction.has_value() || !transaction->has_value()) {
        return transaction.has_value();
    }
    const auto spilled = assembler.take_spilled();
    fuzz::require(!spilled.has_value() || (*transaction)->changes.empty());
    for (const Change& change : (*transaction)->changes) {
        fuzz::require(is_followed(change) && !assembler.failures().contains({100}));
    }
    assembler.redefine({tests::sample_table(100)});
    return true;
}

}  // namespace

}  // namespace veer::storage::sync

/// Any messages, each behind its length (two bytes): what they mean is bounded, of followed tables
/// only, and nothing of a table that has failed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer::storage;
    using namespace veer::storage::sync;
    TransactionAssembler assembler{
        {veer::tests::sample_table(100)},
        {.memory_max = 2'000, .disk_max = 1'500, .spilled_max = 2},
        [](std::uint32_t) -> Result<std::shared_ptr<ChangeSpill>> {
            return std::shared_ptr<ChangeSpill>{std::make_shared<Shelf>()};
        }};
    ByteReader in{veer::fuzz::as_text(data, size)};
    while (in.remaining() > 0 && !in.failed()) {
        const std::size_t length = in.be16();
        if (!take(assembler, in.bytes(length))) {
            break;
        }
    }
    return 0;
}
