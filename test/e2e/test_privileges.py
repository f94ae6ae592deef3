"""What each process is allowed, read from /proc while it lives.

The table of the design, row by row: the session is nobody in an empty root all
the time; the monitor is root with four capabilities, none of them raised, and
becomes the user for good at login; the gateway is nobody, too.
"""

import os
import shutil
import socket
import stat
import subprocess
import sys
import unittest

from genkan import (BUILD, FTPD, GATEWAY, IS_ROOT, NOBODY, PASSWORD, PATIENCE, USER, USER_GID,
                    USER_UID, GenkanTest, ServerTest, descriptors, in_namespace, proc_status,
                    read_file, root_only, socket_inode, wait_closed, wait_until, write_file)

SETGID, SETUID, NET_BIND, CHROOT = 1 << 6, 1 << 7, 1 << 10, 1 << 18


def capabilities(pid):
    """{Inh, Prm, Eff, Bnd, Amb: bits}"""
    status = proc_status(pid)
    return {name: int(status[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


def ids(pid, field):
    return {int(word) for word in proc_status(pid)[field].split()}


def limits(pid):
    lines = read_file(f"/proc/{pid}/limits").decode().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[1] for line in lines}


def memory_limit(pid):
    return int(limits(pid)["Max data size"])


def same_file(one, other):
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


class Walls(ServerTest):
    """As root: uids, capabilities, filters, roots, descriptors in each state."""

    directives = {"ActivePort": "20"}

    @classmethod
    def setUpClass(cls):
        if not IS_ROOT:
            raise unittest.SkipTest("needs root")
        super().setUpClass()

    def control_inode(self, control):
        return f"socket:[{socket_inode(control.address[1], control.sock.getsockname()[1])}]"

    # The rows of the table

    def assert_session(self, pid, control, in_transfer=False):
        self.assertEqual(ids(pid, "Uid"), {NOBODY})
        self.assertEqual(ids(pid, "Gid") & {0}, set())
        self.assertEqual(proc_status(pid)["Groups"], "")
        self.assertEqual(capabilities(pid), {"Inh": 0, "Prm": 0, "Eff": 0, "Bnd": 0, "Amb": 0})
        self.assert_closed_in(pid)
        root = f"/proc/{pid}/root"
        self.assertEqual(os.listdir(root), [])
        self.assertFalse(same_file(os.stat(root), os.stat("/")))
        self.assertTrue(same_file(os.stat(root), os.stat(f"/proc/{pid}/cwd")))
        self.assertEqual(os.stat(root).st_uid, 0)
        self.assertEqual(stat.S_IMODE(os.stat(root).st_mode) & 0o222, 0)
        self.assertEqual(limits(pid)["Max processes"], "0")
        self.assertEqual(memory_limit(pid), 64 << 20)
        self.assertLessEqual(int(limits(pid)["Max open files"]), 64)
        # The client and the monitor; the log; /dev/null; while bytes flow a file and a socket.
        kinds = self.kinds(pid)
        self.assertIn(self.control_inode(control), descriptors(pid).values())
        self.assertEqual(kinds["directory"], 0, descriptors(pid))
        self.assertEqual(kinds["socket"], 3 if in_transfer else 2, descriptors(pid))
        self.assertEqual(self.files_of_the_user(pid), 1 if in_transfer else 0)

    def assert_monitor_before_login(self, pid):
        self.assertEqual(ids(pid, "Uid"), {0})
        bits = capabilities(pid)
        self.assertEqual(bits["Prm"], SETUID | SETGID | CHROOT | NET_BIND)
        self.assertEqual({bits[name] for name in ("Inh", "Eff", "Bnd", "Amb")}, {0})
        status = proc_status(pid)
        self.assertEqual(status["NoNewPrivs"], "1")

    def assert_monitor_after_login(self, pid, control, uid, gid, home, permitted=NET_BIND,
                                   served=False):
        if not served:
            control.command("CWD .", 250)  # the last wall is up before the next request is served
        self.assertEqual(ids(pid, "Uid"), {uid})
        self.assertEqual(ids(pid, "Gid"), {gid})
        self.assertNotIn("0", proc_status(pid)["Groups"].split())
        bits = capabilities(pid)
        self.assertEqual(bits["Prm"], permitted)
        self.assertEqual({bits[name] for name in ("Inh", "Eff", "Bnd", "Amb")}, {0})
        self.assert_closed_in(pid)
        self.assertEqual(memory_limit(pid), 256 << 20)
        self.assertTrue(same_file(os.stat(f"/proc/{pid}/root"), os.stat(home)))
        self.assertNotIn(self.control_inode(control), descriptors(pid).values(),
                         "the monitor holds the client's connection")

    def assert_closed_in(self, pid):
        status = proc_status(pid)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")
        self.assertEqual(limits(pid)["Max core file size"], "0")
        # Not dumpable: its own uid may not look into it, or trace it.
        self.assertEqual(os.stat(f"/proc/{pid}/mem").st_uid, 0)

    def kinds(self, pid):
        count = {"socket": 0, "directory": 0, "pipe": 0, "file": 0}
        for number, link in descriptors(pid).items():
            if link.startswith("socket:"):
                count["socket"] += 1
            elif link.startswith("pipe:"):
                count["pipe"] += 1
            elif stat.S_ISDIR(os.stat(f"/proc/{pid}/fd/{number}").st_mode):
                count["directory"] += 1
            else:
                count["file"] += 1
        return count

    def files_of_the_user(self, pid):
        return sum(link.startswith((self.home, "/file", "/huge")) and
                   not link.startswith(("/dev", self.server.log_path))
                   for link in descriptors(pid).values())

    # The states

    def test_before_login(self):
        control = self.connect()
        control.greet()
        control.command("NOOP", 200)
        pair = self.server.pair()
        self.assert_session(pair.session, control)
        self.assert_monitor_before_login(pair.monitor)

    def test_between_user_and_a_failed_pass(self):
        control = self.connect()
        control.greet()
        control.command(f"USER {USER}", 331)
        control.command("PASS wrong", 530)
        pair = self.server.pair()
        self.assert_session(pair.session, control)
        self.assert_monitor_before_login(pair.monitor)

    def test_after_login(self):
        session = self.session()
        pair = self.server.pair()
        self.assert_session(pair.session, session)
        self.assert_monitor_after_login(pair.monitor, session, USER_UID, USER_GID, self.home)

    def test_after_login_over_ipv6(self):
        session = self.session(index=1)
        pair = self.server.pair()
        self.assert_monitor_after_login(pair.monitor, session, USER_UID, USER_GID, self.home)

    def test_during_transfers(self):
        self.sparse("huge", 1 << 30)
        session = self.session()
        for mode in ("pasv", "port"):
            with session.data(mode) as data:
                session.command("RETR huge", 150)
                pair = self.server.pair()
                data.socket()
                if mode == "pasv":
                    wait_closed(data.address[1])  # kept for a moment: another PASV might have come
                self.assert_session(pair.session, session, in_transfer=True)
                self.assert_monitor_after_login(pair.monitor, session, USER_UID, USER_GID,
                                                self.home, served=True)
                session.command("ABOR", 426)
                session.expect(226)
        self.assert_session(pair.session, session)

    def test_capability_is_lowered_after_an_active_connection(self):
        session = self.session()
        for _ in range(3):
            session.retrieve("LIST", "port")
            bits = capabilities(self.server.pair().monitor)
            self.assertEqual((bits["Prm"], bits["Eff"]), (NET_BIND, 0))

    def test_passive_listener_is_held_by_the_session_alone(self):
        session = self.session()
        _, port = session.pasv()
        pair = self.server.pair()
        with open("/proc/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file]
        inodes = [row[9] for row in rows[1:] if row[3] == "0A" and
                  int(row[1].split(":")[1], 16) == port]
        self.assertEqual(len(inodes), 1)
        self.assertIn(f"socket:[{inodes[0]}]", descriptors(pair.session).values())
        # it has been handed over, and is closed a moment later
        wait_until(lambda: f"socket:[{inodes[0]}]" not in descriptors(pair.monitor).values(),
                   "the monitor lets go of it")

    def test_no_process_of_a_session_holds_the_launchers_listener(self):
        self.session()
        listeners = {link for link in descriptors(self.server.pid).values()
                     if link.startswith("socket:")}
        self.assertTrue(listeners)
        pair = self.server.pair()
        for pid in (pair.session, pair.monitor):
            self.assertEqual(listeners & set(descriptors(pid).values()), set())

    def test_the_one_who_waits_for_the_client_is_nobody(self):
        """No process that has the control connection is root, before login and after it."""
        control = self.connect()
        control.greet()
        control.command("NOOP", 200)
        for _ in range(2):
            pair = self.server.pair()
            inode = self.control_inode(control)
            # all had it at the fork; the session may have answered before the others go on
            wait_until(lambda: [pid for pid in (self.server.pid, pair.session, pair.monitor)
                                if inode in descriptors(pid).values()] == [pair.session],
                       "the session alone has the client")
            if "331" not in "".join(control.transcript):
                control.command(f"USER {USER}", 331)
                control.command(f"PASS {PASSWORD}", 230)

    def test_files_belong_to_the_user(self):
        session = self.session()
        session.store("STOR file", b"")
        session.command("MKD folder", 257)
        for name in ("file", "folder"):
            info = os.stat(self.remote(name))
            self.assertEqual((info.st_uid, info.st_gid), (USER_UID, USER_GID))


@root_only("changes of user")
class OtherStates(GenkanTest):
    """States that need a configuration of their own."""

    assert_closed_in = Walls.assert_closed_in
    control_inode = Walls.control_inode
    assert_monitor_after_login = Walls.assert_monitor_after_login

    def test_no_capability_is_left_where_the_active_port_needs_none(self):
        home = self.world.add_user()
        for value in ("any", "2000"):
            with self.subTest(ActivePort=value):
                server = self.world.server(directives={"ActivePort": value})
                session = server.session()
                self.assert_monitor_after_login(server.pair().monitor, session, USER_UID,
                                                USER_GID, home, permitted=0)
                self.assertEqual(session.retrieve("LIST", "port"), b"")

    def test_anonymous(self):
        root = self.world.make_directory("pub", owner=(0, 0))
        server = self.world.server(directives={"Anonymous": "on", "AnonymousRoot": root,
                                               "AnonymousUser": "20002"})
        session = server.session(user="anonymous", password="x")
        self.assert_monitor_after_login(server.pair().monitor, session, 20002, 20002, root)

    def test_session_user_by_number(self):
        self.world.add_user()
        server = self.world.server(directives={"SessionUser": "20003"})
        server.session()
        pair = server.pair()
        self.assertEqual(ids(pair.session, "Uid"), {20003})
        self.assertEqual(ids(pair.session, "Gid") & {0}, set())

    def test_supplementary_groups_of_the_launcher_are_gone(self):
        self.world.add_user()
        server = self.world.server(prefix=("setpriv", "--groups", "0,4,20004"))
        session = server.session()
        pair = server.pair()
        for pid in (pair.session, pair.monitor):
            self.assertEqual(set(proc_status(pid)["Groups"].split()) & {"0", "4", "20004"}, set())
        session.quit()

    def test_gateway_while_it_waits(self):
        """It is nobody as well, has its pipe and never the client."""
        self.world.add_user()

        def check():
            resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            resolver.bind(("127.0.0.1", 53))
            conf = write_file(self.world.path_of("resolv.conf"), b"nameserver 127.0.0.1\n")
            subprocess.run(["mount", "--bind", conf, os.path.realpath("/etc/resolv.conf")],
                           check=True)
            server = self.world.server(directives={
                "MasqueradeAddress": "home.example.net", "MasqueradeTimeout": 60,
                "LocalNetworks": "none"})
            control = server.connect()
            control.greet()
            resolver.settimeout(PATIENCE)
            resolver.recv(512)
            gateway = server.pair().gateway
            self.assertIsNotNone(gateway)
            self.assertNotIn(0, ids(gateway, "Uid") | ids(gateway, "Gid"))
            self.assertEqual(proc_status(gateway)["Groups"], "")
            self.assertEqual(set(capabilities(gateway).values()), {0})
            self.assertEqual(proc_status(gateway)["NoNewPrivs"], "1")
            self.assertEqual(proc_status(gateway)["Seccomp"], "2")
            self.assertNotIn(self.control_inode(control), descriptors(gateway).values())
            control.quit()
            server.wait_no_pairs()
            server.stop()
        in_namespace(check)


AS_NOBODY = r"""
import sys
sys.path.insert(0, sys.argv[1])
from genkan import *
world = World()
try:
    home = world.add_user()
    server = world.server()
    session = server.session()
    session.command("CWD /", 250)
    pair = server.pair()
    for pid in (pair.session, pair.monitor):
        status = proc_status(pid)
        assert status["NoNewPrivs"] == "1", status
        assert status["Seccomp"] == "2", status
        assert set(status["Uid"].split()) == {str(os.getuid())}, status
        assert int(status["CapPrm"], 16) == 0, status
    session.store("STOR file", b"content")
    assert read_file(os.path.join(home, "file")) == b"content"
    for mode in ("pasv", "epsv", "port", "eprt"):
        assert session.retrieve("RETR file", mode) == b"content"
    os.symlink("/etc", os.path.join(home, "etc"))
    session.pasv()
    session.command("RETR etc/passwd", 550)
    session.command("CWD /..", 250)
    session.pasv()
    session.command("RETR /etc/hostname", 550)
    session.quit()
    server.wait_no_pairs()
    share = world.make_directory("share")
    server = world.server(flags=("-e", "--share", share))
    assert server.session(user="ftp", password="x").retrieve("NLST") == b""
    if os.path.exists(os.path.join(BUILD, "genkan-ftpd-tls")):
        from test_tls import Pki, TlsControl
        certificate, key = Pki(world.path_of("pki")).make("server")
        server = world.server(directives={"TLS": "required", "TLSCertificateFile": certificate,
                                          "TLSCertificateKeyFile": key})
        control = TlsControl(server.address)
        control.greet()
        control.auth()
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        control.command("TYPE I", 200)
        table = process_table()
        tls = [pid for pid, (monitor, _, name) in table.items() if name == "genkan-ftpd-tls"
               and table.get(monitor, (0,))[0] == server.pid]
        status = proc_status(tls[0])
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status
        assert int(status["CapPrm"], 16) == 0, status
        for mode in ("pasv", "epsv", "port", "eprt"):
            assert control.retrieve("RETR file", mode) == b"content"
        control.close()
finally:
    world.close()
print("all is well")
"""


class NotRoot(GenkanTest):
    """The same processes without root: no change of user, no chroot, but all the filters."""

    def test_filters_hold_without_root(self):
        # The tree may lie where nobody else can read.
        copy = self.world.path_of("copy")
        shutil.copytree(os.path.dirname(os.path.abspath(__file__)), copy,
                        ignore=shutil.ignore_patterns("__pycache__"))
        build = self.world.path_of("build")
        os.mkdir(build, 0o755)
        for program in (FTPD, GATEWAY, os.path.join(BUILD, "genkanctl"),
                        os.path.join(BUILD, "genkan-ftpd-tls")):
            if os.path.exists(program):  # TLS may be left out
                shutil.copy(program, build)
        argv = [sys.executable, "-c", AS_NOBODY, copy]
        if IS_ROOT:
            argv = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
                    "/usr/bin/python3", *argv[1:]]
            if not os.access("/usr/bin/python3", os.X_OK):
                self.skipTest("/usr/bin/python3 is not there for nobody")
        environment = {"PATH": os.environ["PATH"], "GENKAN_BUILD": build,
                       "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(argv, env=environment, timeout=2 * PATIENCE, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertIn("all is well", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    @root_only("root without capabilities")
    def test_root_without_capabilities_serves_nobody(self):
        """Walls that cannot be built end the session; nothing goes on without them."""
        self.world.add_user()
        server = self.world.server(prefix=("setpriv", "--bounding-set", "-all"))
        with server.connect() as control:
            control.greet()
            control.expect(421)
            control.at_end()
        server.wait_no_pairs()
        server.wait_log("capabilities|Operation not permitted")


del ServerTest, GenkanTest  # they are not tests themselves

if __name__ == "__main__":
    unittest.main()
