#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veer::config {

/// [cutover]: how traffic moves by command, by timed trial and by itself.
struct Cutover {
    std::vector<double> steps{1, 5, 25, 50, 100};  ///< rising, above 0, the last is 100
    std::chrono::milliseconds step_min{600'000};   ///< at each step, 0 to 24h
    bool automatic = false;                        ///< take the next step when the gates are open
    bool gated = true;  ///< a raise by command needs evidence; false: it is told, not refused
    std::chrono::milliseconds evidence_age_max{86'400'000};  ///< 1m to 720h
    /// Who may choose the index by setting or hint; empty: everybody.
    std::vector<std::string> hint_roles;

    friend bool operator==(const Cutover&, const Cutover&) = default;
};

/// [gates]: what has to be proven before more traffic goes to the index.
struct Gates {
    double recall_min = 0.98;      ///< of an exact judge, 0.5 to 0.999
    double confidence = 0.99;      ///< 0.9 to 0.9999
    double margin = 0.01;          ///< how far below pgvector's own recall it may be, 0.001 to 0.1
    double slow_share_max = 0.05;  ///< of searches slower than pgvector's p95, 0.01 to 0.5
    std::uint32_t compared_min = 200;  ///< 1 to 1000000
    double excluded_max = 0.05;        ///< of comparisons that prove nothing, 0 to 1

    friend bool operator==(const Gates&, const Gates&) = default;
};

/// [guards]: what takes traffic back.
struct Guards {
    double recall_floor = 0.95;    ///< 0.1 to 0.999, below [gates] recall_min
    double slow_share_max = 0.05;  ///< 0.01 to 0.9
    double fallback_max =
        0.005;  ///< of searches that the index began and Postgres ended, 0.0001 to 0.5
    std::chrono::milliseconds lag_max{1000};  ///< for lag_for, then Postgres answers
    std::chrono::milliseconds lag_for{2000};
    std::chrono::milliseconds lag_clear{250};  ///< below it for lag_clear_for: the index again
    std::chrono::milliseconds lag_clear_for{30'000};
    std::uint64_t wal_keep_max = 16ULL << 30U;    ///< then traffic goes back for good
    double memory_max = 0.95;                     ///< of what veer may use, 0.1 to 1
    std::chrono::milliseconds cooldown{900'000};  ///< after a rollback by a guard; doubles
    std::chrono::milliseconds cooldown_max{14'400'000};

    friend bool operator==(const Guards&, const Guards&) = default;
};

/// [[rule]]: what holds for some searches. An empty or absent condition matches everything.
struct Rule {
    std::uint32_t id = 0;  ///< rules are read in this order
    bool active = true;
    std::string route;  ///< "public.documents.embedding <=>"
    std::string role;
    std::string application;
    std::string database;
    std::string operator_name;  ///< "<=>": of every route with it
    std::string client;         ///< an address or a network of clients', "10.1.0.0/16"
    std::string shape;          ///< 16 hexadecimal digits, as veer shows shapes
    std::string tag;            ///< "name=value" of a sqlcommenter comment
    std::uint32_t k_min = 0;
    std::uint32_t k_max = 0;       ///< 0: no bound
    std::optional<bool> filtered;  ///< whether there is a WHERE
    bool pin_postgres = false;
    bool allow_veer = false;  ///< these searches may be forced to the index by setting or hint
    std::optional<double> max_percent;
    std::optional<double> sample;  ///< share of these searches that is compared
    std::string comment;

    friend bool operator==(const Rule&, const Rule&) = default;
};

}  // namespace veer::config
