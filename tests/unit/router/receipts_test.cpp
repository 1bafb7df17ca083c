#include "router/receipts.hpp"

#include <catch2/catch_test_macros.hpp>

namespace veer::router {

TEST_CASE("the last thousand searches are kept, latest first") {
    Receipts receipts;
    CHECK(receipts.latest().empty());
    for (std::size_t i = 0; i < Receipts::kept_max + 3; ++i) {
        Receipt receipt;
        receipt.at_ns = static_cast<std::int64_t>(i);
        receipts.add(receipt);
    }
    const auto latest = receipts.latest();
    REQUIRE(latest.size() == Receipts::kept_max);
    for (std::size_t i = 0; i < latest.size(); ++i) {
        CHECK(latest[i].at_ns == static_cast<std::int64_t>(Receipts::kept_max + 2 - i));
    }
}

TEST_CASE("a client's texts are cut") {
    Receipts receipts;
    Receipt receipt;
    receipt.key = std::string(100'000, 'k');
    receipt.application = "web";
    receipts.add(receipt);
    CHECK(receipts.latest().front().key.size() == Receipts::text_max);
    CHECK(receipts.latest().front().application == "web");
}

}  // namespace veer::router
