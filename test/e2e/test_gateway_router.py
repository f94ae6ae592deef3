"""genkan-ftpd-gateway against NAT-PMP and PCP routers of this test's own, on loopback (127.83.1.1)."""
import contextlib
import http.server
import itertools
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from test_gateway import AT_ONCE, FAR, FARTHEST, GATEWAY, NAME, DNSServer, a, gateway

ROUTER = "127.83.1.1"
MAP_TCP = 2     # RFC 6886 section 3.3


class Router:
    """Answers each packet with what respond(packet) gives: bytes, a list of them, or None."""

    def __init__(self, respond):
        self.respond, self.asked = respond, []
        self.answered = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ROUTER, 5351))
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.socket.sendto(b"", (ROUTER, 5351))
        self.thread.join(5)
        self.socket.close()

    def serve(self):
        while True:
            packet, peer = self.socket.recvfrom(2048)
            if not packet:
                return
            self.asked.append(packet)
            got = self.respond(packet)
            for reply in [] if got is None else got if isinstance(got, list) else [got]:
                self.socket.sendto(reply, peer)
                self.answered.set()


def once(packets):
    """Without those that were sent again, as they are when the answer takes longer than 250 ms."""
    return [packet for packet, _ in itertools.groupby(packets)]


def natpmp(address="203.0.113.2", external=None, seconds=None, result=0, silent=False):
    """A router that speaks NAT-PMP; silent: it tells nothing of its mappings."""
    def respond(packet):
        if silent and packet[1] != 0:
            return None
        if packet[1] == 0:
            return struct.pack(">BBHI", 0, 128, result, 9) + socket.inet_aton(address)
        _, _, _, port, suggested, wanted = struct.unpack(">BBHHHI", packet)
        if wanted == 0:
            return struct.pack(">BBHIHHI", 0, 130, result, 9, port, 0, 0)
        return struct.pack(">BBHIHHI", 0, 130, result, 9, port, external or suggested,
                           seconds or wanted)
    return respond


def pcp(address="203.0.113.2"):
    """A router that speaks PCP alone."""
    def respond(packet):
        if packet[0] != 2:
            return struct.pack(">BBBBII", 2, 128 | packet[1], 0, 1, 0, 9) + bytes(12)
        return (struct.pack(">BBBB", 2, 128 | packet[1], 0, 0) + packet[4:8] + struct.pack(">I", 9)
                + bytes(12) + packet[24:44] + bytes(10) + b"\xff\xff" + socket.inet_aton(address))
    return respond


@unittest.skipUnless(os.access(GATEWAY, os.X_OK), "no %s (set GENKAN_BUILD)" % GATEWAY)
class RouterTest(unittest.TestCase):
    def ask(self, respond, *args):
        with Router(respond) as router:
            status, out, self.took = gateway("-g", ROUTER, *args)
        self.asked = router.asked
        self.assertEqual(status, 0)
        return out.splitlines()

    def test_natpmp_tells_the_address(self):
        self.assertEqual(self.ask(natpmp(), "natpmp"), ["address 203.0.113.2 natpmp"])
        self.assertEqual(once(self.asked), [b"\0\0"])

    def test_a_router_that_speaks_pcp_alone_is_asked_in_pcp(self):
        self.assertEqual(self.ask(pcp(), "natpmp"), ["address 203.0.113.2 natpmp"])
        self.assertEqual([len(p) for p in once(self.asked)[:2]], [2, 60])

    def test_addresses_that_are_not_public_are_never_announced(self):
        for address, words in (("10.1.2.3", "second router"), ("100.64.9.9", "provider"),
                               ("127.0.0.1", ""), ("0.0.0.0", "no address"), ("224.0.0.1", "")):
            with self.subTest(address):
                line, = self.ask(natpmp(address), "natpmp")
                self.assertTrue(line.startswith("failed "), line)
                self.assertIn(words, line)

    def test_silence_costs_the_deadline_and_is_asked_again(self):
        line, = self.ask(lambda packet: None, "-t", "1700", "natpmp")
        self.assertIn("did not answer", line)
        self.assertGreater(self.took, 1.65)
        self.assertLess(self.took, AT_ONCE)
        # at the beginning, after 250 ms and after 750, unless it was held up meanwhile
        self.assertIn(len(self.asked), (2, 3))

    def test_nobody_at_the_port_is_told_at_once(self):
        _, out, took = gateway("-g", ROUTER, *FARTHEST, "natpmp")
        self.assertIn("does not speak NAT-PMP", out)
        self.assertLess(took, AT_ONCE)

    def test_garbage_and_refusals(self):
        rows = (b"\x01", bytes(12), b"\0\x82" + bytes(14), b"\xff" * 1100)
        line, = self.ask(lambda packet: list(rows), "-t", "600", "natpmp")
        self.assertIn("did not answer", line)
        line, = self.ask(natpmp(result=2), "natpmp")
        self.assertTrue(line.startswith("failed ") or "refuses" in line, line)

    def test_the_first_source_in_order_wins_and_failures_are_noted(self):
        out = self.ask(lambda packet: None, "-t", "600", "natpmp", "198.51.100.7")
        self.assertEqual(out[-1], "address 198.51.100.7 198.51.100.7")
        self.assertTrue(out[0].startswith("note natpmp: "), out)

    def test_the_last_known_good_is_kept(self):
        with tempfile.TemporaryDirectory() as directory:
            fd = os.open(directory, os.O_RDONLY)
            try:
                def run(*args):
                    return subprocess.run([GATEWAY, "-g", ROUTER, *FAR, "-s", str(fd), *args],
                                          pass_fds=[fd], stdin=subprocess.DEVNULL, check=True,
                                          capture_output=True, text=True, timeout=90).stdout
                with Router(natpmp()):
                    run("natpmp")
                self.assertRegex(run("natpmp"), r"^cached 203\.0\.113\.2 \d+ the router ")
                self.assertTrue(run("-a", "0", "natpmp").startswith("failed "))
                self.assertEqual(os.listdir(directory), ["address"])
                path = os.path.join(directory, "address")
                with open(path, "w", encoding="ascii") as file:
                    file.write("203.0.113.2 %d natpmp\n" % (time.time() - 90000))
                self.assertTrue(run("natpmp").startswith("failed "))
                os.remove(path)     # a link is not followed
                with open(os.path.join(directory, "else"), "w", encoding="ascii") as file:
                    file.write("203.0.113.2 %d natpmp\n" % time.time())
                os.symlink("else", path)
                self.assertTrue(run("natpmp").startswith("failed "))
            finally:
                os.close(fd)

    def serve(self, respond, lines, method="natpmp", nonce=None, deadline=FAR):
        with Router(respond) as router:
            done = subprocess.run([GATEWAY, "-g", ROUTER, *deadline, "-m", method,
                                   *(["-n", nonce] if nonce else [])],
                                  input=lines, capture_output=True, text=True, timeout=90, check=True)
        self.asked = router.asked
        return done.stdout.splitlines()

    def test_a_mapping_has_the_port_that_the_router_gave_and_is_taken_back_at_the_end(self):
        for respond, method in ((natpmp(external=5001), "natpmp"), (pcp(), "pcp")):
            with self.subTest(method):
                out = self.serve(respond, "map 4001 60\nlist\n")
                external = 5001 if method == "natpmp" else 4001
                self.assertEqual(out, ["ready", "mapped 4001 %d 203.0.113.2 60 %s" % (external, method),
                                       "mapping 4001 %d %s 60 ours" % (external, method), "end"])
                last = self.asked[-1]
                self.assertEqual(last[4:8] if last[0] == 2 else last[8:12], bytes(4))

    def test_a_later_process_takes_back_with_the_same_nonce(self):
        nonce = "00112233445566778899aabb"
        for respond, place in ((pcp(), slice(24, 36)), (natpmp(), None)):
            out = self.serve(respond, "map 4001 60\nleave\n", nonce=nonce)
            self.assertTrue(out[1].startswith("mapped 4001 4001 "), out)
            self.assertEqual(self.serve(respond, "unmap 4001 5001\n", nonce=nonce)[1],
                             "unmapped 4001 taken back")
            if place:
                self.assertEqual(self.asked[-1][place], bytes.fromhex(nonce))
        for wrong in "00", nonce + "00", "0x" + nonce[2:], " " + nonce[1:]:
            done = subprocess.run([GATEWAY, "-m", "natpmp", "-n", wrong], capture_output=True,
                                  check=False, timeout=90)
            self.assertEqual((done.returncode, done.stdout), (64, b""), wrong)

    def test_leave_takes_nothing_back(self):
        self.serve(natpmp(), "map 4001 60\nleave\n")
        self.assertNotEqual(self.asked[-1][8:12], bytes(4))

    def test_a_refused_mapping_and_nonsense_are_told(self):
        out = self.serve(natpmp(result=2), "map 4001 60\nmap 0 60\nnonsense\n")
        self.assertEqual(out[1][:14], "unmapped 4001 ")
        self.assertIn("refuses", out[1])
        self.assertEqual(out[2:], ["note not understood: map 0 60", "note not understood: nonsense"])

    @contextlib.contextmanager
    def living(self, respond, *args):
        """A gateway that serves lines: (the process, the router)."""
        with Router(respond) as router, subprocess.Popen(
                [GATEWAY, "-g", ROUTER, *FAR, "-m", "natpmp", *args], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1) as process:
            limit = threading.Timer(2 * AT_ONCE, process.kill)   # then readline() ends, too
            limit.start()
            try:
                self.assertEqual(process.stdout.readline(), "ready\n")
                yield process, router
            finally:
                limit.cancel()
                process.kill()

    def wait_for(self, condition):
        deadline = time.monotonic() + AT_ONCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, "not in time")
            time.sleep(0.01)

    def test_mappings_are_taken_back_at_sigterm(self):
        with self.living(natpmp()) as (process, router):
            process.stdin.write("map 4001 60\n")
            self.assertTrue(process.stdout.readline().startswith("mapped 4001 "))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(AT_ONCE), 0)
            self.assertEqual(router.asked[-1][8:12], bytes(4))

    def test_a_mapping_is_renewed_when_half_its_lifetime_is_over(self):
        with self.living(natpmp(seconds=1)) as (process, router):
            process.stdin.write("map 4001 1\n")
            self.assertTrue(process.stdout.readline().startswith("mapped 4001 "))
            self.wait_for(lambda: sum(packet[1] == MAP_TCP for packet in router.asked) >= 3)

    def test_a_mapping_that_is_not_renewed_is_told(self):
        refuse = []

        def respond(packet):
            return natpmp(seconds=1, result=2 if refuse and packet[1] == MAP_TCP else 0)(packet)
        with self.living(respond) as (process, _):
            process.stdin.write("map 4001 1\n")
            self.assertTrue(process.stdout.readline().startswith("mapped 4001 "))
            refuse.append(True)
            self.assertRegex(process.stdout.readline(), "^note port 4001 is not renewed: .*refuses")

    def test_mappings_are_made_again_when_the_router_was_restarted(self):
        """RFC 6886 3.6: its clock has gone back. The second mapping shows it."""
        clock = [100000]

        def respond(packet):
            packet = natpmp()(packet)
            return packet[:4] + struct.pack(">I", clock[0]) + packet[8:]
        with self.living(respond) as (process, router):
            process.stdin.write("map 4001 600\n")
            self.assertTrue(process.stdout.readline().startswith("mapped 4001 "))
            clock[0] = 1
            process.stdin.write("map 4002 600\n")
            self.assertTrue(process.stdout.readline().startswith("mapped 4002 "))
            self.wait_for(lambda: sum(packet[1] == MAP_TCP and packet[4:6] == b"\x0f\xa1"
                                      for packet in router.asked) >= 2)

    def test_a_router_that_does_not_answer_a_mapping_is_told_in_time(self):
        began = time.monotonic()
        out = self.serve(natpmp(silent=True), "map 4001 60\n", deadline=("-t", "600"))
        self.assertRegex(out[1], "^unmapped 4001 .*did not answer")
        self.assertLess(time.monotonic() - began, AT_ONCE)

    def ask_with_name(self, addresses, router):
        """The name has these addresses, and DNS tells them after the router has told its own."""
        with Router(router) as home:
            def respond(q):
                home.answered.wait(20)
                return q.answer(*(a(NAME, address) for address in addresses))
            with DNSServer(respond) as dns:
                _, out, _ = gateway("-g", ROUTER, "-r", dns.address, NAME, "natpmp")
        return out.splitlines()

    def test_of_several_a_records_the_one_that_the_router_confirms(self):
        self.assertEqual(self.ask_with_name(["203.0.113.1", "203.0.113.2"], natpmp("203.0.113.2")),
                         ["address 203.0.113.2 " + NAME])

    def test_a_ddns_entry_that_is_late_is_told(self):
        out = self.ask_with_name(["203.0.113.1"], natpmp("203.0.113.2"))
        self.assertRegex(out[0], "^note .* 203.0.113.1, but the router has 203.0.113.2: the DDNS")
        self.assertEqual(out[-1], "address 203.0.113.1 " + NAME)

    def test_an_interface_has_its_own_address_which_must_be_public(self):
        line, = self.ask(natpmp(), "lo")
        self.assertRegex(line, "^failed lo is 127.0.0.1, ")


def soap(action, body):
    return ("<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
            "<s:Body><u:%sResponse xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">%s"
            "</u:%sResponse></s:Body></s:Envelope>" % (action, body, action)).encode()


def fault(code):
    return ("<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
            "<s:Body><s:Fault><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\">"
            "<errorCode>%d</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>"
            % code).encode()


DESCRIPTION = """<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>
<controlURL>%s</controlURL><SCPDURL>/scpd</SCPDURL><eventSubURL>/event</eventSubURL>
</service></serviceList></device></deviceList></device></deviceList></device></root>"""


class Igd(http.server.ThreadingHTTPServer):
    """A UPnP router: answers.get(action) is (status, body), or None for silence."""

    daemon_threads = True

    def __init__(self, answers, control="/control"):
        self.answers, self.control, self.asked = answers, control, []
        super().__init__((ROUTER, 0), IgdHandler)
        self.url = "http://%s:%d/rootDesc.xml" % self.server_address
        self.ended = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.ended.set()
        self.shutdown()
        self.thread.join(5)
        self.server_close()


class IgdHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(200, (DESCRIPTION % self.server.control).encode())

    def do_POST(self):
        action = self.headers["SOAPAction"].strip('"').rpartition("#")[2]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((action, body))
        answer = self.server.answers.get(action)
        answer = answer(body) if callable(answer) else answer
        if answer is None:
            self.server.ended.wait(60)
        else:
            self.reply(*answer)


def home(address="45.45.45.2", **others):
    """The answers of a router with this address outside that does as it is told."""
    return {"GetExternalIPAddress": (200, soap(
                "GetExternalIPAddress",
                "<NewExternalIPAddress>%s</NewExternalIPAddress>" % address)),
            "AddPortMapping": (200, soap("AddPortMapping", "")),
            "DeletePortMapping": (200, soap("DeletePortMapping", "")), **others}


@unittest.skipUnless(os.access(GATEWAY, os.X_OK), "no %s (set GENKAN_BUILD)" % GATEWAY)
class UpnpTest(unittest.TestCase):
    def run_gateway(self, igd, *args, lines="", url=None, deadline=FAR):
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "upnp"), "w", encoding="ascii") as file:
                file.write((url or igd.url) + "\n")
            fd = os.open(directory, os.O_RDONLY)
            try:
                began = time.monotonic()
                done = subprocess.run(
                    [GATEWAY, "-g", ROUTER, "-l", ROUTER, *deadline, "-s", str(fd), *args],
                    input=lines, pass_fds=[fd], capture_output=True, text=True, timeout=90, check=True)
                self.took = time.monotonic() - began
            finally:
                os.close(fd)
        return done.stdout.splitlines()

    def test_the_address_outside(self):
        with Igd(home()) as igd:
            self.assertEqual(self.run_gateway(igd, "upnp"), ["address 45.45.45.2 upnp"])

    def test_a_mapping_is_made_and_taken_back(self):
        with Igd(home()) as igd:
            out = self.run_gateway(igd, "-m", "upnp", lines="map 4001 60\n")
            self.assertEqual(out, ["ready", "mapped 4001 4001 45.45.45.2 60 upnp"])
            actions = [action for action, _ in igd.asked]
            self.assertEqual((actions.count("AddPortMapping"), actions[-1]),
                             (1, "DeletePortMapping"))
            added = dict(igd.asked)["AddPortMapping"]
            for part in ("<NewInternalClient>%s<" % ROUTER, "<NewInternalPort>4001<",
                         "<NewProtocol>TCP<", "<NewLeaseDuration>60<"):
                self.assertIn(part, added)

    def test_a_port_that_somebody_else_has_is_replaced_by_another(self):
        taken = home(AddPortMapping=lambda body: (500, fault(718))
                     if "<NewExternalPort>4001<" in body else (200, soap("AddPortMapping", "")))
        with Igd(taken) as igd:
            line = self.run_gateway(igd, "-m", "upnp", lines="map 4001 60\n")[1]
            self.assertRegex(line, r"^mapped 4001 (?!4001 )\d+ 45\.45\.45\.2 60 upnp$")

    def test_a_router_that_maps_for_ever_is_told(self):
        permanent = home(AddPortMapping=lambda body: (200, soap("AddPortMapping", ""))
                         if "<NewLeaseDuration>0<" in body else (500, fault(725)))
        with Igd(permanent) as igd:
            out = self.run_gateway(igd, "-m", "upnp", lines="map 4001 60\n")
            self.assertRegex(out[1], "^note the router maps by UPnP only for ever")
            self.assertEqual(out[2], "mapped 4001 4001 45.45.45.2 0 upnp")

    def test_a_refusal_is_told_with_what_to_do(self):
        with Igd(home(AddPortMapping=(500, fault(606)))) as igd:
            out = self.run_gateway(igd, "-m", "upnp", lines="map 4001 60\n")
            self.assertRegex(out[1], "^unmapped 4001 .*allow UPnP port mappings for this host")

    def test_garbage_is_survived(self):
        for body in b"", b"<", b"\0" * 5000, b"<a>" * 3000, soap("GetExternalIPAddress", "x" * 9000):
            with self.subTest(body=body[:8]), Igd(home(GetExternalIPAddress=(200, body))) as igd:
                line = self.run_gateway(igd, "upnp")[-1]
                self.assertTrue(line.startswith("failed "), line)

    def test_silence_costs_the_deadline(self):
        with Igd(home(GetExternalIPAddress=None)) as igd:
            self.assertEqual(self.run_gateway(igd, "upnp", deadline=("-t", "1000")),
                             ["failed the router did not answer UPnP in time"])
            self.assertLess(self.took, AT_ONCE)

    def test_an_address_that_is_not_public_is_not_announced(self):
        with Igd(home("100.64.1.1")) as igd:
            self.assertRegex(self.run_gateway(igd, "upnp")[-1], "^failed .*provider")

    def test_a_description_that_leads_elsewhere_is_not_believed(self):
        with Igd(home(), control="http://127.0.0.1:1/control") as igd:
            self.assertRegex(self.run_gateway(igd, "upnp")[-1], "^failed .*another host")
            self.assertEqual(igd.asked, [])

    def test_a_url_outside_the_home_is_not_asked(self):
        for url in "http://203.0.113.9/x", "http://router.example/x", "file:///etc/passwd":
            with self.subTest(url), Igd(home()) as igd:
                self.assertRegex(self.run_gateway(igd, "upnp", url=url)[-1],
                                 r"^failed no UPnP router is remembered: genkanctl map --list finds it")


if __name__ == "__main__":
    unittest.main()
