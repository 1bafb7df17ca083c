#include "parser/known_names.hpp"

#include <algorithm>
#include <array>

namespace veer::parser {
namespace {

constexpr std::array total_functions{
    "age",
    "array_length",
    "array_position",
    "array_to_string",
    "array_upper",
    "btrim",
    "cardinality",
    "char_length",
    "character_length",
    "concat",
    "concat_ws",
    "cosine_distance",
    "current_database",
    "current_schema",
    "extract",
    "initcap",
    "inner_product",
    "isfinite",
    "jsonb_contains",
    "jsonb_exists",
    "jsonb_exists_all",
    "jsonb_exists_any",
    "jsonb_extract_path",
    "jsonb_extract_path_text",
    "jsonb_typeof",
    "json_extract_path",
    "json_extract_path_text",
    "json_typeof",
    "l1_distance",
    "l2_distance",
    "left",
    "length",
    "lower",
    "ltrim",
    "md5",
    "now",
    "octet_length",
    "position",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "starts_with",
    "statement_timestamp",
    "strpos",
    "to_jsonb",
    "transaction_timestamp",
    "upper",
    "vector_dims",
    "vector_negative_inner_product",
    "vector_norm"};

constexpr std::array distance_functions{
    "cosine_distance",
    "inner_product",
    "l1_distance",
    "l2_distance",
    "vector_negative_inner_product"};

constexpr std::array partial_functions{
    "abs",
    "binary_quantize",
    "ceil",
    "ceiling",
    "current_setting",
    "date_part",
    "date_trunc",
    "exp",
    "float4",
    "float8",
    "floor",
    "format",
    "int4",
    "int8",
    "json_array_length",
    "json_build_object",
    "jsonb_array_length",
    "jsonb_build_object",
    "jsonb_path_exists",
    "jsonb_path_match",
    "l2_norm",
    "l2_normalize",
    "ln",
    "log",
    "lpad",
    "mod",
    "numeric",
    "phraseto_tsquery",
    "plainto_tsquery",
    "power",
    "regexp_replace",
    "repeat",
    "round",
    "rpad",
    "sign",
    "similar_to_escape",
    "split_part",
    "sqrt",
    "substr",
    "substring",
    "subvector",
    "text",
    "timezone",
    "to_char",
    "to_date",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "trunc",
    "ts_headline",
    "ts_rank",
    "ts_rank_cd",
    "websearch_to_tsquery"};

constexpr std::array aggregates{
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "string_agg",
    "sum"};

constexpr std::array ranks{"dense_rank", "rank", "row_number"};
constexpr std::array windows{
    "cume_dist", "first_value", "lag", "last_value", "lead", "nth_value", "ntile", "percent_rank"};

constexpr std::array known_types{
    "bit",     "bool",      "bpchar",      "bytea",   "date",      "float4",    "float8",
    "halfvec", "inet",      "int2",        "int4",    "int8",      "interval",  "json",
    "jsonb",   "jsonpath",  "name",        "numeric", "regconfig", "sparsevec", "text",
    "time",    "timestamp", "timestamptz", "timetz",  "tsquery",   "tsvector",  "uuid",
    "varbit",  "varchar",   "vector"};

constexpr std::array texts{"bpchar", "name", "text", "varchar"};
constexpr std::array arithmetic{"+", "-", "*", "/", "%", "^", "|/", "||/", "@", "<<", ">>"};
constexpr std::array vector_types{"halfvec", "sparsevec", "vector"};

template <std::size_t Count>
bool contains(const std::array<const char*, Count>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_total_function(std::string_view name) {
    return contains(total_functions, name);
}

bool is_distance_function(std::string_view name) {
    return contains(distance_functions, name);
}

bool is_partial_function(std::string_view name) {
    return contains(partial_functions, name);
}

bool is_aggregate(std::string_view name) {
    return contains(aggregates, name);
}

bool is_rank(std::string_view name) {
    return contains(ranks, name);
}

bool is_window_function(std::string_view name) {
    return contains(windows, name);
}

bool is_known_type(std::string_view name) {
    return contains(known_types, name);
}

bool is_text_type(std::string_view name) {
    return contains(texts, name);
}

bool is_vector_type(std::string_view name) {
    return contains(vector_types, name);
}

bool is_arithmetic(std::string_view name) {
    return contains(arithmetic, name);
}

}  // namespace veer::parser
