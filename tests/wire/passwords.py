"""What a client says when it is asked who it is."""

import base64
import hashlib
import hmac
import struct

import protocol

NONCE = b"no lot is drawn here"


def md5(text):
    return hashlib.md5(text).hexdigest().encode()


class Login:
    """From the start-up message to the first ReadyForQuery, or to the end. `heard` notes each message."""

    def __init__(self, connection, heard, user, password):
        self.connection, self.heard, self.user, self.password = connection, heard, user, password

    def run(self):
        self.connection.send_pending()
        while True:
            found = self.connection.next_message()
            name = self.heard(self.connection, found)
            if name in ("ReadyForQuery", "closed"):
                return
            if name == "Authentication" and self.password is not None:
                self.answer(struct.unpack_from("!i", found[1])[0], found[1][4:])

    def answer(self, code, data):
        answers = {3: self.cleartext, 5: self.hashed, 10: self.first, 11: self.final}
        if code in answers:
            self.connection.pending += protocol.message("p", answers[code](data))
            self.connection.send_pending()

    def cleartext(self, _):
        return protocol.cstring(self.password)

    def hashed(self, salt):
        return protocol.cstring(b"md5" + md5(md5(self.password + self.user) + salt))

    # RFC 5802 and 7677

    def first(self, _):
        self.bare = b"n=,r=" + NONCE
        return protocol.cstring(b"SCRAM-SHA-256") + protocol.field(b"n,," + self.bare)

    def final(self, server_first):
        said = dict(part.split(b"=", 1) for part in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(said[b"s"]), int(said[b"i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = b"c=biws,r=" + said[b"r"]
        signed = b",".join((self.bare, server_first, without_proof))
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return without_proof + b",p=" + base64.b64encode(proof)
