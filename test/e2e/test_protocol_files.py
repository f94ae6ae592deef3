"""Files, directories, listings, and what an account may do, spoken by hand."""

import os
import random
import re
import socket
import stat
import time
import unittest

from genkan import (IS_ROOT, NOBODY, USER, USER_GID, USER_UID, GenkanTest, ServerTest,
                    pattern_bytes, read_file, wait_until, write_file)

OWNER = (USER_UID, USER_GID)
# RFC 3659 section 2.3
TIME = r"[0-9]{14}"


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Restart(ServerTest):
    """REST: RFC 3659 section 5."""

    content = pattern_bytes(100_000)

    def setUp(self):
        super().setUp()
        self.remote("file", self.content)

    def test_download_from_an_offset(self):
        session = self.session()
        for offset in (0, 1, 4096, 99_999, 100_000):
            self.assertEqual(session.retrieve("RETR file", offset=offset), self.content[offset:])

    def test_offset_counts_once(self):
        session = self.session()
        session.retrieve("RETR file", offset=500)
        self.assertEqual(session.retrieve("RETR file"), self.content)

    def test_offset_is_cleared_by_other_commands(self):
        session = self.session()
        for line in ("PWD", "CWD /", "SIZE file", "LIST nothing-there"):
            with session.data("pasv") as data:
                session.command("REST 500", 350)
                session.command(line, 213, 250, 257, 450)
                if line.startswith("LIST"):
                    continue  # took the data connection along
                session.command("RETR file", 150)
                self.assertEqual(data.read_all(), self.content, line)
            session.expect(226)

    def test_offset_survives_what_prepares_a_transfer(self):
        session = self.session()
        session.command("REST 500", 350)
        session.command("TYPE I", 200)
        with session.data("epsv") as data:
            session.command("RETR file", 150)
            self.assertEqual(data.read_all(), self.content[500:])
        session.expect(226)

    def test_offset_beyond_the_end_is_554(self):
        session = self.session()
        for line in ("RETR file", "STOR file"):
            session.command("REST 100001", 350)
            session.pasv()
            session.command(line, 554)
        self.assertEqual(read_file(self.remote("file")), self.content)

    def test_bad_offsets(self):
        session = self.session()
        for offset in ("-1", "+1", "x", "1x", " 1", "9223372036854775808", "18446744073709551615",
                       "1.5", "0x10"):
            session.command(f"REST {offset}", 501)
        session.command("REST 9223372036854775807", 350)

    def test_upload_from_an_offset_keeps_the_rest(self):
        session = self.session()
        session.store("STOR file", b"middle", offset=500)
        self.assertEqual(read_file(self.remote("file")),
                         self.content[:500] + b"middle" + self.content[506:])

    def test_append_takes_no_offset(self):
        session = self.session()
        session.command("REST 5", 350)
        session.pasv()
        session.command("APPE file", 501)
        self.assertEqual(read_file(self.remote("file")), self.content)

    def test_offsets_and_ascii_do_not_mix(self):
        session = self.session()
        session.command("TYPE A", 200)
        session.command("REST 5", 501)
        session.command("REST 0", 350)


class Ascii(ServerTest):
    """NVT-ASCII: CRLF on the wire, LF on the disk."""

    # What stands on the disk, and what goes over the wire.
    DOWN = ((b"one\ntwo\n", b"one\r\ntwo\r\n"), (b"no end", b"no end"), (b"\n\n\n", b"\r\n" * 3),
            (b"dos\r\nfile\r\n", b"dos\r\nfile\r\n"), (b"lone\rcr\r", b"lone\rcr\r"), (b"", b""),
            (b"\r\r\n", b"\r\r\n"))
    UP = ((b"one\r\ntwo\r\n", b"one\ntwo\n"), (b"bare\nlf\n", b"bare\nlf\n"),
          (b"lone\rcr\r", b"lone\rcr\r"), (b"\r\r\n", b"\r\n"), (b"", b""))

    def ascii_session(self):
        session = self.session()
        session.command("TYPE A", 200)
        return session

    def test_down(self):
        session = self.ascii_session()
        for disk, wire in self.DOWN:
            with self.subTest(disk=disk):
                self.remote("text", disk)
                self.assertEqual(session.retrieve("RETR text"), wire)

    def test_up(self):
        session = self.ascii_session()
        for wire, disk in self.UP:
            with self.subTest(wire=wire):
                session.store("STOR text", wire)
                self.assertEqual(read_file(self.remote("text")), disk)

    def test_append(self):
        self.remote("text", b"one\n")
        self.ascii_session().store("APPE text", b"two\r\n")
        self.assertEqual(read_file(self.remote("text")), b"one\ntwo\n")

    def test_both_ways_over_the_edges_of_buffers(self):
        """Line ends at every place around the sizes that buffers have."""
        random.seed(959)
        text = bytearray()
        for size in (4096, 8192, 65536, 131072):
            while len(text) < size + 40:
                text += b"x" * random.randrange(0, 7) + b"\n"
        session = self.ascii_session()
        self.remote("text", bytes(text))
        wire = session.retrieve("RETR text")
        self.assertEqual(wire, bytes(text).replace(b"\n", b"\r\n"))
        session.store("STOR back", wire)
        self.assertEqual(read_file(self.remote("back")), bytes(text))

    def test_line_end_cut_in_two_segments(self):
        session = self.ascii_session()
        with session.data("pasv") as data:
            session.command("STOR text", 150)
            for piece, size in ((b"one\r", 3), (b"\ntwo\r", 7), (b"x\r", 9), (b"\n", 10)):
                data.socket().sendall(piece)
                self.wait_size("text", size)
        session.expect(226)
        self.assertEqual(read_file(self.remote("text")), b"one\ntwo\rx\n")

    def wait_size(self, name, size):
        wait_until(lambda: os.path.getsize(self.remote(name)) >= size, f"{name} grows to {size}")

    def test_size_is_not_told(self):
        self.remote("text", b"one\n")
        session = self.ascii_session()
        session.command("SIZE text", 550)
        session.command("TYPE I", 200)
        self.assertEqual(session.command("SIZE text", 213).text, "213 4")

    def test_listings_have_crlf_in_any_type(self):
        self.remote("one", b"")
        self.remote("two", b"")
        for kind in ("TYPE A", "TYPE I"):
            session = self.session()
            session.command(kind, 200)
            for line in ("LIST", "NLST", "MLSD"):
                rows = session.retrieve(line)
                self.assertTrue(rows.endswith(b"\r\n"))
                self.assertEqual(rows.count(b"\r"), rows.count(b"\n"))
                self.assertNotIn(b"\r\r", rows)


class Files(ServerTest):
    def test_store_and_retrieve_compare(self):
        session = self.session()
        content = pattern_bytes(2_000_000)
        session.store("STOR file", content)
        self.assertEqual(read_file(self.remote("file")), content)
        self.assertEqual(session.retrieve("RETR file"), content)

    def test_all_sizes_around_the_ways_to_send_them(self):
        session = self.session()
        for size in (0, 1, (32 << 10) - 1, 32 << 10, (32 << 10) + 1, (128 << 10) + 1, (4 << 20) + 1):
            content = pattern_bytes(size)
            self.remote("file", content)
            for mode in ("pasv", "port"):
                self.assertTrue(session.retrieve("RETR file", mode) == content, (size, mode))
            rest = session.retrieve("RETR file", offset=size // 2)
            self.assertTrue(rest == content[size // 2:], size)

    def test_every_part_of_a_large_file_is_at_its_place(self):
        # so large that both ways of sending have been tried, and one has been chosen
        step, size = 1 << 20, (1 << 30) + 12345
        path = self.sparse("large", size)
        with open(path, "r+b") as file:
            for at in range(0, size, step):
                os.pwrite(file.fileno(), at.to_bytes(8, "big"), at)
        session = self.session()
        with session.data("pasv") as data:
            session.command("RETR large", 150)
            with data.socket().makefile("rb") as stream:
                for at in range(0, size, step):
                    block = stream.read(step)
                    self.assertEqual(len(block), min(step, size - at))
                    self.assertEqual(int.from_bytes(block[:8], "big"), at)
                self.assertEqual(stream.read(1), b"")
        session.expect(226)

    def test_size_and_mdtm(self):
        self.remote("file", b"12345")
        os.utime(self.remote("file"), (1_000_000_000, 1_000_000_000))
        session = self.session()
        self.assertEqual(session.command("SIZE file", 213).text, "213 5")
        self.assertEqual(session.command("MDTM file", 213).text, "213 20010909014640")
        session.command("SIZE missing", 550)
        session.command("MDTM missing", 550)
        session.command("SIZE /", 550)

    def test_mfmt(self):
        self.remote("two words", b"")
        session = self.session()
        reply = session.command("MFMT 20010909014640 two words", 213)
        self.assertEqual(reply.text, "213 Modify=20010909014640; two words")
        self.assertEqual(os.stat(self.remote("two words")).st_mtime, 1_000_000_000)
        for line in ("MFMT 20010909014640", "MFMT 2001 x", "MFMT 20011309014640 two words",
                     "MFMT 20010230014640 two words", "MFMT two words"):
            session.command(line, 501)
        session.command("MFMT 20010909014640 missing", 550)

    def test_delete(self):
        self.remote("file", b"")
        os.mkdir(self.remote("folder"))
        session = self.session()
        session.command("DELE file", 250)
        session.command("DELE file", 550)
        session.command("DELE folder", 550)
        self.assertEqual(os.listdir(self.home), ["folder"])

    def test_rename(self):
        self.remote("old", b"content")
        session = self.session()
        session.command("RNFR old", 350)
        session.command("RNTO new", 250)
        self.assertEqual(read_file(self.remote("new")), b"content")
        session.command("RNFR old", 550)
        session.command("RNTO new", 503)

    def test_rnto_must_follow_rnfr(self):
        self.remote("old", b"content")
        session = self.session()
        session.command("RNTO new", 503)
        session.command("RNFR old", 350)
        session.command("PWD", 257)
        session.command("RNTO new", 503)
        self.assertEqual(os.listdir(self.home), ["old"])

    def test_stou_finds_new_names(self):
        session = self.session()
        names = set()
        for line in ("STOU", "STOU", "STOU report", "STOU report"):
            with session.data("pasv") as data:
                reply = session.command(line, 150)
                names.add(re.search(r"FILE: (\S+)", reply.text).group(1))
                data.socket().sendall(line.encode())
            session.expect(226)
        self.assertEqual(len(names), 4)
        self.assertEqual(names, set(os.listdir(self.home)))
        self.assertIn("report", names)

    def test_what_is_no_regular_file_is_refused_at_once(self):
        os.mkdir(self.remote("folder"))
        os.mkfifo(self.remote("fifo"))
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(self.remote("socket"))
        session = self.session()
        for name in ("folder", "fifo", "socket"):
            for verb in ("RETR", "STOR", "APPE"):
                with self.subTest(name=name, verb=verb):
                    session.pasv()
                    # who opened it and waited would wait for a writer that never comes
                    self.assertIn(session.command(f"{verb} {name}").code, (550, 553))

    def test_file_of_another_user(self):
        write_file(self.remote("closed"), b"secret")
        os.chmod(self.remote("closed"), 0)
        session = self.session()
        session.pasv()
        session.command("RETR closed", 550)
        session.command("STOR closed", 553, 550)
        session.command("SITE CHMOD 644 closed", *((550,) if IS_ROOT else (200,)))

    def test_umask(self):
        session = self.session()
        session.store("STOR file", b"")
        session.command("MKD folder", 257)
        self.assertEqual(mode_of(self.remote("file")), 0o644)
        self.assertEqual(mode_of(self.remote("folder")), 0o755)

    def test_site_umask(self):
        session = self.session()
        session.command("SITE UMASK 077", 200)
        session.store("STOR file", b"")
        session.command("MKD folder", 257)
        self.assertEqual(mode_of(self.remote("file")), 0o600)
        self.assertEqual(mode_of(self.remote("folder")), 0o700)
        session.command("SITE UMASK 999", 501)
        self.assertIn("077", session.command("SITE UMASK", 200).text)

    def test_site_chmod(self):
        self.remote("two words", b"")
        session = self.session()
        session.command("SITE CHMOD 640 two words", 200)
        self.assertEqual(mode_of(self.remote("two words")), 0o640)
        for mode in ("4755", "2755", "1777", "899", "x", "-1", "77777777"):
            with self.subTest(mode=mode):
                self.assertGreaterEqual(session.command(f"SITE CHMOD {mode} two words").code, 500)
        session.command("SITE CHMOD 640", 501)
        session.command("SITE CHMOD 640 missing", 550)
        self.assertEqual(mode_of(self.remote("two words")), 0o640)
        session.command("SITE EXEC ls", 500)

    def test_uploads_are_never_set_uid(self):
        session = self.session()
        session.command("SITE UMASK 000", 200)
        session.store("STOR file", b"")
        self.assertEqual(mode_of(self.remote("file")) & ~0o666, 0)


class Directories(ServerTest):
    def test_working_directory(self):
        os.makedirs(self.remote("a/b"))
        session = self.session()
        for line, place in (("CWD a", "/a"), ("CWD b", "/a/b"), ("CDUP", "/a"), ("CWD /", "/"),
                            ("CDUP", "/"), ("CWD ../..", "/"), ("CWD a/../a/b", "/a/b"),
                            ("XCUP", "/a"), ("XCWD b/.", "/a/b"), ("CWD //a//", "/a")):
            with self.subTest(line=line):
                session.command(line, 250)
                self.assertEqual(session.command("PWD", 257).text.split('"')[1], place)
        session.command("CWD missing", 550)
        self.assertEqual(session.command("XPWD", 257).text.split('"')[1], "/a")

    def test_cwd_to_a_file(self):
        self.remote("file", b"")
        self.session().command("CWD file", 550)

    def test_mkd_and_rmd(self):
        session = self.session()
        self.assertIn('"/new"', session.command("MKD new", 257).text)
        session.command("MKD new", 550)
        session.command("MKD new/sub", 257)
        session.command("RMD new", 550)
        session.command("RMD new/sub", 250)
        session.command("XRMD new", 250)
        session.command("RMD new", 550)
        self.assertIn('"/two words"', session.command("XMKD two words", 257).text)

    def test_quotes_are_doubled(self):
        session = self.session()
        self.assertIn('"/a""b"', session.command('MKD a"b', 257).text)
        session.command('CWD a"b', 250)
        self.assertIn('"/a""b"', session.command("PWD", 257).text)

    def test_symbolic_links_lead_nowhere_outside(self):
        secret = write_file(self.world.path_of("secret"), b"secret")
        for name, target in (("absolute", secret), ("etc", "/etc"), ("up", "../secret"),
                             ("far", "../" * 20 + "etc"), ("self", "self"),
                             ("mount", "/proc/self/root/etc")):
            os.symlink(target, self.remote(name))
        session = self.session()
        for line in ("RETR absolute", "RETR etc/passwd", "RETR up", "RETR far/passwd", "RETR self",
                     "RETR mount/passwd", "LIST etc/passwd", "CWD etc", "CWD far", "CWD mount",
                     "MLSD etc", "SIZE absolute", "MDTM up", "STOR etc/x", "MKD far/x",
                     "STOR absolute", "RNFR etc/passwd", "DELE far/passwd"):
            with self.subTest(line=line):
                session.pasv()
                self.assertGreaterEqual(session.command(line).code, 450)
        self.assertEqual(read_file(secret), b"secret")

    def test_symbolic_links_inside_work(self):
        os.mkdir(self.remote("folder"))
        self.remote("folder/file", b"content")
        os.symlink("folder", self.remote("link"))
        os.symlink("/folder/file", self.remote("absolute"))
        session = self.session()
        self.assertEqual(session.retrieve("RETR link/file"), b"content")
        self.assertEqual(session.retrieve("RETR absolute"), b"content")
        session.command("CWD link", 250)
        self.assertEqual(session.retrieve("NLST"), b"file\r\n")

    def test_working_directory_that_is_moved_out(self):
        """SECURITY 20: the current folder is a name, so nobody is led outside with it."""
        os.mkdir(self.remote("folder"))
        session = self.session()
        session.command("CWD folder", 250)
        os.rename(self.remote("folder"), self.world.path_of("outside"))
        write_file(self.world.path_of("secret"), b"secret")
        for line in ("RETR ../secret", "LIST", "CWD .", "STOR file"):
            session.pasv()
            self.assertGreaterEqual(session.command(line).code, 450, line)
        os.rename(self.world.path_of("outside"), self.remote("folder"))
        session.retrieve("LIST")

    def test_no_name_is_expanded(self):
        session = self.session()
        for name in ("~", f"~{USER}", "$HOME", "`id`", "$(id)", "{a,b}"):
            session.command(f"MKD {name}", 257)
        self.assertEqual(sorted(os.listdir(self.home)),
                         sorted(("~", f"~{USER}", "$HOME", "`id`", "$(id)", "{a,b}")))

    def test_long_names_and_deep_trees(self):
        session = self.session()
        session.command("MKD " + "x" * 255, 257)
        self.assertGreaterEqual(session.command("MKD " + "x" * 256).code, 500)
        for _ in range(30):
            session.command("MKD " + "d" * 120, 257)
            session.command("CWD " + "d" * 120, 250)
        session.store("STOR file", b"deep")
        self.assertEqual(session.retrieve("RETR file"), b"deep")
        for _ in range(10):
            if session.command("MKD " + "d" * 120).code != 257 or \
                    session.command("CWD " + "d" * 120).code != 250:
                break
        session.command("PWD", 257)


class Listings(ServerTest):
    ROW = re.compile(rb"[-dlps][-rwx]{9} +\d+ +\S+ +\S+ +\d+ "
                     rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d "
                     rb"( \d{4}|\d\d:\d\d) (.*)\r\n")

    def names(self, what, session=None):
        rows = (session or self.session()).retrieve(what)
        return [row for row in rows.decode("utf-8", "surrogateescape").split("\r\n") if row]

    def test_rows_of_list(self):
        self.remote("file", b"12345")
        os.mkdir(self.remote("folder"))
        os.symlink("file", self.remote("link"))
        rows = self.session().retrieve("LIST").splitlines(keepends=True)
        found = {}
        for row in rows:
            match = self.ROW.fullmatch(row)
            self.assertTrue(match, row)
            found[match.group(3)] = row
        self.assertEqual(set(found), {b"file", b"folder", b"link -> file"})
        self.assertRegex(found[b"file"], rb"^-rw-r--r-- .* 5 ")
        self.assertRegex(found[b"folder"], rb"^drwx")
        self.assertRegex(found[b"link -> file"], rb"^l")

    def test_hidden_files(self):
        self.remote(".hidden", b"")
        self.remote("shown", b"")
        session = self.session()
        self.assertEqual(self.names("NLST", session), ["shown"])
        self.assertIn(".hidden", self.names("NLST -a", session))
        self.assertEqual(set(self.names("NLST -A", session)), {".hidden", "shown"})
        self.assertEqual(len(self.names("LIST", session)), 1)
        self.assertEqual(len(self.names("LIST -a", session)), 4)
        self.assertIn(".hidden", "".join(self.names("MLSD", session)))

    def test_options_that_clients_send(self):
        self.remote("file", b"12345")
        session = self.session()
        for line in ("LIST -la", "LIST -al", "LIST -L", "LIST -a -l file", "NLST -alL", "LIST -lT",
                     "LIST -la /", "LIST -a /file", "NLST -l"):
            with self.subTest(line=line):
                rows = self.names(line, session)
                self.assertTrue(any(re.search(r" 5 .*file$", row) for row in rows), rows)

    def test_names_that_look_like_options(self):
        self.remote("-l", b"12345")
        self.remote("two  words ", b"")
        session = self.session()
        self.assertEqual(self.names("NLST ./-l", session), ["./-l"])
        self.assertEqual(self.names("NLST -- -l", session), ["-l"])
        self.assertEqual(self.names("NLST two  words ", session), ["two  words "])
        self.assertEqual(session.retrieve("RETR -l"), b"12345")

    def test_list_of_one_file_and_of_a_directory(self):
        os.mkdir(self.remote("folder"))
        self.remote("folder/inner", b"")
        session = self.session()
        self.assertEqual(self.names("NLST folder", session), ["folder/inner"])
        self.assertEqual(self.names("NLST folder/inner", session), ["folder/inner"])
        self.assertEqual(len(self.names("LIST folder", session)), 1)
        self.assertIn("inner", self.names("LIST folder", session)[0])
        self.assertEqual(self.names("LIST -d folder", session)[0][0], "d")

    def test_patterns(self):
        for name in ("a.txt", "b.txt", "c.doc", "[x].txt"):
            self.remote(name, b"")
        session = self.session()
        self.assertEqual(sorted(self.names("NLST *.txt", session)), ["[x].txt", "a.txt", "b.txt"])
        self.assertEqual(sorted(self.names("NLST ?.txt", session)), ["a.txt", "b.txt"])
        self.assertEqual(sorted(self.names("NLST [ac].*", session)), ["a.txt", "c.doc"])
        self.assertEqual(self.names("NLST [x].txt", session), ["[x].txt"])
        self.assertEqual(len(self.names("LIST *.doc", session)), 1)

    def test_pattern_that_is_hard_to_match_costs_nothing(self):
        self.remote("a" * 250, b"")
        session = self.session()
        session.pasv()
        # who tried all ways to match it would not come to an end
        session.command("NLST " + "a*" * 100 + "b", 450)

    def test_missing_path_is_450(self):
        session = self.session()
        for line in ("LIST missing", "NLST missing", "NLST *.none", "STAT missing"):
            session.pasv()
            session.command(line, 450)
        session.pasv()
        session.command("MLSD missing", 550)

    def test_empty_directory(self):
        session = self.session()
        self.assertEqual(session.retrieve("LIST"), b"")
        self.assertEqual(session.retrieve("NLST"), b"")

    def test_control_bytes_in_names(self):
        for name in (b"line\nbreak", b"esc\x1b[31m", b"cr\rhere", b"\xff\xfe"):
            write_file(os.path.join(self.home.encode(), name), b"")
        session = self.session()
        for line in ("LIST", "NLST", "MLSD"):
            rows = session.retrieve(line)
            body = [row for row in rows.split(b"\r\n") if row]
            if line == "MLSD":
                body = [row for row in body if b"type=file" in row]
            self.assertEqual(len(body), 4, rows)
            self.assertNotRegex(rows.replace(b"\r\n", b""), rb"[\x00-\x1f\x7f]")

    def test_many_names_stream(self):
        count = 5_000
        for i in range(count):
            os.close(os.open(self.remote(f"file-{i:05}"), os.O_CREAT | os.O_WRONLY, 0o644))
        session = self.session()
        expected = [f"file-{i:05}" for i in range(count)]
        self.assertEqual(sorted(self.names("NLST", session)), expected)
        self.assertEqual(len(self.names("LIST", session)), count)
        self.assertEqual(len(self.names("MLSD", session)), count + 2)

    def test_listing_that_is_not_read_can_be_aborted(self):
        for i in range(20_000):
            os.close(os.open(self.remote(f"{i:05}" + "x" * 200), os.O_CREAT | os.O_WRONLY, 0o644))
        session = self.session()
        for _ in range(3):
            where = session.pasv()
            with socket.socket() as data:
                # a small window, so that it and the buffers behind it do not hold all rows
                data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                data.connect(where)
                session.command("LIST -R", 150)
                session.command("NOOP", 200)
                session.command("ABOR", 426)
                session.expect(226)
        self.assertEqual(len(self.names("NLST", session)), 20_000)

    def test_mlsd(self):
        self.remote("two words", b"12345")
        os.mkdir(self.remote("folder"))
        os.chown(self.remote("folder"), USER_UID, USER_GID)
        rows = dict()
        for row in self.names("MLSD"):
            facts, _, name = row.partition(" ")
            rows[name] = dict(fact.lower().split("=", 1) for fact in facts.rstrip(";").split(";"))
        self.assertEqual({name: row["type"] for name, row in rows.items()
                          if row["type"] not in ("cdir", "pdir")},
                         {"two words": "file", "folder": "dir"})
        self.assertEqual({row["type"] for row in rows.values()}, {"file", "dir", "cdir", "pdir"})
        self.assertEqual(rows["two words"]["size"], "5")
        self.assertRegex(rows["two words"]["modify"], TIME)
        for right in "rwadf":
            self.assertIn(right, rows["two words"]["perm"])
        for right in "elcm":
            self.assertIn(right, rows["folder"]["perm"])

    def test_mlsd_of_a_file(self):
        self.remote("file", b"")
        session = self.session()
        session.pasv()
        session.command("MLSD file", 501)

    def test_mlst(self):
        self.remote("file", b"12345")
        session = self.session()
        reply = session.command("MLST file", 250)
        self.assertEqual(len(reply.lines), 3)
        self.assertRegex(reply.lines[1], r"^ (?i:[a-z.]+=[^;]*;)+ /?file$")
        self.assertRegex(reply.lines[1].lower(), r"size=5;")
        self.assertRegex(session.command("MLST", 250).lines[1].lower(), r"type=c?dir;")
        session.command("MLST missing", 550)

    def test_opts_mlst_chooses_facts(self):
        self.remote("file", b"12345")
        session = self.session()
        reply = session.command("OPTS MLST size;type;unknown;", 200)
        self.assertRegex(reply.text.lower(), r"^200 mlst opts (type;size;|size;type;)$")
        row = session.command("MLST file", 250).lines[1].lower().split(" ")[1]
        self.assertEqual(sorted(fact for fact in row.split(";") if fact), ["size=5", "type=file"])
        self.assertEqual(session.command("OPTS MLST", 200).text, "200 MLST OPTS")
        self.assertRegex(session.command("MLST file", 250).lines[1], "^ +/?file$")

    def test_stat_of_paths(self):
        self.remote("file", b"12345")
        os.mkdir(self.remote("folder"))
        self.remote("folder/inner", b"")
        session = self.session()
        reply = session.command("STAT folder", 212)
        self.assertIn("inner", reply.text)
        reply = session.command("STAT file", 213)
        self.assertIn("file", reply.text)

    def test_list_is_in_local_time_and_mdtm_in_utc(self):
        """The zone is loaded before the user's root is entered."""
        self.remote("file", b"")
        os.utime(self.remote("file"), (1_000_000_000, 1_000_000_000))
        server = self.world.server(env={**os.environ, "TZ": "Asia/Tokyo"})
        session = server.session()
        self.assertIn("Sep  9  2001", session.retrieve("LIST").decode())
        recent = int(time.time()) - 3600
        os.utime(self.remote("file"), (recent, recent))
        row = session.retrieve("LIST").decode()
        shown = re.search(r"(\d\d):(\d\d) file", row)
        hour = time.gmtime(recent + 9 * 3600).tm_hour
        self.assertEqual(int(shown.group(1)), hour, row)
        self.assertEqual(session.command("MDTM file", 213).text,
                         "213 " + time.strftime("%Y%m%d%H%M%S", time.gmtime(recent)))


class Rights(GenkanTest):
    """What directives forbid is refused, and nothing happens on the disk."""

    def start(self, **directives):
        self.home = self.world.add_user()
        self.file = write_file(os.path.join(self.home, "file"), b"content", OWNER)
        os.mkdir(os.path.join(self.home, "folder"))
        if IS_ROOT:
            os.chown(os.path.join(self.home, "folder"), *OWNER)
        return self.world.server(directives=directives).session()

    def test_read_only(self):
        session = self.start(ReadOnly="on")
        before = os.stat(self.file)
        for line in ("DELE file", "MKD new", "RMD folder", "RNFR file", "SITE CHMOD 600 file",
                     "MFMT 20010101000000 file", "STOR new", "STOR file", "APPE file", "STOU"):
            with self.subTest(line=line):
                session.pasv()
                self.assertGreaterEqual(session.command(line).code, 500)
        self.assertEqual(session.retrieve("RETR file"), b"content")
        self.assertEqual(sorted(os.listdir(self.home)), ["file", "folder"])
        after = os.stat(self.file)
        self.assertEqual((before.st_mode, before.st_mtime, before.st_size),
                         (after.st_mode, after.st_mtime, after.st_size))

    def test_allow_overwrite_off(self):
        session = self.start(AllowOverwrite="off")
        for line in ("STOR file", "APPE file"):
            session.pasv()
            self.assertGreaterEqual(session.command(line).code, 500)
        session.command("REST 3", 350)
        session.pasv()
        self.assertGreaterEqual(session.command("STOR file").code, 500)
        session.store("STOR new", b"new content")
        session.command("RNFR new", 350)
        self.assertGreaterEqual(session.command("RNTO file").code, 500)
        self.assertEqual(read_file(self.file), b"content")
        session.command("RNFR new", 350)
        session.command("RNTO newer", 250)

    def test_umask(self):
        session = self.start(Umask="027 077")
        session.store("STOR new", b"")
        session.command("MKD dir", 257)
        self.assertEqual(mode_of(os.path.join(self.home, "new")), 0o640)
        self.assertEqual(mode_of(os.path.join(self.home, "dir")), 0o700)

    def test_default_root(self):
        root = self.world.make_directory("share")
        write_file(os.path.join(root, "shared"), b"")
        session = self.start(DefaultRoot=root)
        self.assertEqual(session.retrieve("NLST"), b"shared\r\n")
        self.assertEqual(session.command("PWD", 257).text.split('"')[1], "/")

    def test_transfer_log(self):
        path = self.world.path_of("xferlog")
        session = self.start(TransferLog=path)
        session.retrieve("RETR file")
        session.store("STOR two words", b"12345")
        session.command("TYPE A", 200)
        session.retrieve("LIST")
        session.quit()
        self.world.servers[0].wait_no_pairs()
        lines = read_file(path).decode().splitlines()
        self.assertEqual(len(lines), 2, lines)
        head = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} \d+ 127\.0\.0\.1 "
        self.assertRegex(lines[0], head + rf"7 /file b _ o r {USER} ftp 0 \* c$")
        self.assertRegex(lines[1], head + rf"5 /two_words b _ i r {USER} ftp 0 \* c$")

    def test_transfer_is_logged_though_no_command_follows(self):
        session = self.start()
        session.retrieve("RETR file")
        self.world.servers[0].wait_log('sent user="[^"]*" .* path="/file" bytes=7 .* complete$')
        session.store("STOR new", b"12345")
        self.world.servers[0].wait_log('received .* path="/new" bytes=5 .* complete$')
        session.command("NOOP", 200)

    def test_transfers_in_a_row_are_logged_in_their_order(self):
        session = self.start()
        names = [f"f{i:02}" for i in range(20)]
        for name in names:
            session.store(f"STOR {name}", b"x")
            session.retrieve(f"RETR {name}")
        session.quit()
        server = self.world.servers[0]
        server.wait_no_pairs()
        self.assertEqual(re.findall(r'(sent|received) user=.* path="/(f\d\d)" bytes=1 .* complete$',
                                    server.log(), re.M),
                         [(verb, name) for name in names for verb in ("received", "sent")])

    def test_last_transfer_is_logged_though_the_client_is_gone(self):
        session = self.start()
        session.retrieve("RETR file")
        session.close()
        server = self.world.servers[0]
        server.wait_no_pairs()
        self.assertRegex(server.log(), 'sent .* path="/file" bytes=7 .* complete')


class Anonymous(GenkanTest):
    def start(self, **directives):
        self.root = self.world.make_directory("pub")
        write_file(os.path.join(self.root, "file"), b"content", OWNER)
        values = {"Anonymous": "on", "AnonymousRoot": self.root, "AnonymousUser": str(USER_UID)}
        values.update(directives)
        self.server = self.world.server(directives=values)
        return self.server

    def test_guests_read(self):
        server = self.start()
        for name in ("anonymous", "ftp"):
            session = server.session(user=name, password="guest@example.net")
            self.assertEqual(session.retrieve("RETR file"), b"content")
            self.assertEqual(session.command("PWD", 257).text.split('"')[1], "/")

    def test_guest_names_in_any_case_and_empty_password(self):
        server = self.start()
        for name, password in (("Anonymous", "x"), ("anonymous", "")):
            with self.subTest(name=name, password=password):
                server.session(user=name, password=password)

    def test_guests_change_nothing(self):
        session = self.start().session(user="anonymous", password="x")
        for line in ("STOR new", "STOR file", "APPE file", "STOU", "DELE file", "MKD new",
                     "RNFR file", "SITE CHMOD 777 file", "MFMT 20010101000000 file"):
            with self.subTest(line=line):
                session.pasv()
                self.assertGreaterEqual(session.command(line).code, 500)
        self.assertEqual(os.listdir(self.root), ["file"])

    def test_upload(self):
        session = self.start(AnonymousUpload="on").session(user="anonymous", password="x")
        session.store("STOR new", b"gift")
        self.assertEqual(read_file(os.path.join(self.root, "new")), b"gift")
        for line in ("STOR file", "APPE file", "DELE file", "DELE new", "RNFR file"):
            with self.subTest(line=line):
                session.pasv()
                self.assertGreaterEqual(session.command(line).code, 500)
        self.assertEqual(read_file(os.path.join(self.root, "file")), b"content")

    def test_off(self):
        self.world.add_user()
        control = self.world.server().connect()
        control.greet()
        control.command("USER anonymous", 331, 530)
        control.command("PASS x", 530)

    @unittest.skipUnless(IS_ROOT, "needs root: another uid")
    def test_guests_are_never_root(self):
        with self.assertRaisesRegex(AssertionError, "ended with 78[^$]*AnonymousUser: root"):
            self.start(AnonymousUser="root")

    def test_share_is_read_only(self):
        root = self.world.make_directory("pub")
        write_file(os.path.join(root, "file"), b"content", OWNER)
        server = self.world.server(flags=("-e", "--share", root))
        session = server.session(user="anonymous", password="x")
        self.assertEqual(session.retrieve("RETR file"), b"content")
        session.pasv()
        self.assertGreaterEqual(session.command("STOR new").code, 500)

    def test_share_writable_takes_uploads(self):
        root = self.world.make_directory("pub")
        server = self.world.server(flags=("-e", "--share-writable", root))
        server.session(user="ftp", password="x").store("STOR new", b"gift")
        self.assertEqual(read_file(os.path.join(root, "new")), b"gift")
        if IS_ROOT:
            self.assertNotIn(os.stat(os.path.join(root, "new")).st_uid, (0, NOBODY))


if __name__ == "__main__":
    unittest.main()
