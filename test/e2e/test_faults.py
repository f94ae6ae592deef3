"""Bad input and faults: whatever is killed, full, slow or missing, the client is told, the
others go on, and nothing is left behind.
"""

import contextlib
import errno
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
import unittest

from genkan import (BUILD, FTPD, HERE, IS_ROOT, PASSWORD, PATIENCE, SANITIZERS, USER, USER_GID,
                    USER_UID, Control, GenkanTest, ServerTest, descriptors, free_port, need_program,
                    pattern_bytes, proc_status, process_table, read_file, reset, root_only,
                    wait_closed, wait_until, write_file)
from test_traps import swallowing_port

HUGE = 1 << 30
OLD = b"the old content\n" * 1000


def drain(control):
    """All that still comes, until the server closes."""
    content = control.buffer
    with contextlib.suppress(ConnectionError):
        while block := control.sock.recv(65536):
            content += block
    return content


# Killed processes

class Killed(ServerTest):
    """Monitor or session is killed, in every state: the other one ends, the place is free."""

    directives = {"MaxClients": "1"}
    time_limit = 300

    # Each begins at the greeting and returns what has to be closed in the end.

    def greeted(self, _control):
        return ()

    def named(self, control):
        control.command(f"USER {USER}", 331)
        return ()

    def refused(self, control):
        """The monitor waits its second before it says no."""
        self.named(control)
        control.send(b"PASS wrong\r\n")
        control.wait_taken()
        return ()

    def logged_in(self, control):
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        control.command("TYPE I", 200)
        return ()

    def listening(self, control):
        self.logged_in(control)
        self.port = control.pasv()[1]
        return ()

    def waiting(self, control):
        self.listening(control)
        control.send(b"RETR huge\r\n")
        control.wait_taken()
        return ()

    def connecting(self, control):
        self.logged_in(control)
        stack = contextlib.ExitStack()
        listener = stack.enter_context(swallowing_port())
        control.command(control.port_argument(listener), 200)
        control.send(b"LIST\r\n")
        control.wait_taken()
        return (stack,)

    def transfer(self, control, line, mode="pasv", part=b""):
        self.logged_in(control)
        data = control.data(mode)
        control.command(line, 150)
        data.socket().sendall(part)
        return (data,)

    def sending(self, control):
        return self.transfer(control, "RETR huge")

    def receiving(self, control):
        return self.transfer(control, "STOR file", part=b"x" * 100_000)

    def receiving_actively(self, control):
        return self.transfer(control, "STOR file", "port", b"x" * 100_000)

    def listing(self, control):
        return self.transfer(control, "LIST many")

    def hashing(self, control):
        self.logged_in(control)
        control.send(b"HASH huge\r\n")
        control.wait_taken()
        return ()

    STATES = (greeted, named, refused, logged_in, listening, waiting, connecting, sending,
              receiving, receiving_actively, listing, hashing)

    def setUp(self):
        super().setUp()
        self.sparse("huge", HUGE)
        self.remote("file", OLD)
        os.mkdir(self.remote("many"))
        # more rows than the buffers on the way hold: else the listing may be complete
        for i in range(20_000):
            os.close(os.open(f"{self.home}/many/{i:05}{'n' * 230}", os.O_CREAT | os.O_WRONLY))

    def kill(self, victim):
        for state in self.STATES:
            with self.subTest(state=state.__name__, victim=victim):
                self.port = None
                control = self.connect()
                control.greet()  # MaxClients 1: so the place of the one before is free
                open_ones = state(self, control)
                pair = self.server.pair()
                os.kill(getattr(pair, victim), signal.SIGKILL)
                said = drain(control)
                if victim == "session":
                    self.assertNotIn(b"226", said)
                elif IS_ROOT:  # else the kernel kills the session with its monitor
                    self.assertRegex(said, rb"^(426 .*\r\n)?421 .*\r\n$")
                self.server.wait_no_pairs()
                control.close()
                for one in open_ones:
                    one.close()
                if self.port:
                    wait_closed(self.port)
                self.assertEqual(read_file(self.remote("file")), OLD)
                self.assertEqual(sorted(os.listdir(self.home)), ["file", "huge", "many"])

    def test_session_killed_in_every_state(self):
        self.kill("session")

    def test_monitor_killed_in_every_state(self):
        self.kill("monitor")

    def ended_by(self, sig, victim, login=True):
        """The log after this signal, as if a fault or the filter had sent it."""
        control = self.connect()
        control.greet()
        if login:
            self.logged_in(control)
        pid = getattr(self.server.pair(), victim)
        os.kill(pid, sig)
        drain(control)
        self.server.wait_no_pairs(5)
        return pid

    def test_session_killed_by_its_filter_stands_in_the_log(self):
        for login in False, True:
            with self.subTest(login=login):
                pid = self.ended_by(signal.SIGSYS, "session", login)
                self.server.wait_log(rf"the session \(process {pid}\) was killed by its system call")

    @unittest.skipIf(SANITIZERS, "they catch the signal")
    def test_crashed_session_stands_in_the_log(self):
        pid = self.ended_by(signal.SIGSEGV, "session")
        self.server.wait_log(rf"the session \(process {pid}\) was killed by a fault")

    def test_monitor_killed_by_its_filter_stands_in_the_launchers_log(self):
        pid = self.ended_by(signal.SIGSYS, "monitor")
        self.server.wait_log(rf"a connection's process {pid} was killed: .*system call filter")


@unittest.skipIf(SANITIZERS, "the gateway's leak checker cannot look at a process with walls")
class KilledGateway(GenkanTest):
    """The look-up of the router's address dies: PASV says what it can, all else goes on."""

    def server(self, timeout):
        self.world.add_user()
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(resolver.close)
        resolver.bind(("127.0.0.1", 0))
        return self.world.server(directives={
            "MasqueradeAddress": "home.example.net", "MasqueradeTimeout": str(timeout),
            "MasqueradeResolver": f"127.0.0.1:{resolver.getsockname()[1]}", "LocalNetworks": "none"})

    def gateway(self, server):
        return wait_until(lambda: server.pair().gateway, "the gateway runs")

    def test_killed_before_pasv(self):
        server = self.server(60)
        session = server.session()
        os.kill(self.gateway(server), signal.SIGKILL)
        self.assertEqual(session.pasv()[0], "127.0.0.1")  # and nobody's patience has ended
        self.assertEqual(session.retrieve("NLST", "epsv"), b"")
        session.quit()
        server.wait_no_pairs()

    def test_killed_while_pasv_waits(self):
        server = self.server(60)
        session = server.session()
        gateway = self.gateway(server)
        session.send(b"PASV\r\n")
        session.silent(0.3)
        os.kill(gateway, signal.SIGKILL)
        session.expect(227)
        session.command("PWD", 257)

    def test_others_killed_while_it_waits(self):
        server = self.server(60)
        for victim in ("session", "monitor"):
            session = server.session()
            self.gateway(server)
            session.send(b"PASV\r\n")
            os.kill(getattr(server.pair(), victim), signal.SIGKILL)
            server.wait_no_pairs()
            session.close()


# Floods and slow clients

class Floods(ServerTest):
    # long enough for a busy machine to take 40 connections
    directives = {"TimeoutLogin": "10", "MaxClients": "40"}

    def test_noise_before_login(self):
        """Megabytes of anything: 500s, then 421; the server reads no more, and ends."""
        noise = random.Random(1).randbytes(8 << 20)
        for block in (noise, noise.replace(b"\n", b""), b"\0" * (8 << 20), b"\xff" * (8 << 20),
                      b"\r\n" * (4 << 20), b"USER " * 1_600_000):
            control = self.connect()
            control.greet()
            memory = int(proc_status(self.server.pair().session)["VmRSS"].split()[0])
            with contextlib.suppress(OSError):
                control.send(block)
                control.send(b"\r\nNOOP\r\n")
            pairs = self.server.pairs()
            if pairs and pairs[0].alive():
                with contextlib.suppress(OSError):
                    now = int(proc_status(pairs[0].session)["VmRSS"].split()[0])
                    if not SANITIZERS:
                        self.assertLess(now - memory, 2048, "kB more")
            control.close()
            self.server.wait_no_pairs()

    def test_clients_that_say_nothing_leave_their_places(self):
        """All places are taken by connections that never log in: TimeoutLogin frees them."""
        socks = []
        for i in range(60):
            sock = socket.create_connection(self.server.address[:2])
            self.addCleanup(sock.close)
            if i % 2:
                sock.sendall(b"U")
            socks.append(sock)
        wait_until(lambda: len(self.server.pairs()) == 40, "all places are taken")
        self.server.wait_no_pairs()
        self.session().quit()

    def test_commands_without_end_do_not_extend_the_login(self):
        control = self.connect()
        control.greet()
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begin < PATIENCE:
                control.send(b"NOOP\r\nFEAT\r\nUSER x\r\n")
                control.sock.recv(65536)
                if not self.server.pairs():
                    break
        self.assertLess(time.monotonic() - begin, PATIENCE)
        self.server.wait_no_pairs()

    @root_only("descriptors of processes that are not dumpable")
    def test_passive_ports_do_not_add_up(self):
        session = self.session()
        pair = self.server.pair()
        counts = set()
        for i in range(200):
            session.send(b"PASV\r\nEPSV\r\nEPSV\r\n")
            for code in (227, 229, 229):
                session.expect(code)
            if i > 1:
                counts.add(sum(len(descriptors(pid)) for pid in (pair.session, pair.monitor)))
        # the monitor closes its copy of a listener when it has handed it over
        self.assertLessEqual(max(counts) - min(counts), 1, counts)
        session.quit()


class Slow(ServerTest):
    """Slow is not dead: as long as bytes move, a transfer goes on; where none do, it ends."""

    STALLED = 3  # seconds: a client of ours may well be held up for two
    directives = {"TimeoutStalled": str(STALLED)}

    def test_upload_byte_by_byte(self):
        session = self.session()
        content = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        with session.data() as data:
            session.command("STOR file", 150)
            for byte in content:
                data.socket().sendall(bytes([byte]))
                # the client's own slowness, twice as long as may stand still
                time.sleep(2 * self.STALLED / len(content))
            data.close()
            session.expect(226)
        self.assertEqual(read_file(self.remote("file")), content)

    def test_download_through_a_small_window(self):
        content = pattern_bytes(3_000_000)
        self.remote("file", content)
        session = self.session()
        host, port = session.pasv()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.settimeout(PATIENCE)
            sock.connect((host, port))
            session.command("RETR file", 150)
            got = bytearray()
            begin = time.monotonic()
            while len(got) < len(content):
                slow = time.monotonic() - begin < 2 * self.STALLED
                block = sock.recv(1024 if slow else 65536)
                self.assertTrue(block, "the download was given up")
                got += block
                if slow:
                    time.sleep(0.002)
        session.expect(226)
        self.assertEqual(bytes(got), content)

    def test_zero_window_of_a_download(self):
        self.sparse("huge", HUGE)
        session = self.session()
        with session.data() as data:
            session.command("RETR huge", 150)
            self.assertIn("No byte moved", session.expect(426).text)
            data.close()
        session.command("PWD", 257)

    def test_zero_window_of_a_listing(self):
        os.mkdir(self.remote("many"))
        for i in range(20_000):
            os.close(os.open(f"{self.home}/many/{i:05}{'n' * 230}", os.O_CREAT | os.O_WRONLY))
        session = self.session()
        for line in ("LIST many", "MLSD many"):
            host, port = session.pasv()
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                sock.connect((host, port))
                session.command(line, 150)
                session.expect(426)
            self.assertIn("cdir", session.retrieve("MLSD many").decode()[:100])
        session.quit()

    def test_upload_whose_client_sleeps(self):
        session = self.session()
        self.remote("file", OLD)
        with session.data() as data:
            session.command("STOR file", 150)
            data.socket().sendall(b"a part")
            self.assertIn("as it was", session.expect(426).text)
        self.assertEqual(read_file(self.remote("file")), OLD)

    def test_resets_in_every_kind_of_transfer(self):
        self.sparse("huge", HUGE)
        os.mkdir(self.remote("many"))
        for i in range(5000):
            os.close(os.open(f"{self.home}/many/{i:04}{'n' * 200}", os.O_CREAT | os.O_WRONLY))
        session = self.session()
        for mode in ("pasv", "port"):
            for line, part in (("RETR huge", b""), ("STOR new", b"x" * 1000),
                               ("APPE new", b"x" * 1000), ("STOU", b"x" * 1000),
                               ("LIST many", b""), ("MLSD many", b"")):
                for kind in ("TYPE I", "TYPE A"):
                    with self.subTest(line=line, mode=mode, kind=kind):
                        session.command(kind, 200)
                        data = session.data(mode)
                        session.command(line, 150)
                        data.socket().sendall(part)
                        reset(data.socket())
                        data.close()
                        # a listing may have gone into the buffers whole before
                        session.expect(426, *((226,) if "many" in line else ()))
                        session.command("NOOP", 200)
        session.quit()


# What runs out

class Full(GenkanTest):
    def full_disk(self, name):
        """A tmpfs without room for anything more."""
        folder = self.world.make_directory(name, owner=(0, 0))
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=2,mode=0755", "tmpfs",
                               folder], check=False, capture_output=True)
        if done.returncode != 0:
            self.skipTest("mount is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        write_file(os.path.join(folder, "filler"), b"x" * 4096)
        return folder

    @root_only("mount")
    def test_transfer_log_on_a_full_disk(self):
        """What was transferred was transferred."""
        home = self.world.add_user()
        server = self.world.server(directives={"TransferLog": "/dev/full"})
        session = server.session()
        session.store("STOR file", b"content")
        self.assertEqual(session.retrieve("RETR file"), b"content")
        self.assertEqual(read_file(os.path.join(home, "file")), b"content")
        server.wait_log("TransferLog|transfer log")

    @root_only("mount")
    def test_run_directory_on_a_full_disk(self):
        """Without a list of sessions MaxClients cannot be counted, which is told; or 421."""
        self.world.add_user()
        run = self.full_disk("full")
        server = self.world.server(directives={"RunDirectory": os.path.join(run, "run")})
        control = server.connect()
        said = drain(control)
        self.assertRegex(said, rb"421 .*try again later; its log says why\.\r\n$")
        server.wait_log("RunDirectory")
        server.wait_no_pairs()

    def test_log_on_a_full_disk(self):
        """Lines that cannot be written are lost, and nobody waits for them."""
        self.world.add_user()
        with open("/dev/full", "wb") as full:
            port = free_port()
            server = self.world.launch([FTPD, *self.world.options(), "-e", "-d", "--listen",
                                        f"127.0.0.1:{port}"], stderr=full)
            server.wait_port("127.0.0.1", port)
            session = server.session()
            session.store("STOR file", b"content")
            session.quit()
            server.wait_no_pairs()


class Processes(GenkanTest):
    """The process table is full for the user that the server runs as."""

    UID = 40_000 + os.getpid() % 20_000  # of this run of the tests alone

    def server(self, limit):
        uid = self.UID

        def become():
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
            os.setresuid(uid, uid, uid)
        shared = self.world.make_directory("shared")
        self.world.run = self.world.make_directory("own", owner=(uid, uid))
        return self.world.server(flags=("-e", "--share", shared), preexec_fn=become)

    @root_only("a user who has no other processes")
    def test_no_process_for_the_client(self):
        server = self.server(1)
        for _ in range(3):
            control = server.connect()
            self.assertIn("its log says why", control.expect(421).text)
            control.at_end()
        server.wait_log("fork for a client: ")

    @root_only("a user who has no other processes")
    def test_no_process_for_the_session(self):
        server = self.server(2)
        control = server.connect()
        control.greet()
        self.assertIn("its log says why", control.expect(421).text)
        control.at_end()
        server.wait_log("fork of the session: ")
        server.wait_no_pairs()

    @root_only("a user who has no other processes")
    def test_processes_for_one_client_and_no_more(self):
        server = self.server(3)
        session = server.session("ftp", "guest")
        second = server.connect()
        second.expect(421)
        self.assertEqual(session.retrieve("NLST"), b"")
        session.quit()
        # whoever is not reaped yet counts, orphans and zombies as well
        wait_until(lambda: not self.world.orphans() and self.processes() == 1,
                   "only the listener is left")
        server.session("ftp", "guest").quit()

    def processes(self):
        """How many processes the kernel counts for the user."""
        count = 0
        for pid in process_table():
            with contextlib.suppress(OSError):  # gone meanwhile
                count += proc_status(pid)["Uid"].split()[0] == str(self.UID)
        return count


def begin_on_socket(world, argv, **popen):
    """A program with a socketpair for its client, as a super-server starts it."""
    ours, theirs = socket.socketpair()
    log = world.path_of(f"log-{random.getrandbits(32):08x}")
    with open(log, "wb") as out:
        process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=out, **popen)
    theirs.close()
    control = Control.__new__(Control)
    control.sock, control.buffer, control.transcript = ours, b"", []
    control.address = ("127.0.0.1", 0)
    ours.settimeout(PATIENCE)
    return control, process, log


def converse(control):
    """Everything that allocates memory; returns False when the server ended it."""
    try:
        control.greet()
        control.command(f"USER {USER}", 331)
        if control.command(f"PASS {PASSWORD}").code != 230:
            return False
        for line in ("FEAT", "HELP", "STAT /", "OPTS MLST UNIX.ownername;", "MLST", "MKD new",
                     "SITE CHMOD 700 new", "RMD new", "HASH file"):
            control.command(line)
        for line in ("LIST -tR", "NLST *", "MLSD", "RETR file", "STOR file"):
            if control.command("PASV").code != 227:
                return False
            with socket.create_connection(last_port(control), PATIENCE) as data:
                if control.command(line).code != 150:
                    continue
                if line.startswith("STOR"):
                    data.sendall(b"new content")
                else:
                    while data.recv(65536):
                        pass
            if control.reply().code != 226:
                return False
        control.command("QUIT", 221)
        control.at_end()
        return True
    except (AssertionError, OSError) as error:
        if "not a reply" in str(error) or "CRLF" in str(error):
            raise
        return False


def last_port(control):
    numbers = re.findall(r"\d+", control.transcript[-1].rpartition("(")[2])
    return "127.0.0.1", int(numbers[4]) * 256 + int(numbers[5])


@unittest.skipIf(SANITIZERS, "sanitizers have an allocator of their own")
class Memory(GenkanTest):
    """No memory: the connection ends, or the command is refused; nothing crashes."""

    time_limit = 300

    def setUp(self):
        super().setUp()
        self.home = self.world.add_user()
        write_file(os.path.join(self.home, "file"), OLD, (USER_UID, USER_GID))

    def check_end(self, process, control, log, what):
        control.sock.close()
        status = process.wait(PATIENCE)
        self.assertGreaterEqual(status, 0, f"{what}: killed by a signal\n{read_file(log)}")
        self.assertNotIn(b"CRASHED", read_file(log), what)
        self.assertIn(read_file(os.path.join(self.home, "file")), (OLD, b"new content"))
        self.assertEqual(os.listdir(self.home), ["file"])
        return status

    @need_program("make")
    def test_every_allocation_fails_in_turn(self):
        program, shim = dynamic_build(self)
        done = False
        for n in [*range(1, 60), *range(60, 400, 3), *range(400, 20_000, 101)]:
            write_file(os.path.join(self.home, "file"), OLD, (USER_UID, USER_GID))
            control, process, log = begin_on_socket(
                self.world, [program, *self.world.options(), "-e"],
                env={**os.environ, "LD_PRELOAD": shim, "FAULT_MALLOC": str(n)})
            done = converse(control)
            self.check_end(process, control, log, f"allocation {n}")
            os.unlink(log)
            if done:
                break
        self.assertTrue(done, "the last run must be whole: else nothing was tested to its end")

    def test_address_space_is_too_small(self):
        """By RLIMIT_AS, from too little for anything to enough."""
        good = False
        for kilobytes in range(512, 64 << 10, 256):
            limit = kilobytes << 10
            write_file(os.path.join(self.home, "file"), OLD, (USER_UID, USER_GID))
            control, process, log = begin_on_socket(
                self.world, [FTPD, *self.world.options(), "-e"],
                preexec_fn=lambda limit=limit:
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
            good = converse(control)
            control.sock.close()
            status = process.wait(PATIENCE)
            # the kernel itself ends a program that it cannot map
            self.assertIn(status >= 0 or status == -signal.SIGKILL or
                          (status == -signal.SIGSEGV and not read_file(log)), (True,),
                          f"{kilobytes} kB: {status}\n{read_file(log)}")
            os.unlink(log)
            if good:
                break
        self.assertTrue(good)

    def test_memory_runs_out_after_login(self):
        """Sorting 20,000 names takes more than there is: the listing is refused, no more."""
        os.mkdir(os.path.join(self.home, "many"))
        for i in range(20_000):
            os.close(os.open(f"{self.home}/many/{i:05}{'n' * 200}", os.O_CREAT | os.O_WRONLY))
        server = self.world.server()
        server.session()
        enough = max(int(proc_status(pid)["VmPeak"].split()[0]) << 10
                     for pid in (server.pair().monitor, server.pair().session)) + (256 << 10)
        server.stop()
        session = self.world.server(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (enough, enough))).session()
        with session.data():
            reply = session.command("LIST many")
            if reply.code == 150:
                reply = session.reply()
            self.assertIn(reply.code, (450, 451), reply)
        self.assertEqual(session.retrieve("NLST file"), b"file\r\n")
        session.quit()


def dynamic_build(test):
    """genkan-ftpd linked with shared libraries, and faults.c for LD_PRELOAD: their paths."""
    program = os.path.join(BUILD, "genkan-ftpd.dynamic")
    shim = test.world.path_of("faults.so")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        test.skipTest("there is no compiler")
    subprocess.run([compiler, "-O", "-fPIC", "-shared", "-fno-builtin", "-o", shim,
                    os.path.join(HERE, "faults.c"), "-ldl"], check=True, capture_output=True)
    done = subprocess.run(["make", "-C", BUILD, "EXEEXT=.dynamic", "STATIC_LDFLAGS=",
                           "genkan-ftpd.dynamic"], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"linking with shared libraries: {done.stderr}")

    def remove():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(program)
    test.addCleanup(remove)
    return program, shim


@unittest.skipIf(SANITIZERS, "sanitizers want to be first in LD_PRELOAD")
class Injected(GenkanTest):
    """Faults that no file system and no clock of this machine gives."""

    def server(self, directives=None, **faults):
        program, shim = dynamic_build(self)
        self.home = self.world.add_user()
        return self.world.server(program=program, directives=directives, env={
            **os.environ, "LD_PRELOAD": shim, **{name: str(v) for name, v in faults.items()}})

    def check_write_error(self, error, code, words):
        server = self.server(FAULT_WRITE=error)
        path = write_file(os.path.join(self.home, "file"), OLD, (USER_UID, USER_GID))
        session = server.session()
        for kind in ("TYPE I", "TYPE A"):
            session.command(kind, 200)
            for line in ("STOR file", "STOR new"):
                with self.subTest(line=line, kind=kind), session.data() as data:
                    session.command(line, 150)
                    with contextlib.suppress(OSError):
                        data.socket().sendall(b"new content\r\n" * 1000)
                    data.close()
                    self.assertRegex(session.expect(code).text, words)
                self.assertEqual(read_file(path), OLD)
        session.quit()
        server.wait_no_pairs()

    def test_disk_that_is_broken_is_451(self):
        self.check_write_error(errno.EIO, 451, "nput/output error")

    def test_quota_is_552(self):
        self.check_write_error(errno.EDQUOT, 552, "quota")

    def test_disk_that_is_full_is_452(self):
        self.check_write_error(errno.ENOSPC, 452, "full")

    def test_clock_that_jumps_ends_no_session(self):
        """By an hour each second, to and fro: only the monotonic clock counts for limits."""
        for jump in (3600, -3600):
            server = self.server({"TimeoutIdle": "30", "TimeoutNoTransfer": "30",
                                  "TimeoutStalled": "30", "TimeoutSession": "60"}, FAULT_CLOCK=jump)
            write_file(os.path.join(self.home, "file"), OLD, (USER_UID, USER_GID))
            session = server.session()
            with session.data() as data:
                session.command("STOR other", 150)
                end = time.monotonic() + 2.5
                while time.monotonic() < end:
                    data.socket().sendall(b"x")
                    session.command("NOOP", 200)
                    time.sleep(0.1)  # the time that has to pass for the clock to jump
                data.close()
                session.expect(226)
            self.assertEqual(session.retrieve("RETR file"), OLD)
            session.quit()
            server.wait_no_pairs()


@root_only("loop devices")
class BrokenDisk(GenkanTest):
    """A disk that loses its end: reads fail in the middle of a file."""

    @need_program("mkfs.ext4")
    def test_file_that_cannot_be_read_is_451(self):
        image = self.world.path_of("image")
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", image], check=True,
                       capture_output=True)
        home = self.world.make_directory("disk")
        done = subprocess.run(["mount", "-o", "loop,errors=continue", image, home], check=False,
                              capture_output=True)
        if done.returncode != 0:
            self.skipTest("loop devices are not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", home], check=True)
        os.chown(home, USER_UID, USER_GID)
        self.world.add_user(home=home)
        with open(os.path.join(home, "file"), "wb") as file:
            file.write(pattern_bytes(40 << 20))
            file.flush()
            os.fsync(file.fileno())
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as caches:
            caches.write("1\n")
        os.truncate(image, 20 << 20)
        session = self.world.server().session()
        with session.data() as data:
            session.command("RETR file", 150)
            got = data.read_all()
            data.close()
            self.assertRegex(session.expect(451).text, "nput/output error")
        self.assertLess(len(got), 40 << 20)
        session.command("PWD", 257)
        session.quit()


del GenkanTest, ServerTest  # they are not tests themselves


if __name__ == "__main__":
    unittest.main()
