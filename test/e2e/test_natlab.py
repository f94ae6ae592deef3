"""genkan-ftpd behind NAT, in the laboratory of natlab.py: the founding text's four cases and what
routers, DNS and firewalls do to them.

The programs are looked for in $GENKAN_BUILD (default: the current directory). With NATLAB_LOG=1 each
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
                sock.settimeout(0.7)
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
                  "print(lab.pid, lab.directory, flush=True)\ntime.sleep(60)\n" % natlab.HERE)
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                              text=True) as process:
            pid, directory = process.stdout.readline().split()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20), -signal.SIGTERM)
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

