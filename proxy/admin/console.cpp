#include "proxy/admin/console.hpp"

#include "proxy/admin/catalogue_probe.hpp"
#include "proxy/admin/console_messages.hpp"
#include "proxy/admin/evaluate.hpp"
#include "proxy/admin/lexer.hpp"
#include "proxy/wire/backend.hpp"

#include <algorithm>
#include <utility>

namespace veer::proxy::admin {

namespace {

/// Their answers to one query are written before the next is read.
constexpr std::size_t statements_of_query_max = 100;

/// Statements are short here; what is longer is no operator's.
constexpr std::size_t frame_bytes_max = std::size_t{256} * 1024;

std::string tag_of(const Statement& statement, std::size_t rows) {
    if (const auto* select = std::get_if<Select>(&statement.what);
        select != nullptr && select->shown) {
        return "SHOW";
    }
    if (const auto* set = std::get_if<SetSetting>(&statement.what)) {
        return set->tag;
    }
    if (const auto* command = std::get_if<Command>(&statement.what)) {
        return std::string(to_string(command->verb));
    }
    return "SELECT " + std::to_string(rows);
}

}  // namespace

std::string Console::greeting() const {
    return greeting_messages(options_.asker, options_.process_id, options_.secret_key);
}

void Console::on_client(wire::Bytes bytes, std::string& out) {
    inbox_ += bytes;
    process(out);
}

std::optional<Question> Console::take_question() {
    return std::exchange(question_, std::nullopt);
}

void Console::process(std::string& out) {
    std::size_t done = 0;
    wire::FrameHeader header;
    while (!waiting_ && !over_) {
        const wire::Bytes rest = wire::Bytes(inbox_).substr(done);
        const wire::FrameStatus status = wire::peek_header(rest, header);
        if (status == wire::FrameStatus::malformed ||
            (status == wire::FrameStatus::ok && header.whole_bytes > frame_bytes_max)) {
            end({.sqlstate = "08P01", .message = "invalid message length"}, out);
            break;
        }
        if (status == wire::FrameStatus::incomplete || rest.size() < header.whole_bytes) {
            break;
        }
        done += header.whole_bytes;
        on_frame(wire::frame_at(rest, header), out);
    }
    inbox_.erase(0, done);
}

void Console::on_frame(const wire::Frame& frame, std::string& out) {
    if (frame.type == 'X') {
        over_ = true;
    } else if (frame.type == 'S') {
        skipping_ = false;
        ready(out);
    } else if (skipping_) {
        return;
    } else if (frame.type == 'Q') {
        const auto query = wire::decode_query(frame.payload);
        if (query) {
            on_query(query->text, out);
        } else {
            end({.sqlstate = "08P01", .message = "invalid message format"}, out);
        }
    } else if (frame.type == 'P') {
        on_parse(frame.payload, out);
    } else if (frame.type == 'B') {
        on_bind(frame.payload, out);
    } else if (frame.type == 'D') {
        on_describe(frame.payload, out);
    } else if (frame.type == 'E') {
        on_execute(frame.payload, out);
    } else if (frame.type == 'C') {
        on_close(frame.payload, out);
    } else if (frame.type == 'F') {
        simple_ = true;
        fail({.sqlstate = "0A000", .message = "the console has no functions to call"}, out);
        ready(out);
    } else if (!wire::is_frontend_type(frame.type)) {
        end({.sqlstate = "08P01", .message = "invalid frontend message type"}, out);
    }
}

void Console::on_query(wire::Bytes text, std::string& out) {
    simple_ = true;
    const auto statements = split_statements(text);
    if (statements.has_error()) {
        fail(statements.error(), out);
    } else if (statements->size() > statements_of_query_max) {
        fail({.sqlstate = "54000", .message = "too many statements in one query"}, out);
    } else {
        queue_.assign(statements->begin(), statements->end());
        if (queue_.empty()) {
            write_empty_query(out);
        }
    }
    run_queue(out);
}

void Console::run_queue(std::string& out) {
    while (!queue_.empty()) {
        const std::string text = std::move(queue_.front());
        queue_.pop_front();
        auto prepared = prepare(text, options_.asker, {});
        if (prepared.has_error()) {
            fail(prepared.error(), out);
        } else if (!(*prepared)->parameter_oids.empty()) {
            fail({.sqlstate = "42P02", .message = "there is no parameter $1"}, out);
        } else {
            simple_portal_ = {};
            simple_portal_.prepared = *std::move(prepared);
            run(simple_portal_, out);
        }
        if (waiting_) {
            return;
        }
    }
    simple_portal_ = {};
    ready(out);
}

std::optional<Failure> Console::objection(const Statement& statement) const {
    const auto* const word = std::get_if<Transaction>(&statement.what);
    const bool ends = word != nullptr && (word->word == TransactionWord::commit ||
                                          word->word == TransactionWord::rollback);
    if (transaction_ == 'E' && !ends) {
        return Failure{
            .sqlstate = "25P02",
            .message =
                "current transaction is aborted, commands ignored until end of transaction "
                "block"};
    }
    const auto* const command = std::get_if<Command>(&statement.what);
    if (command == nullptr) {
        return std::nullopt;
    }
    const std::string name(to_string(command->verb));
    if (only_looks(*command)) {
        return std::nullopt;
    }
    if (options_.role == Role::reader) {
        return Failure{
            .sqlstate = "42501",
            .message = "user \"" + options_.asker.user + "\" may look but not run " + name,
            .hint =
                "[admin] users names who may; the socket in veer's data directory is for the "
                "user that veer runs as."};
    }
    if (transaction_ == 'T' && !goes_back(command->verb)) {
        return Failure{
            .sqlstate = "25001",
            .message = name + " cannot run inside a transaction block",
            .hint = "It takes effect at once, and no ROLLBACK takes it back: use autocommit."};
    }
    return std::nullopt;
}

void Console::run(Portal& portal, std::string& out) {
    const Statement& statement = portal.prepared->statement;
    if (const auto problem = objection(statement)) {
        fail(*problem, out);
    } else if (const auto* select = std::get_if<Select>(&statement.what)) {
        if (select->relation != nullptr) {
            question_ = Question{};
            waiting_ = true;
        } else {
            on_snapshot({}, out);
        }
    } else if (const auto* probe = std::get_if<Probe>(&statement.what)) {
        finish(probe_rows(probe->text, options_.asker), out);
    } else if (const auto* command = std::get_if<Command>(&statement.what)) {
        question_ = Question{*command};
        waiting_ = true;
    } else if (const auto* word = std::get_if<Transaction>(&statement.what)) {
        run_transaction(*word, out);
    } else {
        finish({}, out);
    }
}

void Console::run_transaction(const Transaction& transaction, std::string& out) {
    std::string tag = transaction.tag;
    if (transaction.word == TransactionWord::rollback && transaction_ == 'I') {
        fail(
            {.sqlstate = "25P01",
             .message = "there is no transaction in progress",
             .hint = "To take a route's traffic back, name it: ROLLBACK documents, or ROLLBACK "
                     "ALL; PANIC sends everything to Postgres."},
            out
        );
        return;
    }
    if (transaction.word == TransactionWord::begin) {
        transaction_ = 'T';
    } else if (transaction.word != TransactionWord::savepoint) {
        tag = transaction_ == 'E' ? "ROLLBACK" : tag;
        transaction_ = 'I';
    }
    wire::write_command_complete(out, tag);
}

void Console::on_snapshot(const Snapshot& snapshot, std::string& out) {
    const bool waited = std::exchange(waiting_, false);
    const Portal& portal = simple_ ? simple_portal_ : portals_[running_];
    const auto& select = std::get<Select>(portal.prepared->statement.what);
    auto rows = evaluate(select, snapshot, portal.parameters);
    if (rows.has_error()) {
        fail(rows.error(), out);
    } else {
        finish(*std::move(rows), out);
    }
    if (waited && simple_) {
        run_queue(out);
    }
    if (waited) {
        process(out);
    }
}

void Console::on_outcome(const Outcome& outcome, std::string& out) {
    waiting_ = false;
    if (outcome.has_error()) {
        fail(outcome.error(), out);
    } else {
        finish(*outcome, out);
    }
    if (simple_) {
        run_queue(out);
    }
    process(out);
}

void Console::finish(std::vector<Row> rows, std::string& out) {
    Portal& portal = simple_ ? simple_portal_ : portals_[running_];
    portal.rows = std::move(rows);
    portal.executed = true;
    if (simple_ && !portal.prepared->columns.empty()) {
        write_columns(out, portal.prepared->columns, {});
    }
    deliver(portal, out);
}

void Console::deliver(Portal& portal, std::string& out) {
    const std::size_t left = portal.rows.size() - portal.at;
    const std::size_t wanted =
        simple_ || rows_max_ <= 0 ? left : static_cast<std::size_t>(rows_max_);
    const std::size_t count = std::min(left, wanted);
    for (std::size_t i = 0; i < count; ++i) {
        write_row(out, portal.rows[portal.at++], portal.formats);
    }
    if (!simple_ && rows_max_ > 0 && count == wanted) {
        wire::write_portal_suspended(out);
    } else {
        wire::write_command_complete(out, tag_of(portal.prepared->statement, count));
    }
}

void Console::fail(const Failure& failure, std::string& out) {
    write_failure(out, "ERROR", failure);
    if (transaction_ == 'T') {
        transaction_ = 'E';
    }
    queue_.clear();
    skipping_ = !simple_;
}

void Console::ready(std::string& out) {
    simple_ = false;
    if (transaction_ == 'I') {
        portals_.clear();
    }
    wire::write_ready_for_query(out, transaction_);
}

void Console::end(const Failure& failure, std::string& out) {
    write_failure(out, "FATAL", failure);
    over_ = true;
}

}  // namespace veer::proxy::admin
