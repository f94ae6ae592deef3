"""The table of RFC 959 section 5.4: which replies each command may have.

Every command is sent in every situation, and its code must be one that the RFCs
list for it; what is not in them stands in BEYOND, with the reason.
"""

import os
import re
import socket
import unittest

from genkan import (IS_ROOT, PASSWORD, SOURCE, USER, USER_GID, USER_UID, ServerTest, write_file)

SYNTAX = {500, 501, 421}
FILES = SYNTAX | {502, 530, 550}
SENDS = {125, 150, 226, 250, 425, 426, 451}
STORES = SYNTAX | SENDS | {551, 552, 532, 450, 452, 553, 530}
LISTS = SYNTAX | SENDS | {450, 502, 530}
CHECKSUM = FILES | {450}

# RFC 959 section 5.4, and for later commands: 2389 FEAT OPTS, 2428 EPRT EPSV, 2640 LANG, 3659 SIZE
# MDTM MLST MLSD REST, 4217 AUTH, 7151 HOST; the others from their drafts.
ALLOWED = {
    "USER": SYNTAX | {230, 530, 331, 332},
    "PASS": SYNTAX | {230, 202, 530, 503, 332},
    "ACCT": SYNTAX | {230, 202, 530, 503},
    "CWD": FILES | {250},
    "CDUP": FILES | {200, 250},  # 4.1.1: "identical to the replies of CWD"
    "SMNT": FILES | {202, 250},
    "REIN": {120, 220, 421, 500, 502},
    "QUIT": {221, 500},
    "PORT": SYNTAX | {200, 530},
    "PASV": SYNTAX | {227, 502, 530},
    "MODE": SYNTAX | {200, 504, 530},
    "TYPE": SYNTAX | {200, 504, 530},
    "STRU": SYNTAX | {200, 504, 530},
    "ALLO": SYNTAX | {200, 202, 504, 530},
    "REST": SYNTAX | {350, 502, 530},
    "STOR": STORES,
    "STOU": STORES,
    "APPE": STORES | {502, 550},
    "RETR": SYNTAX | SENDS | {450, 550, 530},
    "LIST": LISTS,
    "NLST": LISTS,
    "RNFR": SYNTAX | {450, 550, 502, 530, 350},
    "RNTO": SYNTAX | {250, 532, 553, 502, 503, 530},
    "DELE": FILES | {250, 450},
    "RMD": FILES | {250},
    "MKD": FILES | {257},
    "PWD": SYNTAX | {257, 502, 550},
    "ABOR": SYNTAX | {225, 226, 502},
    "SYST": SYNTAX | {215, 502},
    "STAT": SYNTAX | {211, 212, 213, 450, 502, 530},
    "HELP": SYNTAX | {211, 214, 502},
    "SITE": SYNTAX | {200, 202, 530},
    "NOOP": {200, 500, 421},
    "FEAT": {211, 500, 501, 502, 421},
    "OPTS": {200, 451, 501},
    "EPRT": SYNTAX | {200, 522, 530},
    "EPSV": SYNTAX | {200, 229, 522, 530},
    "LPRT": SYNTAX | {200, 502, 521, 530},
    "LPSV": SYNTAX | {228, 502, 521, 530},
    "LANG": SYNTAX | {200, 502, 504},
    "SIZE": FILES | {213},
    "MDTM": FILES | {213},
    "MLST": FILES | {250},
    "MLSD": SYNTAX | SENDS | {502, 530, 550},
    "AUTH": SYNTAX | {234, 334, 431, 502, 503, 504, 534},
    "PBSZ": SYNTAX | {200, 503, 530},
    "PROT": SYNTAX | {200, 503, 504, 530, 534, 536},
    "CCC": SYNTAX | {200, 533, 534},
    "HOST": SYNTAX | {220, 502, 503, 504, 530},
    "MFMT": FILES | {213},
    "MFCT": FILES | {213},
    "MFF": FILES | {213, 504},
    "PRET": SYNTAX | {200, 502, 504, 530},
    "RANG": SYNTAX | {350, 502, 530},
    "AVBL": FILES | {213},
    "DSIZ": FILES | {213},
    "COMB": FILES | {250},
    "CLNT": {200, 500, 501},
    "CSID": {200, 500, 501},
    "HASH": CHECKSUM | {213},
    **{verb: CHECKSUM | {250} for verb in ("XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512")},
}
ALLOWED.update({"X" + verb: ALLOWED[verb] for verb in ("CWD", "PWD", "MKD", "RMD")})
ALLOWED["XCUP"] = ALLOWED["CDUP"]

# Codes that the lists do not have, and why they are sent all the same.
BEYOND = {
    ("PWD", 530): "the list forgets it; nothing is told before login",
    ("XPWD", 530): "as PWD",
    ("ABOR", 530): "as PWD",
    ("QUIT", 501): "an argument where none belongs, as for all others",
    ("REIN", 501): "as QUIT",
    ("RETR", 554): "the offset of REST lies beyond the end, as ProFTPD says it",
    ("STOR", 554): "as RETR",
    ("STOR", 550): "the account may store nothing, as ProFTPD and vsftpd say it",
    ("STOU", 550): "as STOR",
    ("ALLO", 552): "more than there is room for, as Pure-FTPd says it",
    ("SITE", 214): "SITE HELP",
    ("SITE", 250): "SITE RMDIR answers as RMD",
    ("SITE", 550): "what SITE does to files fails as other commands do",
    ("SITE", 504): "a mode that is known and not set",
    ("OPTS", 504): "UTF8 OFF: known and not offered",
    ("PASV", 425): "all passive ports are in use; over IPv6",
    ("EPSV", 425): "all passive ports are in use",
}

# Arguments that somebody sends, good and bad, beside none at all.
COMMON = ("x", "file", "missing", "dir", "/", "..", "~", "missing/deep", "-1", "1", "ALL ", "x y")
ARGUMENTS = {
    "USER": (USER, "nobody"),
    "PASS": (),
    "HOST": ("home.example",),
    "AUTH": ("TLS", "SSL"),
    "TYPE": ("A", "I", "L 8", "E", "A N", "A T", "L 7"),
    "STRU": ("F", "R", "P"),
    "MODE": ("S", "B", "C", "Z"),
    "PORT": ("127,0,0,1,200,1", "127,0,0,2,200,1", "127,0,0,1,0,22", "1,2,3"),
    "EPRT": ("|1|127.0.0.1|51201|", "|3|127.0.0.1|51201|", "|1|127.0.0.1|22|", "|"),
    "EPSV": ("1", "2", "3"),
    "REST": ("0", "100", "9223372036854775808"),
    "RANG": ("0 1", "1 0", "5 2"),
    "ALLO": ("1", "1 R 1", "9223372036854775807"),
    "OPTS": ("UTF8 ON", "UTF8 OFF", "MLST size;", "HASH MD5", "HASH x"),
    "LANG": ("en", "ja"),
    "MDTM": ("20200102030405 file", "20200102030405 missing", "99999999999999 file"),
    "MFMT": ("20200102030405 file", "20200102030405 missing", "99999999999999 file"),
    "MFCT": ("20200102030405 file",),
    "MFF": ("modify=20200102030405; file", "create=x; file", "UNIX.mode=777; missing",
            "UNIX.mode=999; file", "UNIX.group=x; file"),
    "SITE": ("HELP", "CHMOD 600 file", "CHMOD 4755 file", "CHMOD 600 missing", "CHMOD x", "CHGRP 1",
             "CHGRP 0 file", "UMASK", "UMASK 022", "UMASK 9", "IDLE", "IDLE 0", "UTIME x",
             "UTIME 20200102030405 file", "MKDIR a/b", "MKDIR a/b", "RMDIR a/b", "RMDIR missing",
             "SYMLINK file link", "SYMLINK / up", "EXEC id"),
    "XCRC": ("file 0 3", "file 3 1", '"file"'),
}


def table_verbs():
    with open(os.path.join(SOURCE, "ftpd/session/command.c"), encoding="utf-8") as file:
        return re.findall(r'^\t\{ "(\w+)",', file.read(), re.M)


class RepliesTest(ServerTest):
    time_limit = 400

    def setUp(self):
        super().setUp()
        self.used = set()
        self.renew()

    def renew(self):
        """What a command before may have taken away."""
        for name in ("dir", "dir/inner"):
            if not os.path.isdir(self.remote(name)):
                os.mkdir(self.remote(name))
        write_file(self.remote("file"), b"content\n")
        if IS_ROOT:
            for name in ("dir", "dir/inner", "file"):
                os.chown(self.remote(name), USER_UID, USER_GID)

    def check(self, verb, code, what):
        if (verb, code) in BEYOND:
            self.used.add((verb, code))
        elif code not in ALLOWED[verb]:
            self.fail(f"{what}: {code} is not in {sorted(ALLOWED[verb])}")

    def try_all(self, connect, verbs, prepare=None):
        """Each command with each argument; exactly one reply each, which is listed."""
        for verb in verbs:
            control = connect()  # anew: PASV must not leave a port to RETR
            for argument in (None, "", *ARGUMENTS.get(verb, ()), *COMMON):
                line = verb if argument is None else f"{verb} {argument}"
                if verb not in ("RNTO",):
                    self.renew()
                if prepare:
                    control.command(prepare)
                reply = control.command(line)
                self.check(verb, reply.code, line)
                if reply.code in (125, 150):
                    self.fail(f"{line}: {reply} without a data connection")
                if reply.code in (221, 421) or verb == "PASS":
                    control.close()
                    control = connect()
                else:
                    # nothing else comes, and the session goes on
                    again = control.command("NOOP")
                    self.assertIn("Still here", again.text, line)
            control.close()

    def greeted(self):
        control = self.connect()
        control.greet()
        return control

    def named(self):
        control = self.greeted()
        control.command(f"USER {USER}", 331)
        return control


class Replies(RepliesTest):
    def test_the_table_has_every_command(self):
        self.assertEqual(sorted(table_verbs()), sorted(ALLOWED))

    def test_before_login(self):
        for verb in table_verbs():
            if verb != "PASS":  # wrong passwords take their time
                self.try_all(self.greeted, [verb])

    def test_between_user_and_pass(self):
        for verb in table_verbs():
            if verb != "PASS":
                self.try_all(self.named, [verb])

    def test_password(self):
        self.check("PASS", self.greeted().command(f"PASS {PASSWORD}").code, "without USER")
        control = self.named()
        self.check("PASS", control.command("PASS").code, "empty")
        self.check("PASS", control.command("PASS x").code, "without USER again")
        self.check("PASS", self.named().command(f"PASS {PASSWORD}").code, "right")

    def test_logged_in(self):
        """All, with what is there and what is not; no data connection is agreed on."""
        self.try_all(self.session, [verb for verb in table_verbs() if verb not in ("RNTO", "PASS")])
        self.check("PASS", self.session().command("PASS x").code, "PASS when logged in")
        for pair in BEYOND:
            # what only happens here must happen: no exception without need
            if pair[0] in ("ALLO", "SITE", "OPTS"):
                self.assertIn(pair, self.used)

    def test_type_a(self):
        def ascii_session():
            control = self.session()
            control.command("TYPE A", 200)
            return control
        self.try_all(ascii_session, ["SIZE", "REST", "RANG", "RETR", "STOR", "APPE", "HASH"])

    def test_behind_rest(self):
        self.try_all(self.session, ["RETR", "STOR", "APPE", "STOU", "LIST", "HASH"], "REST 100")

    def test_rnto(self):
        self.try_all(self.session, ["RNTO"])
        self.try_all(self.session, ["RNTO"], "RNFR file")
        self.try_all(self.session, ["RNTO"], "RNFR dir")

    def test_transfers(self):
        session = self.session()
        for line in ("RETR file", "RETR missing", "RETR dir", "STOR new", "STOR file", "STOR dir",
                     "STOR missing/x", "APPE file", "APPE dir", "STOU file", "STOU dir", "LIST",
                     "LIST missing", "LIST file", "NLST", "NLST missing", "MLSD", "MLSD file",
                     "MLSD missing"):
            verb = line.split()[0]
            with self.subTest(line=line), session.data() as data:
                first = session.command(line)
                self.check(verb, first.code, line)
                if first.code == 150:
                    if verb in ("STOR", "APPE", "STOU"):
                        data.socket().sendall(b"sent")
                    else:
                        data.read_all()
                    data.close()
                    self.check(verb, session.reply().code, line)
            self.assertIn("Still here", session.command("NOOP").text)

    def test_during_a_transfer(self):
        """NOOP, STAT and ABOR are answered; all others wait and then answer as ever."""
        self.sparse("huge", 1 << 30)
        for verb in table_verbs():
            if verb in ("QUIT", "ABOR", "PASS", "NOOP"):
                continue
            with self.subTest(verb=verb):
                self.renew()
                session = self.session()
                with session.data() as data:
                    session.command("RETR huge", 150)
                    # lines wait in order: what could be served waits behind what cannot
                    session.send(f"{verb} file\r\nNOOP x\r\nABOR\r\n".encode())
                    session.silent(0.02)
                    data.close()
                    session.expect(426)
                    self.check(verb, session.reply().code, verb)
                    self.assertIn("Still here", session.reply().text)
                    session.expect(226)  # ABOR: nothing is left to abort
                session.close()
        session = self.session()
        with session.data() as data:
            session.command("RETR huge", 150)
            session.command("NOOP", 200)
            reply = session.command("STAT", 211)
            self.assertRegex(reply.text, r"RETR /huge: \d+ of 1073741824 bytes, \d+ bytes/s")
            session.send(b"QUIT\r\n")
            data.close()
            session.expect(426)
            self.check("QUIT", session.reply().code, "QUIT")


class ReadOnlyReplies(RepliesTest):
    directives = {"ReadOnly": "on"}

    def test_logged_in(self):
        self.try_all(self.session, [verb for verb in table_verbs() if verb not in ("PASS",)])
        self.assertEqual(sorted(os.listdir(self.home)), ["dir", "file"])


class FullRange(ServerTest):
    def test_no_passive_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen(1)
            port = taken.getsockname()[1]
            server = self.world.server(directives={"PassivePorts": f"{port} {port}"})
            session = server.session()
            for verb in ("PASV", "EPSV"):
                self.assertIn((verb, session.command(verb).code), BEYOND)
            session.quit()
            server.wait_no_pairs()


if __name__ == "__main__":
    unittest.main()
