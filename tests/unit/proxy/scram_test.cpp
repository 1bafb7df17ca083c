#include "proxy/auth/scram_client.hpp"
#include "proxy/auth/scram_server.hpp"
#include "tests/unit/proxy/scram_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

namespace veer::proxy::auth {

namespace {

// RFC 7677, section 3.
const std::string salt = *from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
const std::string client_nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string client_first = "n,,n=user,r=" + client_nonce;
const std::string server_first =
    "r=" + client_nonce + server_nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string client_final =
    "c=biws,r=" + client_nonce + server_nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const std::string server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const Derived& pencil() {
    static const Derived derived = derive("pencil", salt, 4096);
    return derived;
}

ScramServer server(const std::string& binding = {}) {
    return ScramServer({.channel_binding = binding, .nonce = server_nonce});
}

ScramClient client(const std::string& binding = {}) {
    return {
        {.channel_binding = binding, .nonce = client_nonce, .user = "user"},
        pencil().secret,
        pencil().client_key};
}

std::string text(const ScramServer::Reply& reply) {
    if (const auto* problem = std::get_if<ScramProblem>(&reply)) {
        return problem->sqlstate + ' ' + problem->message;
    }
    return std::get<std::string>(reply);
}

std::string first(ScramServer&& machine, std::string_view mechanism, std::string_view message) {
    return text(machine.on_first(mechanism, message, pencil().secret, false));
}

std::string final_after(
    std::string_view begin, std::string_view message, const std::string& binding = {}
) {
    ScramServer machine = server(binding);
    const bool plus = begin.starts_with("p=");
    machine.on_first(plus ? scram_plus : scram_plain, begin, pencil().secret, false);
    return text(machine.on_final(message));
}

}  // namespace

TEST_CASE("ScramServer holds the dialogue of RFC 7677 and learns the client's key", "[proxy]") {
    ScramServer machine = server();
    CHECK(
        text(machine.on_first(scram_plain, client_first, pencil().secret, false)) == server_first
    );
    CHECK(text(machine.on_final(client_final)) == server_final);
    CHECK(machine.take_client_key() == pencil().client_key);
}

TEST_CASE("ScramClient holds the dialogue of RFC 7677", "[proxy]") {
    ScramClient machine = client();
    CHECK(machine.mechanism() == scram_plain);
    CHECK(machine.first() == client_first);
    CHECK(std::get<std::string>(machine.on_challenge(server_first)) == client_final);
    CHECK_FALSE(machine.on_final(server_final).has_value());
    CHECK(
        machine.on_final("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=") ==
        ScramClient::Failure::not_this_server
    );
    CHECK(machine.on_final("e=other-error") == ScramClient::Failure::malformed);
}

TEST_CASE("The key that the server learns logs the client in elsewhere, bound or not", "[proxy]") {
    for (const std::string binding : {"", "hash of a certificate"}) {
        ScramServer near = server(binding);
        ScramClient user = client(binding);
        const auto challenge =
            near.on_first(user.mechanism(), user.first(), pencil().secret, false);
        const auto proof = user.on_challenge(std::get<std::string>(challenge));
        const auto verdict = near.on_final(std::get<std::string>(proof));
        REQUIRE(std::holds_alternative<std::string>(verdict));
        CHECK_FALSE(user.on_final(std::get<std::string>(verdict)).has_value());

        ScramServer far({.channel_binding = binding, .nonce = "other"});
        ScramClient again(
            {.channel_binding = binding, .nonce = "mine"}, pencil().secret, near.take_client_key()
        );
        const auto far_challenge =
            far.on_first(again.mechanism(), again.first(), pencil().secret, false);
        const auto far_proof = again.on_challenge(std::get<std::string>(far_challenge));
        CHECK(std::holds_alternative<std::string>(far.on_final(std::get<std::string>(far_proof))));
    }
}

TEST_CASE(
    "ScramServer refuses a wrong proof, and any proof for a user it does not know", "[proxy]"
) {
    std::string wrong = client_final;
    wrong[wrong.size() - 5] = wrong[wrong.size() - 5] == 'A' ? 'B' : 'A';
    ScramServer machine = server();
    machine.on_first(scram_plain, client_first, pencil().secret, false);
    CHECK(std::get<ScramProblem>(machine.on_final(wrong)).sqlstate.empty());
    CHECK(machine.take_client_key() == Key());

    ScramServer mock = server();
    mock.on_first(scram_plain, client_first, pencil().secret, true);
    CHECK(std::get<ScramProblem>(mock.on_final(client_final)).sqlstate.empty());
    CHECK(mock.take_client_key() == Key());
}

TEST_CASE("A mock secret is the same for the same user, and tells nothing apart", "[proxy]") {
    const ScramSecret mock = make_mock_secret("secret of the server", "nobody");
    CHECK(mock == make_mock_secret("secret of the server", "nobody"));
    CHECK(mock.salt != make_mock_secret("secret of the server", "somebody").salt);
    CHECK(mock.salt != make_mock_secret("another secret", "nobody").salt);
    CHECK(mock.salt.size() == 16);
    CHECK(mock.iterations == 4096);
}

TEST_CASE("ScramServer answers what is malformed in the words of Postgres", "[proxy]") {
    const std::string malformed = "08P01 malformed SCRAM message";
    for (const std::string message :
         {"",
          "n",
          "n,",
          "n,,",
          "x,,n=,r=a",
          "n,n=,r=a",
          "n,,r=a",
          "n,,n=",
          "n,,n=a,x=b",
          "p=tls-unique,,n=,r=a"}) {
        CAPTURE(message);
        CHECK(first(server(), scram_plain, message) == malformed);
    }
    CHECK(first(server(), scram_plain, "n,,n=,r=" + std::string(5000, 'a')) == malformed);
    CHECK(
        first(server(), scram_plain, "n,,n=,r=") == "08P01 non-printable characters in SCRAM nonce"
    );
    CHECK(
        first(server(), scram_plain, "n,,n=,r=a\x01") ==
        "08P01 non-printable characters in SCRAM nonce"
    );
    CHECK(
        first(server(), scram_plain, "n,a=me,n=,r=a") ==
        "0A000 client uses authorization identity, but it is not supported"
    );
    CHECK(
        first(server(), scram_plain, "n,,m=x,n=,r=a") ==
        "0A000 client requires an unsupported SCRAM extension"
    );
    CHECK(
        first(server(), "SCRAM-SHA-1", client_first) ==
        "08P01 client selected an invalid SASL authentication mechanism"
    );
    const std::string until_proof = "c=biws,r=" + client_nonce + server_nonce;
    const std::vector<std::string> none{
        "",
        "c=biws",
        "c=biws,r=",
        "r=a",
        until_proof,
        until_proof + ",p=",
        until_proof + ",p=QQ==",
        until_proof + ",xp=QQ=="};
    for (const std::string& message : none) {
        CAPTURE(message);
        CHECK_FALSE(final_after(client_first, message).starts_with("v="));
    }
    CHECK(final_after(client_first, "c=biws,r=other,p=") == "08P01 invalid SCRAM response");
    CHECK(
        final_after(client_first, "c=eSws,r=x,p=") ==
        "08P01 unexpected SCRAM channel-binding attribute in client-final-message"
    );
}

TEST_CASE("ScramServer takes the flag y exactly where it offers no binding", "[proxy]") {
    CHECK(first(server(), scram_plain, "y,,n=,r=a").starts_with("r=a%"));
    CHECK(
        first(server("hash"), scram_plain, "y,,n=,r=a") ==
        "28000 SCRAM channel binding negotiation error"
    );
    CHECK(first(server("hash"), scram_plain, "n,,n=,r=a").starts_with("r=a%"));
    CHECK(
        first(server(), scram_plus, "p=tls-server-end-point,,n=,r=a") ==
        "08P01 client selected an invalid SASL authentication mechanism"
    );
    CHECK(first(server("hash"), scram_plus, "n,,n=,r=a") == "08P01 malformed SCRAM message");
    CHECK(
        first(server("hash"), scram_plus, "p=tls-unique,,n=,r=a") ==
        "08P01 unsupported SCRAM channel-binding type \"tls-unique\""
    );
}

TEST_CASE("ScramServer refuses a client that is bound to another certificate", "[proxy]") {
    ScramServer machine = server("hash of mine");
    ScramClient user = client("hash of another");
    const auto challenge = machine.on_first(user.mechanism(), user.first(), pencil().secret, false);
    const auto proof = user.on_challenge(std::get<std::string>(challenge));
    CHECK(
        text(machine.on_final(std::get<std::string>(proof))) ==
        "28000 SCRAM channel binding check failed"
    );
}

TEST_CASE("ScramClient refuses a server that is out of step or has another secret", "[proxy]") {
    using Failure = ScramClient::Failure;
    const auto answer = [](const std::string& challenge) {
        ScramClient machine = client();
        machine.first();
        return std::get<Failure>(machine.on_challenge(challenge));
    };
    CHECK(answer("") == Failure::malformed);
    CHECK(answer("r=other,s=QQ==,i=4096") == Failure::malformed);
    CHECK(answer("r=" + client_nonce + ",s=QQ==,i=4096") == Failure::malformed);
    CHECK(
        answer("r=" + client_nonce + std::string(100'000, 'x') + ",s=QQ==,i=4096") ==
        Failure::malformed
    );
    CHECK(answer("r=" + client_nonce + "x,s=QQ==,i=4096") == Failure::other_secret);
    CHECK(
        answer("r=" + client_nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4097") == Failure::other_secret
    );
}

}  // namespace veer::proxy::auth
