#pragma once

#include "proxy/wire/frontend.hpp"
#include "tests/sim/model_sql.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::sim {

/// A Postgres backend as far as the protocol goes (manual 55.2, and postgres.c where that is
/// silent): statements, portals with row limits, explicit and implicit transactions, skipping to
/// Sync after an error, COPY, and output that stays in a buffer until Sync, Flush, an error or the
/// like.
///
/// Bytes in, messages out; the same messages always give the same answers.
class ModelServer {
  public:
    /// AuthenticationOk to the first ReadyForQuery.
    static std::string greeting();

    /// Bytes of the client, cut anyhow.
    void receive(std::string_view bytes);

    /// The messages that left the buffer since the last call.
    std::vector<std::string> take();

    /// The buffer overflows: what is in it leaves early.
    void overflow();

    /// How many of its messages a client may wait for: the others are still in the buffer, or would
    /// be, had it not overflowed.
    std::size_t due() const { return due_; }

    /// A client has said in a COPY what ends the connection; the model does not play that.
    bool cut_off() const { return cut_off_; }

    /// Statements that only veer can have sent.
    std::size_t facts_asked() const { return facts_asked_; }

    std::size_t rewritten() const { return rewritten_; }

  private:
    struct Portal {
        Sql sql;
        std::vector<std::int16_t> formats;
        std::optional<Vector> parameter;
        std::optional<std::vector<Row>> rows;  ///< once it has run
        std::size_t sent = 0;
        bool done = false;
    };

    void on_message(char type, std::string_view payload);
    void on_copy_data(char type);
    void on_query(std::string_view text);
    void on_parse(std::string_view payload);
    void on_bind(std::string_view payload);
    void on_describe(std::string_view payload);
    void on_execute(std::string_view payload);
    void on_close(std::string_view payload);
    void on_function_call();
    void on_sync();

    bool run(Portal& portal, std::size_t rows_max);
    bool run_select(Portal& portal, std::size_t rows_max);
    void run_transaction(Verb verb);
    void copy_out();
    bool refuses(const Sql& sql) const;

    void send(std::string message);
    void send_tag(std::string_view tag);
    void send_columns(const Sql& sql, const std::vector<std::int16_t>& formats);
    void send_ready();
    void fail(std::string_view sqlstate);
    void flush();
    void empty_buffer();
    void end_transaction();
    void end_implicit();

    std::string inbox_;
    std::vector<std::string> buffer_;
    std::vector<std::string> sent_;
    std::map<std::string, Sql, std::less<>> statements_;
    std::map<std::string, Portal, std::less<>> portals_;
    char block_ = 'I';
    bool wrote_ = false;
    bool skipping_ = false;
    bool extended_ = false;  ///< the message at hand is of the extended protocol
    bool copying_ = false;
    bool cut_off_ = false;
    std::size_t copied_ = 0;
    std::size_t made_ = 0;
    std::size_t due_ = 0;
    std::size_t facts_asked_ = 0;
    std::size_t rewritten_ = 0;
};

}  // namespace veer::sim
