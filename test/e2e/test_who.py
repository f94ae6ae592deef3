"""genkanctl who, kick, ban, unban, bans: what they tell and do of living connections."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from genkan import (CTL, NOBODY, SOURCE, USER, Pair, ServerTest, free_port, process_table,
                    read_file, root_only, wait_until, write_file)
from test_tls import TlsTest

USAGE, NOINPUT, UNAVAILABLE, NOPERM = 64, 66, 69, 77


def ctl(world, command, *args, **options):
    return subprocess.run([CTL, command, "-r", world.run, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30,
                          check=False, **options)


def done(world, command, *args):
    """What it prints; it must have gone well."""
    result = ctl(world, command, *args)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def sessions(world):
    return json.loads(done(world, "who", "--json"))["sessions"]


def session_of(world):
    rows = sessions(world)
    assert len(rows) == 1, rows
    return rows[0]


class Who(ServerTest):
    def look(self):
        return session_of(self.world)

    def wait_state(self, state):
        wait_until(lambda: self.look()["state"] == state, f"who says {state}")
        return self.look()

    def test_nobody(self):
        self.assertEqual(done(self.world, "who"), "Nobody is connected.\n")
        self.assertEqual(sessions(self.world), [])

    def test_before_login(self):
        before = time.time()
        control = self.connect()
        control.greet()
        row = self.look()
        self.assertEqual(row["pid"], self.server.pair().monitor)
        self.assertEqual((row["user"], row["state"], row["host"]), (None, "login", "127.0.0.1"))
        self.assertEqual(row["port"], control.sock.getsockname()[1])
        self.assertTrue(before - 1 <= row["began"] <= time.time() + 1, row)
        self.assertNotIn("path", row)

    def test_logged_in(self):
        self.session()
        row = self.look()
        self.assertEqual((row["user"], row["state"]), (USER, "idle"))
        self.assertRegex(done(self.world, "who"),
                         rf"(?m)^ *\d+  {USER} +127\.0\.0\.1 +\d:\d\d  idle for \d:\d\d$")

    def test_a_download_with_size_and_progress(self):
        size = 50_000_000
        self.sparse("huge", size)
        session = self.session()
        with session.data() as data:
            session.command("RETR huge", 150)
            taken = 0
            while taken < 1_000_000:
                taken += len(data.socket().recv(65536))
            row = self.wait_state("reads")
            self.assertEqual((row["path"], row["size"]), ("/huge", size))
            # what is not read waits in buffers, so it stops; the slot tells a second later
            wait_until(lambda: self.look()["bytes"] >= 1_000_000, "progress is told")
            row = self.look()
            self.assertLessEqual(row["bytes"], size)
            self.assertGreater(row["rate"], 0)
            self.assertRegex(done(self.world, "who"),
                             r"reads /huge  \d+% of 50 MB, [\d.]+ [kM]B/s, \d+:\d\d left$")
            data.read_all()
        session.expect(226)
        self.wait_state("idle")

    def test_an_upload(self):
        session = self.session()
        with session.data() as data:
            session.command("STOR up", 150)
            data.socket().sendall(b"x" * 12345)
            wait_until(lambda: self.look().get("bytes") == 12345, "progress is told")
            row = self.look()
            self.assertEqual((row["state"], row["path"], row["size"]), ("writes", "/up", None))
        session.expect(226)
        self.wait_state("idle")

    def test_a_download_that_no_data_connection_comes_for(self):
        self.remote("file", b"x")
        session = self.session()
        port = free_port()
        session.command(f"EPRT |1|127.0.0.1|{port}|", 200)
        session.command("RETR file", 425)
        self.wait_state("idle")

    def test_a_checksum(self):
        self.remote("file", b"x")
        session = self.session()
        session.command("HASH file", 213)
        self.wait_state("idle")

    def test_names_are_harmless_for_a_terminal_and_for_json(self):
        name = b"a\x1b[2J\xff\xe2\x80\xae\"\\ \xe6\x97\xa5"
        path = os.path.join(os.fsencode(self.home), name)
        write_file(path, b"x" * 10_000_000)
        session = self.session()
        with session.data() as data:
            session.send(b"RETR " + name + b"\r\n")
            session.expect(150)
            data.socket().recv(1)
            self.assertEqual(self.wait_state("reads")["path"], "/a\x1b[2J\ufffd\u202e\"\\ 日")
            self.assertIn("reads /a?[2J??\"\\ 日  ", done(self.world, "who"))
            data.read_all()
        session.expect(226)

    @root_only("another user")
    def test_others_see_nothing(self):
        self.session()
        result = ctl(self.world, "who", user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual(result.returncode, NOPERM)
        self.assertIn("only root and the user that serves may read it", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_a_directory_that_is_not_there(self):
        result = subprocess.run([CTL, "who", "-r", "/nonexistent"], capture_output=True, text=True,
                                check=False)
        self.assertEqual(result.returncode, NOINPUT)


class WhoTls(TlsTest):
    """The monitor of an encrypted session has another socket: it tells as much."""

    def test_transfer_and_its_end(self):
        with open(os.path.join(self.home, "huge"), "wb") as file:
            file.truncate(1 << 30)
        session = self.logged_in()
        with session.data() as data:
            session.command("RETR huge", 150)
            data.socket().recv(1000)
            wait_until(lambda: session_of(self.world)["state"] == "reads", "who says reads")
            self.assertEqual(session_of(self.world)["path"], "/huge")
            wait_until(lambda: session_of(self.world)["bytes"] > 0, "who says how far")
        session.expect(426)
        wait_until(lambda: session_of(self.world)["state"] == "idle", "who says idle")


class Screen:
    """genkanctl who --watch on a terminal of so many rows and columns."""

    def __init__(self, world, rows=24, columns=100):
        self.output = b""
        gate, opener = os.pipe()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.close(opener)
            os.read(gate, 1)  # the terminal is ready
            os.execv(CTL, [CTL, "who", "-r", world.run, "--watch"])
        os.close(gate)
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.terminal)
        os.close(opener)

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                self.output += os.read(self.terminal, 65536)
            except OSError:  # the program has gone
                break
        return self.output.decode(errors="replace")

    def last(self):
        """The lines that were drawn last."""
        text = self.read().rpartition("\033[H")[2].partition("\033[J")[0]
        return text.replace("\033[K", "").split("\r\n")

    def wait(self, pattern):
        def look():
            return re.search(pattern, "\n".join(self.last()), re.M)
        try:
            return wait_until(look, f"the screen shows {pattern!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it was {self.last()}") from None

    def end(self):
        """Its exit status."""
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        self.read()
        return os.waitstatus_to_exitcode(status)

    def kill(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.end()
        os.close(self.terminal)


class Watch(ServerTest):
    def screen(self):
        screen = Screen(self.world)
        self.addCleanup(screen.kill)
        return screen

    def test_bars_rates_and_remaining_time(self):
        self.sparse("huge", 50_000_000)
        session = self.session()
        screen = self.screen()
        with session.data() as data:
            session.command("RETR huge", 150)
            taken = 0
            while taken < 10_000_000:
                taken += len(data.socket().recv(65536))
            screen.wait(rf"^ *\d+  {USER} +127\.0\.0\.1 +\d:\d\d  reads /huge$")
            screen.wait(r"^ +\[#{4,}-+\] +[2-9]\d% of 50 MB  [\d.]+ [kMG]?B/s")
            screen.wait(r"  1 connection, [\d.]+ [kMG]?B/s down, 0 B/s up ")
            data.read_all()
        session.expect(226)
        screen.wait(r"  idle$")
        os.write(screen.terminal, b"q")
        self.assertEqual(screen.end(), 0)

    def test_it_ends_by_ctrl_c_and_leaves_the_terminal_as_it_was(self):
        for key in (b"q", b"\x03"):
            screen = self.screen()
            screen.wait("0 connections")
            # no echo of keys, and no waiting for a whole line
            self.assertFalse(termios.tcgetattr(screen.terminal)[3] & (termios.ECHO | termios.ICANON))
            os.write(screen.terminal, key)
            wait_until(lambda: "\033[?1049l" in screen.read(), "the screen is left")
            wait_until(lambda: termios.tcgetattr(screen.terminal)[3] & termios.ECHO, "echo is back")
            self.assertTrue(screen.before[3] & termios.ECHO)
            self.assertEqual(screen.end(), 0)

    def test_a_small_screen_says_how_many_are_left_out(self):
        for _ in range(6):
            self.connect().greet()
        screen = self.screen()
        screen.wait("6 connections")
        screen.resize(6, 60)
        screen.wait(r"^\.\.\. and 4 more$")
        self.assertLessEqual(len(screen.last()), 6)
        os.write(screen.terminal, b"q")
        self.assertEqual(screen.end(), 0)

    def test_without_a_terminal_it_is_refused(self):
        result = ctl(self.world, "who", "--watch")
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("--watch needs a terminal", result.stderr)


class Kick(ServerTest):
    directives = {"MaxLoginAttempts": "10"}

    def kicked(self, control):
        """The client is told, and nothing of the connection is left."""
        control.expect(421)
        control.at_end()

    def test_by_pid(self):
        control = self.session()
        pid = self.server.pair().monitor
        other = self.session()
        self.assertEqual(done(self.world, "kick", str(pid)), f"{pid} {USER} 127.0.0.1: ended\n")
        self.kicked(control)
        self.assertEqual(len(sessions(self.world)), 1)
        other.command("NOOP", 200)

    def test_by_user(self):
        controls = [self.session() for _ in range(3)]
        stranger = self.connect()
        stranger.greet()
        self.assertEqual(done(self.world, "kick", USER).count("ended"), 3)
        for control in controls:
            self.kicked(control)
        stranger.command("NOOP", 200)

    def test_by_host_and_network(self):
        far = self.connect(source=("127.0.0.5", 0)).login()
        farther = self.connect(source=("127.0.1.5", 0)).login()
        near = self.session()
        done(self.world, "kick", "127.0.0.5")
        self.kicked(far)
        done(self.world, "kick", "127.0.1.0/24")
        self.kicked(farther)
        near.command("NOOP", 200)

    def test_in_the_middle_of_a_transfer(self):
        self.sparse("huge", 1_000_000_000)
        session = self.session()
        with session.data() as data:
            session.command("RETR huge", 150)
            data.socket().recv(1)
            done(self.world, "kick", USER)
            self.kicked(session)
            self.assertLess(len(data.read_all()), 1_000_000_000)
        self.assertEqual(sessions(self.world), [])

    def test_an_upload_leaves_the_old_file(self):
        for mode in ("pasv", "eprt"):
            self.remote("file", b"old")
            session = self.session()
            with session.data(mode) as data:
                session.command("STOR file", 150)
                data.socket().sendall(b"new")
                wait_until(lambda: session_of(self.world).get("bytes") == 3, "it has come")
                done(self.world, "kick", USER)
                self.kicked(session)
            self.server.wait_no_pairs()
            self.assertEqual(read_file(self.remote("file")), b"old")
            self.assertEqual(os.listdir(self.home), ["file"])

    def test_while_a_login_is_delayed(self):
        """Nobody waits for the delay's end: then there would be a 530 first."""
        for failures in range(6):  # each makes the next delay a second longer
            control = self.connect()
            control.greet()
            monitor = self.server.pair().monitor
            for _ in range(failures):
                control.command(f"USER {USER}", 331)
                control.command("PASS wrong", 530)
            control.command(f"USER {USER}", 331)
            control.send(b"PASS wrong\r\n")
            control.wait_taken()
            done(self.world, "kick", str(monitor))
            code = control.expect(530, 421).code
            self.server.wait_no_pairs()
            if code == 421:
                return
            # on a busy machine the delay was over before the kick
        self.fail("the delay is waited for")

    def test_nobody_is_meant(self):
        self.session()
        for whom in ("nobody-here", "192.0.2.1", "1"):
            result = ctl(self.world, "kick", whom)
            self.assertEqual(result.returncode, UNAVAILABLE)
            self.assertIn(f"no connection is {whom}'s", result.stderr)
        self.assertEqual(len(sessions(self.world)), 1)

    @root_only("another process's descriptors")
    def test_a_record_that_names_another_process_does_it_no_harm(self):
        """Whoever took over a monitor could write any pid into its slot."""
        session = self.session()
        victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.addCleanup(victim.wait)
        self.addCleanup(victim.kill)
        self.addCleanup(victim.stdin.close)
        pid = self.server.pair().monitor
        path = os.path.join(self.world.run, "slots")
        content = read_file(path)
        # the record begins with it, and has the user's name behind it
        at = content.rindex(pid.to_bytes(4, "little"), 0, content.index(USER.encode() + b"\0"))
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(victim.pid.to_bytes(4, "little"))
        self.assertEqual(session_of(self.world)["pid"], victim.pid)
        result = ctl(self.world, "kick", USER)
        self.assertIn(f"process {victim.pid} does not hold the slot: it was not touched",
                      result.stderr)
        self.assertNotEqual(result.returncode, 0)
        self.assertIsNone(victim.poll())
        session.command("NOOP", 200)


class KickTls(TlsTest):
    def test_the_client_is_told_encrypted(self):
        session = self.logged_in()
        self.assertIn("ended", done(self.world, "kick", USER))
        session.expect(421)
        session.at_end()
        self.server.wait_no_pairs()
        self.assertEqual(sessions(self.world), [])


class Dead:
    """Whoever of a connection is killed, in whichever state: all of it ends and its slot is free."""

    def killed(self, *whom):
        for state in self.states():
            with self.subTest(state=state.__name__):
                state()
                pair = self.pair()
                for who in whom:
                    with contextlib.suppress(ProcessLookupError):  # it follows the other at once
                        os.kill(getattr(pair, who), signal.SIGKILL)
                self.server.wait_no_pairs()
                self.assertEqual(sessions(self.world), [])

    def test_session_killed(self):
        self.killed("session")

    def test_monitor_killed(self):
        self.killed("monitor")

    def test_both_killed(self):
        self.killed("monitor", "session")

    def test_sigterm_is_enough(self):
        """As systemd ends a service: each process gets it."""
        for state in self.states():
            with self.subTest(state=state.__name__):
                state()
                os.kill(self.pair().monitor, signal.SIGTERM)
                self.server.wait_no_pairs()
                self.assertEqual(sessions(self.world), [])


class SlotsOfTheDead(Dead, ServerTest):
    def pair(self):
        return self.server.pair()

    def states(self):
        """A name and a function that brings a connection there, for each state."""
        def greeted():
            control = self.connect()
            control.greet()

        def delayed():
            control = self.connect()
            control.greet()
            control.command(f"USER {USER}", 331)
            control.send(b"PASS wrong\r\n")
            control.wait_taken()

        def listening():
            self.session().pasv()

        def reading():
            self.sparse("huge", 1_000_000_000)
            session = self.session()
            data = session.data()
            self.addCleanup(data.close)
            session.command("RETR huge", 150)
            data.socket().recv(1)

        def writing():
            session = self.session()
            data = session.data("eprt")
            self.addCleanup(data.close)
            session.command("STOR file", 150)
            data.socket().sendall(b"x")

        def listing():
            session = self.session()
            data = session.data()
            self.addCleanup(data.close)
            session.command("LIST -R", 150)

        return greeted, delayed, self.session, listening, reading, writing, listing


class SlotsOfTheDeadTls(Dead, TlsTest):
    def states(self):
        def before_the_handshake():
            self.plain().command("AUTH TLS", 234)

        def encrypted():
            self.secure()

        def reading():
            self.sparse("huge", 1_000_000_000)
            session = self.logged_in()
            data = session.data()
            self.addCleanup(data.close)
            session.command("RETR huge", 150)
            data.socket().recv(1)

        return before_the_handshake, encrypted, self.logged_in, reading

    def pair(self):
        """The monitor and genkan-ftpd-tls, once that stands in the session's place."""
        def look():
            table = process_table()
            found = [Pair(parent, pid) for pid, (parent, state, name) in table.items()
                     if name == "genkan-ftpd-tls" and state != "Z"
                     and table.get(parent, (0,))[0] == self.server.pid]
            return found[0] if len(found) == 1 else None
        return wait_until(look, "the session is genkan-ftpd-tls")


class Ban(ServerTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.lift)

    def lift(self):
        for line in ctl(self.world, "bans").stdout.splitlines():
            if line.startswith(("1", "2", "f", ":")):
                done(self.world, "unban", line.split()[0])

    def refused(self, host):
        control = self.connect(source=(host, 0))
        self.assertIn("banned", control.expect(421).text)
        control.at_end()

    def welcome(self, host):
        control = self.connect(source=(host, 0))
        control.greet()
        control.quit()

    def test_a_host(self):
        self.assertEqual(done(self.world, "ban", "127.0.0.9"), "127.0.0.9 is banned for good.\n")
        self.refused("127.0.0.9")
        self.welcome("127.0.0.8")
        self.assertEqual(done(self.world, "bans").split(), ["127.0.0.9", "for", "good"])
        self.assertEqual(done(self.world, "unban", "127.0.0.9"), "127.0.0.9 is banned no more.\n")
        self.welcome("127.0.0.9")
        self.assertEqual(done(self.world, "bans"), "Nobody is banned.\n")

    def test_a_host_for_a_time(self):
        self.assertIn("for 600 seconds", done(self.world, "ban", "127.0.0.9", "10m"))
        self.assertRegex(done(self.world, "bans"), r"^127\.0\.0\.9 +(10:00|9:\d\d) left\n$")
        self.refused("127.0.0.9")
        done(self.world, "ban", "127.0.0.9", "1s")
        wait_until(lambda: done(self.world, "bans") == "Nobody is banned.\n", "it is over")
        self.welcome("127.0.0.9")

    def test_a_network(self):
        done(self.world, "ban", "127.0.3.0/24")
        self.refused("127.0.3.1")
        self.refused("127.0.3.255")
        self.welcome("127.0.2.255")
        result = ctl(self.world, "unban", "127.0.3.1")
        self.assertEqual(result.returncode, UNAVAILABLE)
        self.assertIn("lies in a network that is banned", result.stderr)
        done(self.world, "unban", "127.0.3.0/24")
        self.welcome("127.0.3.1")

    def test_an_ipv6_host_is_told_as_its_network(self):
        self.assertIn("2001:db8:1:2::/64 is banned", done(self.world, "ban", "2001:db8:1:2::7"))
        self.assertIn("2001:db8:1:3::7 is banned", done(self.world, "ban", "2001:db8:1:3::7/128"))
        self.assertEqual([line.split()[0] for line in done(self.world, "bans").splitlines()],
                         ["2001:db8:1:3::7", "2001:db8:1:2::/64"])
        done(self.world, "unban", "2001:db8:1:2::")
        done(self.world, "unban", "2001:db8:1:3::7/128")
        self.assertEqual(done(self.world, "bans"), "Nobody is banned.\n")

    def test_running_connections_are_told_of(self):
        session = self.connect(source=("127.0.0.9", 0)).login()
        self.assertIn('1 connection of it goes on; "genkanctl kick 127.0.0.9" ends it.',
                      done(self.world, "ban", "127.0.0.9"))
        session.command("NOOP", 200)
        done(self.world, "kick", "127.0.0.9")
        session.expect(421)

    def test_a_ban_holds_without_ban_after(self):
        server = self.world.server(directives={"BanAfter": "none"})
        done(self.world, "ban", "127.0.0.9")
        control = server.connect(source=("127.0.0.9", 0))
        control.expect(421)

    def test_what_means_nothing_is_refused(self):
        for args, words in ((("example.net",), "neither an address nor a network"),
                            (("127.0.0.1", "soon"), "the time is forever, or such as"),
                            (("::/0",), "that would be everybody"), ((), "usage:")):
            result = ctl(self.world, "ban", *args)
            self.assertIn(words, result.stderr)
            self.assertNotEqual(result.returncode, 0)
        result = ctl(self.world, "unban", "127.0.0.77")
        self.assertEqual(result.returncode, UNAVAILABLE)
        self.assertIn("was not banned", result.stderr)

    @root_only("another user's directory")
    def test_a_directory_of_another_user_is_left_alone(self):
        path = self.world.make_directory("theirs", owner=(NOBODY, NOBODY), mode=0o700)
        result = subprocess.run([CTL, "ban", "-r", path, "192.0.2.1"], capture_output=True,
                                text=True, check=False)
        self.assertEqual(result.returncode, NOPERM)
        self.assertIn("run this as that user", result.stderr)
        self.assertEqual(os.listdir(path), [])


class Papers(unittest.TestCase):
    def test_every_option_stands_in_the_manual(self):
        with open(os.path.join(SOURCE, "ftpd", "ctl", "genkanctl.8"), encoding="utf-8") as file:
            page = file.read()
        for command in ("who", "kick", "ban", "unban", "bans"):
            text = subprocess.run([CTL, command, "-h"], capture_output=True, text=True,
                                  check=True).stdout
            self.assertIn(f".Cm {command}\n", page)
            for option in re.findall(r"^  (--?[\w-]+)", text, re.M):
                self.assertRegex(page, rf"(?m)^\.It Fl (.*, )?{re.escape(option[1:])}\b", command)
            wrong = subprocess.run([CTL, command, "--no-such-option"], capture_output=True,
                                   text=True, check=False)
            self.assertEqual(wrong.returncode, USAGE)


if __name__ == "__main__":
    unittest.main()
