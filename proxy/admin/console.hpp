#pragma once

#include "proxy/admin/operations.hpp"
#include "proxy/admin/statement.hpp"
#include "proxy/wire/frontend.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace veer::proxy::admin {

enum class Role : std::uint8_t { reader, owner };

struct ConsoleOptions {
    Asker asker;
    Role role = Role::reader;
    std::uint32_t process_id = 0;  ///< of BackendKeyData; there is nothing that could be canceled
    std::string secret_key;        ///< 4 bytes
};

/// What the console needs before it can go on: a look at everything, or a command carried out.
using Question = std::variant<std::monostate, Command>;

/// One operator's dialogue with veer itself, after the login: bytes in, bytes out, as a server of
/// the protocol in manual 55.2.2 and 55.2.3.
///
///     client ──frames──▶ Console ──question──▶ Operations
///     client ◀─────────── answer ◀──on_snapshot(), on_outcome()──┘
///
/// Invariants:
/// 1. While waiting() client bytes are kept, not looked at, and no second question is asked.
/// 2. An answer is whole before its first byte leaves; a failure in a batch skips to its Sync.
/// 3. Statements, portals and kept bytes are bounded; what is over is an error or the end.
/// 4. A reader's command is refused here, whatever protocol it comes by.
class Console {
  public:
    explicit Console(ConsoleOptions options) : options_(std::move(options)) {}

    /// AuthenticationOk up to the first ReadyForQuery.
    std::string greeting() const;

    void on_client(wire::Bytes bytes, std::string& out);

    /// What has to be found out or done; once for each question.
    std::optional<Question> take_question();

    void on_snapshot(const Snapshot& snapshot, std::string& out);
    void on_outcome(const Outcome& outcome, std::string& out);

    bool waiting() const { return waiting_; }

    /// The client has said goodbye, or nothing that it says can be understood any more.
    bool over() const { return over_; }

    bool at_rest() const { return !waiting_ && transaction_ == 'I' && inbox_.empty(); }

  private:
    struct Prepared {
        Statement statement;
        std::vector<Column> columns;
        std::vector<std::uint32_t> parameter_oids;
    };

    struct Portal {
        std::shared_ptr<const Prepared> prepared;  ///< null: an empty statement
        std::vector<Value> parameters;
        std::vector<std::int16_t> formats;
        std::vector<Row> rows;
        std::size_t at = 0;  ///< of rows
        bool executed = false;
    };

    // console.cpp
    void process(std::string& out);
    void on_frame(const wire::Frame& frame, std::string& out);
    void on_query(wire::Bytes text, std::string& out);
    void run_queue(std::string& out);
    void run(Portal& portal, std::string& out);
    void run_transaction(const Transaction& transaction, std::string& out);
    std::optional<Failure> objection(const Statement& statement) const;
    void finish(std::vector<Row> rows, std::string& out);
    void deliver(Portal& portal, std::string& out);
    void fail(const Failure& failure, std::string& out);
    void ready(std::string& out);
    void end(const Failure& failure, std::string& out);

    // console_extended.cpp
    void on_parse(wire::Bytes payload, std::string& out);
    void on_bind(wire::Bytes payload, std::string& out);
    void on_describe(wire::Bytes payload, std::string& out);
    void on_execute(wire::Bytes payload, std::string& out);
    void on_close(wire::Bytes payload, std::string& out);
    std::optional<Failure> bind_parameters(
        const wire::Bind& bind, const Prepared& prepared, Portal& portal
    ) const;
    static Result<std::shared_ptr<const Prepared>> prepare(
        const std::string& text, const Asker& asker, const std::vector<std::uint32_t>& declared
    );

    ConsoleOptions options_;
    std::string inbox_;
    char transaction_ = 'I';
    bool waiting_ = false;
    bool over_ = false;
    bool skipping_ = false;  // to the Sync of a batch that failed
    std::optional<Question> question_;

    // the simple query that is being answered
    bool simple_ = false;
    std::deque<std::string> queue_;
    Portal simple_portal_;

    // the extended protocol
    std::map<std::string, std::shared_ptr<const Prepared>, std::less<>> statements_;
    std::map<std::string, Portal, std::less<>> portals_;
    std::string running_;  // the portal that waits for its rows
    std::int32_t rows_max_ = 0;
};

}  // namespace veer::proxy::admin
