"""Traps of FTP servers that no other test has: ports, listings, names, the end.

Each test is one detail that some server got wrong.
"""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import time
import unittest

from genkan import (FTPD, IS_ROOT, PASSWORD, PATIENCE, SANITIZERS, USER, USER_GID, USER_UID, Control, GenkanTest,
                    ServerTest, free_range, in_namespace, pattern_bytes, read_file, reset, root_only,
                    wait_closed, write_file)


@contextlib.contextmanager
def swallowing_port():
    """A port that answers nothing at all, as a firewall that drops: its queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield listener


class DataPorts(ServerTest):
    def test_nobody_can_share_a_passive_port(self):
        """With SO_REUSEPORT a program of another user could take connections that are ours."""
        port = self.session().pasv()[1]
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with self.assertRaises(OSError):
                thief.bind(("127.0.0.1", port))
                thief.listen(1)

    def test_connection_that_is_reset_before_it_is_taken(self):
        self.remote("file", b"content")
        session = self.session()
        where = session.pasv()
        for _ in range(3):
            reset(socket.create_connection(where))
        with contextlib.ExitStack() as stack:
            session.send(b"RETR file\r\n")
            # a connection that was reset may be taken first: it is the client's own
            reply = None
            for _ in range(2):
                with contextlib.suppress(OSError):
                    sock = stack.enter_context(socket.create_connection(where, timeout=PATIENCE))
                    sock.recv(100)
            reply = session.expect(150, 425)
            if reply.code == 150:
                session.expect(226, 426)
        self.assertEqual(session.retrieve("RETR file"), b"content")

    def test_refused_epsv_ends_what_was_agreed_on(self):
        for line, code in (("EPSV 9", 522), ("EPSV x", 501)):
            session = self.session()
            port = session.pasv()[1]
            session.command(line, code)
            wait_closed(port)
            session.command("LIST", 425)
            session.close()

    def test_data_connection_is_used_once_also_when_it_was_aborted(self):
        self.sparse("huge", 1 << 30)
        session = self.session()
        with session.data() as data:
            session.command("RETR huge", 150)
            data.socket().recv(10)
            session.command("ABOR", 426)
            session.expect(226)
            session.command("RETR huge", 425)

    def test_abor_while_we_connect(self):
        session = self.session()
        with swallowing_port() as listener:
            session.command(session.port_argument(listener), 200)
            session.send(b"LIST\r\n")
            session.silent(0.2)
            self.assertIn("LIST", session.command("STAT", 211).text)
            session.command("ABOR", 426)
            session.expect(226)
        self.assertEqual(session.retrieve("NLST"), b"")

    def long_directory(self):
        """Of more rows than any pipe between our processes holds."""
        os.mkdir(self.remote("many"))
        for i in range(3000):
            os.close(os.open(f"{self.home}/many/{i:04}{'n' * 200}", os.O_CREAT | os.O_WRONLY))

    def test_long_listings_over_every_kind_of_data_connection(self):
        """Who makes the active connection must not be busy with the rows by then."""
        self.long_directory()
        session = self.session()
        for mode in ("pasv", "epsv", "port", "eprt"):
            for line, extra in (("LIST many", 0), ("NLST many", 0), ("MLSD many", 2)):
                with self.subTest(line=line, mode=mode):
                    self.assertEqual(session.retrieve(line, mode).count(b"\r\n"), 3000 + extra)

    def test_stat_of_a_long_directory(self):
        self.long_directory()
        session = self.session()
        self.assertEqual(len(session.command("STAT many", 212).lines), 3002)
        session.command("NOOP", 200)

    def test_active_listing_that_is_refused(self):
        session = self.session()
        for line, code in (("LIST missing", 450), ("MLSD missing", 550)):
            with session.data("port"):
                session.command(line, code)
            session.command("LIST", 425)
        with session.data("port") as data:
            data.close()
            session.command("LIST", 425)

    def test_restart_of_an_upload_leaves_no_hole(self):
        self.remote("file", b"12345")
        session = self.session()
        with session.data():
            session.command("REST 6", 350)
            session.command("STOR file", 554)
        self.assertEqual(read_file(self.remote("file")), b"12345")


class Swallowed(ServerTest):
    directives = {"TimeoutStalled": "1"}

    def test_port_that_answers_nothing_is_425_in_time_and_says_what_to_do(self):
        session = self.session()
        with swallowing_port() as listener:
            session.command(session.port_argument(listener), 200)
            reply = session.command("LIST", 425)  # TCP itself would try for two minutes
            self.assertRegex(reply.text, "router or firewall, use passive mode")
        session.command("PWD", 257)

    def test_client_that_reads_no_replies_is_given_up(self):
        """Its window is zero: a reply must not hold the session for ever."""
        session = self.session()
        session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        session.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                session.sock.send(b"HELP\r\n" * 1000)
        self.server.wait_no_pairs()


class Ranges(GenkanTest):
    @root_only("ports that bind(2) refuses")
    def test_ports_that_may_not_be_bound_are_passed_over(self):
        """SELinux answers EACCES where a port is another service's; here the kernel does."""
        self.world.add_user()
        first = free_range(2)

        def check():
            with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as file:
                file.write(str(first + 1))
            server = self.world.server(
                directives={"PassivePorts": f"{first} {first + 1}", "ActivePort": "any"})
            session = server.session()
            for _ in range(8):
                self.assertEqual(session.pasv()[1], first + 1)
            session.quit()
            server.wait_no_pairs()
            server.stop()
        in_namespace(check)


@unittest.skipIf(SANITIZERS, "the gateway's leak checker cannot look at a process with walls")
class SlowNames(GenkanTest):
    """The name of the router's address is being looked up, in vain."""

    def test_feat_and_stat_do_not_wait_for_dns(self):
        home = self.world.add_user()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
            resolver.bind(("127.0.0.1", 0))
            server = self.world.server(directives={
                "MasqueradeAddress": "home.example.net", "MasqueradeTimeout": "60",
                "MasqueradeResolver": f"127.0.0.1:{resolver.getsockname()[1]}",
                "LocalNetworks": "none"})
            begin = time.monotonic()
            session = server.session()
            write_file(os.path.join(home, "file"), b"x")
            for line, code in (("FEAT", 211), ("STAT", 211), ("STAT file", 213), ("HELP", 214),
                               ("SYST", 215), ("MLST", 250)):
                session.command(line, code)
            self.assertLess(time.monotonic() - begin, PATIENCE)
            session.quit()
            server.wait_no_pairs()


class Ends(ServerTest):
    """421 when the connection ends before the client says QUIT."""

    @root_only("else the kernel kills the session with its monitor")
    def test_421_when_the_service_is_stopped(self):
        """As systemd stops a unit: SIGTERM for each process of it."""
        for victims in (("monitor",), ("session", "monitor"), ("monitor", "session")):
            with self.subTest(victims=victims):
                session = self.session()
                pair = self.server.pair()
                for victim in victims:
                    with contextlib.suppress(ProcessLookupError):  # it went with the other one
                        os.kill(getattr(pair, victim), signal.SIGTERM)
                session.expect(421)
                session.at_end()
                self.server.wait_no_pairs()

    @root_only("else the kernel kills the session with its monitor")
    def test_421_in_the_middle_of_a_transfer(self):
        self.sparse("huge", 1 << 30)
        session = self.session()
        with session.data():
            session.command("RETR huge", 150)
            os.kill(self.server.pair().monitor, signal.SIGTERM)
            session.expect(421)
            session.at_end()

    def test_reset_in_the_middle_of_replies(self):
        """SIGPIPE ends nobody, and an error of writing is no loop."""
        for _ in range(5):
            session = self.session()
            session.send(b"FEAT\r\nHELP\r\nSTAT\r\n" * 200)
            reset(session.sock)
        self.server.wait_no_pairs()


class Listings(ServerTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.remote("dir"))
        for name in ("dir/one", "dir/two", "three"):
            self.remote(name, b"x")

    def names(self, session, line):
        rows = session.retrieve(line).decode("utf-8", "surrogateescape").split("\r\n")
        return [row[row.index(":") + 4:] if row[0] in "-dl" and line.startswith("LIST") else row
                for row in rows if row]

    def test_names_stand_as_they_were_given(self):
        """As ls(1) and other servers show them."""
        session = self.session()
        for path, want in (("dir/one", ["dir/one"]), ("/dir/one", ["/dir/one"]),
                           ("dir/*", ["dir/one", "dir/two"]), ("dir/../three", ["dir/../three"]),
                           ("three", ["three"])):
            with self.subTest(path=path):
                self.assertEqual(self.names(session, f"LIST {path}"), want)
                self.assertEqual(self.names(session, f"NLST {path}"), want)

    def test_names_of_a_directory(self):
        session = self.session()
        for path in ("dir", "dir/", "/dir", "dir//", "./dir"):
            with self.subTest(path=path):
                self.assertEqual(self.names(session, f"LIST {path}"), ["one", "two"])
                self.assertEqual(self.names(session, f"NLST {path}"),
                                 [path.rstrip("/") + name for name in ("/one", "/two")])

    def test_directory_itself_with_a_slash_behind(self):
        session = self.session()
        for path in ("dir", "dir/"):
            self.assertEqual(self.names(session, f"NLST -d {path}"), ["dir"])
            self.assertEqual(self.names(session, f"LIST -d {path}"), ["dir"])

    def test_options_stand_before_a_path_with_blanks(self):
        os.mkdir(self.remote(" two  words "))
        self.remote(" two  words /inner", b"")
        session = self.session()
        for options in ("", "-a ", "-la ", "-l -a ", "-1 -n -L ", "-- "):
            rows = self.names(session, f"LIST {options} two  words ")
            self.assertIn("inner", rows, options)

    @root_only("a FIFO where libc looks for the zone")
    def test_zone_of_the_users_root_is_not_looked_at(self):
        """Without a fixed TZ libc opens etc/localtime in the client's root, and hangs there."""
        os.mkdir(self.remote("etc"))
        os.mkfifo(self.remote("etc/localtime"))
        session = self.session()
        self.assertEqual(self.names(session, "LIST dir"), ["one", "two"])
        session.command("MDTM three", 213)

    def test_what_a_recursion_leaves_out_is_told(self):
        deep = self.remote("deep")
        for level in range(20):
            os.mkdir(deep)
            deep = os.path.join(deep, f"{level}")
        for options in "-R", "-Rt":  # also sorted by time, which takes the most memory
            rows = self.session().retrieve(f"LIST {options} deep").decode().splitlines()
            self.assertRegex(rows[-1], "listing ends here: no more than .* levels")


class Names(ServerTest):
    HARD = (b"back\\slash", b"quote\"d", b"-dash", b"  both ends  ", b"two\xff\xffbytes",
            b"latin-\xe9", b"cp932 \x95\x5c", b"\xe6\x97\xa5", b"~tilde", b"*star?", b"[x]",
            b"#hash", b"semi;colon", b"equals=", b"250 code", b"x...", b"&|`$(id)")

    def wire(self, name):
        return name.replace(b"\xff", b"\xff\xff")

    def raw(self, session, line):
        with session.data() as data:
            session.send(line + b"\r\n")
            session.expect(150)
            content = data.read_all()
        session.expect(226)
        return content

    def test_names_are_bytes_that_come_and_go_as_they_are(self):
        """OPTS UTF8 changes nothing of it: what is no UTF-8 stays what it is."""
        home = os.fsencode(self.home)
        for opts in ("OPTS UTF8 ON", "NOOP"):
            session = self.session()
            session.command(opts, 200)
            for name in self.HARD:
                with self.subTest(name=name, opts=opts):
                    with session.data() as data:
                        session.send(b"STOR " + self.wire(name) + b"\r\n")
                        session.expect(150)
                        data.socket().sendall(name)
                        data.close()
                    session.expect(226)
                    self.assertEqual(read_file(os.path.join(home, name)), name)
                    self.assertIn(name + b"\r\n", self.raw(session, b"NLST").splitlines(True))
                    self.assertIn(b" " + name + b"\r\n", self.raw(session, b"LIST"))
                    self.assertIn(b"; " + name + b"\r\n", self.raw(session, b"MLSD"))
                    self.assertEqual(self.raw(session, b"RETR " + self.wire(name)), name)
                    # STAT takes the options of LIST
                    for line, code in ((b"SIZE ", 213), (b"MDTM ", 213), (b"MLST ", 250),
                                       (b"STAT ./", 213), (b"RNFR ", 350)):
                        session.send(line + self.wire(name) + b"\r\n")
                        session.expect(code)
                    session.send(b"DELE " + self.wire(name) + b"\r\n")
                    session.expect(250)
            session.close()
        self.assertEqual(os.listdir(self.home), [])

    def test_mlst_of_a_name_like_a_reply(self):
        self.remote("250 End", b"")
        reply = self.session().command("MLST 250 End", 250)
        self.assertEqual(len(reply.lines), 3)

    def test_rename_over_a_link_replaces_the_link(self):
        outside = write_file(self.world.path_of("outside"), b"theirs", (USER_UID, USER_GID))
        self.remote("target", b"old")
        self.remote("new", b"new")
        for text in (outside, "target"):
            os.symlink(text, self.remote("link"))
            session = self.session()
            session.command("RNFR new", 350)
            session.command("RNTO link", 250)
            self.assertFalse(os.path.islink(self.remote("link")))
            self.assertEqual(read_file(self.remote("link")), b"new")
            os.rename(self.remote("link"), self.remote("new"))
        self.assertEqual(read_file(self.remote("target")), b"old")
        self.assertEqual(read_file(outside), b"theirs")

    def test_rename_of_a_link_moves_the_link(self):
        self.remote("target", b"x")
        os.symlink("target", self.remote("link"))
        session = self.session()
        session.command("RNFR link", 350)
        session.command("RNTO moved", 250)
        self.assertEqual(os.readlink(self.remote("moved")), "target")

    def test_links_are_removed_and_not_what_they_lead_to(self):
        os.mkdir(self.remote("dir"))
        self.remote("file", b"x")
        os.symlink("dir", self.remote("to-dir"))
        os.symlink("file", self.remote("to-file"))
        session = self.session()
        session.command("RMD to-dir", 550)
        session.command("DELE to-file", 250)
        session.command("DELE to-dir", 250)
        self.assertEqual(sorted(os.listdir(self.home)), ["dir", "file"])

    def test_directory_is_not_made_over_a_dangling_link(self):
        outside = self.world.path_of("not-there")
        os.symlink(outside, self.remote("link"))
        session = self.session()
        session.command("MKD link", 550)
        with session.data():
            session.command("STOR link", 553, 550, 150)
        self.assertFalse(os.path.exists(outside))

    @root_only("mount")
    def test_rename_to_another_file_system_copies_nothing(self):
        """A copy behind the client's back would follow links and forget rights."""
        other = self.remote("other")
        os.mkdir(other)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"uid={USER_UID}", "tmpfs", other],
                              check=False, capture_output=True)
        if done.returncode != 0:
            self.skipTest("mount is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", other], check=True)
        self.remote("file", b"content")
        session = self.session()
        session.command("RNFR file", 350)
        self.assertIn("file system", session.command("RNTO other/file", 553).text)
        self.assertEqual(os.listdir(other), [])
        self.assertEqual(read_file(self.remote("file")), b"content")

    def test_group_of_a_set_group_id_directory_is_inherited(self):
        shared = self.remote("shared")
        os.mkdir(shared)
        if IS_ROOT:
            os.chown(shared, USER_UID, 30_005)
        os.chmod(shared, 0o2775)
        session = self.session()
        session.command("MKD shared/new", 257)
        session.store("STOR shared/file", b"x")
        made = os.stat(os.path.join(shared, "new"))
        self.assertTrue(made.st_mode & stat.S_ISGID)
        self.assertEqual(made.st_gid, os.stat(shared).st_gid)
        self.assertEqual(os.stat(os.path.join(shared, "file")).st_gid, made.st_gid)
        self.assertFalse(os.stat(os.path.join(shared, "file")).st_mode & 0o7000)


class LocalSocket(GenkanTest):
    """A client on a socket that is no TCP: a tunnel, a socketpair."""

    def test_whole_session_and_flags_that_stay_the_starters(self):
        home = self.world.add_user()
        content = pattern_bytes(100_000)
        write_file(os.path.join(home, "file"), content, (USER_UID, USER_GID))
        ours, theirs = socket.socketpair()
        shared = os.dup(theirs.fileno())  # what a super-server keeps of it
        self.addCleanup(os.close, shared)
        process = subprocess.Popen([FTPD, *self.world.options()], stdin=theirs, stdout=theirs,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        theirs.close()
        control = Control.__new__(Control)
        control.sock, control.buffer, control.transcript = ours, b"", []
        control.address = ("127.0.0.1", 0)
        ours.settimeout(PATIENCE)
        control.login(USER, PASSWORD)
        self.assertTrue(os.get_blocking(shared), "O_NONBLOCK is the super-server's as well")
        for mode in ("pasv", "epsv"):
            self.assertEqual(control.retrieve("RETR file", mode), content)
        control.command("QUIT", 221)
        self.assertEqual(process.wait(PATIENCE), 0)


del GenkanTest, ServerTest  # they are not tests themselves


if __name__ == "__main__":
    unittest.main()
