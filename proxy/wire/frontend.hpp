#pragma once

#include "proxy/wire/frame.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veer::proxy::wire {

/// Messages of the client (manual 55.7, "F"). Views point into the frame.

struct Query {
    Bytes text;
};

struct Parse {
    Bytes statement;
    Bytes text;
    std::vector<std::uint32_t> parameter_types;  ///< 0: Postgres infers it
};

struct Bind {
    Bytes portal;
    Bytes statement;
    std::vector<std::int16_t> parameter_formats;  ///< none: text; one: for all; else one each
    std::vector<std::optional<Bytes>> parameters;
    std::vector<std::int16_t> result_formats;

    /// Format code of parameter `index` (0 text, 1 binary).
    std::int16_t parameter_format(std::size_t index) const;
};

/// Describe and Close: `kind` is 'S' for a statement, 'P' for a portal.
struct Target {
    char kind = 0;
    Bytes name;
};

struct Execute {
    Bytes portal;
    std::int32_t rows_max = 0;  ///< 0: all
};

/// Each is empty where the payload is not exactly such a message.
std::optional<Query> decode_query(Bytes payload);
std::optional<Parse> decode_parse(Bytes payload);
std::optional<Bind> decode_bind(Bytes payload);
std::optional<Target> decode_target(Bytes payload);
std::optional<Execute> decode_execute(Bytes payload);

/// The statement's name of a Bind, without reading the rest; empty too where there is none.
Bytes bound_statement(Bytes payload);

/// The portal's name of a Bind, likewise.
Bytes bound_portal(Bytes payload);

/// The statement's name of a Parse, likewise.
Bytes parsed_statement(Bytes payload);

/// True for the type bytes that Postgres accepts from a client after authentication.
bool is_frontend_type(char type);

void write_query(std::string& out, Bytes text);
void write_parse(
    std::string& out, Bytes statement, Bytes text, const std::vector<std::uint32_t>& types
);

/// Bind as the client sent it, but to another statement.
void write_bind(std::string& out, const Bind& bind, Bytes statement);

void write_execute(std::string& out, Bytes portal, std::int32_t rows_max);
void write_describe(std::string& out, char kind, Bytes name);
void write_close(std::string& out, char kind, Bytes name);
void write_flush(std::string& out);
void write_sync(std::string& out);

}  // namespace veer::proxy::wire
