"""genkan-ftpd behind NAT, in the laboratory of natlab.py: the founding text's four cases and what
routers, DNS and firewalls do to them.

The programs are looked for in $GENKAN_BUILD (default: build/). With NATLAB_LOG=1 each
test shows the server's log.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import natlab
from natlab import CASES, GENKAN, HOME, LAN_SERVER, MODES, NAME, PUBLIC_SERVER, SERVER6
from strict_client import FILE, Refused

WHY_NOT = natlab.why_not()


class LabTest(unittest.TestCase):
    lab = None

    @classmethod
    def setUpClass(cls):
        if WHY_NOT:
            raise unittest.SkipTest(WHY_NOT)
        cls.lab = natlab.NatLab()
        cls.lab.__enter__()
        cls.addClassCleanup(cls.lab.close)

    def setUp(self):
        self.lab.reset()

    def serve(self, **options):
        daemon = self.lab.start_server(**options)
        if os.environ.get("NATLAB_LOG"):
            self.addCleanup(lambda: print(daemon.log_text(), file=sys.stderr))
        return daemon

    def attempt(self, case, mode, port=21, **options):
        _, host, client = CASES[case]
        return self.lab.attempt(client, mode, host, port, **options)

    def assert_ok(self, case, modes=MODES, ports=(21, 2121)):
        for port in ports:
            for mode in modes:
                with self.subTest(case=case, mode=mode, port=port):
                    self.assertEqual(self.attempt(case, mode, port), "ok")

    def assert_fails(self, case, modes, ports=(21, 2121)):
        for port in ports:
            for mode in modes:
                with self.subTest(case=case, mode=mode, port=port):
                    outcome = self.attempt(case, mode, port, data_timeout=1.5)
                    self.assertNotIn(outcome, ("ok", "wrong content", "no connection"))


class LaboratoryTest(LabTest):
    """First of all: the laboratory fails where the founding text says that it must."""

    def test_naive_server_without_nat_works_in_cases_1_and_2(self):
        self.serve(node="public_server", kind="naive")
        self.assert_ok(1)
        self.assert_ok(2, ["PASV", "EPSV"])

    def test_naive_pasv_fails_in_cases_3_and_4(self):
        self.serve(kind="naive")
        for case in 3, 4:
            self.assert_fails(case, ["PASV"])
            self.assert_ok(case, ["EPSV"])

    def test_naive_port_fails_behind_the_clients_nat(self):
        self.serve(kind="naive")
        self.serve(node="public_server", kind="naive")
        for case in 2, 4:
            self.assert_fails(case, ["PORT", "EPRT"], ports=[21])
        self.assert_ok(3, ["PORT", "EPRT"])

    def test_clients_router_with_alg_repairs_port_on_21_only(self):
        self.serve(kind="naive")
        self.lab.client_router(alg=True)
        self.assert_ok(4, ["PORT", "EPRT"], ports=[21])
        self.assert_fails(4, ["PORT", "EPRT"], ports=[2121])

    def test_servers_router_with_alg_repairs_naive_pasv_on_21_only(self):
        self.serve(kind="naive")
        self.lab.home_router(alg=True)
        for case in 3, 4:
            self.assert_ok(case, ["PASV"], ports=[21])
            self.assert_fails(case, ["PASV"], ports=[2121])

    def test_passive_range_that_is_not_forwarded_fails(self):
        self.serve(kind="naive")
        self.lab.home_router(forward=("21", "2121"))
        self.assert_fails(3, ["EPSV"], ports=[21])
        self.assert_ok(3, ["PORT"], ports=[21])

    def test_strict_client_firewall_lets_nothing_in_but_from_port_20(self):
        self.lab.client_firewall(strict=True)
        listener = self.lab.socket_maker("public")()
        self.addCleanup(listener.close)
        listener.bind(("198.51.100.20", 0))
        listener.listen(1)
        for port, arrives in (20, True), (2120, False), (0, False):
            with self.lab.socket_maker("server")() as sock:
                sock.settimeout(30 if arrives else 0.7)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((LAN_SERVER, port))
                try:
                    sock.connect(listener.getsockname())
                    arrived = True
                except TimeoutError:
                    arrived = False
                self.assertEqual(arrived, arrives, "from port %d" % port)

    def test_router_that_remaps_changes_port_20(self):
        self.lab.home_router(remap=True)
        self.serve(kind="naive")
        with self.lab.client("public") as client:
            client.login().retrieve("PORT")
            self.assertEqual(client.data_peer[0], HOME)
            self.assertIn(client.data_peer[1], range(20000, 30000))

    def test_nothing_is_left_when_the_laboratory_is_killed(self):
        script = ("import sys, time; sys.path.insert(0, %r)\nimport natlab\n"
                  "lab = natlab.NatLab().__enter__()\nlab.start_server(kind='naive')\n"
                  "print(lab.pid, lab.directory, flush=True)\ntime.sleep(300)\n" % natlab.HERE)
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                              text=True) as process:
            pid, directory = process.stdout.readline().split()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), -signal.SIGTERM)
        left = [name for name in os.listdir("/run/netns") if name.startswith("gk%s-" % pid)]
        self.assertEqual(left, [])
        self.assertFalse(os.path.exists(directory))
        self.assertFalse(os.path.exists("/etc/netns/gk%s-server" % pid))


@unittest.skipUnless(os.access(GENKAN, os.X_OK), "no %s (set GENKAN_BUILD)" % GENKAN)
class NatTest(LabTest):
    """The same with genkan-ftpd."""

    # -- the four cases

    def test_without_masquerade_pasv_fails_in_cases_3_and_4(self):
        self.serve(masquerade="none")
        for case in 3, 4:
            self.assert_fails(case, ["PASV"])
            self.assert_ok(case, ["EPSV"])

    def test_case_1(self):
        self.serve(node="public_server", masquerade="none")
        self.assert_ok(1)

    def test_case_2_passive(self):
        self.serve(node="public_server", masquerade="none")
        self.assert_ok(2, ["PASV", "EPSV"])

    def test_case_2_active_needs_the_clients_alg(self):
        self.serve(node="public_server", masquerade="none")
        self.assert_fails(2, ["PORT", "EPRT"])
        self.lab.client_router(alg=True)
        self.assert_ok(2, ["PORT", "EPRT"], ports=[21])
        self.assert_fails(2, ["PORT", "EPRT"], ports=[2121])

    def test_case_3_pasv_with_masquerade(self):
        self.serve()
        self.assert_ok(3, ["PASV"])
        with self.lab.client("public") as client:
            self.assertEqual(client.login().passive()[0], HOME)

    def test_case_3_epsv_and_active(self):
        self.serve()
        self.assert_ok(3, ["EPSV", "PORT", "EPRT"])

    def test_case_4_pasv_with_masquerade(self):
        self.serve()
        self.assert_ok(4, ["PASV", "EPSV"])

    def test_case_4_active_needs_the_clients_alg(self):
        self.serve()
        self.assert_fails(4, ["PORT", "EPRT"])
        self.lab.client_router(alg=True)
        self.assert_ok(4, ["PORT", "EPRT"], ports=[21])
        self.assert_fails(4, ["PORT", "EPRT"], ports=[2121])

    def test_masquerade_address_given_as_number(self):
        self.serve(masquerade=HOME)
        self.assert_ok(3, ["PASV"])

    def test_passive_ports_are_those_of_the_range(self):
        self.serve()
        with self.lab.client("public") as client:
            client.login()
            for extended in False, True:
                self.assertIn(client.passive(extended)[1], range(4000, 4030))

    # -- clients in the home's own network

    def test_lan_client_gets_local_address(self):
        self.serve()
        for port in 21, 2121:
            for mode in MODES:
                with self.subTest(mode=mode, port=port):
                    self.assertEqual(self.lab.attempt("lan", mode, LAN_SERVER, port), "ok")
        with self.lab.client("lan", LAN_SERVER) as client:
            self.assertEqual(client.login().passive()[0], LAN_SERVER)

    def test_nobody_looks_up_the_name_for_a_lan_client(self):
        self.serve()
        before = len(self.lab.dns_questions())
        with self.lab.client("lan", LAN_SERVER) as client:
            client.login().retrieve("PASV")
        self.assertEqual(self.lab.dns_questions()[before:], [])

    def hairpin(self):
        """LAN clients use the outside address; to the server they all seem to be the router."""
        self.lab.home_router(hairpin=True)
        self.serve()

    def test_lan_client_at_the_outside_address_epsv(self):
        self.hairpin()
        self.assertEqual(self.lab.attempt("lan", "EPSV", HOME), "ok")

    # The client comes from the router's own address, which is no LAN client's.
    def test_lan_client_at_the_outside_address_pasv(self):
        self.hairpin()
        self.assertEqual(self.lab.attempt("lan", "PASV", HOME), "ok")

    def test_lan_client_at_the_outside_address_is_told_to_be_passive(self):
        self.hairpin()
        for mode in "PORT", "EPRT":
            self.assertRegex(self.lab.attempt("lan", mode, HOME), "^500 .*passive mode")

    # -- the DDNS name

    def test_one_question_for_the_a_record_alone_and_no_search_list(self):
        self.serve()
        before = len(self.lab.dns_questions())
        with self.lab.client("public") as client:
            client.login()
            for _ in range(3):
                client.retrieve("PASV")
        self.assertEqual(self.lab.dns_questions()[before:], ["query[A] " + NAME])

    def test_ddns_change_is_picked_up_by_next_connection(self):
        self.serve()
        self.assertEqual(self.attempt(3, "PASV"), "ok")
        self.lab.set_wan("203.0.113.77")
        self.lab.ddns("203.0.113.77")
        with self.lab.client("public") as client:   # to the new address
            client.login()
            self.assertEqual(client.passive()[0], "203.0.113.77")
            self.assertEqual(client.retrieve("PASV"), self.lab.content)

    def test_name_that_is_gone_costs_only_pasv(self):
        self.lab.ddns(None)
        daemon = self.serve()
        self.assert_ok(3, ["EPSV", "PORT"], ports=[21])
        self.assertEqual(self.lab.attempt("lan", "PASV", LAN_SERVER), "ok")
        with self.lab.client("public") as client:
            client.login()
            with contextlib.suppress(Refused):
                self.assertEqual(client.passive()[0], LAN_SERVER)
            self.assertEqual(client.retrieve("EPSV"), self.lab.content)
        self.assertIn("does not exist", daemon.log_text())

    def test_private_answer_is_not_announced(self):
        self.lab.ddns("10.9.9.9")
        daemon = self.serve()
        with self.lab.client("public") as client:
            client.login()
            with contextlib.suppress(Refused):
                self.assertNotEqual(client.passive()[0], "10.9.9.9")
        self.assertIn("private address", daemon.log_text())

    def still_asking(self):
        return any("genkan-ftpd-gateway" in line for line in self.lab.commands("server"))

    def silent(self):
        """A server that will wait for DNS much longer than any of these tests."""
        self.serve(options=["MasqueradeTimeout 50"])
        self.lab.dns_silent(True)

    def quick(self, node, mode, host=None):
        """A download while DNS is silent."""
        with self.lab.client(node, host) as client:
            client.login()
            self.assertEqual(client.retrieve(mode), self.lab.content)
            # The proof is in the order: the question is still open.
            if host is None:
                self.wait_asking()
            else:
                self.assertFalse(self.still_asking())

    def wait_asking(self):
        """The gateway may not have come to run yet; once it does it asks for 50 s."""
        natlab.wait_for(self.still_asking, "the gateway process")

    def test_dns_silent_does_not_delay_greeting(self):
        self.silent()
        with self.lab.client("public") as client:
            self.assertTrue(client.greeting.startswith("220"))
            client.login()
            self.wait_asking()

    def test_dns_silent_does_not_delay_epsv(self):
        self.silent()
        self.quick("public", "EPSV")

    def test_dns_silent_does_not_delay_active(self):
        self.silent()
        self.quick("public", "PORT")
        self.quick("public", "EPRT")

    def test_dns_silent_does_not_delay_lan(self):
        self.silent()
        for mode in MODES:
            self.quick("lan", mode, LAN_SERVER)

    def test_dns_silent_pasv_is_answered_at_the_deadline(self):
        self.serve(options=["MasqueradeTimeout 1"])
        self.lab.dns_silent(True)
        with self.lab.client("public") as client:
            client.login()
            began = time.monotonic()
            reply = client.command("PASV")
            self.assertRegex(reply, "^(227|425) ")
            self.assertLess(time.monotonic() - began, 15)
            self.assertEqual(client.retrieve("EPSV"), self.lab.content)

    def test_gateway_process_ends_with_the_session(self):
        self.silent()
        with self.lab.client("public") as client:
            client.login()
            self.wait_asking()
            client.command("QUIT")
        natlab.wait_for(lambda: not self.still_asking(), "the end of the gateway process")

    def test_answer_that_comes_late_is_announced(self):
        self.silent()
        with self.lab.client("public") as client:
            client.login()
            client.send("PASV")
            self.wait_asking()
            self.lab.dns_silent(False)
            self.assertEqual(client.parse_227(client.reply())[0], HOME)

    # -- active mode and firewalls

    def test_active_data_comes_from_port_20(self):
        self.serve()
        for port in 21, 2121:
            for mode in "PORT", "EPRT":
                with self.subTest(mode=mode, port=port), \
                     self.lab.client("public", port=port) as client:
                    client.login().retrieve(mode)
                    self.assertEqual(client.data_peer, (HOME, 20))

    def test_active_data_comes_from_l_minus_1_if_told(self):
        self.serve(options=["ActivePort L-1"])
        for port in 21, 2121:
            with self.lab.client("public", port=port) as client:
                client.login().retrieve("PORT")
                self.assertEqual(client.data_peer, (HOME, port - 1))

    def test_strict_client_firewall_is_satisfied(self):
        self.serve()
        self.lab.client_firewall(strict=True)
        self.assert_ok(3)

    def test_strict_client_firewall_refuses_any_other_active_port(self):
        self.serve(options=["ActivePort any"])
        self.lab.client_firewall(strict=True)
        self.assert_fails(3, ["PORT", "EPRT"], ports=[21])
        self.assert_ok(3, ["PASV", "EPSV"], ports=[21])

    def test_strict_client_router_is_satisfied_unless_ours_remaps(self):
        self.serve()
        self.lab.client_router(alg=True, strict=True)
        self.assert_ok(4, ["PORT", "EPRT"], ports=[21])
        self.lab.home_router(remap=True)
        self.assert_fails(4, ["PORT"], ports=[21])

    def test_many_active_downloads_in_a_row(self):
        self.serve()
        with self.lab.client("public") as client:
            client.login()
            for _ in range(20):
                self.assertEqual(client.retrieve("PORT"), self.lab.content)
                self.assertEqual(client.data_peer, (HOME, 20))

    # -- routers' FTP helpers

    def test_alg_on_and_masquerade(self):
        self.serve()
        self.lab.home_router(alg=True)
        self.lab.client_router(alg=True)
        self.assert_ok(3)
        self.assert_ok(4, ["PASV", "EPSV"])
        self.assert_ok(4, ["PORT", "EPRT"], ports=[21])

    def test_227_is_alone_in_its_segment_after_pipelined_commands(self):
        # The helper rewrites a 227 only at the start of a segment.
        self.serve(masquerade="none")
        self.lab.home_router(alg=True, forward=("21",))
        with self.lab.client("public") as client:
            client.login()
            client.send("NOOP", "TYPE I", "PASV")
            replies = [client.reply() for _ in range(3)]
            self.assertEqual([reply[:3] for reply in replies], ["200", "200", "227"])
            host, port = client.parse_227(replies[2])
            self.assertEqual(host, HOME)
            with client.connect_data(host, port) as data:
                client.send("RETR " + FILE)
                client.expect("150", client.reply())
                self.assertEqual(client.receive(data), self.lab.content)

    def test_229_is_alone_in_its_segment_after_pipelined_commands(self):
        self.serve(masquerade="none")
        self.lab.home_router(alg=True, forward=("21",))
        with self.lab.client("public") as client:
            client.login()
            client.send("NOOP", "TYPE I", "EPSV")
            replies = [client.reply() for _ in range(3)]
            self.assertEqual(replies[2][:3], "229")
            port = int(replies[2].rsplit("|", 2)[1])
            # Not forwarded: only an expectation of the helper lets this in.
            with client.connect_data(HOME, port) as data:
                client.send("RETR " + FILE)
                client.expect("150", client.reply())
                self.assertEqual(client.receive(data), self.lab.content)

    # -- what must not work

    def test_epsv_all(self):
        self.serve()
        with self.lab.client("public") as client:
            client.login()
            client.expect("200", client.command("EPSV ALL"))
            for line in "PASV", client.port_command(), client.port_command(extended=True):
                self.assertEqual(client.command(line)[:1], "5", line)
            self.assertEqual(client.retrieve("EPSV"), self.lab.content)

    def test_bounce_refused(self):
        self.serve()
        victims = {"lan": "192.168.1.20", "client_router": "198.51.100.2", "server": "127.0.0.1",
                   "public_server": PUBLIC_SERVER}
        for node, address in victims.items():
            listener = self.lab.socket_maker(node)()
            self.addCleanup(listener.close)
            listener.bind((address, 5000))
            listener.listen(1)
            listener.setblocking(False)
            for extended in False, True:
                with self.subTest(address=address, extended=extended), \
                     self.lab.client("public") as client:
                    client.login()
                    line = client.port_command(extended, (address, 5000))
                    reply = client.command(line)
                    self.assertRegex(client.command("RETR " + FILE), "^[45]", reply)
                    with self.assertRaises(BlockingIOError, msg="a connection came"):
                        listener.accept()

    def test_active_ports_of_services_are_refused(self):
        self.serve()
        with self.lab.client("public") as client:
            client.login()
            for port in 0, 1, 25, 1023:
                for extended in False, True:
                    line = client.port_command(extended, ("198.51.100.20", port))
                    self.assertEqual(client.command(line)[:1], "5", line)

    def test_stranger_at_the_passive_port_does_not_take_the_transfer(self):
        self.serve()
        with self.lab.client("public") as client:
            client.login()
            host, port = client.passive()
            with self.lab.socket_maker("client_router")() as stranger:
                stranger.settimeout(30)
                stranger.connect((host, port))
                client.send("RETR " + FILE)
                with client.connect_data(host, port) as data:
                    client.expect("150", client.reply())
                    self.assertEqual(client.receive(data), self.lab.content)
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(stranger.recv(1), b"")

    # -- other ways in

    def test_ipv6_needs_no_nat(self):
        if not self.lab.ipv6:
            self.skipTest("no IPv6 in this kernel")
        self.serve()
        self.lab.home_router(forward=("21", "2121"))
        for mode in "EPSV", "EPRT":
            with self.subTest(mode=mode):
                self.assertEqual(self.lab.attempt("public", mode, SERVER6), "ok")
        with self.lab.client("public", SERVER6) as client:
            self.assertRegex(client.login().command("PASV"), "^(425|5)")

    def test_another_super_server_with_a_dual_stack_socket(self):
        activate = shutil.which("systemd-socket-activate")
        if not activate:
            self.skipTest("no systemd-socket-activate")
        words = self.lab.command_line("genkan", NAME, ())
        self.serve(command=[activate, "--inetd", "--accept", "-l", "21", *words], ports=[21])
        self.assert_ok(3, ports=[21])
        self.assertEqual(self.lab.attempt("lan", "PASV", LAN_SERVER), "ok")


if __name__ == "__main__":
    sys.exit(unittest.main())
