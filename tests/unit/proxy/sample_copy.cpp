#include "tests/unit/proxy/sample_copy.hpp"

namespace veer::proxy::session {

namespace {

constexpr std::uint32_t int8_oid = 20;
constexpr std::uint32_t vector_oid = 16385;

storage::Table docs() {
    storage::Table table;
    table.oid = {4711};
    table.schema = "public";
    table.name = "docs";
    table.columns = {
        {.name = "id",
         .attnum = 1,
         .type_oid = int8_oid,
         .type_length = 8,
         .typmod = -1,
         .not_null = true},
        {.name = "e",
         .attnum = 2,
         .type_oid = vector_oid,
         .type_length = -1,
         .typmod = 2,
         .not_null = false}};
    table.key = {0};
    table.vectors = {1};
    table.indexes = {
        {.name = "docs_e",
         .method = "hnsw",
         .vector = 0,
         .operator_name = "<->",
         .operator_oid = 9}};
    table.fingerprint = "700,700,";
    return table;
}

storage::Row row(std::uint64_t id) {
    std::string bytes(8, '\0');
    bytes[7] = static_cast<char>(id);
    storage::Row made;
    storage::append_key_column(made.key, bytes);
    made.vectors.emplace_back(std::vector<float>{static_cast<float>(id), 0.0F});
    return made;
}

}  // namespace

void load_sample(index::Replica& replica) {
    replica.begin("app", {docs()});
    std::vector<storage::Row> rows;
    for (std::uint64_t id = 1; id <= 20; ++id) {
        rows.push_back(row(id));
    }
    replica.rows({4711}, rows);
    replica.ready({100});
    storage::sync::Status streaming;
    streaming.phase = storage::sync::Phase::streaming;
    streaming.timeline = 1;
    replica.status(streaming);
}

std::vector<std::string> sample_facts() {
    return {"700,700,", "t", "f", "t",      "t",    "t",  "f", "read committed", "on", "1",
            "40",       "",  "",  "public", "0",    "0",  "0", "0/64",           "me", "",
            "",         "",  "f", "",       "UTF8", "on", "f", "00000001"};
}

}  // namespace veer::proxy::session
