"""Every way of being started: the same small session under each super-server, and
what the first moments of the process must get right whoever started it."""

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import tty
import unittest

from genkan import (BUILD, FTPD, HERE, IS_ROOT, PASSWORD, PATIENCE, SOURCE, USER, USER_GID,
                    USER_UID, Control, GenkanTest, descendants, free_port, in_namespace,
                    listening_ports, need_program, proc_status, read_file, reset, root_only,
                    wait_until, write_file)

SUPER_SERVERS = os.path.join(BUILD, "super-servers")
OWNER = (USER_UID, USER_GID)
CONTENT = bytes(range(256)) * 400


def super_server(path):
    """Where test/run has unpacked a Debian package's program."""
    return os.path.join(SUPER_SERVERS, path)


def need_super_server(path):
    return unittest.skipUnless(os.access(super_server(path), os.X_OK),
                               f"{super_server(path)} is not there: test/run unpacks it")


def small_session(control, home):
    """Login, list, get and put by PASV, get in all the other ways, quit; EPSV and EPRT for IPv6."""
    write_file(os.path.join(home, "file"), CONTENT, OWNER)
    ways = ["pasv", "epsv", "port", "eprt"]
    if control.sock.family == socket.AF_INET6:
        ways = ["epsv", "eprt"]
    control.login()
    names = control.retrieve("NLST", ways[0]).split()
    assert b"file" in names, names
    for way in ways:
        assert control.retrieve("RETR file", way) == CONTENT, way
    control.store("STOR new", CONTENT[::-1], ways[0])
    assert read_file(os.path.join(home, "new")) == CONTENT[::-1]
    control.quit()


class LauncherTest(GenkanTest):
    def setUp(self):
        super().setUp()
        self.home = self.world.add_user()

    def configure(self, **directives):
        """Writes the configuration and returns the program's arguments for it."""
        values = {"RunDirectory": self.world.run, "StateDirectory": self.world.run + "/state",
                  "AuthUserFile": self.world.users_file}
        values.update(directives)
        text = "".join(f"{name} {value}\n" for name, value in values.items())
        write_file(self.world.config, text.encode())
        return ["-f", self.world.config]

    def serve(self, server):
        """The small session, twice, and nothing is left."""
        for _ in range(2):
            with server.connect() as control:
                small_session(control, self.home)
        server.wait_no_pairs()

    def speaks_only_ftp(self, server, log_is_empty=False):
        """Whatever is logged, the client sees well-formed replies and nothing else."""
        control = server.connect()
        control.login()
        for line, code in (("RETR missing", 550), ("XYZZY", 500), ("CWD missing", 550),
                           ("NOOP", 200)):
            control.command(line, code)
        control.silent(0.1)
        control.quit()
        if not log_is_empty:
            return
        self.assertEqual(server.log(), "")


class OpenbsdInetd(LauncherTest):
    def start(self, *flags):
        port = free_port()
        words = [FTPD, "genkan-ftpd", *self.configure(), *flags]
        conf = write_file(self.world.path_of("inetd.conf"),
                          f"127.0.0.1:{port} stream tcp nowait.100000 root {' '.join(words)}\n"
                          .encode())
        # It writes /run/inetd.pid, where a machine's own may be: a /run of its own hides that.
        server = self.world.launch(
            ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh",
             super_server("usr/sbin/inetd"), "-i", conf])
        server.wait_port("127.0.0.1", port)
        return server

    @root_only("inetd starts servers as root")
    @need_super_server("usr/sbin/inetd")
    def test_session(self):
        self.serve(self.start())

    @root_only("inetd starts servers as root")
    @need_super_server("usr/sbin/inetd")
    def test_stderr_never_reaches_the_client(self):
        """inetd makes descriptor 2 the client's socket; -d would write a lot to it."""
        self.speaks_only_ftp(self.start("-d"), log_is_empty=True)


class Xinetd(LauncherTest):
    def start(self, *flags):
        port = free_port()
        conf = write_file(self.world.path_of("xinetd.conf"), f"""
service genkan-ftpd
{{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	wait = no
	user = root
	bind = 127.0.0.1
	port = {port}
	server = {FTPD}
	server_args = {' '.join([*self.configure(), *flags])}
	instances = UNLIMITED
	per_source = UNLIMITED
	cps = 10000 1
}}
""".encode())
        server = self.world.launch([super_server("usr/sbin/xinetd"), "-dontfork", "-f", conf,
                                    "-pidfile", self.world.path_of("xinetd.pid"),
                                    "-filelog", self.world.path_of("xinetd.log")])
        server.wait_port("127.0.0.1", port)
        return server

    @root_only("xinetd starts servers as root")
    @need_super_server("usr/sbin/xinetd")
    def test_session(self):
        self.serve(self.start())

    @root_only("xinetd starts servers as root")
    @need_super_server("usr/sbin/xinetd")
    def test_stderr_never_reaches_the_client(self):
        self.speaks_only_ftp(self.start("-d"), log_is_empty=True)


class Tcpserver(LauncherTest):
    def start(self, *flags):
        port = free_port()
        server = self.world.launch([super_server("usr/bin/tcpserver"), "-RHl0", "127.0.0.1",
                                    str(port), FTPD, *self.configure(), *flags])
        server.wait_port("127.0.0.1", port)
        return server

    @need_super_server("usr/bin/tcpserver")
    def test_session(self):
        self.serve(self.start())

    @need_super_server("usr/bin/tcpserver")
    def test_log_goes_to_the_super_servers_stderr(self):
        server = self.start("-e")
        self.speaks_only_ftp(server)
        self.assertIn("login", server.log())


@need_program("systemd-socket-activate")
class SystemdSocketActivate(LauncherTest):
    def start(self, where, *flags, inetd=True):
        port = free_port()
        switches = ["--accept"] + (["--inetd"] if inetd else [])
        server = self.world.launch(["systemd-socket-activate", *switches, "-l",
                                    f"{where}{port}", FTPD, *self.configure(), *flags])
        server.wait_port("127.0.0.1", port)
        return server

    def test_session_with_inetd(self):
        self.serve(self.start("127.0.0.1:"))

    def test_session_on_descriptor_3(self):
        self.serve(self.start("127.0.0.1:", inetd=False))

    def test_session_over_ipv6(self):
        server = self.start("")
        server.addresses = [("::1", server.address[1])]
        self.serve(server)

    def test_unmapped_ipv4_on_dual_stack(self):
        """An IPv4 client on a socket for both families is an IPv4 client in everything."""
        for inetd in (True, False):
            server = self.start("", "-e", inetd=inetd)
            session = server.session()
            for _ in range(3):
                self.assertEqual(session.pasv()[0], "127.0.0.1")
            session.epsv("1")
            session.command("EPSV 2", 522)
            session.retrieve("NLST", "port")
            self.assertIn("127.0.0.1", session.command("STAT", 211).text)
            session.quit()
            said = "\n".join(session.transcript + [line for line in server.log().splitlines()
                                                    if line.startswith("genkan-ftpd[")])
            self.assertNotIn("::ffff", said)
            self.serve(server)

    def test_stderr_never_reaches_the_client(self):
        self.speaks_only_ftp(self.start("127.0.0.1:", "-d"))


class Listen(LauncherTest):
    """genkan-ftpd --listen"""

    def test_session_over_ipv4_and_ipv6(self):
        server = self.world.server(listen=("127.0.0.1:0", "[::1]:0"))
        self.serve(server)
        with server.connect(1) as control:
            small_session(control, self.home)

    def test_port_alone_is_all_addresses(self):
        port = free_port()
        server = self.world.launch([FTPD, *self.world.options(), "-e", "--listen", str(port)])
        server.wait_listening(2)
        self.assertEqual(sorted(server.addresses), [("0.0.0.0", port), ("::", port)])
        for host in ("127.0.0.1", "::1"):
            with Control((host, port)) as control:
                small_session(control, self.home)

    def test_port_in_use_is_told(self):
        server = self.world.server()
        done = subprocess.run([FTPD, *self.world.options(), "-e", "--listen",
                               f"127.0.0.1:{server.address[1]}"], timeout=PATIENCE, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(done.returncode, 71)
        self.assertIn(str(server.address[1]).encode(), done.stderr)

    def test_bad_address_is_a_usage_error(self):
        for where in ("nonsense", "127.0.0.1:99999", "localhost:2121", "[::1]", ":::"):
            with self.subTest(where=where):
                done = subprocess.run([FTPD, *self.world.options(), "-e", "--listen", where],
                                      timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
                                      capture_output=True)
                self.assertEqual(done.returncode, 64, done.stderr)

    @need_program("systemd-socket-activate")
    def test_listening_sockets_of_systemd(self):
        port = free_port()
        server = self.world.launch(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", FTPD,
                                    *self.world.options(), "-e", "--listen", "systemd"])
        server.wait_port("127.0.0.1", port)
        self.serve(server)

    def test_sigterm_ends_the_launcher_with_0(self):
        for sign in (signal.SIGTERM, signal.SIGINT):
            server = self.world.server()
            server.process.send_signal(sign)
            self.assertEqual(server.process.wait(PATIENCE), 0)
            self.assertNotIn(server.address[1], listening_ports())

    def test_signals_to_the_launchers_group_do_not_end_sessions(self):
        server = self.world.server(start_new_session=True)
        control = server.session()
        os.killpg(server.process.pid, signal.SIGINT)  # as the keys of its terminal do
        self.assertEqual(server.process.wait(PATIENCE), 0)
        control.command("NOOP", 200)
        control.quit()

    def test_max_clients_421_with_reason(self):
        server = self.world.server(directives={"MaxClients": 2})
        sessions = [server.session(), server.session()]
        for _ in range(3):
            full = server.connect()
            self.assertIn("MaxClients", full.expect(421).text)
            full.at_end()
        sessions[0].quit()

        def place():
            control = server.connect()
            if control.reply().code == 220:
                return control
            control.close()
            return None
        control = wait_until(place, "a place is free again")
        control.command("NOOP", 200)
        sessions[1].command("NOOP", 200)

    def test_max_clients_counts_killed_sessions_no_more(self):
        server = self.world.server(directives={"MaxClients": 1})
        server.session()
        pair = server.pair()
        os.kill(pair.monitor, signal.SIGKILL)
        os.kill(pair.session, signal.SIGKILL)
        server.wait_no_pairs()
        server.session().quit()

    def test_burst_of_1000_connections_is_survived(self):
        self.time_limit = 300
        self.begin_time_limit()
        server = self.world.server(directives={"MaxClients": 30})
        socks, answers = {}, {}
        poller = select.poll()
        for _ in range(1000):
            sock = socket.socket()
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(server.address)
            socks[sock.fileno()] = sock
            poller.register(sock, select.POLLIN)
        end = time.monotonic() + 120
        while len(answers) < 1000 and time.monotonic() < end:
            for number, _ in poller.poll(1000):
                poller.unregister(number)
                try:
                    answers[number] = socks[number].recv(100)
                except OSError as error:
                    answers[number] = str(error).encode()
        for sock in socks.values():
            sock.close()
        codes = {}
        for answer in answers.values():
            codes[answer[:3]] = codes.get(answer[:3], 0) + 1
        self.assertEqual(sum(codes.values()), 1000, codes)
        self.assertEqual(set(codes), {b"220", b"421"}, codes)
        self.assertGreaterEqual(codes[b"220"], 30)
        server.wait_no_pairs()
        self.serve(server)


class ByHand(LauncherTest):
    """A terminal or pipes on standard input and output: debugging."""

    def start(self, stdin, stdout, *flags):
        server = self.world.launch([FTPD, *self.configure(), *flags], stdin=stdin, stdout=stdout)
        self.addCleanup(server.process.wait, PATIENCE)
        return server

    def dialogue(self, read, write):
        """The small session's start over two descriptors."""
        write_file(os.path.join(self.home, "file"), CONTENT, OWNER)
        buffer = b""

        def reply(code):
            nonlocal buffer
            while b"\n" not in buffer:
                self.assertTrue(select.select([read], [], [], PATIENCE)[0], f"no {code}")
                data = os.read(read, 4096)
                self.assertTrue(data, f"closed before {code}")
                buffer += data
            line, _, buffer = buffer.partition(b"\n")
            self.assertTrue(line.startswith(b"%d " % code), line)
            return line.decode()

        def command(line, code):
            os.write(write, line.encode() + b"\r\n")
            return reply(code)
        reply(220)
        command(f"USER {USER}", 331)
        command(f"PASS {PASSWORD}", 230)
        command("TYPE I", 200)
        text = command("EPSV", 229)
        with socket.create_connection(("127.0.0.1", int(text.split("|")[3])), PATIENCE) as data:
            command("RETR file", 150)
            content = b""
            while block := data.recv(65536):
                content += block
        reply(226)
        self.assertEqual(content, CONTENT)
        self.assertIn("(127,0,0,1,", command("PASV", 227))
        command("QUIT", 221)

    def test_pipes(self):
        there, write = os.pipe()
        read, here = os.pipe()
        server = self.start(there, here, "-d")
        os.close(there)
        os.close(here)
        self.dialogue(read, write)
        self.assertEqual(server.process.wait(PATIENCE), 0)
        for number in (read, write):
            os.close(number)
        # -d traces commands, replies and requests, but no password.
        for word in (f"USER {USER}", "221 ", "227 ", "LISTEN", "LOGIN"):
            self.assertIn(word, server.log())
        self.assertNotIn(PASSWORD, server.log())

    def test_terminal(self):
        here, there = pty.openpty()
        tty.setraw(there)
        server = self.start(there, there)
        os.close(there)
        self.dialogue(here, here)
        self.assertEqual(server.process.wait(PATIENCE), 0)
        os.close(here)

    def test_end_of_input_ends_the_process(self):
        there, write = os.pipe()
        server = self.start(there, subprocess.DEVNULL)
        os.close(there)
        os.close(write)
        self.assertEqual(server.process.wait(PATIENCE), 0)


class FirstMoments(LauncherTest):
    """The process is given a socket, as a super-server does it."""

    def start(self, sock, *flags, directives=None, **popen):
        popen.setdefault("stdin", sock)
        popen.setdefault("stdout", sock)
        arguments = [*self.configure(**(directives or {})), *flags]
        server = self.world.launch([FTPD, *arguments], **popen)
        return server

    def connection(self, keep=False):
        """A Control and the server's end of its connection."""
        listener = socket.create_server(("127.0.0.1", 0))
        control = Control(listener.getsockname())
        self.world.controls.append(control)
        sock, _ = listener.accept()
        listener.close()
        self.addCleanup(sock.close)
        return control, sock

    def assert_ends_silently(self, server):
        self.assertEqual(server.process.wait(PATIENCE), 0)
        self.assertEqual(server.log(), "")

    def test_client_already_gone_exits_0_silently(self):
        control, sock = self.connection()
        reset(control.sock)
        wait_until(lambda: select.select([sock], [], [], 0)[0], "RST has come")
        self.assert_ends_silently(self.start(sock, "-e"))

    def test_socket_that_was_never_connected_exits_0_silently(self):
        with socket.socket() as sock:
            self.assert_ends_silently(self.start(sock, "-e"))

    def test_health_check_connect_close(self):
        for end in ("FIN", "RST", "after the greeting"):
            with self.subTest(end=end):
                control, sock = self.connection()
                if end == "FIN":
                    control.close()
                server = self.start(sock, "-e", directives={"LogLevel": "notice"})
                sock.close()
                if end == "RST":
                    reset(control.sock)
                elif end != "FIN":
                    control.greet()
                    control.close()
                self.assert_ends_silently(server)

    def test_listening_socket_is_refused_with_a_hint(self):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            server = self.start(sock, "-e")
            self.assertEqual(server.process.wait(PATIENCE), 78)
            self.assertIn("nowait", server.log())

    def test_signals_and_mask_are_reset(self):
        def spoil():
            for sign in range(1, signal.NSIG):
                with contextlib.suppress(OSError, ValueError):
                    signal.signal(sign, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
            os.umask(0)
        control, sock = self.connection()
        server = self.start(sock, "-e", preexec_fn=spoil, restore_signals=False)
        sock.close()
        control.login()
        control.store("STOR file", b"x")
        self.assertEqual(os.stat(os.path.join(self.home, "file")).st_mode & 0o777, 0o644)
        pids = [server.pid, *descendants(server.pid)]
        self.assertEqual(len(pids), 2)
        for pid in pids:
            status = proc_status(pid)
            self.assertEqual(int(status["SigBlk"], 16), 0)
            ignored = int(status["SigIgn"], 16)
            allowed = (1 << signal.SIGPIPE - 1) | (1 << signal.SIGCHLD - 1)
            if pid != server.pid:  # the session ends with its monitor, and says so
                allowed |= 1 << signal.SIGTERM - 1
            self.assertEqual(ignored & ~allowed, 0, hex(ignored))
        control.quit()
        self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_extra_descriptors_are_closed(self):
        reader, writer = os.pipe()
        control, sock = self.connection()

        def leave_open():
            for number in (5, 9, 77, 300, 1000):
                os.dup2(writer, number)
        server = self.start(sock, "-e", preexec_fn=leave_open, close_fds=False)
        os.close(writer)
        sock.close()
        control.login()
        self.assertTrue(select.select([reader], [], [], PATIENCE)[0], "a descriptor is still open")
        self.assertEqual(os.read(reader, 1), b"")
        os.close(reader)
        control.quit()
        self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_environment_is_cleared(self):
        control, sock = self.connection()
        environment = {"LD_PRELOAD_X": "x", "HOME": "/nowhere", "IFS": "x", "TZ": "UTC"}
        server = self.start(sock, "-e", env=environment)
        sock.close()
        control.login()
        control.quit()
        self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_no_environment_and_no_stderr_at_all(self):
        control, sock = self.connection()
        server = self.start(sock, env={}, preexec_fn=lambda: os.close(2))
        sock.close()
        control.login()
        self.assertEqual(control.retrieve("NLST"), b"")
        control.quit()
        self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_stderr_never_reaches_the_client(self):
        """Descriptor 2 is the socket, as inetd leaves it; everything is logged and traced."""
        control, sock = self.connection()
        server = self.start(sock, "-d", stderr=sock,
                            directives={"TransferLog": "/nonexistent/xferlog",
                                        "DisplayLogin": "/nonexistent/message"})
        sock.close()
        control.login()
        self.assertEqual(control.retrieve("NLST"), b"")
        control.command("XYZZY", 500)
        control.silent(0.1)
        control.quit()
        self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_bad_configuration_gives_421_and_exit_78(self):
        control, sock = self.connection()
        server = self.start(sock, "-e", directives={"PassivePorts": "40000 39999"})
        sock.close()
        reply = control.expect(421)
        self.assertNotIn("40000", reply.text)
        control.at_end()
        self.assertEqual(server.process.wait(PATIENCE), 78)
        self.assertRegex(server.log(), r"genkan-ftpd\.conf:\d+: PassivePorts: .*40000")

    def test_bad_configuration_is_not_told_to_a_client_on_stderr(self):
        control, sock = self.connection()
        server = self.start(sock, "-e", stderr=sock, directives={"NoSuchDirective": "1"})
        sock.close()
        reply = control.expect(421)
        self.assertNotIn("NoSuch", reply.text)
        control.at_end()
        self.assertEqual(server.process.wait(PATIENCE), 78)

    def test_missing_configuration_file_gives_421_and_exit_78(self):
        control, sock = self.connection()
        server = self.world.launch([FTPD, "-e", "-f", self.world.path_of("none")], stdin=sock,
                                   stdout=sock)
        sock.close()
        control.expect(421)
        self.assertEqual(server.process.wait(PATIENCE), 78)

    @root_only("a file of another owner")
    def test_configuration_that_others_can_write_is_refused(self):
        for owner, mode in (((0, 0), 0o666), ((0, 0), 0o664), ((USER_UID, 0), 0o644)):
            with self.subTest(owner=owner, mode=oct(mode)):
                arguments = self.configure()
                os.chmod(self.world.config, mode)
                os.chown(self.world.config, *owner)
                control, sock = self.connection()
                server = self.world.launch([FTPD, "-e", *arguments], stdin=sock, stdout=sock)
                sock.close()
                control.expect(421)
                self.assertEqual(server.process.wait(PATIENCE), 78)
                os.chown(self.world.config, 0, 0)
                os.chmod(self.world.config, 0o644)

    def test_usage_error_is_64(self):
        for arguments in (["--no-such-option"], ["word"], ["-o"]):
            done = subprocess.run([FTPD, *arguments], stdin=subprocess.DEVNULL, timeout=PATIENCE,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 64)
            self.assertIn(b"usage", done.stderr)

    def test_unmapped_ipv4_on_a_dual_stack_socket(self):
        listener = socket.socket(socket.AF_INET6)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
        listener.listen(1)
        control = Control(("127.0.0.1", listener.getsockname()[1]))
        self.world.controls.append(control)
        sock, peer = listener.accept()
        self.assertEqual(peer[0], "::ffff:127.0.0.1")
        listener.close()
        server = self.start(sock, "-e")
        sock.close()
        small_session(control, self.home)
        self.assertNotIn("::ffff", "\n".join(control.transcript) + server.log())
        self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_nonblocking_socket_of_the_super_server(self):
        control, sock = self.connection()
        sock.setblocking(False)
        server = self.start(sock, "-e")
        sock.close()
        small_session(control, self.home)
        self.assertEqual(server.process.wait(PATIENCE), 0)

    @root_only("a network namespace with its own resolver")
    def test_greeting_comes_before_dns(self):
        """The resolver swallows everything: nobody waits for it but PASV from outside."""
        def begin(timeout):
            return self.world.server(directives={
                "MasqueradeAddress": "home.example.net", "MasqueradeTimeout": timeout,
                "LocalNetworks": "none"})

        def check():
            resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            resolver.bind(("127.0.0.1", 53))
            conf = write_file(self.world.path_of("resolv.conf"), b"nameserver 127.0.0.1\n")
            subprocess.run(["mount", "--bind", conf, os.path.realpath("/etc/resolv.conf")],
                           check=True)
            server = begin(60)
            began = time.monotonic()
            control = server.connect()
            control.login()
            resolver.settimeout(PATIENCE)
            self.assertIn(b"\x04home\x07example", resolver.recv(512))  # it was asked
            self.assertEqual(control.retrieve("NLST", "epsv"), b"")
            self.assertEqual(control.retrieve("NLST", "port"), b"")
            self.assertLess(time.monotonic() - began, PATIENCE)
            control.quit()
            server.wait_no_pairs()
            server.stop()
            server = begin(2)
            began = time.monotonic()
            control = server.connect()
            control.login()
            control.command("PASV", 227, 425)
            self.assertGreater(time.monotonic() - began, 1.5)
            control.quit()
            server.wait_no_pairs()
            server.stop()
        in_namespace(check)


IN_THE_CONTAINER = r'''
import json, os, subprocess, sys, traceback
sys.path.insert(0, "/opt/genkan")
import test_launchers
from genkan import Control, wait_until

def session(home="/srv/anna"):
    control = wait_until(connected, "port 21")
    test_launchers.small_session(control, home)

def connected():
    try:
        return Control(("127.0.0.1", 21))
    except ConnectionRefusedError:
        return None

def systemctl(*words):
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr

def accept_yes():
    print(systemctl("start", "genkan-ftpd.socket"))
    for _ in range(2):
        session()
    for _ in range(5):
        connected().close()  # a health check
    control = connected()
    control.login()
    control.command("XYZZY", 500)
    control.silent(0.2)
    control.quit()
    wait_until(lambda: "genkan-ftpd@" not in systemctl("list-units", "--all", "--plain"),
               "no instance is left")
    assert "failed" not in systemctl("list-units", "--all", "--plain", "--state=failed",
                                     "genkan*"), systemctl("list-units", "--all", "genkan*")
    print(systemctl("stop", "genkan-ftpd.socket"))

def service():
    print(systemctl("start", "genkan-ftpd.service"))
    for _ in range(2):
        session()
    control = connected()
    control.login()
    # KillMode=process: a restart leaves sessions alone.
    print(systemctl("restart", "genkan-ftpd.service"))
    control.command("PWD", 257)
    session()
    control.quit()
    print(systemctl("stop", "genkan-ftpd.service"))

def system_user():
    """By PAM, with the rules of examples/pam.d, within the walls of the unit."""
    print(systemctl("start", "genkan-ftpd.service"))
    if os.path.exists("/run/nologin"):  # the container stays at its boot for ever
        os.unlink("/run/nologin")
    control = wait_until(connected, "port 21")
    control.login("sysuser", test_launchers.PASSWORD)
    control.store("STOR file", b"content")
    assert os.stat("/srv/sysuser/file").st_uid == test_launchers.USER_UID + 1
    said = subprocess.run(["last", "-n", "1", "-f", "/var/log/wtmp"], capture_output=True,
                          text=True, timeout=30).stdout
    assert "sysuser" in said, said
    control.quit()
    print(systemctl("stop", "genkan-ftpd.service"))

results = {}
subprocess.run(["ip", "link", "set", "lo", "up"])
for function in (accept_yes, service, system_user):
    try:
        function()
        results[function.__name__] = ""
    except BaseException:
        results[function.__name__] = traceback.format_exc()
with open("/out/journal", "wb") as journal:
    subprocess.run(["journalctl", "--no-pager", "-o", "short"], stdout=journal, timeout=30)
with open("/out/result.tmp", "w") as out:
    json.dump(results, out)
os.rename("/out/result.tmp", "/out/result")
'''

ONESHOT = """[Unit]
Description=test
[Service]
Type=oneshot
ExecStart={python} -I -c 'import runpy; runpy.run_path("/opt/genkan/inside.py")'
ExecStopPost=/usr/bin/systemctl --no-block poweroff
StandardOutput=journal
TimeoutStartSec=300
"""

TARGET = """[Unit]
Requires=basic.target genkan-test.service
After=basic.target
AllowIsolate=yes
"""


class Systemd(GenkanTest):
    """Real systemd in a container over this machine's files, with the units of examples/."""

    time_limit = 500
    results = None

    def setUp(self):
        super().setUp()
        if Systemd.results is None:
            Systemd.results = self.boot()
        if isinstance(Systemd.results, str):
            self.skipTest(Systemd.results)

    @staticmethod
    def why_not():
        if not IS_ROOT:
            return "needs root"
        for program in ("systemd-nspawn", "unshare", "ip"):
            if not shutil.which(program):
                return f"{program} is not installed"
        if not os.access("/lib/systemd/systemd", os.X_OK):
            return "systemd is not installed"
        return None

    def boot(self):
        """What happened inside: {function: traceback or nothing}, or why it cannot be tried."""
        why = self.why_not()
        if why:
            return why
        tree, upper, out = (self.world.path_of(name) for name in ("tree", "upper", "out"))
        for path in (tree, upper, out, self.world.path_of("work")):
            os.mkdir(path)
        self.furnish(upper)
        script = (f"mount -t overlay overlay -o lowerdir=/,upperdir={upper},"
                  f"workdir={self.world.path_of('work')} {tree} || exit 99\n"
                  f"exec systemd-nspawn -q -D {tree} --register=no --keep-unit --private-network "
                  f"--bind={out}:/out --boot systemd.unit=genkan-test.target "
                  "systemd.journald.forward_to_console=no")
        guest = self.world.launch(["unshare", "--mount", "sh", "-c", script])
        try:
            guest.process.wait(400)
        except subprocess.TimeoutExpired:
            guest.process.kill()
            guest.process.wait(20)
        if guest.process.returncode == 99:
            return "an overlay of / cannot be mounted here"
        if not os.path.exists(os.path.join(out, "result")):
            if "systemd" not in guest.log():
                return f"a container cannot be booted here: {guest.log()[-300:]}"
            raise AssertionError(f"no result; the console:\n{guest.log()[-4000:]}")
        Systemd.journal = read_file(os.path.join(out, "journal")).decode(errors="replace")
        return json.loads(read_file(os.path.join(out, "result")))

    def furnish(self, upper):
        """Programs, units, a user and the script: all in the overlay, nothing on the machine."""
        def place(path, content, mode=0o644):
            path = os.path.join(upper, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_file(path, content)
            os.chmod(path, mode)
        os.chmod(upper, 0o755)
        for program in ("genkan-ftpd", "genkan-ftpd-auth", "genkan-ftpd-gateway"):
            place(f"usr/sbin/{program}", read_file(os.path.join(BUILD, program)), 0o755)
        for module in ("genkan.py", "test_launchers.py"):
            place(f"opt/genkan/{module}", read_file(os.path.join(HERE, module)))
        place("opt/genkan/inside.py", IN_THE_CONTAINER.encode())
        home = self.world.add_user(home=None)
        lines = read_file(self.world.users_file).replace(home.encode(), b"/srv/anna")
        place("etc/genkan-test/passwd", lines, 0o600)
        place("etc/genkan-test/conf", b"AuthUserFile /etc/genkan-test/passwd\n"
                                      b"RunDirectory /run/genkan-ftpd\n"
                                      b"AuthSystem pam\nPAMSession on\nWtmpLog on\n")
        self.add_system_user(place, lines.split(b":")[1].decode())
        os.makedirs(os.path.join(upper, "srv/anna"))
        os.chown(os.path.join(upper, "srv/anna"), *OWNER)
        for unit in ("genkan-ftpd.service", "genkan-ftpd.socket", "genkan-ftpd@.service"):
            place(f"etc/systemd/system/{unit}",
                  read_file(os.path.join(SOURCE, "examples/systemd", unit)))
        place("etc/systemd/system/genkan-ftpd@.service.d/test.conf",
              b"[Service]\nExecStart=\nExecStart=-/usr/sbin/genkan-ftpd -f /etc/genkan-test/conf\n")
        place("etc/systemd/system/genkan-ftpd.service.d/test.conf",
              b"[Service]\nExecStartPre=\nExecStart=\n"
              b"ExecStart=/usr/sbin/genkan-ftpd -f /etc/genkan-test/conf --listen 21\n")
        place("etc/systemd/system/genkan-test.service",
              ONESHOT.format(python=os.path.realpath(sys.executable)).encode())
        place("etc/systemd/system/genkan-test.target", TARGET.encode())
        # The machine's own services stay out of it.
        place("etc/fstab", b"")

    def add_system_user(self, place, hashed):
        """sysuser, with the password of all tests."""
        uid = USER_UID + 1
        place("etc/passwd", read_file("/etc/passwd") +
              f"sysuser:x:{uid}:{uid}::/srv/sysuser:/bin/sh\n".encode())
        place("etc/shadow", read_file("/etc/shadow") +
              f"sysuser:{hashed}:{int(time.time()) // 86400}:0:99999:7:::\n".encode(), 0o600)
        place("etc/shells", b"/bin/sh\n")
        place("etc/pam.d/genkan-ftpd",
              read_file(os.path.join(SOURCE, "examples", "pam.d", "genkan-ftpd")))
        place("var/log/wtmp", b"", 0o664)
        place("srv/sysuser/empty", b"")
        os.chown(os.path.join(self.world.path_of("upper"), "srv/sysuser"), uid, uid)

    def inside(self, name):
        trouble = Systemd.results.get(name, "it did not run")
        if trouble:
            self.fail(f"{trouble}\n{Systemd.journal[-5000:]}")

    def test_accept_yes(self):
        self.inside("accept_yes")

    def test_service_with_its_own_launcher(self):
        self.inside("service")

    def test_a_user_of_the_system_in_the_service(self):
        self.inside("system_user")


del GenkanTest, LauncherTest  # they are not tests themselves

if __name__ == "__main__":
    unittest.main()
