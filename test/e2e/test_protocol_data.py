"""Data connections and transfers, spoken by hand: who may connect, to where, and what
is answered while bytes flow or stall."""

import contextlib
import os
import random
import re
import socket
import unittest

from genkan import (IS_ROOT, PATIENCE, GenkanTest, ServerTest, always, descriptors, free_range,
                    listening_ports, pattern_bytes, proc_status, read_file, reset, root_only,
                    wait_closed, wait_until)

HUGE = 1 << 30  # more than all buffers on the way


class Passive(ServerTest):
    """PASV and EPSV."""

    def test_pasv_and_epsv_over_ipv4(self):
        session = self.session()
        self.remote("file", b"content")
        for mode in ("pasv", "epsv"):
            self.assertEqual(session.retrieve("RETR file", mode), b"content")
        self.assertEqual(session.pasv()[0], "127.0.0.1")

    def test_epsv_over_ipv6(self):
        session = self.session(index=1)
        self.remote("file", b"content")
        self.assertEqual(session.retrieve("RETR file", "epsv"), b"content")

    def test_pasv_over_ipv6_is_refused_with_a_way_out(self):
        session = self.session(index=1)
        reply = session.command("PASV")
        self.assertGreaterEqual(reply.code, 400)
        self.assertIn("EPSV", reply.text)
        session.epsv()

    def test_epsv_with_a_protocol(self):
        for index, good, bad in ((0, "1", "2"), (1, "2", "1")):
            session = self.session(index=index)
            session.epsv(good)
            self.assertIn(f"({good})", session.command(f"EPSV {bad}", 522).text)
            session.command("EPSV 3", 522)
            session.command("EPSV x", 501)

    def test_listener_is_on_the_address_of_the_control_connection_alone(self):
        session = self.session()
        _, port = session.pasv()
        with socket.socket() as sock:
            self.assertNotEqual(sock.connect_ex(("127.0.0.2", port)), 0)

    def test_one_listener_a_session(self):
        session = self.session()
        ports = [session.pasv()[1], session.epsv()[1], session.pasv()[1]]
        for port in ports[:-1]:
            if port != ports[-1]:
                wait_closed(port)
        self.assertIn(ports[-1], listening_ports())

    def test_listener_closes_with_its_use(self):
        session = self.session()
        with session.data("pasv") as data:
            session.command("LIST", 150)
            data.read_all()
        session.expect(226)
        wait_closed(data.address[1])

    def ports(self, session, *modes):
        """The ports that downloads in a row are announced."""
        self.remote("file", b"content")
        ports = []
        for mode in modes:
            with session.data(mode) as data:
                session.command("RETR file", 150)
                self.assertEqual(data.read_all(), b"content")
            session.expect(226)
            ports.append(data.address[1])
        return ports

    def test_listener_serves_the_next_transfer_as_well(self):
        for mode in ("pasv", "epsv"):
            # in a row means within half a second, which a busy machine does not always allow
            wait_until(lambda: len(set(self.ports(self.session(), mode, mode))) == 1,
                       "two transfers have the same port")

    def test_listener_of_pasv_is_not_that_of_epsv(self):
        # what is announced for one need not be right for the other
        first, second = self.ports(self.session(), "pasv", "epsv")
        self.assertNotEqual(first, second)

    def test_listener_serves_64_transfers_and_no_more(self):
        ports = self.ports(self.session(), *["epsv"] * 200)
        longest = max(ports.count(port) for port in ports)
        self.assertLessEqual(longest, 64)
        self.assertGreater(longest, 1)

    def visited(self):
        """A session after a transfer, its listener's port, and a connection that came to it since."""
        def visit():
            session = self.session()
            port, = self.ports(session, "pasv")
            try:
                return session, port, socket.create_connection(("127.0.0.1", port), PATIENCE)
            except ConnectionRefusedError:  # half a second has passed
                return None
        return wait_until(visit, "a listener is there after its transfer")

    @staticmethod
    def is_sent_away(sock):
        with contextlib.suppress(ConnectionError):
            return sock.recv(100) == b""
        return True

    def test_who_comes_between_two_transfers_is_sent_away(self):
        session, port, early = self.visited()
        with early, session.data("pasv") as data:
            self.assertNotEqual(data.address[1], port)
            self.assertTrue(self.is_sent_away(early))
            session.command("RETR file", 150)
            self.assertEqual(data.read_all(), b"content")
        session.expect(226)

    def test_listener_of_an_earlier_transfer_does_not_serve_port(self):
        session, _, early = self.visited()
        with early, session.data("port") as data:
            session.command("RETR file", 150)
            self.assertEqual(data.read_all(), b"content")
            self.assertTrue(self.is_sent_away(early))
        session.expect(226)

    def test_listener_closes_with_port_also_a_refused_one(self):
        for line in ("PORT 127,0,0,1,200,1", "PORT 10,0,0,1,200,1", "PORT nonsense",
                     "EPRT |9|x|1|"):
            with self.subTest(line=line):
                session = self.session()
                _, port = session.pasv()
                session.command(line)
                wait_closed(port)
                session.close()

    def test_stranger_is_dropped_and_the_client_is_served(self):
        session = self.session()
        self.remote("file", b"content")
        _, port = session.pasv()
        strangers = [socket.create_connection(("127.0.0.1", port), PATIENCE, ("127.0.0.2", 0))
                     for _ in range(3)]
        session.send(b"RETR file\r\n")
        for stranger in strangers:
            self.assertEqual(stranger.recv(100), b"", "a stranger got data")
            stranger.close()
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
            session.expect(150)
            self.assertEqual(sock.recv(100), b"content")
        session.expect(226)
        self.assertIn("127.0.0.2", self.log())

    def test_client_may_connect_after_the_command(self):
        session = self.session()
        self.remote("file", b"content")
        where = session.pasv()
        session.send(b"RETR file\r\n")
        session.silent(0.2)  # 150 says that there is a data connection
        with socket.create_connection(where, PATIENCE) as sock:
            session.expect(150)
            self.assertEqual(sock.recv(100), b"content")
        session.expect(226)

    def test_transfer_without_a_data_connection_agreed_on(self):
        session = self.session()
        self.remote("file", b"content")
        for line in ("RETR file", "LIST", "NLST", "MLSD", "STOR new"):
            session.command(line, 425)
        session.retrieve("RETR file")
        session.command("RETR file", 425)  # the old one is used up
        self.assertFalse(os.path.exists(self.remote("new")) and
                         os.path.getsize(self.remote("new")))

    def test_epsv_all(self):
        session = self.session()
        self.remote("file", b"content")
        session.command("EPSV ALL", 200)
        for line in ("PASV", "PORT 127,0,0,1,200,1", "EPRT |1|127.0.0.1|50000|"):
            session.command(line, 500)
        self.assertEqual(session.retrieve("RETR file", "epsv"), b"content")
        session.command("ABOR", 226)
        session.command("PASV", 500)


class PassiveRange(GenkanTest):
    """PassivePorts."""

    def server(self, ports):
        self.world.add_user()
        return self.world.server(directives={"PassivePorts": ports})

    def test_ports_are_of_the_range(self):
        first = free_range(6)
        session = self.server(f"{first} {first + 3}").session()
        seen = {session.pasv()[1] for _ in range(60)}
        self.assertEqual(seen, set(range(first, first + 4)))

    def test_where_clients_may_miss_a_port_it_is_given_back_at_once(self):
        first = free_range(2)
        session = self.server(f"{first} {first + 1}").session()
        for _ in range(3):
            with session.data("pasv") as data:
                session.command("LIST", 150)
                data.read_all()
            session.expect(226)
            self.assertFalse(listening_ports() & {first, first + 1})

    def test_list_of_ranges(self):
        first = free_range(6)
        session = self.server(f"{first}-{first + 1},{first + 4}").session()
        seen = {session.epsv()[1] for _ in range(60)}
        self.assertEqual(seen, {first, first + 1, first + 4})

    def test_full_range_is_425_and_then_works_again(self):
        port = free_range(1)
        server = self.server(f"{port} {port}")
        one, two = server.session(), server.session()
        one.pasv()
        reply = two.command("PASV", 425)
        self.assertIn("use", reply.text)
        two.command("EPSV", 425)
        two.command("PWD", 257)
        one.quit()
        wait_until(lambda: two.command("PASV").code == 227, "the port is free again")

    def test_port_of_another_program_is_passed_over(self):
        first = free_range(2)
        session = self.server(f"{first} {first + 1}").session()
        with socket.socket() as other:
            other.bind(("127.0.0.1", first))
            other.listen(1)
            for _ in range(20):
                self.assertEqual(session.pasv()[1], first + 1)

    def test_range_survives_many_transfers(self):
        """Ports in TIME_WAIT are no reason to refuse."""
        port = free_range(1)
        session = self.server(f"{port} {port}").session()
        for _ in range(50):
            session.retrieve("LIST")


class Active(ServerTest):
    """PORT and EPRT."""

    def test_port_and_eprt(self):
        self.remote("file", b"content")
        for index, modes in ((0, ("port", "eprt")), (1, ("eprt",))):
            session = self.session(index=index)
            for mode in modes:
                self.assertEqual(session.retrieve("RETR file", mode), b"content")
                session.store("STOR copy", b"sent", mode)
                self.assertEqual(read_file(self.remote("copy")), b"sent")

    @root_only("port 20")
    def test_data_leaves_from_port_20(self):
        session = self.session()
        for mode in ("port", "eprt", "port"):
            with session.data(mode) as data:
                session.command("LIST", 150)
                data.read_all()
                self.assertEqual(data.peer[:2], ("127.0.0.1", 20))
            session.expect(226)

    @unittest.skipIf(IS_ROOT, "root can bind port 20")
    def test_data_leaves_from_any_port_without_root(self):
        self.assertEqual(self.session().retrieve("LIST", "port"), b"")

    def test_connection_is_made_by_the_transfer_command(self):
        session = self.session()
        with session.data("port") as data:
            data.listener.settimeout(0.3)
            self.assertRaises(socket.timeout, data.listener.accept)
            data.listener.settimeout(PATIENCE)
            session.send(b"LIST\r\n")
            data.read_all()
            session.expect(150)
        session.expect(226)

    def test_foreign_addresses_are_refused(self):
        session = self.session()
        for line in ("PORT 127,0,0,2,200,1", "PORT 10,0,0,1,200,1", "PORT 0,0,0,0,200,1",
                     "PORT 255,255,255,255,200,1", "PORT 224,0,0,1,200,1",
                     "EPRT |1|127.0.0.2|51201|", "EPRT |2|::1|51201|"):
            with self.subTest(line=line):
                session.command(line, 500)
                session.command("LIST", 425)

    def test_refused_port_forgets_the_one_before(self):
        session = self.session()
        with session.data("port") as data:
            session.command("PORT 10,0,0,1,200,1", 500)
            session.command("LIST", 425)
            data.listener.settimeout(0.1)
            self.assertRaises(socket.timeout, data.listener.accept)

    def test_privileged_ports_are_refused(self):
        session = self.session()
        for line in ("PORT 127,0,0,1,0,21", "PORT 127,0,0,1,3,255", "EPRT |1|127.0.0.1|22|"):
            session.command(line, 500)
        session.command("PORT 127,0,0,1,0,0", 500)

    def test_malformed_arguments(self):
        session = self.session()
        for line in ("PORT 1,2,3", "PORT 127,0,0,1,200", "PORT 127,0,0,1,200,1,1",
                     "PORT 127,0,0,1,200,1x", "PORT 127,0,0,1,256,1", "PORT 999,0,0,1,200,1",
                     "PORT 127,0,0,1,-1,1", "PORT 127.0.0.1.200.1", "PORT a,b,c,d,e,f",
                     "PORT 127,0,0,1,,1", "PORT 127,0,0,1,200,4294967297",
                     "EPRT |1|127.0.0.1|70000|", "EPRT |1|127.0.0.1|5000",
                     "EPRT |1|localhost|5000|",
                     "EPRT |1|127.0.0.1|50x0|", "EPRT 1", "EPRT ||||", "EPRT |1|127.0.0.1|-5000|",
                     "EPRT |1|::1|5000|"):
            with self.subTest(line=line):
                session.command(line, 500, 501)

    def test_unknown_protocol_gets_the_list(self):
        reply = self.session().command("EPRT |3|127.0.0.1|5000|", 522)
        self.assertRegex(reply.text, r"\(1,2\)")

    def test_other_delimiters(self):
        session = self.session()
        session.command("EPRT !1!127.0.0.1!50000!", 200)
        session.command("EPRT ,1,127.0.0.1,50000,", 200)

    def test_ipv4_mapped_address_is_the_ipv4_client(self):
        session = self.session()
        session.command("EPRT |2|::ffff:127.0.0.1|50000|", 200)
        session.command("EPRT |2|::ffff:127.0.0.2|50000|", 500)

    def test_port_that_refuses_is_425_and_the_session_lives(self):
        session = self.session()
        with session.data("port") as data:
            data.close()
            reply = session.command("LIST", 425)
            self.assertIn("passive", reply.text)
        session.command("PWD", 257)
        self.assertEqual(session.retrieve("LIST"), b"")


class ActivePort(GenkanTest):
    def source_port(self, value):
        self.world.add_user()
        session = self.world.server(directives={"ActivePort": value}).session()
        with session.data("port") as data:
            session.command("LIST", 150)
            data.read_all()
        session.expect(226)
        return data.peer[1]

    def test_any(self):
        self.assertGreater(self.source_port("any"), 1023)

    def test_control_port_less_one(self):
        world_port = self.source_port("L-1")
        control_port = self.world.servers[0].address[1]
        self.assertEqual(world_port, control_port - 1)


class InTransfer(ServerTest):
    """The control connection while a transfer runs or stands still."""

    def setUp(self):
        super().setUp()
        self.sparse("huge", HUGE)

    def stalled(self, line="RETR huge", **options):
        """A session with a download that nobody reads, and its data connection."""
        session = self.session(**options)
        data = session.data("pasv")
        session.command(line, 150)
        self.addCleanup(data.close)
        return session, data

    def test_abor(self):
        session, data = self.stalled()
        session.command("ABOR", 426)
        session.expect(226)
        data.close()
        self.assert_in_step(session)

    def assert_in_step(self, session):
        self.remote("small", b"content")
        session.command("PWD", 257)
        self.assertEqual(session.retrieve("RETR small"), b"content")
        session.silent(0.05)

    def test_abor_as_telnet_synch(self):
        """IAC IP, IAC DM as urgent data, ABOR: what RFC 959 asks for."""
        session, data = self.stalled()
        session.sock.sendall(b"\xff\xf4")
        session.sock.send(b"\xff\xf2", socket.MSG_OOB)
        session.sock.sendall(b"ABOR\r\n")
        session.expect(426)
        session.expect(226)
        data.close()
        self.assert_in_step(session)

    def test_abor_with_the_last_byte_urgent(self):
        """As ftplib sends it."""
        session, data = self.stalled()
        session.sock.send(b"ABOR\r\n", socket.MSG_OOB)
        session.expect(426)
        session.expect(226)
        data.close()
        self.assert_in_step(session)

    def test_abor_of_an_upload(self):
        session, data = self.stalled("STOR new")
        data.socket().sendall(b"begin")
        session.command("ABOR", 426)
        session.expect(226)
        data.close()
        self.assert_in_step(session)

    def test_abor_while_waiting_for_the_data_connection(self):
        session = self.session()
        session.pasv()
        session.send(b"RETR huge\r\n")
        session.silent(0.1)
        session.command("ABOR", 425, 426)
        session.expect(226)
        self.assert_in_step(session)

    def test_abor_without_a_transfer(self):
        self.session().command("ABOR", 226)

    def test_abor_and_the_next_command_in_one_segment(self):
        session, _ = self.stalled()
        session.send(b"ABOR\r\nPWD\r\n")
        for code in (426, 226, 257):
            session.expect(code)

    def test_stat_and_noop_are_answered(self):
        session, data = self.stalled()
        before = int(re.search(r"(\d+) of", self.stat(session)).group(1))
        session.command("NOOP", 200)
        data.socket().recv(1000)
        # Room for more: the count goes up.
        def moved():
            data.socket().recv(1 << 20)
            return int(re.search(r"(\d+) of", self.stat(session)).group(1)) > before
        wait_until(moved, "STAT shows progress")
        session.command("ABOR", 426)
        session.expect(226)

    def stat(self, session):
        text = session.command("STAT", 211).text
        self.assertIn("RETR", text)
        self.assertIn(str(HUGE), text)
        return text

    def test_stat_while_waiting_for_the_data_connection(self):
        session = self.session()
        session.pasv()
        session.send(b"RETR huge\r\n")
        self.assertIn("RETR", session.command("STAT", 211).text)
        session.command("ABOR", 425, 426)
        session.expect(226)

    def test_other_commands_wait_their_turn(self):
        session, data = self.stalled("STOR new")
        session.send(b"PWD\r\nSYST\r\nNOOP\r\n")
        session.silent(0.3)
        data.close()
        for code in (226, 257, 215, 200):
            session.expect(code)

    def test_quit_lets_the_transfer_finish(self):
        content = pattern_bytes(30_000_000)
        self.remote("file", content)
        session, data = self.stalled("RETR file")
        session.send(b"QUIT\r\n")
        session.silent(0.2)
        self.assertEqual(data.read_all(), content)
        data.close()
        session.expect(226)
        session.expect(221)
        session.at_end()

    def test_quit_lets_an_upload_finish(self):
        session, data = self.stalled("STOR new")
        session.send(b"QUIT\r\n")
        data.socket().sendall(b"all of it")
        session.silent(0.2)
        data.close()
        session.expect(226)
        session.expect(221)
        self.assertEqual(read_file(self.remote("new")), b"all of it")

    def test_broken_control_connection_ends_everything(self):
        for end in ("FIN", "RST"):
            for line in ("RETR huge", "STOR new"):
                with self.subTest(end=end, line=line):
                    session, data = self.stalled(line)
                    if end == "RST":
                        reset(session.sock)
                    else:
                        session.close()
                    self.server.wait_no_pairs()
                    data.close()

    def test_client_that_vanishes_before_its_data_connection_frees_the_port(self):
        for end in ("FIN", "RST"):
            with self.subTest(end=end):
                session = self.session()
                _, port = session.pasv()
                session.send(b"RETR huge\r\n")
                session.wait_taken()
                if end == "RST":
                    reset(session.sock)
                else:
                    session.close()
                self.server.wait_no_pairs()
                self.assertNotIn(port, listening_ports())

    def test_client_that_vanishes_while_we_connect(self):
        session = self.session()
        with session.data("port") as data:
            session.send(b"LIST\r\n")
            session.close()
            self.server.wait_no_pairs()
            data.close()

    def test_download_whose_data_connection_breaks_is_426(self):
        for end in ("FIN", "RST"):
            with self.subTest(end=end):
                session, data = self.stalled()
                if end == "RST":
                    reset(data.socket())
                else:
                    data.close()
                session.expect(426)
                self.assert_in_step(session)

    def test_upload_whose_data_connection_breaks_is_426(self):
        session, data = self.stalled("STOR new")
        data.socket().sendall(b"begin")
        wait_until(lambda: os.path.getsize(self.remote("new")) == 5, "the first bytes are there")
        reset(data.socket())
        session.expect(426)
        self.assert_in_step(session)

    def test_file_cut_short_while_it_is_sent(self):
        session, data = self.stalled()
        os.truncate(self.remote("huge"), 1000)
        data.read_all()
        data.close()
        session.expect(451, 426)
        self.assert_in_step(session)

    def test_file_that_grows_while_it_is_sent(self):
        """The 150 has said how much will come; no more does."""
        os.truncate(self.remote("huge"), 20_000_000)
        session, data = self.stalled()
        os.truncate(self.remote("huge"), 30_000_000)
        self.assertIn(len(data.read_all()), (20_000_000, 30_000_000))
        data.close()
        session.expect(226)


class Words(ServerTest):
    """A data connection that does not come: whose router has to do what."""

    directives = {"TimeoutStalled": "1"}

    def test_the_port_to_forward_is_told_to_the_client_and_in_the_log(self):
        session = self.session()
        for prepare in (session.pasv, session.epsv):
            _, port = prepare()
            text = session.command("LIST", 425).text
            self.assertRegex(text, rf"No data connection came to port {port} within 1 seconds\. "
                                   r"Is it forwarded by the server's router\?")
            self.server.wait_log(rf"forward it on the router to port {port} here "
                                 r"\(PassivePorts\)\. If it is, a router's FTP helper \(ALG\) may "
                                 "have changed the reply")
            wait_closed(port)


class Resources(ServerTest):
    """Nothing leaks and nothing spins."""

    time_limit = 400

    @root_only("descriptors of processes that are not dumpable")
    def test_descriptors_are_constant_over_aborts(self):
        self.sparse("huge", HUGE)
        session = self.session()
        pair = self.server.pair()

        def count():
            return [len(descriptors(pid)) for pid in (pair.session, pair.monitor)]

        at_rest = count()
        for _ in range(30):
            with session.data(random.choice(("pasv", "epsv", "port"))) as data:
                session.command("RETR huge", 150)
                data.socket().recv(10)
                session.command("ABOR", 426)
                session.expect(226)
            # the monitor is told of the end, and nobody waits for it
            wait_until(lambda: count() == at_rest, f"{at_rest} descriptors as before")

    @root_only("memory of processes that are not dumpable")
    def test_memory_is_constant_over_commands(self):
        session = self.session()
        self.remote("file", b"x")
        pair = self.server.pair()

        def own():
            """Without pages of files, which the kernel takes away and brings back as it likes."""
            return [sum(int(proc_status(pid)[name].split()[0]) for name in ("RssAnon", "VmSwap"))
                    for pid in (pair.session, pair.monitor)]
        block = b"PWD\r\nMLST file\r\nSIZE file\r\nCWD /\r\nSTAT\r\n"
        for _ in range(100):
            self.five(session, block)
        before = own()
        for _ in range(1000):
            self.five(session, block)
        for old, new in zip(before, own()):
            self.assertLess(new - old, 100, "kB more")

    @staticmethod
    def five(session, block):
        session.send(block)
        for code in (257, 250, 213, 250, 211):
            session.expect(code)

    def assert_idle(self, what):
        """Session and monitor use less than a tenth of a processor."""
        pair = self.server.pair()

        def ticks():
            total = 0
            for pid in (pair.session, pair.monitor):
                words = read_file(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split()
                total += int(words[11]) + int(words[12])
            return total
        def still():
            """Half a second in which they do nothing: whatever was to do has been done before."""
            before = ticks()
            with contextlib.suppress(AssertionError):
                always(lambda: ticks() - before <= 4, what, 0.5)
                return True
            return False
        wait_until(still, f"{what}: idle")

    def test_no_busy_loop_in_any_state(self):
        self.sparse("huge", HUGE)
        session = self.session()
        self.assert_idle("after login")
        session.pasv()
        session.send(b"RETR huge\r\n")
        self.assert_idle("waiting for the data connection")
        session.command("ABOR", 426, 425)
        session.expect(226)
        with session.data("pasv") as data:
            session.command("RETR huge", 150)
            self.assert_idle("in a stalled download")
            session.send(b"PWD\r\n")
            self.assert_idle("in a stalled download with a command that waits")
            session.send(b"PWD\r\n" * 4000)
            self.assert_idle("in a stalled download with a full buffer")
            data.close()
            session.expect(426)
        for _ in range(4001):
            session.expect(257)
        with session.data("pasv") as data:
            session.command("STOR new", 150)
            session.send(b"QUIT\r\n")
            session.sock.shutdown(socket.SHUT_WR)
            self.assert_idle("in a stalled upload with QUIT and the end of the connection")
            data.close()
            session.expect(226)
            session.expect(221)


if __name__ == "__main__":
    unittest.main()
