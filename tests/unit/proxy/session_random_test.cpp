#include "tests/unit/proxy/session_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <random>

// Whatever either side sends, in whatever order and pieces: no crash, and nothing grows without
// end.

namespace veer::proxy::session {

namespace {

using F = SessionFixture;

class Chaos {
  public:
    explicit Chaos(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }

    std::string client_bytes() {
        const std::string search = "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3";
        const std::string star = "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 3";
        const std::string messages[] = {
            F::query(search),
            F::query("select 1"),
            F::query("show veer.last"),
            F::parse("", star),
            F::parse("s", star),
            F::parse("", "show veer.routes"),
            F::bind("", {"[7,0]"}),
            F::bind("s", {"[7,0]"}),
            F::bind("s", {"no vector"}),
            F::describe_portal(),
            F::execute(),
            F::execute(1),
            F::sync(),
            std::string("H\0\0\0\4", 5),
            std::string("c\0\0\0\4", 5),
            std::string("d\0\0\0\6xy", 7)};
        return spoilt(messages[below(std::size(messages))]);
    }

    std::string server_bytes() {
        const std::string messages[] = {
            std::string("1\0\0\0\4", 5),
            std::string("2\0\0\0\4", 5),
            std::string("3\0\0\0\4", 5),
            std::string("n\0\0\0\4", 5),
            std::string("s\0\0\0\4", 5),
            std::string("G\0\0\0\7\0\0\0", 8),
            F::data_row({"1"}),
            F::command_complete("SELECT 3"),
            F::command_complete("INSERT 0 1"),
            F::error("42P01"),
            F::ready('I'),
            F::ready('T'),
            F::ready('E')};
        return spoilt(messages[below(std::size(messages))]);
    }

  private:
    /// Once in a while a byte is wrong or the end is missing.
    std::string spoilt(std::string bytes) {
        if (below(200) == 0) {
            bytes[below(bytes.size())] = static_cast<char>(below(256));
        }
        if (below(200) == 0) {
            bytes.resize(below(bytes.size()));
        }
        return bytes;
    }

    std::minstd_rand random_;
};

/// A server that answers what it is asked about right keeps the session in step for longer.
void play(unsigned seed) {
    F f;
    Chaos chaos(seed);
    for (int step = 0; step < 300; ++step) {
        f.now.nanoseconds += 1'000'000;
        switch (chaos.below(8)) {
            case 0:
            case 1:
            case 2:
            case 3:
                f.client(chaos.client_bytes());
                break;
            case 4:
                f.answer_facts();
                break;
            case 5:
                f.waited();
                break;
            default:
                f.server(chaos.server_bytes());
                break;
        }
        f.out = {};
        REQUIRE(f.session.kept_bytes() < 1'000'000);
    }
    f.session.on_server_closed(f.out);
    REQUIRE(f.out.close);
}

}  // namespace

TEST_CASE("a session survives whatever both sides send", "[proxy]") {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        play(seed);
    }
}

}  // namespace veer::proxy::session
