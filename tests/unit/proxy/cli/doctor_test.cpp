#include "proxy/doctor.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace veer::proxy;

namespace {

/// A server that lacks nothing, with one table.
DoctorFacts healthy() {
    DoctorFacts facts;
    facts.server.role = "app";
    facts.server.database = "shop";
    facts.server.version = 150'020;
    facts.server.version_text = "15.20";
    facts.server.pgvector = "0.8.0";
    facts.server.pgvector_schema = "public";
    facts.server.pgvector_available = "0.8.0";
    facts.server.wal_level = "logical";
    facts.server.may_replicate = true;
    facts.server.may_create = true;
    facts.server.slots_max = 10;
    facts.server.senders_max = 10;
    facts.server.slot_keep_mb = 1024;
    facts.columns = {
        {.table = "public.documents",
         .column = "embedding",
         .type = "vector(3)",
         .rows = 50,
         .indexes = "documents_embedding_idx (hnsw)"}};
    return facts;
}

/// The codes of what is not good, in order.
std::vector<std::string> codes(const DoctorFacts& facts) {
    std::vector<std::string> found;
    for (const Finding& finding : examine(facts)) {
        if (finding.mark != Mark::good) {
            found.push_back(finding.code);
        }
    }
    return found;
}

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("a server that lacks nothing") {
    CHECK(codes(healthy()).empty());
    CHECK_FALSE(has_problem(examine(healthy())));
}

TEST_CASE("each lack has its code") {
    DoctorFacts facts = healthy();
    facts.server.wal_level = "replica";
    CHECK(codes(facts) == Codes{"VD001"});
    CHECK(
        to_sql(examine(facts)).find("ALTER SYSTEM SET wal_level = 'logical'") != std::string::npos
    );
    facts.server.has_rds_replication = true;
    CHECK(to_sql(examine(facts)).find("rds.logical_replication") != std::string::npos);
    facts = healthy();
    facts.server.may_replicate = false;
    facts.server.may_create = false;
    facts.server.role = "o\"brien";
    CHECK(codes(facts) == Codes{"VD003", "VD004"});
    CHECK(
        to_sql(examine(facts)).find("ALTER ROLE \"o\"\"brien\" REPLICATION;") != std::string::npos
    );
    facts = healthy();
    facts.server.version = 140'000;
    CHECK(codes(facts) == Codes{"VD010"});
    facts = healthy();
    facts.server.in_recovery = true;
    CHECK(codes(facts) == Codes{"VD011"});
    facts.server.version = 160'000;
    CHECK(codes(facts).empty());
    facts = healthy();
    facts.server.same_backend = false;
    facts.server.pgvector.clear();
    CHECK(codes(facts) == Codes{"VD012", "VD013"});
    facts = healthy();
    facts.server.slots_used = 10;
    facts.server.slot_keep_mb = -1;
    facts.server.oldest_transaction_s = 3600;
    CHECK(codes(facts) == Codes{"VD006", "VD005", "VD008"});
}

TEST_CASE("tables that stay on Postgres, and why") {
    DoctorFacts facts = healthy();
    facts.columns[0].row_security = true;
    CHECK(codes(facts) == Codes{"VD040"});
    CHECK_FALSE(has_problem(examine(facts)));
    facts = healthy();
    facts.columns[0].has_key = false;
    CHECK(codes(facts) == Codes{"VD022"});
    facts = healthy();
    facts.columns[0].indexes.clear();
    CHECK(codes(facts) == Codes{"VD031"});
    facts = healthy();
    facts.columns[0].owned = false;
    CHECK(codes(facts) == Codes{"VD023"});
    facts = healthy();
    facts.catalogue.refused = {{.name = "public.documents", .reason = "it is partitioned"}};
    CHECK(codes(facts) == Codes{"VD030"});
    facts.columns.clear();
    CHECK(codes(facts) == Codes{"VD020"});
}

TEST_CASE("as text and JSON") {
    DoctorFacts facts = healthy();
    facts.server.may_replicate = false;
    const auto findings = examine(facts);
    CHECK(
        to_text(findings, true).find("✘ role app lacks REPLICATION  [VD003]") != std::string::npos
    );
    CHECK(to_text(findings, false).find("NO role app lacks REPLICATION") != std::string::npos);
    CHECK(to_json(findings).starts_with(
        R"({"ok":false,"reason":"1 problems","next_steps":["ALTER ROLE)"
    ));
    CHECK(to_json(examine(healthy())).starts_with(R"({"ok":true,)"));
}
