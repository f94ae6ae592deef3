"""genkanctl check --wait: visitors from outside, by hand, by curl and by a real browser.

Each test has a network of its own, where 203.0.113.2 is the home and its visitors' address as well:
LocalNetworks does not have it, so they come from outside.
"""

import contextlib
import functools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import natlab
from genkan import CTL, PATIENCE, in_namespace, need_program, proc_status, root_only
from natlab import HOME
from test_natlab import LabTest

CHROMIUM = "chromium"


def read_all(sock):
    data = b""
    while block := sock.recv(65536):
        data += block
    return data


class Waiting:
    """genkanctl check --wait, which has begun to listen."""

    def __init__(self, file, *args, seconds=300, prefix=(), language="C"):
        self.process = subprocess.Popen([*prefix, CTL, "check", "-f", file, "--wait=%d" % seconds, *args],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env={"PATH": os.environ["PATH"], "LANG": language})
        self.text = ""
        self.wait_for(r"http://\S+:\d+/.*\n")

    def wait_for(self, pattern, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError("not said: %s\n%s" % (pattern, self.text))
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                raise AssertionError("ended without %s\n%s" % (pattern, self.text))
            self.text += data.decode()
        return match

    def end(self, seconds=PATIENCE):
        """(all it has said, exit status)"""
        out, _ = self.process.communicate(timeout=seconds)
        self.text += out.decode()
        return self.text, self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def outside(test):
    """The test runs in a network of its own."""
    @functools.wraps(test)
    def run(self):
        def play():
            subprocess.run(["ip", "addr", "add", HOME + "/32", "dev", "lo"], check=True)
            test(self)
        in_namespace(play, 500)
    return root_only("network namespaces")(run)


class WaitTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="genkan-wait-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def conf(self, *lines):
        file = os.path.join(self.dir, "conf")
        with open(file, "w", encoding="ascii") as out:
            out.write("\n".join(("LocalNetworks 192.168.0.0/16", "AuthUserFile none", "Anonymous on",
                                 "AnonymousRoot /srv", *lines)) + "\n")
        os.chmod(file, 0o644)
        return file

    def wait(self, *lines, **options):
        return Waiting(self.conf(*(lines or ("PassivePorts 4000-4003",))), **options)

    def get(self, path="/", port=4000, host=HOME, header=""):
        with socket.create_connection((host, port), PATIENCE) as sock:
            sock.sendall(("GET %s HTTP/1.1\r\nHost: %s:%d\r\n%s\r\n" % (path, host, port, header)).encode())
            head, _, body = read_all(sock).decode().partition("\r\n\r\n")
            return head, body


class Browser(WaitTest):
    """Chromium's clock is a virtual one here, which runs where nothing happens. On a busy machine it
    may pass the page's own limit of eight seconds before a question has left, or stand still for
    ever; then the page is visited again."""

    VISITS = 6

    def visit(self, port, *args):
        """What the page of a real browser is in the end."""
        browser = subprocess.Popen(
            [CHROMIUM, "--no-sandbox", "--headless", "--disable-gpu", "--dump-dom",
             "--user-data-dir=" + tempfile.mkdtemp(dir=self.dir), "--virtual-time-budget=15000",
             *args, "http://%s:%d/" % (HOME, port)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": self.dir})
        try:
            return browser.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            return ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)
            browser.communicate()

    def visit_all(self, ports, first):
        """A visit from which all of the ports are reached: (page, what is said at home, status)."""
        for _ in range(self.VISITS):
            with self.wait("PassivePorts 4000-%d" % (4000 + ports - 1)) as waiting:
                page = self.visit(first)
                if 'data-done="%d/%d"' % (ports, ports) in page:
                    return page, *waiting.end()
        raise AssertionError(page)

    @need_program(CHROMIUM)
    @outside
    def test_all_ports_reach_home(self):
        page, said, status = self.visit_all(12, 4003)
        self.assertEqual(re.findall(r'<li data-port="(\d+)"[^>]* class="ok">', page),
                         [str(port) for port in range(4000, 4012)])
        self.assertIn("All ports reach home", re.search(r'<p class="say"[^>]*>([^<]*)', page)[1])
        self.assertEqual(re.findall(r'<g data-case="(\d)" class="mine"', page), ["2"])
        self.assertIn("12 of 12", said)
        self.assertIn("all 12 ports were reached", said)
        self.assertEqual(status, 0)

    @need_program(CHROMIUM)
    @need_program("nft")
    @outside
    def test_ports_that_do_not_are_shown_here_and_there(self):
        subprocess.run(["nft", "-f", "-"], check=True, text=True, input="""
            table inet f {
                chain i {
                    type filter hook input priority 0
                    tcp dport { 4001, 4003 } reject with tcp reset
                }
            }""")
        with self.wait(language="ja_JP.UTF-8") as waiting:
            for _ in range(self.VISITS):
                page = self.visit(4000, "--accept-lang=ja")
                if 'data-done="2/4"' in page:
                    break
            waiting.process.send_signal(signal.SIGINT)
            said, status = waiting.end()
        self.assertEqual(re.findall(r'<li data-port="(\d+)"[^>]* class="no">', page), ["4001", "4003"])
        self.assertEqual(re.findall(r'<li data-port="(\d+)"[^>]* class="ok">', page), ["4000", "4002"])
        self.assertIn("届かないポートがあります", re.search(r'<p class="say"[^>]*>([^<]*)', page)[1])
        self.assertRegex(said, "届かなかったもの: 4001,4003")
        self.assertEqual(status, 1)

    @need_program(CHROMIUM)
    @outside
    def test_nothing_comes_from_anybody_else(self):
        """The page's own policy forbids it; what it says is all there is."""
        with self.wait() as waiting:
            head, body = self.get()
            waiting.process.send_signal(signal.SIGINT)
            waiting.end()
        self.visit_all(4, 4000)
        self.assertIn("default-src 'none'", head)
        self.assertEqual(re.findall(r'(?:src|href|url)\s*[=(]\s*"?(?!data:)(\w+:?/*[^"\s>)]*)', body),
                         ["http://%s:%d/%s" % (HOME, port, re.search(r'data-nonce="(\w+)"', body)[1])
                          for port in range(4000, 4004)])


class Visitors(WaitTest):
    @need_program("curl")
    @outside
    def test_curl_sees_page_and_number(self):
        with self.wait() as waiting:
            done = subprocess.run(["curl", "-s", "-i", "http://%s:4000/" % HOME], capture_output=True,
                                  text=True, check=True, timeout=60)
            self.assertTrue(done.stdout.startswith("HTTP/1.1 200 OK\n"))
            self.assertIn('lang="en"', done.stdout)
            nonce = re.search(r'data-nonce="(\w{32})"', done.stdout)[1]
            for port in range(4001, 4004):
                done = subprocess.run(["curl", "-s", "http://%s:%d/%s" % (HOME, port, nonce)],
                                      capture_output=True, text=True, check=True, timeout=60)
                self.assertEqual(json.loads(done.stdout), {"port": port, "you": HOME})
            said, status = waiting.end()
        self.assertEqual(re.findall(r"^(\d+): reached from 203\.0\.113\.2", said, re.M),
                         ["4000", "4001", "4002", "4003"])
        self.assertEqual(status, 0)

    @outside
    def test_japanese_page_for_who_wants_it(self):
        with self.wait():
            _, body = self.get(header="Accept-Language: ja-JP,ja;q=0.9,en;q=0.5\r\n")
            self.assertIn('<html lang="ja">', body)
            self.assertIn("玄関に着きました", body)
            _, body = self.get(header="Accept-Language: de\r\n")
            self.assertIn('<html lang="en">', body)

    @outside
    def test_visitors_at_home_do_not_count(self):
        with self.wait() as waiting:
            _, body = self.get(host="127.0.0.1")
            self.assertIn("Switch Wi-Fi off", body)
            self.assertNotIn('class="mine"', body)
            waiting.wait_for(r"127\.0\.0\.1 is at home")
            self.assertNotIn("reached", waiting.text)
            _, body = self.get()
            self.assertNotIn("Switch Wi-Fi off", body)

    @outside
    def test_ftp_client_is_told_at_any_port(self):
        with self.wait() as waiting, socket.create_connection((HOME, 4002), PATIENCE) as sock:
            self.assertRegex(read_all(sock), rb"^421 .*port 4002 is reached, from 203\.0\.113\.2\.\r\n$")
            waiting.wait_for("4002: reached")

    @outside
    def test_others_than_browsers_are_left(self):
        with self.wait():
            for said in (b"\x16\x03\x01\x02\x00", b"POST / HTTP/1.1\r\n\r\n", b"USER anna\r\n",
                         b"GET / \0HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 5000):
                with socket.create_connection((HOME, 4000), PATIENCE) as sock:
                    sock.sendall(said)
                    try:
                        self.assertEqual(read_all(sock), b"")
                    except ConnectionResetError:
                        pass
            head, body = self.get("/favicon.ico")
            self.assertTrue(head.startswith("HTTP/1.1 404 "))
            self.assertEqual(body, "{}\n")

    @outside
    def test_crowd_is_served_one_after_the_other(self):
        with self.wait():
            crowd = [socket.create_connection((HOME, 4000), PATIENCE) for _ in range(100)]
            try:
                for sock in crowd:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                for sock in crowd:
                    sock.sendall(b"\r\n")
                    self.assertIn(b"</html>", read_all(sock))
                    sock.close()
            finally:
                for sock in crowd:
                    sock.close()

    @outside
    def test_ports_are_those_that_the_world_knows(self):
        with self.wait("PassivePorts 4000-4003", "PassivePortsAnnounced 5000-5003",
                       "MasqueradeAddress natpmp home.example.net") as waiting:
            self.assertIn("http://home.example.net:5000/", waiting.text)
            _, body = self.get(port=4002)
            self.assertEqual(re.findall(r'data-port="(\d+)" data-local="(\d+)"', body),
                             [("500%d" % i, "400%d" % i) for i in range(4)])
            waiting.wait_for("5002: reached")

    @outside
    def test_port_that_the_service_has_is_watched(self):
        with socket.create_server((HOME, 4002)) as service, self.wait() as waiting:
            self.assertIn("4002: in use", waiting.text)
            _, body = self.get()
            self.assertNotIn('data-port="4002"', body)
            with socket.create_connection((HOME, 4002), PATIENCE):
                service.accept()[0].close()
                waiting.wait_for(r"4002: reached from 203\.0\.113\.2")

    @outside
    def test_browsers_refuse_some_ports(self):
        with self.wait("PassivePorts 4044-4046") as waiting:
            self.assertIn("4045: browsers refuse", waiting.text)
            _, body = self.get(port=4044)
            self.assertEqual(re.findall(r'data-port="(\d+)"', body), ["4044", "4046"])
            self.assertRegex(body, r"Browsers refuse[^<]* 4045</p>")
            self.get(port=4046)
            _, status = waiting.end()      # 4045 is not waited for
        self.assertEqual(status, 0)

    @outside
    def test_who_answers_the_world_has_no_rights(self):
        with self.wait("PassivePorts 4000-4003", "SessionUser 20018") as waiting:
            status = proc_status(waiting.process.pid)
            self.get()
        self.assertEqual(status["Uid"].split(), ["20018"] * 4)
        self.assertEqual(status["Gid"].split(), ["20018"] * 4)
        self.assertEqual(status["Groups"].split(), [])
        self.assertEqual({status["Cap" + s] for s in ("Inh", "Prm", "Eff", "Amb")}, {"0" * 16})
        self.assertEqual(status["NoNewPrivs"], "1")

    @outside
    def test_time_is_over(self):
        with self.wait(seconds=1) as waiting:
            said, status = waiting.end()
        self.assertIn("0 of 4 ports were reached, not: 4000-4003", said)
        self.assertEqual(status, 2)

    @outside
    def test_ipv6_visitor_has_no_nat(self):
        subprocess.run(["ip", "addr", "add", "2001:db8::2/128", "dev", "lo", "nodad"], check=True)
        with self.wait() as waiting:
            with socket.create_connection(("2001:db8::2", 4000), PATIENCE) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: [2001:db8::2]:4000\r\n\r\n")
                body = read_all(sock).decode()
            waiting.wait_for("4000: reached from 2001:db8::2")
        self.assertEqual(re.findall(r'<g data-case="(\d)" class="mine"', body), ["1"])
        self.assertIn("http://[2001:db8::2]:4001/", body)

    @root_only("network namespaces")
    def test_without_ports_there_is_nothing_to_wait_for(self):
        def play():
            done = subprocess.run([CTL, "check", "-f", self.conf(), "--wait=5"], capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout), (78, ""))
            self.assertIn("PassivePorts", done.stderr)
        in_namespace(play)

    def test_wrong_options(self):
        for wrong in (["--wait=0"], ["--wait=x"], ["--wait", "--json"], ["--wait", "--root", "/x"]):
            done = subprocess.run([CTL, "check", *wrong], capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertEqual((done.returncode, done.stdout), (64, ""), wrong)


class BehindNat(LabTest):
    """The home of the laboratory: a page for the public client and for the one behind NAT."""

    def test_case_of_the_visitor_and_ports_that_are_forwarded(self):
        directory = tempfile.mkdtemp(prefix="genkan-wait-")
        self.addCleanup(shutil.rmtree, directory)
        file = os.path.join(directory, "conf")
        with open(file, "w", encoding="ascii") as out:
            out.write("PassivePorts 4000-4005\nAuthUserFile none\nAnonymous on\nAnonymousRoot /srv\n"
                      "MasqueradeAddress %s\n" % natlab.NAME)
        os.chmod(file, 0o644)
        self.lab.home_router(forward=("21", "4000-4003"))
        prefix = ("ip", "netns", "exec", self.lab.ns("server"))
        with Waiting(file, prefix=prefix) as waiting:
            for node, address in (("public", "198.51.100.20"), ("natted", "198.51.100.2")):
                for port in range(4000, 4004):
                    with self.lab.socket_maker(node)() as sock:
                        sock.settimeout(PATIENCE)
                        sock.connect((HOME, port))
                        sock.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % HOME.encode())
                        body = read_all(sock).decode()
                    self.assertIn("<b>%s</b>" % address, body)
                    self.assertEqual(re.findall(r'<g data-case="(\d)" class="mine"', body), ["4"])
            with self.lab.socket_maker("public")() as sock:
                sock.settimeout(1)
                with self.assertRaises(OSError):
                    sock.connect((HOME, 4004))
            waiting.process.send_signal(signal.SIGTERM)
            said, status = waiting.end()
        self.assertIn("4 of 6 ports were reached, not: 4004-4005", said)
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
