#include "storage/sync/retry.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::sync;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds poll{2'000};

Retry::Life ended(Errc why, milliseconds streamed = milliseconds{0}) {
    Retry::Life life;
    life.ended = why;
    life.streamed = streamed;
    return life;
}

Retry::Life copied(milliseconds copying, milliseconds complete) {
    Retry::Life life = ended(Errc::gone, copying + complete);
    life.copying = copying;
    life.complete = complete;
    return life;
}

}  // namespace

TEST_CASE("A server that is away is asked less and less often", "[storage]") {
    Retry retry{poll};
    for (const int wait : {200, 400, 800, 1'600, 3'200, 6'400, 10'000, 10'000}) {
        CHECK(retry.after(ended(Errc::connection)) == milliseconds{wait});
    }
    CHECK(retry.after(ended(Errc::connection, seconds{10})) == milliseconds{200});
}

TEST_CASE("A stream that ends as soon as it has begun is no sign of health", "[storage]") {
    Retry retry{poll};
    const Retry::Life brief = ended(Errc::unexpected, milliseconds{100});
    for (const int wait : {200, 400, 800, 1'600}) {
        CHECK(retry.after(brief) == milliseconds{wait});
    }
    CHECK(retry.after(ended(Errc::unexpected, milliseconds{1'600})) == milliseconds{200});
}

TEST_CASE("A full disk is not retried at once, however long the stream was", "[storage]") {
    Retry retry{poll};
    CHECK(retry.after(ended(Errc::disk, hours{1})) == milliseconds{200});
    CHECK(retry.after(ended(Errc::disk, hours{1})) == milliseconds{400});
}

TEST_CASE("What a person has to mend is looked at again and again", "[storage]") {
    Retry retry{poll};
    for (int time = 0; time < 10; ++time) {
        CHECK(retry.after(ended(Errc::not_permitted)) == poll);
    }
}

TEST_CASE("A copy that lived as long as it took is made again at once", "[storage]") {
    Retry retry{poll};
    for (int time = 0; time < 3; ++time) {
        CHECK(retry.after(copied(seconds{60}, seconds{60})) == milliseconds{0});
    }
}

TEST_CASE("Copies that come to nothing follow each other less and less often", "[storage]") {
    Retry retry{poll};
    const Retry::Life interrupted = copied(seconds{60}, seconds{0});
    const Retry::Life brief = copied(seconds{60}, seconds{59});
    CHECK(retry.after(interrupted) == milliseconds{0});
    CHECK(retry.after(brief) == seconds{10});
    CHECK(retry.after(interrupted) == seconds{20});
    for (int time = 0; time < 10; ++time) {
        retry.after(brief);
    }
    CHECK(retry.after(interrupted) == hours{1});
    CHECK(retry.after(copied(seconds{60}, seconds{61})) == milliseconds{0});
    CHECK(retry.after(interrupted) == seconds{10});
}

TEST_CASE("A slot that held back too much WAL before its copy was whole waits", "[storage]") {
    Retry retry{poll};
    Retry::Life dropped = copied(seconds{60}, seconds{0});
    dropped.dropped = true;
    CHECK(retry.after(dropped) == seconds{10});
    CHECK(retry.after(dropped) == seconds{20});
    dropped.complete = seconds{60};
    CHECK(retry.after(dropped) == milliseconds{0});
}
