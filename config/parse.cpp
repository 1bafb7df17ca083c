#include "config/parse.hpp"

#include "config/keys.hpp"
#include "config/suggest.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <vector>

// toml++ 3.3 takes for granted that a name follows "[[": "[[[" aborts a debug build and is
// undefined behaviour in a release. What comes right after the assumption reports it properly, so
// drop it.
// clang-format off
#define TOML_EXCEPTIONS 0   // NOLINT(readability-identifier-naming)
#define TOML_HEADER_ONLY 1  // NOLINT(readability-identifier-naming)
#include <toml++/impl/preprocessor.h>
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expr) static_assert(true)  // NOLINT(readability-identifier-naming)
#include <toml++/toml.h>

// clang-format on

namespace veer::config {
namespace {

constexpr std::size_t file_bytes_max = 1ULL << 20U;
constexpr std::string_view route_table = "route";
constexpr std::string_view rule_table = "rule";

Value to_list(const toml::array& array) {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const toml::node& node : array) {
        if (const auto* text = node.as_string()) {
            texts.push_back(text->get());
        } else if (const auto number = node.value<double>()) {
            numbers.push_back(*number);
        }
    }
    if (numbers.size() == array.size()) {
        return numbers;
    }
    return texts.size() == array.size() ? Value(texts) : Value();
}

Value to_value(const toml::node& node) {
    if (const auto* array = node.as_array()) {
        return to_list(*array);
    }
    if (const auto* text = node.as_string()) {
        return text->get();
    }
    if (const auto* integer = node.as_integer()) {
        return integer->get();
    }
    if (const auto* number = node.as_floating_point()) {
        return number->get();
    }
    if (const auto* truth = node.as_boolean()) {
        return truth->get();
    }
    return std::monostate{};
}

std::vector<std::string_view> table_names() {
    std::vector<std::string_view> names;
    for (const Key& key : keys()) {
        if (names.empty() || names.back() != key.table) {
            names.push_back(key.table);
        }
    }
    names.push_back(route_table);
    names.push_back(rule_table);
    return names;
}

std::vector<std::string_view> key_names(std::string_view table) {
    std::vector<std::string_view> names;
    for (const Key& key : keys()) {
        if (key.table == table) {
            names.push_back(key.name);
        }
    }
    return names;
}

std::vector<std::string_view> route_key_names() {
    std::vector<std::string_view> names;
    for (const RouteKey& key : route_keys()) {
        names.push_back(key.name);
    }
    return names;
}

std::vector<std::string_view> rule_key_names() {
    std::vector<std::string_view> names;
    for (const RuleKey& key : rule_keys()) {
        names.push_back(key.name);
    }
    return names;
}

std::string join(std::span<const std::string_view> names) {
    std::string list;
    for (const std::string_view name : names) {
        list += list.empty() ? "" : ", ";
        list += name;
    }
    return list;
}

/// Walks the parsed file once and notes every problem, so that the first by line can be told.
class Reader {
  public:
    explicit Reader(std::string_view file_name) : file_(file_name) {}

    Result<Config> read(const toml::table& root);

  private:
    void read_table(std::string_view name, const toml::table& table);
    void check_tls(const toml::table& root);
    void check_cutover(const toml::table& root);
    void read_rule(const toml::table& table);
    void read_tables(const toml::table& root, std::string_view name);
    void read_route(const toml::table& table);
    void note(const toml::source_region& where, std::string message);
    void note_unknown(
        const toml::key& key, std::string_view what, std::span<const std::string_view> known
    );
    void note_not_allowed(std::string_view name, std::string_view allowed, const toml::node& node);

    std::string file_;
    Config config_;
    std::vector<Error> problems_;
};

void Reader::note(const toml::source_region& where, std::string message) {
    problems_.push_back({file_, where.begin.line, where.begin.column, std::move(message)});
}

void Reader::note_unknown(
    const toml::key& key, std::string_view what, std::span<const std::string_view> known
) {
    std::string message = "unknown " + std::string(what) + " \"" + std::string(key.str()) + "\"";
    if (const std::optional<std::string_view> meant = suggest(key.str(), known)) {
        message += ": did you mean \"" + std::string(*meant) + "\"?";
    } else {
        message += ": known are " + join(known);
    }
    note(key.source(), std::move(message));
}

void Reader::note_not_allowed(
    std::string_view name, std::string_view allowed, const toml::node& node
) {
    note(
        node.source(),
        std::string(name) + " must be " + std::string(allowed) + ", not " +
            to_string(to_value(node))
    );
}

void Reader::read_table(std::string_view name, const toml::table& table) {
    const std::span<const Key> known = keys();
    for (const auto& [key, node] : table) {
        const auto found = std::find_if(known.begin(), known.end(), [&, &k = key](const Key& each) {
            return each.table == name && each.name == k.str();
        });
        if (found == known.end()) {
            note_unknown(key, "key", key_names(name));
        } else if (!found->set(config_, to_value(node))) {
            note_not_allowed(
                std::string(name) + '.' + std::string(key.str()), found->allowed, node
            );
        }
    }
}

void Reader::read_route(const toml::table& table) {
    Route route{
        .column = {},
        .operator_name = {},
        .percent = config_.defaults.percent,
        .salt = config_.defaults.salt,
        .compare_rate = config_.compare.rate,
        .sticky_by = config_.defaults.sticky_by,
        .columns = config_.defaults.columns,
        .freshness = config_.defaults.freshness,
        .engine = {},
        .engine_operator = {},
        .engine_function = {}};
    const std::size_t problems_before = problems_.size();
    bool misspelt = false;  // then a required key that is missing was probably meant
    const std::span<const RouteKey> known = route_keys();
    for (const auto& [key, node] : table) {
        const auto found =
            std::find_if(known.begin(), known.end(), [&k = key](const RouteKey& each) {
                return each.name == k.str();
            });
        if (found == known.end()) {
            note_unknown(key, "key", route_key_names());
            misspelt = true;
        } else if (!found->set(route, to_value(node))) {
            note_not_allowed("route." + std::string(key.str()), found->allowed, node);
        }
    }
    for (const RouteKey& key : known) {
        if (!misspelt && key.required && !table.contains(key.name)) {
            note(
                table.source(),
                "a [[route]] needs " + std::string(key.name) + ", " + std::string(key.allowed)
            );
        }
    }
    if (problems_.size() != problems_before) {
        return;
    }
    const bool twice =
        std::any_of(config_.routes.begin(), config_.routes.end(), [&route](const Route& each) {
            return each.column == route.column && each.legacy == route.legacy &&
                   each.operator_name == route.operator_name;
        });
    if (route.is_declared() && (route.operator_name == "<~>" || route.operator_name == "<%>")) {
        note(table.source(), "dimensions and legacy are for <->, <=>, <#> and <+>");
        return;
    }
    if (twice) {
        note(table.source(), "a second [[route]] for " + route_name(route) + "; one is allowed");
        return;
    }
    if (const std::string problem = engine_problem(route); !problem.empty()) {
        note(table.source(), "[[route]] " + route_name(route) + ": " + problem);
        return;
    }
    config_.routes.push_back(std::move(route));
}

void Reader::read_rule(const toml::table& table) {
    Rule rule;
    const std::size_t problems_before = problems_.size();
    const std::span<const RuleKey> known = rule_keys();
    for (const auto& [key, node] : table) {
        const auto found =
            std::find_if(known.begin(), known.end(), [&k = key](const RuleKey& each) {
                return each.name == k.str();
            });
        if (found == known.end()) {
            note_unknown(key, "key", rule_key_names());
        } else if (!found->set(rule, to_value(node))) {
            note_not_allowed("rule." + std::string(key.str()), found->allowed, node);
        }
    }
    if (problems_.size() != problems_before) {
        return;
    }
    const bool twice =
        std::any_of(config_.rules.begin(), config_.rules.end(), [&rule](const Rule& each) {
            return each.id == rule.id;
        });
    const bool silent = !rule.pin_postgres && !rule.allow_veer && !rule.max_percent && !rule.sample;
    if (rule.id == 0 || twice) {
        note(table.source(), "a [[rule]] needs an id of its own, an integer from 1 to 1000000");
    } else if (silent) {
        note(table.source(), "a [[rule]] needs pin, allow, max_percent or sample");
    } else {
        config_.rules.push_back(std::move(rule));
    }
}

/// [[route]] or [[rule]].
void Reader::read_tables(const toml::table& root, std::string_view name) {
    const toml::node* const nodes = root.get(name);
    const toml::array* const array = nodes == nullptr ? nullptr : nodes->as_array();
    std::string wrong(name);
    wrong.append(" must be written as [[").append(name).append("]]");
    if (nodes != nullptr && array == nullptr) {
        note(nodes->source(), wrong + ", with two brackets");
    }
    if (array == nullptr) {
        return;
    }
    for (const toml::node& node : *array) {
        const toml::table* const table = node.as_table();
        if (table == nullptr) {
            note(node.source(), wrong + " tables");
        } else if (name == route_table) {
            read_route(*table);
        } else {
            read_rule(*table);
        }
    }
}

void Reader::check_cutover(const toml::table& root) {
    if (!problems_.empty()) {
        return;
    }
    const Guards& guards = config_.guards;
    const toml::node* const node =
        root.get("guards") != nullptr ? root.get("guards") : root.get("gates");
    if (node == nullptr) {
        return;
    }
    if (guards.recall_floor >= config_.gates.recall_min) {
        note(node->source(), "[guards] recall_floor must be below [gates] recall_min");
    } else if (guards.lag_clear >= guards.lag_max) {
        note(node->source(), "[guards] lag_clear must be below lag_max");
    } else if (guards.cooldown > guards.cooldown_max) {
        note(node->source(), "[guards] cooldown must not be above cooldown_max");
    }
}

/// What no key can tell by itself.
void Reader::check_tls(const toml::table& root) {
    const toml::node* const node = root.get("tls");
    const Tls& tls = config_.tls;
    const TlsMode mode = tls.effective_mode();
    if (node == nullptr || !problems_.empty()) {
        return;
    }
    if (tls.cert.empty() != tls.key.empty()) {
        note(node->source(), "[tls] needs both cert and key, or neither");
    } else if (mode != TlsMode::disable && tls.cert.empty()) {
        note(node->source(), "[tls] needs cert and key with this mode");
    } else if ((mode == TlsMode::verify_ca || mode == TlsMode::verify_full) && tls.ca.empty()) {
        note(node->source(), "[tls] needs ca, who may sign client certificates, with this mode");
    }
}

Result<Config> Reader::read(const toml::table& root) {
    const std::vector<std::string_view> tables = table_names();
    for (const auto& [key, node] : root) {
        if (key.str() == route_table || key.str() == rule_table) {
            continue;  // after [defaults] and [compare], which routes fall back to
        }
        if (std::find(tables.begin(), tables.end(), key.str()) == tables.end()) {
            note_unknown(key, "table", tables);
        } else if (const toml::table* table = node.as_table()) {
            read_table(key.str(), *table);
        } else {
            note(
                node.source(),
                std::string(key.str()) + " must be a table, [" + std::string(key.str()) + "]"
            );
        }
    }
    read_tables(root, route_table);
    read_tables(root, rule_table);
    check_cutover(root);
    check_tls(root);
    if (problems_.empty()) {
        return std::move(config_);
    }
    const auto first = std::min_element(
        problems_.begin(),
        problems_.end(),
        [](const Error& left, const Error& right) {
            return std::pair(left.line, left.column) < std::pair(right.line, right.column);
        }
    );
    if (problems_.size() > 1) {
        first->message += " (and " + std::to_string(problems_.size() - 1) + " more)";
    }
    return *first;
}

/// Puts it into the parsed file. False where its value is none of TOML's.
bool put(const Override& wanted, toml::table& root) {
    const std::size_t dot = wanted.key.find('.');
    const std::string table_name = wanted.key.substr(0, dot);
    const std::string name = dot == std::string::npos ? "" : wanted.key.substr(dot + 1);
    const toml::parse_result parsed = toml::parse("value = " + wanted.value);
    if (!parsed || parsed.table().size() != 1 || name.empty()) {
        return false;
    }
    if (root.get(table_name) == nullptr) {
        root.insert(table_name, toml::table{});
    }
    if (toml::table* const table = root.get(table_name)->as_table()) {
        parsed.table().get("value")->visit([&](const auto& value) {
            table->insert_or_assign(name, value);
        });
    }
    return true;
}

}  // namespace

std::string to_string(const Error& error) {
    std::string text = error.file;
    if (error.line != 0) {
        text += ':' + std::to_string(error.line);
    }
    return text + ": " + error.message;
}

Result<Config> parse(
    std::string_view text, std::string_view file_name, std::span<const Override> overrides
) {
    toml::parse_result parsed = toml::parse(text, file_name);
    if (!parsed) {
        const toml::parse_error& problem = parsed.error();
        const toml::source_position begin = problem.source().begin;
        return Error{
            std::string(file_name),
            begin.line,
            begin.column,
            "not TOML: " + std::string(problem.description())};
    }
    for (const Override& each : overrides) {
        if (!put(each, parsed.table())) {
            return Error{
                "SET", 0, 0, each.key + ": " + each.value + " is no value, such as 5 or '10s'"};
        }
    }
    return Reader(file_name).read(parsed.table());
}

Result<Config> load(const std::filesystem::path& path, std::span<const Override> overrides) {
    const auto fail = [&path](const std::string& message) -> Result<Config> {
        return Error{path.string(), 0, 0, message};
    };
    std::error_code problem;
    const std::filesystem::file_status status = std::filesystem::status(path, problem);
    if (status.type() == std::filesystem::file_type::not_found) {
        return fail("no such configuration file");
    }
    if (std::filesystem::is_directory(status)) {
        return fail("a directory, not a configuration file");
    }
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        return fail("the configuration file cannot be read (is it allowed to this user?)");
    }
    std::string text(file_bytes_max + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (stream.bad()) {
        return fail("the configuration file cannot be read to its end");
    }
    if (text.size() > file_bytes_max) {
        return fail("longer than 1 MiB, which is more than a configuration file may have");
    }
    return parse(text, path.string(), overrides);
}

}  // namespace veer::config
