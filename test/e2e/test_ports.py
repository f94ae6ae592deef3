"""Passive ports shared by many sessions, and many active transfers at once."""

import socket
import subprocess
import threading
import unittest

from genkan import FTPD, GenkanTest, ServerTest, free_range, root_only, wait_until

SESSIONS, PORTS, TURNS = 12, 24, 200


def together(sessions, work):
    """Runs work(session, i) for all sessions at once; what is raised there is raised here."""
    failures = []

    def guarded(session, i):
        try:
            work(session, i)
        except BaseException as error:      # pylint: disable=broad-except
            failures.append(error)
    threads = [threading.Thread(target=guarded, args=(s, i)) for i, s in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    for session in sessions:
        session.command("NOOP", 200)


class Range(ServerTest):
    """A range for twelve sessions that take ports all the time."""

    @classmethod
    def prepare(cls):
        first = free_range(PORTS)
        last = first + PORTS - 1
        cls.directives = {"PassivePorts": f"{first} {last}"}

    def sessions(self):
        return [self.session() for _ in range(SESSIONS)]

    def test_2400_pasvs_of_12_sessions_on_24_ports_have_no_425(self):
        together(self.sessions(),
                 lambda session, _: [session.command("PASV", 227) for _ in range(TURNS)])

    def test_12_sessions_on_24_ports_transfer_their_own_data(self):
        for i in range(SESSIONS):
            self.remote(f"file{i}", b"%d" % i * 1000)

        def work(session, i):
            for _ in range(20):
                self.assertEqual(session.retrieve(f"RETR file{i}", "epsv"), b"%d" % i * 1000)
        together(self.sessions(), work)

    def test_range_that_is_nearly_full_is_told(self):
        sessions = [self.session() for _ in range(22)]
        for session in sessions[:-1]:
            session.pasv()
        self.assertNotIn("PassivePorts are in use", self.log())
        sessions[-1].pasv()
        self.server.wait_log(r"22 of 24 PassivePorts are in use")


class Fresh(ServerTest):
    """A range that nobody has used yet."""

    @classmethod
    def prepare(cls):
        first = free_range(PORTS)
        cls.directives = {"PassivePorts": f"{first} {first + PORTS - 1}"}

    def test_ports_of_a_peer_come_again_only_when_all_were_used(self):
        session = self.session()
        ports = [session.pasv()[1] for _ in range(PORTS)]
        self.assertEqual(len(set(ports)), PORTS)
        session.pasv()      # the 25th has to be one of them


class Full(ServerTest):
    @classmethod
    def prepare(cls):
        first = free_range(2)
        last = first + 1
        cls.directives = {"PassivePorts": f"{first} {last}"}
        cls.range = f"{first}-{last}"

    def test_full_range_is_425_that_names_range_and_directive(self):
        one, two, three = (self.session() for _ in range(3))
        one.pasv()
        two.pasv()
        self.assertIn(f"PassivePorts {self.range}", three.command("PASV", 425).text)

    def test_full_range_is_waited_for(self):
        """For a second; a busy machine may need more to end the session that leaves."""
        two, three = self.session(), self.session()
        two.pasv()
        for _ in range(10):
            one = self.session()
            wait_until(lambda one=one: one.command("PASV").code == 227, "the other port is free")
            three.send(b"PASV\r\n")
            three.silent(0.2)
            one.command("QUIT", 221)
            if three.expect(227, 425).code == 227:
                return
        self.fail("a full range is not waited for")


class Active(ServerTest):
    directives = {"MaxClients": "60"}

    @root_only("port 20")
    def test_50_active_transfers_at_once_leave_from_port_20(self):
        content = b"x" * 200_000
        self.remote("file", content)
        sources = []

        def work(session, _):
            for _ in range(3):
                with socket.create_server(("127.0.0.1", 0)) as server:
                    server.settimeout(60)
                    session.command(session.port_argument(server), 200)
                    session.command("RETR file", 150)
                    data, source = server.accept()
                    with data:
                        data.settimeout(60)
                        got = b"".join(iter(lambda data=data: data.recv(65536), b""))
                    session.expect(226)
                    self.assertEqual(got, content)
                    sources.append(source[1])
        together([self.session() for _ in range(50)], work)
        self.assertEqual(set(sources), {20})
        self.assertEqual(len(sources), 150)

    def test_transfers_to_one_port_again_and_again(self):
        """The pair of ports is in TIME_WAIT or still closing each time."""
        self.remote("file", b"content")
        session = self.session()
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(60)
            for _ in range(20):
                session.command(session.port_argument(server), 200)
                session.command("RETR file", 150)
                with server.accept()[0] as data:
                    self.assertEqual(data.recv(100), b"content")
                session.expect(226)


class Strict(ServerTest):
    @classmethod
    def prepare(cls):
        cls.taken = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.taken.close)
        cls.source = cls.taken.getsockname()[1]
        cls.directives = {"ActivePort": str(cls.source)}

    def test_active_port_that_cannot_be_had_is_425_that_names_the_directive(self):
        self.remote("file", b"content")
        session = self.session()
        with socket.create_server(("127.0.0.1", 0)) as server:
            session.command(session.port_argument(server), 200)
            self.assertIn(f"ActivePort {self.source}", session.command("RETR file", 425).text)


class Advice(GenkanTest):
    def check(self, *directives):
        done = subprocess.run([FTPD, "-t", "-f", "/dev/null",
                               *(word for d in directives for word in ("-o", d))],
                              capture_output=True, text=True, timeout=60, check=True)
        return done.stderr

    def test_check_warns_of_ports_fewer_than_clients(self):
        self.assertEqual(self.check("PassivePorts 4000 4029", "MaxClients 30"), "")
        self.assertIn("30 ports for MaxClients 31",
                      self.check("PassivePorts 4000 4029", "MaxClients 31"))

    def test_check_warns_of_ports_that_the_kernel_gives_away(self):
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            first = int(file.read().split()[0])
        self.assertIn("ip_local_port_range", self.check(f"PassivePorts {first} {first + 99}"))


if __name__ == "__main__":
    unittest.main()
