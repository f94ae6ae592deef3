"""The control connection: lines, replies, login, time limits.

Spoken by hand over raw sockets, because no client program sends what a broken
or a hostile one does.
"""

import os
import re
import select
import socket
import time
import unittest

from genkan import (FTPD, IS_ROOT, PASSWORD, PATIENCE, USER, USER_GID, USER_UID, GenkanTest, ServerTest,
                    data_segments_in, free_port, reset, write_file)

IAC, DM, IP, WILL, DO = b"\xff", b"\xf2", b"\xf4", b"\xfb", b"\xfd"

# RFC 959, 2389, 2428, 3659: what needs a login.
FILE_COMMANDS = ("PORT 127,0,0,1,200,1", "EPRT |1|127.0.0.1|5000|", "PASV", "EPSV", "REST 1",
                 "ALLO 1", "CWD /", "CDUP", "PWD", "MKD a", "RMD a", "DELE a", "RNFR a", "RNTO a",
                 "SIZE a", "MDTM a", "MFMT 20200101000000 a", "MLST a", "SITE HELP", "RETR a",
                 "STOR a", "APPE a", "STOU", "LIST", "NLST", "MLSD", "STAT", "STAT /", "ABOR",
                 "XCWD /", "XCUP", "XPWD", "XMKD a", "XRMD a")


class Lines(ServerTest):
    """Bytes in, command lines out."""

    def test_pipelined_commands_are_answered_in_order(self):
        session = self.session()
        block = b"PWD\r\nSYST\r\nNOOP\r\nXYZZY\r\nTYPE I\r\n" * 100
        session.send(block)
        for _ in range(100):
            for code in (257, 215, 200, 500, 200):
                session.expect(code)
        session.silent(0.1)

    def test_whole_session_in_one_segment(self):
        control = self.connect()
        control.send(f"USER {USER}\r\nPASS {PASSWORD}\r\nMKD new\r\nPWD\r\nQUIT\r\n".encode())
        for code in (220, 331, 230, 257, 257, 221):
            control.expect(code)
        control.at_end()
        self.assertTrue(os.path.isdir(self.remote("new")))

    def test_client_that_sends_without_reading_loses_nothing(self):
        """More commands than buffers hold: they wait, none is lost, nobody is stuck for good."""
        session = self.session()
        count = 20_000
        block = b"NOOP\r\n" * count
        session.sock.setblocking(False)
        sent, got = 0, b""
        while got.count(b"\n") < count:
            try:
                sent += session.sock.send(block[sent:sent + 65536])
            except BlockingIOError:
                pass
            try:
                got += session.sock.recv(65536)
            except BlockingIOError:
                time.sleep(0.001)
        self.assertEqual(set(got.split(b"\r\n")[:-1]), {b"200 Still here."})
        self.assertEqual(sent, len(block))

    def test_one_byte_segments(self):
        control = self.connect()
        control.greet()
        for line, code in ((f"USER {USER}", 331), (f"PASS {PASSWORD}", 230), ("PWD", 257)):
            for byte in line.encode() + b"\r\n":
                control.send(bytes([byte]))
            control.expect(code)

    def test_over_long_line_gets_500_once_and_the_session_lives(self):
        for size in (5_000, 9_000, 100_000):
            with self.subTest(size=size):
                session = self.session()
                session.send(b"NOOP " + b"x" * size + b"\r\nPWD\r\n")
                session.expect(500)
                session.expect(257)
                session.silent(0.05)

    def test_over_long_line_before_login(self):
        control = self.connect()
        control.greet()
        control.send(b"USER " + b"x" * 50_000 + b"\r\n")
        control.expect(500)
        control.command("NOOP", 200)

    def test_tail_of_an_over_long_line_never_runs(self):
        session = self.session()
        # Wherever the line would be split, a command stands there.
        session.send(b"DELE " * 4_000 + b"\r\n")
        session.expect(500)
        session.send(b"MKD new\r" * 2_000 + b"\n")
        session.expect(500)
        session.command("PWD", 257)
        session.silent(0.05)
        self.assertEqual(os.listdir(self.home), [])

    def test_longest_path_is_taken(self):
        session = self.session()
        session.command("CWD " + "a/" * 2040, 550)
        session.command("CWD " + "/" * 4090, 250)

    def test_nul_refuses_the_line(self):
        session = self.session()
        self.remote("file", b"content")
        session.send(b"DELE file\0name\r\n")
        session.expect(501)
        session.send(b"NO\0OP\r\n")
        session.expect(501)
        session.command("PWD", 257)
        self.assertEqual(os.listdir(self.home), ["file"])

    def test_bare_lf_ends_a_line(self):
        control = self.connect()
        control.greet()
        control.send(f"USER {USER}\nPASS {PASSWORD}\nPWD\n".encode())
        for code in (331, 230, 257):
            control.expect(code)

    def test_cr_inside_a_name_makes_nothing(self):
        session = self.session()
        for line in (b"MKD a\rb\r\n", b"MKD a\r\0b\r\n"):
            session.send(line)
            reply = session.reply()
            self.assertGreaterEqual(reply.code, 500, session.transcript[-3:])
        self.assertEqual(os.listdir(self.home), [])

    def test_empty_lines_and_lf_first_are_harmless(self):
        session = self.session()
        session.send(b"\n\r\n\n NOOP\r\nPWD\r\n")
        while (reply := session.reply()).code != 257:
            self.assertEqual(reply.code, 500)

    def test_bytes_above_0x7f_as_verb(self):
        session = self.session()
        for byte in range(0x80, 0xff):
            session.send(bytes([byte, byte]) + b" x\r\n")
            session.expect(500)
        session.command("PWD", 257)

    def test_verbs_in_any_case(self):
        session = self.session()
        for verb in ("noop", "NoOp", "nOOP"):
            session.command(verb, 200)

    def test_format_directives_are_data(self):
        session = self.session()
        for line in ("%s%n%x%p", "CWD %s%n%x%p", "SITE %n%s", "HELP %n%s", "TYPE %n", "STAT %s%n"):
            reply = session.command(line)
            self.assertGreaterEqual(reply.code, 400)
        session.command("PWD", 257)

    def test_http_verb_closes_and_reflects_nothing(self):
        for request in (b"GET /<script>alert(1)</script> HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"POST / HTTP/1.0\r\n\r\nUSER anna\r\n"):
            with self.subTest(request=request):
                control = self.connect()
                control.greet()
                control.send(request)
                control.at_end()

    def test_scanner_is_sent_away_before_login(self):
        control = self.connect()
        control.greet()
        codes = []
        for _ in range(20):
            codes.append(control.command("XYZZY").code)
            if codes[-1] == 421:
                break
        self.assertEqual(codes[-1], 421)
        self.assertEqual(set(codes[:-1]), {500})
        control.at_end()


class Telnet(ServerTest):
    """RFC 854 inside the control connection."""

    def test_options_and_commands_are_swallowed(self):
        session = self.session()
        for noise in (IAC + WILL + b"\x01", IAC + DO + b"\x03", IAC + b"\xf1", IAC + IP + IAC + DM):
            with self.subTest(noise=noise):
                session.send(noise + b"PWD\r\n")
                session.expect(257)
                session.send(b"P" + noise + b"WD\r\n")
                session.expect(257)
                session.send(b"PWD\r" + noise + b"\n")
                session.expect(257)

    def test_sequences_cut_anywhere(self):
        session = self.session()
        line = IAC + WILL + b"\x01" + b"PW" + IAC + b"\xf1" + b"D" + IAC + DO + b"\x06\r\n"
        for cut in range(1, len(line)):
            session.send(line[:cut])
            # The first half must have been taken in before the second comes.
            session.wait_taken()
            session.send(line[cut:])
            session.expect(257)

    def test_doubled_iac_is_a_byte_of_a_name(self):
        session = self.session()
        session.send(b"MKD a" + IAC + IAC + b"b\r\n")
        session.expect(257)
        self.assertEqual(os.listdir(self.home.encode()), [b"a\xffb"])

    def test_single_0xff_of_a_careless_client_is_data(self):
        session = self.session()
        session.send(b"MKD a\xffb\r\n")
        session.expect(257)
        self.assertEqual(os.listdir(self.home.encode()), [b"a\xffb"])

    def test_0xff_in_a_reply_is_doubled(self):
        os.mkdir(os.path.join(self.home.encode(), b"a\xffb"))
        session = self.session()
        session.send(b"CWD a\xff\xffb\r\nPWD\r\n")
        session.expect(250)
        reply = session.expect(257)
        self.assertIn(b"a\xff\xffb", reply.text.encode("utf-8", "surrogateescape"))

    def test_urgent_data_is_read_in_line(self):
        session = self.session()
        session.sock.sendall(IAC + IP)
        session.sock.send(IAC + DM, socket.MSG_OOB)
        session.sock.sendall(b"PWD\r\n")
        session.expect(257)


class Replies(ServerTest):
    """How replies look on the wire."""

    def segments(self, session, lines, codes):
        """How many segments the replies to lines take; never fewer than there are replies. A segment
        that TCP has sent again, because the acknowledgement of a busy machine was late, counts as
        well: then it is tried again."""
        for _ in range(10):
            before = data_segments_in(session.sock)
            session.send(lines)
            for code in codes:
                session.expect(code)
            count = data_segments_in(session.sock) - before
            self.assertGreaterEqual(count, len(codes))
            if count == len(codes):
                break
        return count

    def test_every_reply_is_one_segment(self):
        session = self.session()
        self.remote("file", b"x")
        for line, code in (("PWD", 257), ("FEAT", 211), ("HELP", 214), ("STAT", 211),
                           ("MLST file", 250), ("EPSV", 229), ("PASV", 227), ("SITE HELP", 214),
                           ("XYZZY", 500)):
            with self.subTest(line=line):
                self.assertEqual(self.segments(session, line.encode() + b"\r\n", [code]), 1)

    def test_227_stands_alone_in_its_segment(self):
        """Also when its neighbours come at the same time: routers look at segments."""
        session = self.session()
        lines = b"NOOP\r\nPASV\r\nNOOP\r\n"
        self.assertEqual(self.segments(session, lines, [200, 227, 200]), 3)

    def test_control_bytes_are_not_reflected(self):
        session = self.session()
        for line in (b"CWD \x1b[31mred\x07\r\n", b"\x1b[2J\x08\r\n", b"TYPE \x1b\r\n",
                     b"RETR a\tb\x7f\r\n"):
            session.send(line)
            reply = session.reply()
            self.assertGreaterEqual(reply.code, 500)
            self.assertNotRegex(reply.text, "[\x00-\x09\x0b-\x1f\x7f]")

    def test_feat_lines(self):
        reply = self.session().command("FEAT", 211)
        lines = reply.lines[1:-1]
        for line in lines:
            self.assertRegex(line, "^ [^ ]")
        words = {line.strip() for line in lines}
        for word in ("EPRT", "EPSV", "MDTM", "MFMT", "REST STREAM", "SIZE", "TVFS", "UTF8"):
            self.assertIn(word, words)
        facts = [word for word in words if word.startswith("MLST ")]
        self.assertEqual(len(facts), 1)
        for fact in ("type*;", "size*;", "modify*;", "perm*;"):
            self.assertIn(fact, facts[0])

    def test_help(self):
        session = self.session()
        reply = session.command("HELP", 214)
        for verb in ("USER", "RETR", "MLSD", "EPSV"):
            self.assertIn(verb, reply.text.split())
        self.assertIn("RETR", session.command("HELP RETR", 214).text)
        session.command("HELP XYZZY", 501, 502)
        self.assertIn("CHMOD", session.command("SITE HELP", 214).text)

    def test_syst(self):
        self.assertEqual(self.session().command("SYST", 215).text, "215 UNIX Type: L8")

    def test_arguments_are_wanted_or_not(self):
        session = self.session()
        for line in ("RETR", "STOR", "CWD", "MKD", "TYPE", "PORT", "EPRT", "REST", "SIZE",
                     "MDTM", "RNFR", "SITE", "OPTS", "RETR "):
            session.command(line, 500, 501)
        for line in ("PWD x", "CDUP x"):
            session.command(line, 501)

    def test_type_stru_mode(self):
        session = self.session()
        for line, code in (("TYPE A", 200), ("TYPE a n", 200), ("TYPE L 8", 200), ("TYPE I", 200),
                           ("TYPE E", 504), ("TYPE A C", 504), ("TYPE L 7", 504), ("TYPE X", 501),
                           ("STRU F", 200), ("STRU R", 504), ("STRU P", 504), ("STRU X", 501),
                           ("MODE S", 200), ("MODE B", 504), ("MODE C", 504), ("MODE X", 501)):
            with self.subTest(line=line):
                session.command(line, code)

    def test_allo(self):
        session = self.session()
        session.command("ALLO 1000", 200)
        session.command("ALLO 1000 R 10", 200)
        session.command("ALLO many", 504)
        room = int(session.command("AVBL", 213).text[4:])
        self.assertGreater(room, 0)
        session.command(f"ALLO {room + (1 << 50)}", 552)
        session.command("AVBL missing", 550)
        session.command("AVBL /", 213)

    def test_commands_that_are_known_but_not_offered(self):
        session = self.session()
        for line in ("REIN", "SMNT /x", "DSIZ x", "COMB x y", "LPRT 6", "LPSV", "MFCT 2026 x"):
            session.command(line, 502)
        session.command("ACCT x", 202)


class BeforeLogin(ServerTest):
    def test_file_commands_get_530(self):
        control = self.connect()
        control.greet()
        for line in FILE_COMMANDS:
            control.command(line, 530)

    def test_what_needs_no_login(self):
        control = self.connect()
        control.greet()
        for line, code in (("FEAT", 211), ("HELP", 214), ("NOOP", 200), ("SYST", 215),
                           ("TYPE I", 200), ("STRU F", 200), ("MODE S", 200), ("CLNT x", 200),
                           ("OPTS UTF8 ON", 200), ("OPTS MLST type;", 200), ("ACCT x", 202),
                           ("REIN", 502), ("SMNT x", 502)):
            control.command(line, code)

    def test_pass_without_user(self):
        control = self.connect()
        control.greet()
        control.command(f"PASS {PASSWORD}", 503)

    def test_user_without_name(self):
        control = self.connect()
        control.greet()
        control.command("USER", 500)

    def test_no_port_is_opened(self):
        control = self.connect()
        control.greet()
        control.command("PASV", 530)
        control.command("EPSV", 530)
        # The monitor was never asked.
        self.assertNotIn("LISTEN", self.log())


class Login(ServerTest):
    directives = {"MaxLoginAttempts": "3"}

    @classmethod
    def prepare(cls):
        cls.world.add_user("bert", "other")
        cls.world.add_user("gone", "secret", home=cls.world.path_of("no-such-home"))
        cls.world.add_user("file", "secret",
                           home=write_file(cls.world.path_of("a-file"), b"not a directory"))
        # What genkanctl would not write, another program or a person might.
        with open(cls.world.users_file, encoding="ascii") as file:
            lines = file.read()
        digest = re.search(r"^anna:([^:]+):", lines, re.M).group(1)
        ids = f"{USER_UID}:{USER_GID}"
        lines += (f"root:{digest}:0:0::{cls.home}:/bin/sh\n"
                  f"gidroot:{digest}:{USER_UID}:0::{cls.home}:/bin/sh\n"
                  f"locked:!{digest}:{ids}::{cls.home}:/bin/sh\n"
                  f"star:*:{ids}::{cls.home}:/bin/sh\n"
                  f"empty::{ids}::{cls.home}:/bin/sh\n"
                  f"nohome:{digest}:{ids}:::/bin/sh\n"
                  f"relative:{digest}:{ids}::home:/bin/sh\n"
                  f"word:{digest}:zero:zero::{cls.home}:/bin/sh\n"
                  f"negative:{digest}:-1:-1::{cls.home}:/bin/sh\n"
                  f"short:{digest}:{ids}\n")
        with open(cls.world.users_file, "w", encoding="ascii") as file:
            file.write(lines)

    def refused(self, user, password=PASSWORD):
        control = self.connect()
        control.greet()
        control.command(f"USER {user}", 331, 530)
        reply = control.command(f"PASS {password}", 530)
        control.command("PWD", 530)
        control.close()
        return reply.text

    def test_wrong_password_and_unknown_user_sound_the_same(self):
        wrong = self.refused(USER, "wrong")
        self.assertEqual(self.refused("nobodyhere", "wrong"), wrong)
        self.assertEqual(self.refused("locked"), wrong)

    def test_accounts_that_let_nobody_in(self):
        for user in ("root", "gidroot", "locked", "star", "nohome", "relative", "word",
                     "negative", "short", "gone", "file"):
            with self.subTest(user=user):
                if user in ("root", "gidroot") and not IS_ROOT:
                    continue  # nobody becomes anybody there
                self.refused(user, "secret" if user in ("gone", "file") else PASSWORD)

    def test_empty_password_always_fails(self):
        for user in (USER, "empty", "nobodyhere"):
            with self.subTest(user=user):
                self.refused(user, "")

    def test_long_name_and_password_are_refused(self):
        self.refused("x" * 4000, "y" * 4000)
        self.refused("x" * 255, "y" * 511)

    def test_missing_home_is_told_to_the_log_not_to_the_client(self):
        self.assertNotIn("home", self.refused("gone", "secret"))
        self.assertIn("no-such-home", self.log())

    def test_failed_login_is_one_line_of_the_log(self):
        self.refused("evil\tname\"\\ x", "wrong")
        lines = [line for line in self.log().splitlines() if "auth-fail" in line]
        self.assertEqual(len(lines), 1, self.log())
        self.assertRegex(lines[0], r'auth-fail rhost=127\.0\.0\.1 user="[^"\\\s]*" reason=[\w-]+')

    def test_password_is_in_no_log(self):
        self.refused(USER, "tops3cret")
        self.session().quit()
        self.assertNotIn("tops3cret", self.log())
        self.assertNotIn(PASSWORD, self.log())

    def test_attempts_are_limited(self):
        control = self.connect()
        control.greet()
        codes = []
        for _ in range(3):
            control.command(f"USER {USER}", 331)
            codes.append(control.command("PASS wrong").code)
        self.assertEqual(codes, [530, 530, 421])
        control.at_end()

    def test_right_password_after_a_wrong_one(self):
        control = self.connect()
        control.greet()
        control.command(f"USER {USER}", 331)
        control.command("PASS wrong", 530)
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)

    def test_pass_again_needs_user_again(self):
        control = self.connect()
        control.greet()
        control.command(f"USER {USER}", 331)
        control.command("PASS wrong", 530)
        control.command(f"PASS {PASSWORD}", 503)

    def test_other_user_after_login_is_refused(self):
        session = self.session()
        session.command("USER bert", 501)
        session.command(f"USER {USER}", 230)
        session.command("PWD", 257)

    def test_users_see_their_own_homes(self):
        self.remote("of-anna", b"")
        self.assertEqual(self.session().retrieve("NLST"), b"of-anna\r\n")
        other = self.session(user="bert", password="other")
        self.assertEqual(other.retrieve("NLST"), b"")


class Limits(GenkanTest):
    """Servers with time limits of seconds. What is measured begins before the server's clock does:
    who measures may be held up."""

    def server(self, **directives):
        self.home = self.world.add_user()
        return self.world.server(directives=directives)

    def large_file(self):
        path = write_file(os.path.join(self.home, "file"), b"", (USER_UID, USER_GID))
        os.truncate(path, 50_000_000)

    def assert_421_after(self, control, begin, least):
        control.expect(421)
        control.at_end()
        self.assertGreaterEqual(time.monotonic() - begin, least - 0.2)

    def test_timeout_login(self):
        server = self.server(TimeoutLogin=1)
        begin = time.monotonic()
        control = server.connect()
        control.greet()
        self.assert_421_after(control, begin, 1)
        server.wait_no_pairs()

    def test_timeout_login_is_extended_by_nothing(self):
        server = self.server(TimeoutLogin=2)
        begin = time.monotonic()
        control = server.connect()
        control.greet()
        codes = set()
        while 421 not in codes:
            control.send(b"NOOP\r\n")
            codes.add(control.reply().code)
            self.assertLess(time.monotonic() - begin, PATIENCE)
            time.sleep(0.02)
        self.assertGreater(time.monotonic() - begin, 1.5)
        server.wait_no_pairs()

    def test_timeout_login_does_not_wait_for_the_end_of_a_line(self):
        server = self.server(TimeoutLogin=1)
        begin = time.monotonic()
        control = server.connect()
        control.greet()
        control.send(b"USER never-end")
        self.assert_421_after(control, begin, 1)

    def test_timeout_idle(self):
        session = self.server(TimeoutIdle=2).session()
        begin = time.monotonic()
        session.command("NOOP", 200)
        self.assert_421_after(session, begin, 2)

    def test_timeout_idle_begins_anew_with_each_command(self):
        session = self.server(TimeoutIdle=4).session()
        begin = last = time.monotonic()
        while last - begin < 5:
            last = time.monotonic()
            session.command("NOOP", 200)
            session.silent(0.3)
        self.assert_421_after(session, last, 4)

    def test_timeout_idle_is_not_for_transfers(self):
        server = self.server(TimeoutIdle=2)
        self.large_file()
        session = server.session()
        with session.data("pasv") as data:
            session.command("RETR file", 150)
            got, begin = 0, time.monotonic()
            while block := data.socket().recv(1 << 20):
                got += len(block)
                if time.monotonic() - begin < 3.5:
                    session.silent(0.1)
        session.expect(226)
        self.assertEqual(got, 50_000_000)

    def test_timeout_no_transfer(self):
        session = self.server(TimeoutNoTransfer=3).session()
        begin = time.monotonic()
        while session.command("NOOP").code != 421:
            self.assertLess(time.monotonic() - begin, PATIENCE)
            time.sleep(0.02)
        session.at_end()

    def test_timeout_stalled_download(self):
        server = self.server(TimeoutStalled=1)
        self.large_file()
        session = server.session()
        with session.data("pasv"):
            session.command("RETR file", 150)
            session.expect(426)
        session.command("PWD", 257)

    def test_timeout_stalled_is_not_fed_by_noop(self):
        session = self.server(TimeoutStalled=2).session()
        with session.data("pasv"):
            session.command("STOR file", 150)
            begin = time.monotonic()
            while (code := session.command("NOOP").code) == 200:
                self.assertLess(time.monotonic() - begin, PATIENCE)
                time.sleep(0.05)
            self.assertEqual(code, 426)

    def test_timeout_stalled_is_not_fed_by_a_flood_of_noop(self):
        session = self.server(TimeoutStalled=2).session()
        with session.data("pasv"):
            session.command("STOR file", 150)
            begin, seen = time.monotonic(), b""
            session.sock.setblocking(False)
            while b"426 " not in seen:
                self.assertLess(time.monotonic() - begin, PATIENCE)
                readable, writable, _ = select.select([session.sock], [session.sock], [], 1)
                if writable:
                    session.sock.send(b"NOOP\r\n" * 100)
                if readable:
                    seen = seen[-8:] + session.sock.recv(65536)

    def test_timeout_stalled_without_data_connection(self):
        session = self.server(TimeoutStalled=1).session()
        session.pasv()
        session.send(b"LIST\r\n")
        session.expect(425)
        session.command("PWD", 257)

    def test_timeout_session(self):
        session = self.server(TimeoutSession=4).session()
        begin = time.monotonic()
        while session.command("NOOP").code != 421:
            self.assertLess(time.monotonic() - begin, PATIENCE)
            time.sleep(0.02)
        session.at_end()

    def test_timeout_session_ends_a_transfer(self):
        server = self.server(TimeoutSession=4)
        session = server.session()
        with session.data("pasv"):
            session.command("STOR file", 150)
            session.expect(421)
            server.wait_no_pairs()


class Endings(ServerTest):
    """However a connection ends, nothing of it is left."""

    def test_quit(self):
        self.session().quit()
        self.server.wait_no_pairs()

    def test_quit_before_login(self):
        control = self.connect()
        control.greet()
        control.quit()
        self.server.wait_no_pairs()

    def test_client_closes(self):
        for point in ("greeting", "user", "login"):
            for end in ("FIN", "RST"):
                with self.subTest(point=point, end=end):
                    control = self.connect()
                    control.greet()
                    if point != "greeting":
                        control.command(f"USER {USER}", 331)
                    if point == "login":
                        control.command(f"PASS {PASSWORD}", 230)
                    if end == "RST":
                        reset(control.sock)
                    else:
                        control.close()
                    self.server.wait_no_pairs()

    def test_half_closed_connection_is_served_to_its_end(self):
        session = self.session()
        session.send(b"PWD\r\nNOOP\r\nQUIT\r\n")
        session.sock.shutdown(socket.SHUT_WR)
        for code in (257, 200, 221):
            session.expect(code)
        session.at_end()

    def test_line_without_end_is_dropped_with_the_connection(self):
        session = self.session()
        session.send(b"MKD half")
        session.sock.shutdown(socket.SHUT_WR)
        session.at_end()
        self.server.wait_no_pairs()
        self.assertEqual(os.listdir(self.home), [])

    def test_session_killed_takes_the_monitor_along(self):
        session = self.session()
        os.kill(self.server.pair().session, 9)
        self.server.wait_no_pairs()
        session.at_end()

    def test_monitor_killed_takes_the_session_along(self):
        session = self.session()
        os.kill(self.server.pair().monitor, 9)
        self.server.wait_no_pairs()
        if IS_ROOT:  # else the kernel kills the session with its monitor
            session.expect(421)
        session.at_end()

    def test_sessions_outlive_the_launcher(self):
        world = self.world
        server = world.server(directives=self.directives)
        session = server.session()
        server.stop()
        session.command("PWD", 257)
        self.assertEqual(session.retrieve("NLST"), b"")
        session.quit()


class Texts(GenkanTest):
    """Directives that only change words."""

    def greeting(self, **directives):
        self.world.add_user()
        with self.world.server(directives=directives).connect() as control:
            return control.greet().text

    def test_server_ident(self):
        self.assertEqual(self.greeting(), "220 Genkan FTP server ready")

    def test_server_ident_off(self):
        self.assertEqual(self.greeting(ServerIdent="off"), "220 FTP server ready")

    def test_server_ident_text(self):
        self.assertEqual(self.greeting(ServerIdent='"Welcome home"'), "220 Welcome home")

    def test_display_login(self):
        text = "Dear guest\n226 is not a code here\n\nOne more line\n"
        path = write_file(self.world.path_of("message"), text.encode())
        self.world.add_user()
        control = self.world.server(directives={"DisplayLogin": path}).connect()
        control.greet()
        control.command(f"USER {USER}", 331)
        reply = control.command(f"PASS {PASSWORD}", 230)
        for line in text.split("\n"):
            self.assertIn(line, reply.text)
        self.assertTrue(all(not re.match(r"226", line) for line in reply.lines))
        control.command("PWD", 257)

    def test_display_login_that_is_missing_harms_nobody(self):
        self.world.add_user()
        server = self.world.server(directives={"DisplayLogin": self.world.path_of("none")})
        server.session().command("PWD", 257)

    def test_log_level_warn_is_silent_about_sessions(self):
        self.world.add_user()
        port = free_port()
        quiet = self.world.launch([FTPD, *self.world.options({"LogLevel": "warn"}), "-e",
                                   "--listen", f"127.0.0.1:{port}"])
        quiet.wait_port("127.0.0.1", port)
        quiet.session().quit()
        quiet.wait_no_pairs()
        self.assertEqual(quiet.log(), "")


if __name__ == "__main__":
    unittest.main()
