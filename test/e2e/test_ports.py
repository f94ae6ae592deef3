"""Passive ports shared by many sessions, and many active transfers at once."""

import socket
import threading

from genkan import ServerTest, free_range, root_only

SESSIONS, PORTS, TURNS = 12, 24, 200


class Range(ServerTest):
    """A range for twelve sessions that take ports all the time."""

    @classmethod
    def prepare(cls):
        first = free_range(PORTS)
        last = first + PORTS - 1
        cls.directives = {"PassivePorts": f"{first} {last}"}

    def together(self, work, count=SESSIONS):
        """Runs work(session, i) in count sessions at once; its exceptions are the test's."""
        sessions = [self.session() for _ in range(count)]
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
            thread.join(120)
        if failures:
            raise failures[0]
        for session in sessions:
            session.command("NOOP", 200)

    def test_2400_pasvs_of_12_sessions_on_24_ports_have_no_425(self):
        self.together(lambda session, _: [session.command("PASV", 227) for _ in range(TURNS)])

    def test_12_sessions_on_24_ports_transfer_their_own_data(self):
        for i in range(SESSIONS):
            self.remote(f"file{i}", b"%d" % i * 1000)

        def work(session, i):
            for _ in range(20):
                self.assertEqual(session.retrieve(f"RETR file{i}", "epsv"), b"%d" % i * 1000)
        self.together(work)

    def test_range_that_is_nearly_full_is_told(self):
        sessions = [self.session() for _ in range(22)]
        for session in sessions:
            session.pasv()
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
        one, two, three = (self.session() for _ in range(3))
        one.pasv()
        two.pasv()
        three.send(b"PASV\r\n")
        three.silent(0.2)
        one.command("QUIT", 221)
        three.expect(227)


class Active(ServerTest):
    directives = {"MaxClients": "60"}

    @root_only("port 20")
    def test_50_active_transfers_at_once_leave_from_port_20(self):
        content = b"x" * 200_000
        self.remote("file", content)
        failures, sources = [], []

        def work(session):
            try:
                for _ in range(3):
                    with socket.create_server(("127.0.0.1", 0)) as server:
                        server.settimeout(20)
                        session.command(session.port_argument(server), 200)
                        session.command("RETR file", 150)
                        data, source = server.accept()
                        with data:
                            data.settimeout(20)
                            got = b"".join(iter(lambda data=data: data.recv(65536), b""))
                        session.expect(226)
                        self.assertEqual(got, content)
                        sources.append(source[1])
            except BaseException as error:      # pylint: disable=broad-except
                failures.append(error)
        sessions = [self.session() for _ in range(50)]
        threads = [threading.Thread(target=work, args=(s,)) for s in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        if failures:
            raise failures[0]
        self.assertEqual(set(sources), {20})
        self.assertEqual(len(sources), 150)

    def test_transfers_to_one_port_again_and_again(self):
        """The pair of ports is in TIME_WAIT or still closing each time."""
        self.remote("file", b"content")
        session = self.session()
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(20)
            for _ in range(20):
                session.command(session.port_argument(server), 200)
                session.command("RETR file", 150)
                with server.accept()[0] as data:
                    self.assertEqual(data.recv(100), b"content")
                session.expect(226)
