"""More situations for every command: RFC 959 section 5.4 holds in each of them.

test_replies.py has the table and the situations of a plain session. Here are the
others that a client can get into: each with every command of the table and arguments
that are right, wrong, and meant to break things.
"""

import os
import shutil
import socket
import unittest

from genkan import USER, USER_GID, USER_UID, ServerTest, free_port, read_file
from test_replies import ARGUMENTS, RepliesTest, table_verbs

LONG = "n" * 1000
NASTY = (LONG, "/".join("d" * 250 for _ in range(7)), "a\tb", "a\x1b[2Jb", "100%s%n", "\udcff",
         "日本語", '"', "*" * 200, "[", " x", "x ", "-la", "--", "\\", ".", "//", "file/", "file/..")

# Their end is the session's, or they take their time, or what follows has to be waited for.
APART = ("PASS", "QUIT")


def verbs():
    return [verb for verb in table_verbs() if verb not in APART]


class Situations(RepliesTest):
    time_limit = 400

    def test_arguments_that_are_meant_to_break_things(self):
        for verb in verbs():
            control = self.session()
            for argument in NASTY:
                line = f"{verb} {argument}"
                self.renew()
                self.check(verb, control.command(line).code, line)
                self.assertIn("Still here", control.command("NOOP").text, line)
            control.close()

    def test_over_ipv6(self):
        def session():
            return self.session(index=1)
        self.try_all(session, verbs())

    def test_a_data_connection_that_is_refused(self):
        """Transfers get as far as they can; 425 is their end."""
        port = free_port()
        agreed = f"PORT 127,0,0,1,{port // 256},{port % 256}"
        self.try_all(self.session, verbs(), agreed)

    def test_after_epsv_all(self):
        self.try_all(self.session, verbs(), "EPSV ALL")

    def test_after_rnfr(self):
        self.try_all(self.session, [verb for verb in verbs() if verb != "RNTO"], "RNFR file")

    def test_after_rang(self):
        self.try_all(self.session, verbs(), "RANG 0 3")

    def test_in_a_directory_that_is_gone(self):
        def session():
            gone = self.remote("gone")
            shutil.rmtree(gone, ignore_errors=True)  # SITE MKDIR makes all of a path anew
            os.mkdir(gone)
            os.chown(gone, USER_UID, USER_GID)
            control = self.session()
            control.command("CWD gone", 250)
            os.rmdir(gone)
            return control
        self.try_all(session, verbs())

    def test_after_a_login_that_failed(self):
        control = self.named()
        control.command("PASS wrong", 530)
        for verb in verbs():
            for argument in (None, "file", *ARGUMENTS.get(verb, ())):
                line = verb if argument is None else f"{verb} {argument}"
                reply = control.command(line)
                self.check(verb, reply.code, line)
                if verb == "USER" and reply.code == 331:
                    continue
                self.assertIn("Still here", control.command("NOOP").text, line)

    def during(self, begin, first_words):
        """Each command is sent while a transfer is under way, with NOOP and ABOR behind it."""
        for verb in verbs():
            if verb in ("ABOR", "NOOP"):
                continue
            for argument in ("", " file"):
                with self.subTest(line=verb + argument):
                    self.renew()
                    session = self.session()
                    data = begin(session)
                    session.send(f"{verb}{argument}\r\nNOOP x\r\nABOR\r\n".encode())
                    codes = []
                    if verb == "STAT" and not argument:
                        codes.append(session.expect(211).code)  # at once
                    else:
                        session.silent(0.02)
                    data.close()
                    first_words(session)
                    if not codes:
                        self.check(verb, session.reply().code, verb)
                    self.assertIn("Still here", session.reply().text)
                    session.expect(226)  # ABOR: nothing is left to abort
                    session.close()

    def test_during_an_upload(self):
        def begin(session):
            data = session.data()
            session.command("STOR upload", 150)
            data.socket().sendall(b"a part")
            return data
        self.during(begin, lambda session: session.expect(226))

    def test_while_a_data_connection_is_awaited(self):
        """ABOR behind a command that waits does not overtake it; the connection comes at last."""
        def begin(session):
            where = session.pasv()
            session.send(b"RETR file\r\n")
            session.silent(0.02)
            return Late(where)

        def first_words(session):
            session.expect(150)
            session.expect(226)
        self.during(begin, first_words)


class Late:
    """A client that connects when it is told to."""

    def __init__(self, where):
        self.where = where

    def close(self):
        with socket.create_connection(self.where, timeout=10) as sock:
            while sock.recv(65536):
                pass


class Guests(RepliesTest):
    """Guests read; what they may not do is refused by its own code."""

    directives = {"Anonymous": "on"}

    @classmethod
    def prepare(cls):
        cls.directives = {**cls.directives, "AnonymousRoot": cls.home}
        os.chmod(cls.home, 0o755)

    def guest(self):
        control = self.connect()
        control.greet()
        control.command("USER ftp", 331)
        control.command("PASS guest@example", 230)
        return control

    def test_guests(self):
        self.try_all(self.guest, verbs())
        self.assertEqual(sorted(os.listdir(self.home)), ["dir", "file"])
        self.assertEqual(os.listdir(self.remote("dir")), ["inner"])


class Uploaders(Guests):
    """Guests who may add and nothing else."""

    directives = {"Anonymous": "on", "AnonymousUpload": "on"}

    def test_guests(self):
        os.chmod(self.home, 0o777)
        self.try_all(self.guest, verbs())
        self.assertEqual(read_file(self.remote("file")), b"content\n")
        self.assertTrue(os.path.isdir(self.remote("x")))  # by MKD


class Strict(RepliesTest):
    """Other directives that change what is answered."""

    directives = {"AllowOverwrite": "off", "AllowStoreRestart": "off", "ShowSymlinks": "off",
                  "ClientCharset": "CP932", "HiddenStores": "on", "ListOptions": "-a strict maxfiles 2"}

    def test_logged_in(self):
        self.try_all(self.session, verbs())

    def test_user_again(self):
        session = self.session()
        for line in ("USER", f"USER {USER}", "USER other"):
            self.check("USER", session.command(line).code, line)


del RepliesTest, ServerTest  # they are not tests themselves


if __name__ == "__main__":
    unittest.main()
