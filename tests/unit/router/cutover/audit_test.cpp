#include "router/cutover/audit.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>

namespace veer::router::cutover {

namespace {

/// Stands in for SHA-256, which is given from outside.
std::string hash(std::string_view text) {
    return std::to_string(std::hash<std::string_view>()(text));
}

AuditRecord example(std::uint64_t seq, const std::string& previous) {
    Evidence evidence;
    evidence.compared = 1000;
    evidence.recall.add(100, 1000);
    evidence.advantage.add(51, 1000);
    evidence.in_time.add(100, 1000);
    evidence.last = Time(Duration(99'000));
    AuditRecord record;
    record.seq = seq;
    record.at = Time(Duration(100'000));
    record.actor = "al\"ice\n\\";
    record.via = "console";
    record.action = "promote";
    record.route = "public.documents.embedding <=>";
    record.revision = seq + 1;
    record.from = "canary 5";
    record.to = "canary 25";
    record.wanted = wanted_text(config::Gates(), std::chrono::hours(24));
    record.evidence = to_text(evidence);
    record.verdict = "pass";
    record.previous = previous;
    return record;
}

std::string file_of(std::size_t records) {
    std::string file;
    std::string previous;
    for (std::size_t i = 1; i <= records; ++i) {
        const std::string line = to_line(example(i, previous));
        previous = hash(line);
        file += line + '\n';
    }
    return file;
}

}  // namespace

TEST_CASE("a record reads back as it was written", "[cutover]") {
    const AuditRecord record = example(7, "abc");
    const auto read = audit_from_line(to_line(record));
    REQUIRE(read);
    CHECK(*read == record);
    CHECK(to_line(record).find('\n') == std::string::npos);
}

TEST_CASE("an untouched file verifies", "[cutover]") {
    const Verified verified = verify(file_of(5), hash);
    CHECK(verified.problem.empty());
    CHECK(verified.holds);
    CHECK(verified.records == 5);
    CHECK(verified.verdicts == 5);
    CHECK(verified.line == 0);
    CHECK(verify("", hash).holds);
}

TEST_CASE("a changed, missing, swapped or cut line is found", "[cutover]") {
    const std::string file = file_of(4);
    const std::size_t second = file.find('\n') + 1;
    const std::size_t third = file.find('\n', second) + 1;
    std::string changed = file;
    changed.replace(changed.find("canary 25", second), 9, "canary 99");
    CHECK(verify(changed, hash).line == 3);  // the line that no longer follows
    CHECK(verify(file.substr(0, second) + file.substr(third), hash).line == 2);
    CHECK(verify(file.substr(second), hash).line == 1);
    CHECK(verify(file.substr(0, file.size() - 1), hash).line == 4);
    CHECK(verify(file + "x\n", hash).line == 5);
}

TEST_CASE("lines cut off at the end are found by what the stored state knows", "[cutover]") {
    const std::string file = file_of(4);
    const std::size_t second = file.find('\n') + 1;
    const std::size_t third = file.find('\n', second) + 1;
    const std::string line = file.substr(second, third - 1 - second);
    const AuditHead head{.seq = 2, .hash = hash(line)};
    CHECK(verify(file, hash, head).holds);  // two lines that were written since
    CHECK(verify(file.substr(0, third), hash, head).holds);
    CHECK_FALSE(verify(file.substr(0, second), hash, head).holds);
    CHECK_FALSE(verify("", hash, head).holds);
    CHECK(verify("", hash, AuditHead{}).holds);
    const Verified other = verify(file, hash, AuditHead{.seq = 2, .hash = "another"});
    CHECK(other.line == 2);
    CHECK_FALSE(other.holds);
}

TEST_CASE("a verdict that its evidence does not give is found", "[cutover]") {
    AuditRecord record = example(1, "");
    record.verdict = "fail";
    CHECK(verify(to_line(record) + '\n', hash).problem == "its evidence gives the verdict pass");
    record.verdict = "pass";
    record.evidence = to_text(Evidence());
    CHECK(
        verify(to_line(record) + '\n', hash).problem ==
        "its evidence gives the verdict inconclusive"
    );
    record.evidence = "gibberish";
    CHECK(verify(to_line(record) + '\n', hash).problem == "its evidence cannot be read");
}

TEST_CASE("lines that are no records are refused", "[cutover]") {
    for (const char* line :
         {"", "{}", "null", "{\"seq\":1}", "{\"seq\":\"", "{\"a\":\"\\u00zz\"}"}) {
        CHECK_FALSE(audit_from_line(line));
    }
    std::string twice = to_line(example(1, ""));
    twice.insert(1, "\"seq\":1,");
    CHECK_FALSE(audit_from_line(twice));
}

}  // namespace veer::router::cutover
