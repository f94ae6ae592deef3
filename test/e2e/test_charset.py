"""ClientCharset: old clients and new ones see the same names."""

import glob
import os
import subprocess
import unicodedata
import unittest

from genkan import FTPD, GenkanTest, ServerTest, in_namespace, root_only, write_file

NAME = "表示ポ.txt"  # in CP932 two of its bytes are '\\' and '|'


class Legacy(ServerTest):
    directives = {"ClientCharset": "CP932"}

    def line(self, session, text, code, charset="cp932"):
        session.send(text.encode(charset) + b"\r\n")
        return session.expect(code).text.encode("utf-8", "surrogateescape")

    def raw(self, session, text, charset="cp932"):
        """A listing or a file, by a command in the client's charset."""
        with session.data("pasv") as data:
            session.send(text.encode(charset) + b"\r\n")
            session.expect(150)
            content = data.read_all()
        session.expect(226)
        return content

    def test_names_are_utf8_on_the_disk(self):
        session = self.session()
        with session.data("pasv") as data:
            session.send(f"STOR {NAME}\r\n".encode("cp932"))
            session.expect(150)
            data.sock.sendall(b"content")
            data.close()
        session.expect(226)
        self.assertEqual(os.listdir(self.home), [NAME])
        self.assertEqual(self.raw(session, f"RETR {NAME}"), b"content")
        self.assertIn(b" " + NAME.encode("cp932") + b"\r\n", self.raw(session, "LIST"))
        self.assertEqual(self.raw(session, "NLST"), NAME.encode("cp932") + b"\r\n")
        self.assertIn(b"; " + NAME.encode("cp932") + b"\r\n", self.raw(session, "MLSD"))
        self.assertIn(NAME.encode("cp932"), self.line(session, f"MLST {NAME}", 250))
        self.assertIn(NAME.encode("cp932"), self.line(session, f"STAT {NAME}", 213))

    def test_replies_name_directories_in_the_charset(self):
        session = self.session()
        self.assertIn('"/表"'.encode("cp932"), self.line(session, "MKD 表", 257))
        self.line(session, "CWD 表", 250)
        self.assertIn('"/表"'.encode("cp932"), self.line(session, "PWD", 257))

    def test_opts_utf8_switches(self):
        self.remote(NAME, b"content")
        session = self.session()
        session.command("OPTS UTF8 ON", 200)
        self.assertEqual(self.raw(session, "NLST"), NAME.encode() + b"\r\n")
        self.assertEqual(self.raw(session, f"RETR {NAME}", "utf-8"), b"content")
        self.assertIn("CP932", session.command("OPTS UTF8 OFF", 200).text)
        self.assertEqual(self.raw(session, "NLST"), NAME.encode("cp932") + b"\r\n")

    def test_what_the_charset_lacks_can_be_fetched_as_shown(self):
        for name in ("🍣.txt", "〜.txt", "100%E3.txt"):
            self.remote(name, name.encode())
        write_file(os.path.join(self.home.encode(), b"\xff\xfe"), b"bytes")
        session = self.session()
        shown = self.raw(session, "NLST").split(b"\r\n")[:-1]
        self.assertEqual(len(shown), 4)
        contents = set()
        for name in shown:
            self.assertRegex(name, rb"^[ -~]+$")
            contents.add(session.retrieve("RETR " + name.decode()))
        self.assertEqual(contents, {"🍣.txt".encode(), "〜.txt".encode(), b"100%E3.txt", b"bytes"})

    def test_macos_names_are_found(self):
        apart = unicodedata.normalize("NFD", "がぎ.txt")
        self.remote(apart, b"of a Mac")
        session = self.session()
        self.assertEqual(self.raw(session, "NLST"), "がぎ.txt\r\n".encode("cp932"))
        self.assertEqual(self.raw(session, "RETR がぎ.txt"), b"of a Mac")
        session.command("OPTS UTF8 ON", 200)
        self.assertEqual(self.raw(session, f"RETR {apart}", "utf-8"), b"of a Mac")

    def test_new_names_of_macos_are_stored_whole(self):
        session = self.session()
        session.command("OPTS UTF8 ON", 200)
        self.line(session, "MKD " + unicodedata.normalize("NFD", "だ"), 257, "utf-8")
        self.assertEqual(os.listdir(self.home), ["だ"])

    def test_name_that_is_too_long_in_utf8(self):
        session = self.session()
        session.pasv()
        answer = self.line(session, "STOR " + "漢" * 127, 553)
        self.assertIn(b"255 bytes", answer)
        self.line(session, "MKD " + "漢" * 85, 257)

    def test_listings_stay_whole_over_the_edges_of_buffers(self):
        names = [f"{i:04}-{'表ポ' * 20}" for i in range(800)]
        for name in names:
            self.remote(name, b"")
        rows = self.raw(self.session(), "NLST").decode("cp932").split("\r\n")[:-1]
        self.assertEqual(rows, names)


class Auto(GenkanTest):
    def session(self, charset):
        home = self.world.add_user()
        write_file(os.path.join(home, NAME), b"content")
        return self.world.server(directives={"ClientCharset": charset}).session()

    def test_a_client_that_sends_utf8_gets_it(self):
        session = self.session("auto")
        self.assertEqual(session.retrieve("NLST"), NAME.encode("cp932") + b"\r\n")
        session.command(f"SIZE {NAME}", 213)
        self.assertEqual(session.retrieve("NLST"), NAME.encode() + b"\r\n")

    def test_another_one_gets_the_charset(self):
        session = self.session("auto EUC-JP-MS")
        session.send(f"SIZE {NAME}\r\n".encode("euc_jp"))
        session.expect(213)
        self.assertEqual(session.retrieve("NLST"), NAME.encode("euc_jp") + b"\r\n")

    def test_unknown_charset_is_told_and_names_are_utf8(self):
        session = self.session("KLINGON-8")
        self.assertEqual(session.retrieve("NLST"), NAME.encode() + b"\r\n")
        self.world.servers[0].wait_log("ClientCharset KLINGON-8")


class Check(GenkanTest):
    """genkan-ftpd -t says in words what is wrong with ClientCharset, before a client meets it."""

    def check(self, charset):
        done = subprocess.run([FTPD, "-t", *self.world.options({"ClientCharset": charset})],
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    def test_charsets_that_can_be_loaded_pass(self):
        for charset in ("UTF-8", "CP932", "auto", "auto EUC-JP-MS", "ISO-8859-1"):
            self.assertEqual(self.check(charset), (0, ""), charset)

    def test_unknown_charset(self):
        for charset in ("KLINGON-8", "auto KLINGON-8"):
            status, words = self.check(charset)
            self.assertEqual(status, os.EX_CONFIG)
            self.assertRegex(words, r"^ClientCharset KLINGON-8: there is no such charset.*iconv -l")

    def test_charset_without_ascii(self):
        for charset in ("UTF-16", "ISO-2022-JP"):
            status, words = self.check(charset)
            self.assertEqual(status, os.EX_CONFIG)
            self.assertRegex(words, f"^ClientCharset {charset}: it does not contain ASCII")

    @root_only("it hides libc's modules")
    def test_charset_that_this_build_cannot_load(self):
        folders = glob.glob("/usr/lib*/gconv") + glob.glob("/usr/lib/*/gconv")
        if not folders:
            self.skipTest("no gconv modules here")

        def without_modules():
            for folder in folders:
                subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
            status, words = self.check("CP932")
            self.assertEqual(status, os.EX_CONFIG)
            self.assertRegex(words, "^ClientCharset CP932: this program finds no charsets at all")
        in_namespace(without_modules)


if __name__ == "__main__":
    unittest.main()
