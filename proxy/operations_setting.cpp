#include "config/keys.hpp"
#include "config/quantity.hpp"
#include "config/suggest.hpp"
#include "proxy/operations.hpp"
#include "router/compare/ignored.hpp"
#include "router/compare/recent.hpp"
#include "router/cutover/rules.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

// What operators say for a while (SET, RESET, IGNORE), what they ask of golden sets (TUNE), and the
// last searches one by one.

namespace veer::proxy {

namespace {

using Verb = admin::Command::Verb;

/// Tables of veer.toml whose keys may be SET: shares move by commands of their own, and who may
/// come in is not for a console to change.
constexpr std::array<std::string_view, 7> tables_set{
    "compare", "cutover", "gates", "guards", "limits", "log", "sync"};

std::int64_t wall_clock_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch()
    )
        .count();
}

std::string name_of(const config::Key& key) {
    return std::string(key.table) + '.' + std::string(key.name);
}

/// What is wrong with it as something that may be SET.
std::optional<admin::Failure> key_problem(const std::string& name) {
    const auto all = config::keys();
    const auto key = std::find_if(all.begin(), all.end(), [&name](const config::Key& each) {
        return name_of(each) == name;
    });
    if (key == all.end()) {
        std::vector<std::string> names;
        for (const config::Key& each : all) {
            names.push_back(name_of(each));
        }
        const std::vector<std::string_view> known(names.begin(), names.end());
        const auto meant = config::suggest(name, known);
        return admin::Failure{
            .sqlstate = "42704",
            .message = "there is no key \"" + name + "\"",
            .hint = meant ? "Did you mean " + std::string(*meant) + "?"
                          : "SHOW CONFIG lists what there is."};
    }
    if (std::find(tables_set.begin(), tables_set.end(), key->table) == tables_set.end()) {
        return admin::Failure{
            .sqlstate = "42501",
            .message = name + " is for veer.toml to say",
            .hint = "Shares are moved by ALTER ROUTE ... SET TRAFFIC; the rest by RELOAD."};
    }
    if (key->restart_required) {
        return admin::Failure{
            .sqlstate = "55P02",
            .message = name + " cannot be changed without a restart",
            .hint = "Write it into veer.toml; SHOW CONFIG says when it holds."};
    }
    return std::nullopt;
}

std::optional<std::uint64_t> shape_of(std::string_view digits) {
    constexpr std::size_t length = 16;
    constexpr int base = 16;
    std::uint64_t shape = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), shape, base);
    return digits.size() == length && error == std::errc{} && end == digits.data() + length
               ? std::optional(shape)
               : std::nullopt;
}

/// "2026-05-04", "2026-05-04T12:00:00Z", or from now: "72h".
std::optional<std::int64_t> moment_of(const std::string& text, std::int64_t now_us) {
    if (const auto lasting = config::parse_duration(text)) {
        return now_us + std::chrono::duration_cast<std::chrono::microseconds>(*lasting).count();
    }
    constexpr std::size_t date_length = 10;
    return router::compare::parse_time(text.size() == date_length ? text + "T00:00:00Z" : text);
}

}  // namespace

admin::Outcome ProcessOperations::set_key(
    const admin::Command& command, const admin::Actor& actor
) {
    if (auto problem = key_problem(command.key)) {
        return *std::move(problem);
    }
    const bool reset = command.verb == Verb::reset_key;
    const LiveConfig::Changes changes =
        reset ? parts_.config.reset(command.key) : parts_.config.set(command.key, command.value);
    if (changes.has_error()) {
        return admin::Failure{
            .sqlstate = "22023",
            .message = "nothing changed: " + changes.error(),
            .hint = "Values are written as in veer.toml: 0.2, true, '10s'."};
    }
    spdlog::warn(
        "{} {}{}{} by {} ({}, {})",
        reset ? "RESET" : "SET",
        command.key,
        reset ? "" : " = ",
        command.value,
        actor.name,
        actor.via,
        actor.peer
    );
    return rows_of(*changes);
}

admin::Outcome ProcessOperations::ignore(const admin::Command& command, const admin::Actor& actor) {
    const auto difference = router::compare::difference_from_text(command.difference);
    const auto shape = shape_of(command.fingerprint);
    if (!difference || !shape) {
        return admin::Failure{
            .sqlstate = "22023",
            .message = !difference ? "there is no class \"" + command.difference + "\""
                                   : "a fingerprint has 16 hexadecimal digits",
            .hint = "SHOW MISMATCHES has both."};
    }
    const std::int64_t now_us = wall_clock_us();
    std::string problem;
    if (command.verb == Verb::unignore) {
        problem = parts_.ignored.remove(*difference, *shape) ? "" : "nothing like that is ignored";
    } else if (const auto until = moment_of(command.until, now_us)) {
        problem = parts_.ignored.add(
            {.difference = *difference,
             .shape = *shape,
             .until_us = *until,
             .reason = command.reason,
             .by = actor.name},
            now_us
        );
    } else {
        problem = "UNTIL takes a day such as 2026-05-04, or a duration such as 72h";
    }
    if (!problem.empty()) {
        return admin::Failure{
            .sqlstate = "22023", .message = problem, .hint = "SHOW IGNORED lists what is."};
    }
    spdlog::warn(
        "{} CLASS {} ON {} by {} ({}, {}){}{}",
        to_string(command.verb),
        command.difference,
        command.fingerprint,
        actor.name,
        actor.via,
        actor.peer,
        command.reason.empty() ? "" : ", because ",
        command.reason
    );
    return std::vector<admin::Row>{
        {command.verb == Verb::ignore ? "not counted until " + command.until
                                      : std::string("counted again"),
         admin::Value{},
         std::string("SHOW IGNORED")}};
}

std::vector<admin::Row> rows_of(const std::vector<config::Change>& changes) {
    std::vector<admin::Row> rows;
    rows.reserve(changes.size());
    for (const config::Change& change : changes) {
        rows.push_back(
            {change.key,
             change.before,
             change.after,
             std::string(change.restart_required ? "restart" : "now")}
        );
    }
    return rows;
}

/// Marks the least ef that holds the recall, and says how it comes to hold.
void ProcessOperations::tune(
    const admin::Command& command, std::function<void(admin::Outcome)> done
) {
    const auto told = std::make_shared<std::function<void(admin::Outcome)>>(std::move(done));
    const double recall = command.recall;
    const bool taken = parts_.golden.tune(
        route_named(command.route),
        [told, recall](const compare::GoldenKeeper::Curve& curve) {
            if (curve.empty() || curve.front().searches == 0) {
                (*told)(admin::Failure{
                    .sqlstate = "55000",
                    .message = "there are no golden searches of it",
                    .hint = "SHOW GOLDEN lists what there is; comparisons bring them."});
                return;
            }
            const auto least = router::compare::least_ef(curve, recall);
            std::vector<admin::Row> rows;
            for (const router::compare::EfPoint& point : curve) {
                rows.push_back(
                    {static_cast<std::int64_t>(point.ef),
                     static_cast<std::int64_t>(point.searches),
                     point.recall(),
                     point.recall_at_least(),
                     point.milliseconds(),
                     least == point.ef
                         ? admin::Value("SET hnsw.ef_search = " + std::to_string(point.ef))
                         : admin::Value{}}
                );
            }
            (*told)(std::move(rows));
        }
    );
    if (!taken) {
        (*told)(admin::Failure{
            .sqlstate = "55000",
            .message = "another curve is waited for, or [compare] golden is 0",
            .hint = "Try again in a moment."});
    }
}

void ProcessOperations::add_receipts(admin::Snapshot& snapshot) const {
    const std::int64_t now_us = wall_clock_us();
    const auto steady = std::chrono::steady_clock::now().time_since_epoch();
    const auto now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(steady).count();
    constexpr double hundred = 100;
    for (router::Receipt& receipt : parts_.router.receipts().latest()) {
        snapshot.receipts.push_back(
            {.at = now_us - (now_ns - receipt.at_ns) / 1000,
             .route = std::move(receipt.route),
             .engine = std::move(receipt.engine),
             .reason = std::move(receipt.reason),
             .key = std::move(receipt.key),
             .role = std::move(receipt.role),
             .application = std::move(receipt.application),
             .fingerprint = router::cutover::shape_text(receipt.shape),
             .percent = receipt.percent,
             .bucket_percent = hundred * receipt.bucket,
             .ms = receipt.milliseconds,
             .sampled = receipt.sampled}
        );
    }
}

void ProcessOperations::add_ignored(admin::Snapshot& snapshot) const {
    for (const router::compare::Ignored::Rule& rule : parts_.ignored.rules(wall_clock_us())) {
        snapshot.ignored.push_back(
            {.difference = std::string(to_string(rule.difference)),
             .fingerprint = router::cutover::shape_text(rule.shape),
             .until = rule.until_us,
             .reason = rule.reason,
             .by = rule.by,
             .hits = rule.hits}
        );
    }
}

}  // namespace veer::proxy
