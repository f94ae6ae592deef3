"""TLS: what clients, attackers and certificates do with it."""

import contextlib
import ftplib
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import unittest

from genkan import (BUILD, FTPD, IS_ROOT, NOBODY, PASSWORD, SANITIZERS, USER, USER_UID, Control,
                    Data, GenkanTest, ServerTest, World, descriptors, need_program, pattern_bytes,
                    process_table, proc_status, read_file, root_only, socket_inode,
                    wait_closed, wait_until, write_file)

TLS = os.path.join(BUILD, "genkan-ftpd-tls")
HOST = "localhost"


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, **options)


def curve(name):
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + name]


# Kinds of keys, as openssl makes them.
KINDS = {"ec": curve("P-256"), "P-384": [*curve("P-384"), "-sha384"], "P-521": [*curve("P-521"), "-sha512"],
         "rsa": ["-newkey", "rsa:2048"], "ed25519": ["-newkey", "ed25519"], "ed448": ["-newkey", "ed448"],
         "rsa-pss": ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"]}


class Pki:
    """Certificates of one folder: made once, by name."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, host=HOST, kind="ec", days=30, client=False):
        """A self-signed certificate and its key: (certificate, key); days 0: it has expired."""
        cert, key = self.path(name + ".pem"), self.path(name + "-key.pem")
        openssl("req", "-x509", "-nodes", *KINDS[kind], "-keyout", key, "-out", cert, "-days", str(days or 1),
                "-subj", f"/CN={host}",
                *([] if client else ["-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1"]))
        if days == 0:
            self.expire(name, cert, key)
        os.chmod(key, 0o600)
        return cert, key

    def expire(self, name, cert, key):
        """The same certificate, with an end that has passed."""
        request, index = self.path(name + ".csr"), self.path("index")
        openssl("x509", "-x509toreq", "-in", cert, "-signkey", key, "-out", request)
        for path, text in ((index, ""), (self.path("serial"), "01\n"), (self.path("ca.cnf"), (
                f"[ca]\ndefault_ca=x\n[x]\ndatabase={index}\nserial={self.path('serial')}\n"
                "default_md=sha256\npolicy=p\nnew_certs_dir=" + self.folder + "\n[p]\n"
                "commonName=supplied\n"))):
            write_file(path, text.encode())
        openssl("ca", "-batch", "-selfsign", "-config", self.path("ca.cnf"), "-in", request,
                "-keyfile", key, "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
                "-notext", "-out", cert)


def context(ca=None, **options):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    if ca:
        ctx.load_verify_locations(ca)
        ctx.verify_mode = ssl.CERT_REQUIRED
    for name, value in options.items():
        setattr(ctx, name, value)
    return ctx


class TlsControl(Control):
    """A control connection that can be encrypted, and its data connections."""

    def auth(self, ctx=None, word="TLS", protect=True, server_hostname=None):
        self.ctx = ctx or context()
        self.command(f"AUTH {word}", 234)
        self.wrap(server_hostname)
        if protect:
            self.command("PBSZ 0", 200)
            self.command("PROT P", 200)
        return self

    def wrap(self, server_hostname=None):
        self.sock = self.ctx.wrap_socket(self.sock, server_hostname=server_hostname)

    def data(self, mode="pasv"):
        return TlsData(self, mode)


class TlsData(Data):
    """Resumes the control connection's session, unless resume is False."""

    resume = True

    def socket(self):
        sock = super().socket()
        if not isinstance(sock, ssl.SSLSocket):
            session = self.control.sock.session if self.resume else None
            self.sock = sock = self.control.ctx.wrap_socket(sock, session=session)
            self.reused = sock.session_reused
        return sock

    def __init__(self, control, mode):
        self.control = control
        super().__init__(control, mode)

    def close(self):
        if isinstance(self.sock, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.sock.unwrap()
        super().close()


class TlsTest(ServerTest):
    extra = {}
    listen = ("127.0.0.1:0",)
    flags = ("-d",)

    @classmethod
    def setUpClass(cls):
        if not os.access(TLS, os.X_OK):
            raise unittest.SkipTest("built without TLS")
        super().setUpClass()

    @classmethod
    def prepare(cls):
        cls.pki = Pki(cls.world.path_of("pki"))
        cls.cert, cls.key = cls.pki.make("server")
        cls.directives = {"TLS": "on", "TLSCertificateFile": cls.cert,
                          "TLSCertificateKeyFile": cls.key, **cls.extra}

    def plain(self, index=0):
        control = TlsControl(self.server.addresses[index])
        self.world.controls.append(control)
        control.greet()
        return control

    def secure(self, ctx=None, **options):
        return self.plain().auth(ctx, **options)

    def logged_in(self, ctx=None, **options):
        control = self.secure(ctx, **options)
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        control.command("TYPE I", 200)
        return control


class Commands(TlsTest):
    def test_feat_tells_of_auth_pbsz_and_prot(self):
        text = self.plain().command("FEAT", 211).text
        for word in ("AUTH TLS", "PBSZ", "PROT"):
            self.assertIn(f"\n {word}\n", text)

    def test_auth_words_that_mean_tls(self):
        for word in ("TLS", "tls", "SSL", "TLS-C", "TLS-P"):
            self.secure(word=word, protect=False).command("NOOP", 200)

    def test_unknown_auth_is_504_and_harmless(self):
        control = self.plain()
        control.command("AUTH KERBEROS_V4", 504)
        control.auth().command("NOOP", 200)

    def test_auth_ssl_encrypts_data_without_prot(self):
        control = self.logged_in(word="SSL", protect=False)
        self.remote("a", b"content")
        self.assertEqual(control.retrieve("RETR a"), b"content")

    def test_data_is_clear_until_prot_p(self):
        control = self.logged_in(protect=False)
        self.remote("a", b"content")
        with Data(control, "pasv") as data:
            control.command("RETR a", 150)
            self.assertEqual(data.read_all(), b"content")
        control.expect(226)

    def test_prot_c_after_prot_p(self):
        control = self.logged_in()
        control.command("PROT C", 200)
        self.remote("a", b"content")
        with Data(control, "pasv") as data:
            control.command("RETR a", 150)
            self.assertEqual(data.read_all(), b"content")
        control.expect(226)

    def test_second_auth_is_503(self):
        self.secure().command("AUTH TLS", 503)

    def test_auth_after_login_is_503(self):
        control = self.plain()
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        control.command("AUTH TLS", 503)

    def test_auth_between_user_and_pass_begins_anew(self):
        control = self.plain()
        control.command(f"USER {USER}", 331)
        control.auth().command(f"PASS {PASSWORD}", 503)
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)

    def test_pbsz_and_prot_in_clear_are_503(self):
        control = self.plain()
        control.command("PBSZ 0", 503)
        control.command("PROT P", 503)
        control.command("CCC", 533)

    def test_prot_wants_pbsz_first(self):
        control = self.secure(protect=False)
        control.command("PROT P", 503)
        self.assertIn("PBSZ=0", control.command("PBSZ 16384", 200).text)
        control.command("PBSZ x", 501)
        control.command("PROT X", 504)
        control.command("PROT S", 536)
        control.command("PROT P", 200)

    def test_ccc_is_refused_and_all_goes_on(self):
        control = self.secure()
        control.command("CCC", 534)
        control.command("NOOP", 200)

    def test_host_and_utf8_survive_auth(self):
        control = self.plain()
        control.command("HOST " + HOST, 220)
        control.command("OPTS UTF8 ON", 200)
        control.command("TYPE I", 200)
        control.auth()
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        self.assertIn("TYPE: Image", control.command("STAT", 211).text)

    def test_rest_and_rename_do_not_survive_auth(self):
        control = self.plain()
        control.command("HOST " + HOST, 220)
        control.auth()
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        control.command("RNTO x", 503)

    def test_stat_tells_of_the_encryption(self):
        text = self.logged_in().command("STAT", 211).text
        self.assertRegex(text, r"Encrypted by TLSv1\.3 TLS_\w+, data connections as well")


class Transfers(TlsTest):
    def test_down_up_and_list_by_every_way(self):
        content = pattern_bytes(3_000_001)
        self.remote("down", content)
        control = self.logged_in()
        for mode in ("pasv", "epsv", "port", "eprt"):
            self.assertEqual(control.retrieve("RETR down", mode), content, mode)
            control.store("STOR up", content, mode)
            self.assertEqual(read_file(self.remote("up")), content, mode)
            self.assertIn(b"down", control.retrieve("NLST", mode))
            self.assertIn(b"down", control.retrieve("MLSD", mode))

    def test_with_tls_1_2(self):
        content = pattern_bytes(1_000_001)
        self.remote("down", content)
        control = self.logged_in(context(maximum_version=ssl.TLSVersion.TLSv1_2))
        self.assertEqual(control.sock.version(), "TLSv1.2")
        for _ in range(3):
            self.assertEqual(control.retrieve("RETR down"), content)
            control.store("STOR up", content)
        self.assertEqual(read_file(self.remote("up")), content)

    def test_empty_files(self):
        self.remote("empty", b"")
        control = self.logged_in()
        self.assertEqual(control.retrieve("RETR empty"), b"")
        control.store("STOR up", b"")
        self.assertEqual(read_file(self.remote("up")), b"")

    def test_resume_both_ways(self):
        content = pattern_bytes(500_000)
        self.remote("down", content)
        self.remote("up", content[:123_456])
        control = self.logged_in()
        self.assertEqual(control.retrieve("RETR down", offset=123_456), content[123_456:])
        control.store("STOR up", content[123_456:], offset=123_456)
        self.assertEqual(read_file(self.remote("up")), content)

    def test_ranges(self):
        self.remote("down", b"0123456789")
        control = self.logged_in()
        control.command("RANG 2 5", 350)
        self.assertEqual(control.retrieve("RETR down"), b"2345")
        control.command("RANG 2 3", 350)
        control.store("STOR down", b"xy")
        self.assertEqual(read_file(self.remote("down")), b"01xy456789")

    def test_ascii(self):
        self.remote("down", b"one\ntwo\n")
        control = self.logged_in()
        control.command("TYPE A", 200)
        self.assertEqual(control.retrieve("RETR down"), b"one\r\ntwo\r\n")
        control.store("STOR up", b"a\r\nb\r")
        self.assertEqual(read_file(self.remote("up")), b"a\nb\r")

    def test_large_file(self):
        size = 64 << 20
        path = self.sparse("large", size)
        control = self.logged_in()
        with control.data() as data:
            control.command("RETR large", 150)
            received, sock = 0, data.socket()
            while block := sock.recv(1 << 20):
                self.assertEqual(block.count(0), len(block))
                received += len(block)
        control.expect(226)
        self.assertEqual(received, size)
        os.unlink(path)

    def test_three_thousand_names(self):
        os.mkdir(self.remote("many"))
        for number in range(3000):
            write_file(self.remote(f"many/{number:06}-{'x' * 60}"), b"")
        control = self.logged_in()
        for mode in ("pasv", "port"):
            self.assertEqual(len(control.retrieve("MLSD many", mode).splitlines()), 3002)

    def test_ten_small_files_in_one_session_are_resumed_each(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            control = self.logged_in(context(maximum_version=version))
            for number in range(10):
                self.remote(f"file{number}", b"%d" % number)
                with control.data() as data:
                    control.command(f"RETR file{number}", 150)
                    self.assertEqual(data.read_all(), b"%d" % number)
                    self.assertTrue(data.reused, f"{version} {number}")
                control.expect(226)
        self.assertNotIn("has not resumed", self.log())

    def test_a_download_ends_with_close_notify_before_226(self):
        self.remote("down", b"x" * 100_000)
        control = self.logged_in()
        with control.data() as data:
            control.command("RETR down", 150)
            sock = data.socket()
            while sock.recv(1 << 16):  # raises if the end is none of TLS's
                pass
        control.expect(226)

    def test_a_client_that_waits_for_226_is_not_kept_waiting_long(self):
        self.remote("down", b"x")
        control = self.logged_in()
        with control.data() as data:
            control.command("RETR down", 150)
            while data.socket().recv(1 << 16):
                pass
            control.expect(226)  # the data connection is still open

    def test_an_upload_without_close_notify_is_426_and_the_old_file_stays(self):
        self.remote("file", b"old")
        control = self.logged_in()
        with control.data() as data:
            control.command("STOR file", 150)
            data.socket().sendall(b"new and cut")
            raw = data.sock.detach()
            socket.socket(fileno=raw).close()
            data.sock = None
        self.assertIn("may be cut off", control.expect(426).text)
        self.assertEqual(read_file(self.remote("file")), b"old")
        control.command("NOOP", 200)

    def test_abor_and_stat_while_data_stalls(self):
        self.sparse("large", 1 << 30)
        control = self.logged_in()
        with control.data() as data:
            control.command("RETR large", 150)
            data.socket().recv(1)
            self.assertIn("RETR", control.command("STAT", 211).text)
            control.command("NOOP", 200)
            control.send(b"ABOR\r\n")
            control.expect(426)
            control.expect(226)
        control.command("NOOP", 200)

    def test_abor_of_an_upload_that_stalls(self):
        control = self.logged_in()
        with control.data() as data:
            control.command("STOR up", 150)
            data.socket().sendall(b"x" * 10)
            control.send(b"ABOR\r\n")
            control.expect(426)
            control.expect(226)

    def test_abor_before_the_data_handshake(self):
        self.remote("down", b"x")
        control = self.logged_in()
        with control.data():
            control.command("RETR down", 150)
            control.send(b"ABOR\r\n")
            control.expect(426)
            control.expect(226)
        control.command("NOOP", 200)

    def test_garbage_instead_of_the_data_handshake_is_425(self):
        self.remote("down", b"x")
        control = self.logged_in()
        with control.data() as data:
            control.command("RETR down", 150)
            data.sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn("handshake", control.expect(425).text)
        self.assertEqual(control.retrieve("RETR down"), b"x")

    def test_pipelined_commands_in_one_record(self):
        control = self.logged_in()
        control.send(b"NOOP\r\n" * 1500)
        for _ in range(1500):
            control.expect(200)

    def test_a_client_that_does_not_read_replies_loses_none(self):
        control = self.logged_in()
        control.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(300):
            control.send(b"FEAT\r\n")
        for _ in range(300):
            control.expect(211)


class Reuse(TlsTest):
    extra = {"TLSSessionReuse": "required"}

    def test_who_resumes_is_served(self):
        self.remote("a", b"x")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            control = self.logged_in(context(maximum_version=version))
            for _ in range(5):
                self.assertEqual(control.retrieve("RETR a"), b"x")

    def test_who_does_not_resume_is_refused_with_425(self):
        self.remote("a", b"x")
        control = self.logged_in()
        with control.data() as data:
            data.resume = False
            control.command("RETR a", 150)
            with contextlib.suppress(OSError):
                data.socket()
            self.assertIn("TLSSessionReuse", control.expect(425).text)
        self.assertEqual(control.retrieve("RETR a"), b"x")

    def test_the_session_of_another_connection_is_not_taken(self):
        self.remote("a", b"x")
        ctx = context()
        other, control = self.logged_in(ctx), self.logged_in(ctx)
        other.command("NOOP", 200)
        with control.data() as data:
            control.command("RETR a", 150)
            sock = ctx.wrap_socket(data.sock, session=other.sock.session)
            self.assertFalse(sock.session_reused)
            data.sock = sock
            control.expect(425)

    @need_program("curl")
    def test_curl_resumes(self):
        self.remote("a", b"x")
        host, port = self.server.address
        for version in "1.2", "1.3":  # with 1.2 curl takes no tickets
            done = subprocess.run(
                ["curl", "-sS", "-k", "--ssl-reqd", "--tls-max", version, "-u",
                 f"{USER}:{PASSWORD}", *[f"ftp://{host}:{port}/a"] * 3],
                capture_output=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, b"xxx"), done.stderr)


class Lenient(TlsTest):
    extra = {"TLSStrictEOF": "off", "TLSSessionReuse": "off"}

    def test_an_upload_without_close_notify_counts(self):
        control = self.logged_in()
        with control.data() as data:
            control.command("STOR file", 150)
            data.socket().sendall(b"complete")
            socket.socket(fileno=data.sock.detach()).close()
            data.sock = None
        control.expect(226)
        self.assertEqual(read_file(self.remote("file")), b"complete")


class Required(TlsTest):
    extra = {"TLS": "required"}

    def test_user_in_clear_is_530_with_what_to_do(self):
        control = self.plain()
        self.assertIn("AUTH TLS", control.command(f"USER {USER}", 530).text)
        control.command(f"PASS {PASSWORD}", 503)

    def test_data_in_clear_is_522(self):
        control = self.logged_in(protect=False)
        self.remote("a", b"x")
        for line in ("RETR a", "LIST", "STOR b", "MLSD"):
            self.assertIn("PROT P", control.command(line, 522).text)
        control.command("PBSZ 0", 200)
        control.command("PROT C", 534)
        control.command("PROT P", 200)
        self.assertEqual(control.retrieve("RETR a"), b"x")


class ControlOnly(TlsTest):
    extra = {"TLS": "control"}

    def test_login_wants_tls_and_data_does_not(self):
        self.plain().command(f"USER {USER}", 530)
        control = self.logged_in(protect=False)
        self.remote("a", b"x")
        with Data(control, "pasv") as data:
            control.command("RETR a", 150)
            self.assertEqual(data.read_all(), b"x")
        control.expect(226)


class Charset(TlsTest):
    """A charset is loaded from the file system: then the session has no root of its own."""

    extra = {"ClientCharset": "CP932"}

    def test_names_in_the_charset_and_nothing_else_of_the_file_system(self):
        self.remote("表示", b"content")
        control = self.logged_in()
        self.assertIn("表示".encode("cp932"), control.retrieve("NLST"))
        self.assertEqual(self.log().count("no Landlock"), 0)


class Attacks(TlsTest):
    def test_commands_behind_auth_are_never_executed(self):
        for tail in (b"USER evil\r\n", b"NOOP\r\nQUIT\r\n" * 100):
            control = self.plain()
            control.send(b"AUTH TLS\r\n" + tail)
            control.expect(234)
            time_before = len(self.log())
            with self.assertRaises((ssl.SSLError, OSError)) as raised:
                # whatever is left of the tail is no handshake; none of it is answered
                ctx = context()
                sock = ctx.wrap_socket(control.sock)
                control.sock = sock
                control.buffer = b""
                control.command("PWD")
                raise OSError("the handshake was made: the tail has gone with the old session")
            self.assertNotIn("evil", self.log()[time_before:], raised.exception)
            self.assertNotRegex(self.log()[time_before:], r"< (NOOP|QUIT)")

    def test_garbage_instead_of_a_handshake_ends_the_connection(self):
        for garbage in (b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                        b"\x80\x2e\x01\x03\x01", b"\x15\x03\x01\0\2\2\x28"):
            control = self.plain()
            control.command("AUTH TLS", 234)
            with contextlib.suppress(OSError):
                control.sock.sendall(garbage)
                control.sock.shutdown(socket.SHUT_WR)
            wait_until(lambda: "TLS handshake" in self.log(), "the log tells")
            with contextlib.suppress(OSError):
                while control.sock.recv(65536):
                    pass
            control.close()
        self.server.wait_no_pairs()

    def test_half_a_handshake_ends_with_the_login_deadline(self):
        with contextlib.ExitStack() as stack:
            world = World()
            stack.callback(world.close)
            world.add_user()
            server = world.server(flags=("-e",), directives={**self.directives, "TimeoutLogin": "5"},
                                  listen=("127.0.0.1:0",))
            control = TlsControl(server.address)
            world.controls.append(control)
            control.greet()
            control.command("AUTH TLS", 234)
            control.sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
            control.at_end()
            server.wait_log(r"did not end within 5 s")

    def test_half_a_data_handshake_ends_with_the_time_that_data_may_stall(self):
        with contextlib.ExitStack() as stack:
            world = World()
            stack.callback(world.close)
            home = world.add_user()
            write_file(os.path.join(home, "down"), b"x")
            server = world.server(flags=("-e",), listen=("127.0.0.1:0",), directives={
                **self.directives, "TimeoutStalled": "1"})
            control = TlsControl(server.address)
            world.controls.append(control)
            control.greet()
            control.auth().command(f"USER {USER}", 331)
            control.command(f"PASS {PASSWORD}", 230)
            for line in "RETR down", "STOR up", "LIST":
                with control.data() as data:
                    control.command(line, 150)
                    data.sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
                    self.assertIn("handshake", control.expect(425).text)
            self.assertEqual(control.retrieve("RETR down"), b"x")

    def test_a_handshake_byte_by_byte_is_served(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            control = self.plain()
            control.command("AUTH TLS", 234)
            sock, came, goes, text, done = control.sock, ssl.MemoryBIO(), ssl.MemoryBIO(), b"", False
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = context(maximum_version=version).wrap_bio(came, goes)
            while not text.endswith(b"\r\n"):
                with contextlib.suppress(ssl.SSLWantReadError):
                    if not done:
                        client.do_handshake()
                        client.write(b"NOOP\r\n")
                        done = True
                    text += client.read()
                for byte in goes.read():
                    sock.sendall(bytes([byte]))
                if not text:
                    came.write(sock.recv(65536))
            self.assertRegex(text, rb"^200 ")

    def test_client_that_vanishes_in_the_handshake(self):
        control = self.plain()
        control.command("AUTH TLS", 234)
        control.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        control.close()
        self.server.wait_no_pairs()

    def test_renegotiation_is_refused(self):
        host, port = self.server.address
        done = subprocess.run(
            ["openssl", "s_client", "-starttls", "ftp", "-tls1_2", "-connect", f"{host}:{port}"],
            input=b"R\nNOOP\n", capture_output=True, timeout=30, check=False)
        # the server's alert, in the client's words
        self.assertRegex(done.stdout + done.stderr, rb"RENEGOTIATING")
        self.assertRegex(done.stderr, rb"ssl3_read_bytes:no renegotiation")

    def test_alpn_other_than_ftp_is_refused(self):
        for offered, fine in ((["ftp"], True), (["http/1.1", "ftp"], True), (["http/1.1"], False),
                              (["h2", "imap"], False)):
            ctx = context()
            ctx.set_alpn_protocols(offered)
            control = self.plain()
            if fine:
                control.auth(ctx)
                self.assertEqual(control.sock.selected_alpn_protocol(), "ftp")
            else:
                with self.assertRaises(ssl.SSLError):
                    control.auth(ctx).command("NOOP")

    def test_old_protocols_and_weak_ciphers_are_refused(self):
        host, port = self.server.address
        version, cipher = rb"alert protocol version.*number 70", rb"alert handshake failure.*number 40"
        for alert, *options in ((version, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
                                (version, "-tls1", "-cipher", "ALL:@SECLEVEL=0"),
                                (cipher, "-tls1_2", "-cipher", "AES128-SHA"),
                                (cipher, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"),
                                (cipher, "-tls1_2", "-cipher", "eNULL:aNULL:@SECLEVEL=0"),
                                (cipher, "-tls1_2", "-cipher", "DHE"),
                                (cipher, "-tls1_2", "-cipher", "PSK:SRP:CAMELLIA:ARIA")):
            done = subprocess.run(["openssl", "s_client", "-starttls", "ftp", "-connect",
                                   f"{host}:{port}", *options], input=b"",
                                  capture_output=True, timeout=30, check=False)
            self.assertNotRegex(done.stdout, rb"Cipher is (?!\(NONE\))", f"{options}")
            self.assertNotEqual(done.returncode, 0, options)
            # by the server, and not because the client could not
            self.assertRegex(done.stderr, alert, options)
        # OpenSSL's words are loaded when there is something to tell
        for words in ("unsupported protocol", "no shared cipher"):
            self.server.wait_log(rf"TLS handshake with 127\.0\.0\.1 failed: {words}")

    def test_sigterm_to_every_process_tells_the_client(self):
        """What systemd does at a stop."""
        control = self.logged_in()
        monitor, = [pid for pid, (parent, state, name) in process_table().items()
                    if parent == self.server.pid and state != "Z" and name == "genkan-ftpd"]
        session, = [pid for pid, (parent, state, name) in process_table().items()
                    if parent == monitor and state != "Z" and name == "genkan-ftpd-tls"]
        os.kill(session, signal.SIGTERM)
        control.command("NOOP", 200)
        os.kill(monitor, signal.SIGTERM)
        control.expect(421)
        control.at_end()
        self.server.wait_no_pairs()

    def test_a_data_connection_in_clear_gets_nothing_under_prot_p(self):
        self.remote("secret", b"secret content")
        control = self.logged_in()
        with Data(control, "pasv") as data:
            control.command("RETR secret", 150)
            data.sock.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(OSError):
                while block := data.sock.recv(65536):
                    got += block
            self.assertNotIn(b"secret", got)
        control.expect(425)


class Certificates(GenkanTest):
    def setUp(self):
        super().setUp()
        if not os.access(TLS, os.X_OK):
            self.skipTest("built without TLS")
        self.world.add_user()
        self.pki = Pki(self.world.path_of("pki"))

    def start(self, certificates, keys=None, **more):
        directives = {"TLS": "on", "TLSCertificateFile": " ".join(certificates), **more}
        if keys:
            directives["TLSCertificateKeyFile"] = " ".join(keys)
        self.directives = directives
        return self.world.server(directives=directives, listen=("127.0.0.1:0",))

    def connect(self, server):
        control = TlsControl(server.address)
        self.world.controls.append(control)
        control.greet()
        return control

    def check(self):
        done = subprocess.run([FTPD, "-t", *self.world.options(self.directives)],
                              capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout + done.stderr

    def peer_of(self, server, **options):
        control = self.connect(server).auth(**options)
        return ssl.DER_cert_to_PEM_cert(control.sock.getpeercert(True))

    def test_a_good_one_is_told_by_t(self):
        self.start(*zip(self.pki.make("server")))
        status, text = self.check()
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"server\.pem: ECDSA, for localhost, (29|30) days left")

    def test_key_and_certificate_in_one_file(self):
        cert, key = self.pki.make("server")
        both = write_file(self.pki.path("both.pem"), read_file(key) + read_file(cert))
        os.chmod(both, 0o600)
        server = self.start([both])
        self.connect(server).auth().command("NOOP", 200)
        self.assertEqual(self.check()[0], 0)

    def refused(self, server, pattern):
        """AUTH is 431, a clear session goes on, -t and the log tell why."""
        control = self.connect(server)
        control.command("AUTH TLS", 431)
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        server.wait_log(pattern)
        status, text = self.check()
        self.assertEqual(status, 78, text)
        self.assertRegex(text, pattern)

    def test_missing_certificate(self):
        self.refused(self.start([self.pki.path("missing.pem")]), r"missing\.pem: No such file")

    def test_no_certificate_in_the_file(self):
        path = write_file(self.pki.path("empty.pem"), b"nothing\n")
        os.chmod(path, 0o600)
        self.refused(self.start([path]), r"empty\.pem: there is no certificate in PEM form")

    def test_key_that_does_not_fit(self):
        cert, _ = self.pki.make("one")
        _, key = self.pki.make("two")
        self.refused(self.start([cert], [key]), r"two-key\.pem: the key is not that of the cert")

    def test_tls_protocol_refuses_older_clients(self):
        server = self.start(*[[path] for path in self.pki.make("server")], TLSProtocol="TLSv1.3")
        control = self.connect(server).auth()
        self.assertEqual(control.sock.version(), "TLSv1.3")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.connect(server).auth(context(maximum_version=ssl.TLSVersion.TLSv1_2))

    def test_key_with_a_passphrase(self):
        cert, key = self.pki.make("server")
        locked = self.pki.path("locked.pem")
        for how in (("-aes256",), ("-traditional", "-aes128"), ("-traditional", "-des3")):
            with self.subTest(how):
                openssl("pkey", "-in", key, *how, "-passout", "pass:x", "-out", locked)
                os.chmod(locked, 0o600)
                self.refused(self.start([cert], [locked]),
                             r"locked\.pem: the key wants a passphrase")

    def test_every_kind_of_key_in_every_protocol(self):
        for kind in KINDS:
            cert, key = self.pki.make(kind, kind=kind)
            server = self.start([cert], [key])
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                with self.subTest(kind=kind, version=version):
                    control = self.connect(server).auth(context(cert, maximum_version=version))
                    control.command("NOOP", 200)
            status, text = self.check()
            self.assertEqual(status, 0, text)
            server.stop()

    def test_every_form_of_a_key_file(self):
        for kind in ("ec", "rsa"):
            cert, key = self.pki.make(kind, kind=kind)
            old = self.pki.path("old.pem")
            openssl("pkey", "-traditional", "-in", key, "-out", old)
            os.chmod(old, 0o600)
            self.assertIn(b"BEGIN EC PRIVATE" if kind == "ec" else b"BEGIN RSA PRIVATE", read_file(old))
            server = self.start([cert], [old])
            self.connect(server).auth().command("NOOP", 200)
            server.stop()

    def test_every_suite_and_every_group(self):
        pairs = self.pki.make("ec"), self.pki.make("rsa", kind="rsa")
        server = self.start(*zip(*pairs))
        host, port = server.address
        suites = "AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"
        for name, *options in (
                *((suite, "-tls1_2", "-cipher", suite)
                  for suite in (f"ECDHE-{key}-{rest}" for key in ("RSA", "ECDSA") for rest in suites)),
                *((suite, "-tls1_3", "-ciphersuites", suite)
                  for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                "TLS_CHACHA20_POLY1305_SHA256")),
                *(("TLS_", "-tls1_3", "-groups", group) for group in ("X25519", "P-256", "P-384")),
                *(("ECDHE", "-tls1_2", "-groups", group) for group in ("X25519", "P-256", "P-384"))):
            with self.subTest(options=options):
                done = subprocess.run(["openssl", "s_client", "-starttls", "ftp", "-connect",
                                       f"{host}:{port}", *options], input=b"QUIT\r\n",
                                      capture_output=True, timeout=30, check=False)
                self.assertRegex(done.stdout, rb"Cipher is " + name.encode())

    @root_only("a user who may read everything")
    def test_key_that_everybody_can_read_is_not_used(self):
        cert, key = self.pki.make("server")
        os.chmod(key, 0o644)
        server = self.start([cert], [key])
        self.connect(server).command("AUTH TLS", 431)
        server.wait_log(r"everybody can read the key in .*server-key\.pem: chmod 600")

    def test_expired_certificate_is_told_and_used(self):
        cert, key = self.pki.make("server", days=0)
        server = self.start([cert], [key])
        self.connect(server).auth().command("NOOP", 200)
        server.wait_log(r"server\.pem has expired")
        status, text = self.check()
        self.assertEqual(status, 78)
        self.assertRegex(text, r"EXPIRED: renew it")

    def test_one_that_is_broken_does_not_harm_the_other(self):
        cert, key = self.pki.make("server")
        server = self.start([self.pki.path("missing.pem"), cert], [self.pki.path("no"), key])
        self.connect(server).auth().command("NOOP", 200)

    def test_a_renewed_certificate_counts_at_once(self):
        cert, key = self.pki.make("server")
        server = self.start([cert], [key])
        first = self.peer_of(server)
        self.pki.make("server")
        second = self.peer_of(server)
        self.assertNotEqual(first, second)
        self.assertEqual(second.strip(), read_file(cert).decode().strip())

    def test_certificate_by_sni_by_host_and_by_kind_of_key(self):
        one, two = self.pki.make("one", "one.example"), self.pki.make("two", "two.example")
        rsa = self.pki.make("rsa", "one.example", kind="rsa")
        server = self.start([one[0], two[0], rsa[0]], [one[1], two[1], rsa[1]])

        def is_it(pem, pair):
            self.assertEqual(pem.strip(), read_file(pair[0]).decode().strip())

        is_it(self.peer_of(server), one)
        is_it(self.peer_of(server, server_hostname="two.example"), two)
        is_it(self.peer_of(server, server_hostname="other.example"), one)
        control = self.connect(server)
        control.command("HOST two.example", 220)
        control.auth()
        is_it(ssl.DER_cert_to_PEM_cert(control.sock.getpeercert(True)), two)
        only_rsa = context(maximum_version=ssl.TLSVersion.TLSv1_2)
        only_rsa.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
        is_it(self.peer_of(server, ctx=only_rsa), rsa)

    def test_certificates_of_clients(self):
        server_pair = self.pki.make("server")
        good, stranger = self.pki.make("good", "anna", client=True), self.pki.make("bad", "eve",
                                                                                   client=True)
        server = self.start([server_pair[0]], [server_pair[1]], TLSVerifyClient="required",
                            TLSClientCA=good[0])
        ctx = context()
        ctx.load_cert_chain(*good)
        control = self.connect(server).auth(ctx)
        control.command("NOOP", 200)
        server.wait_log(r"whose certificate is for anna")
        for pair in (None, stranger):
            ctx = context()
            if pair:
                ctx.load_cert_chain(*pair)
            with self.assertRaises((ssl.SSLError, OSError, AssertionError)):
                self.connect(server).auth(ctx).command("NOOP", 200)
        server.wait_log(r"TLS handshake with 127\.0\.0\.1 failed: .*certificate")

    def test_certificates_of_clients_with_every_kind_of_key(self):
        server_pair = self.pki.make("server")
        clients = [self.pki.make("client-" + kind, "anna", kind=kind, client=True) for kind in KINDS]
        trusted = write_file(self.pki.path("trusted"), b"".join(read_file(cert) for cert, _ in clients))
        server = self.start([server_pair[0]], [server_pair[1]], TLSVerifyClient="required",
                            TLSClientCA=trusted)
        for pair in clients:
            with self.subTest(pair=pair):
                ctx = context()
                ctx.load_cert_chain(*pair)
                self.connect(server).auth(ctx).command("NOOP", 200)

    def test_optional_certificates_of_clients(self):
        server_pair, good = self.pki.make("server"), self.pki.make("good", "anna", client=True)
        server = self.start([server_pair[0]], [server_pair[1]], TLSVerifyClient="optional",
                            TLSClientCA=good[0])
        self.connect(server).auth().command("NOOP", 200)

    def test_stapling(self):
        cert, key = self.pki.make("server")
        path = write_file(self.pki.path("ocsp.der"), b"\x30\x03\x0a\x01\x06")  # "unauthorized"
        server = self.start([cert], [key], TLSOCSPFile=path)
        host, port = server.address
        done = subprocess.run(["openssl", "s_client", "-starttls", "ftp", "-status", "-connect",
                               f"{host}:{port}"], input=b"", capture_output=True, timeout=30,
                              check=False)
        self.assertRegex(done.stdout, rb"OCSP Response Status: unauthorized")

    def test_what_no_single_directive_shows(self):
        for directives, pattern in (
                ({"TLS": "on"}, "there is no TLSCertificateFile"),
                ({"TLSImplicit": "on"}, "TLS is off"),
                ({"TLS": "on", "TLSCertificateFile": "/a /b", "TLSCertificateKeyFile": "/c"},
                 "2 files, but TLSCertificateKeyFile 1"),
                ({"TLS": "on", "TLSCertificateFile": "/a", "TLSVerifyClient": "required"},
                 "no TLSClientCA")):
            self.directives = directives
            status, text = self.check()
            self.assertEqual(status, 78)
            self.assertIn(pattern, text)


class Implicit(TlsTest):
    extra = {"TLSImplicit": "on"}

    def secure(self, ctx=None, **options):
        control = TlsControl(self.server.address)
        self.world.controls.append(control)
        control.ctx = ctx or context()
        control.wrap()
        control.greet()
        return control

    def test_greeting_login_and_data(self):
        self.remote("a", b"content")
        control = self.logged_in()  # no PBSZ and no PROT: implicit TLS means both
        self.assertEqual(control.retrieve("RETR a"), b"content")
        control.store("STOR b", b"x")

    def test_nothing_is_said_in_clear(self):
        with socket.create_connection(self.server.address, 10) as sock:
            sock.sendall(b"USER anna\r\n")
            sock.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(OSError):
                while block := sock.recv(4096):
                    got += block
            self.assertNotIn(b"220", got)
        self.server.wait_no_pairs()

    @need_program("curl")
    def test_curl(self):
        self.remote("a", b"content")
        host, port = self.server.address
        done = subprocess.run(["curl", "-sS", "-k", "-u", f"{USER}:{PASSWORD}",
                               f"ftps://{host}:{port}/a"], capture_output=True, timeout=60,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"content"), done.stderr)

    @need_program("wget")
    def test_wget(self):
        self.remote("a", b"content")
        host, port = self.server.address
        done = subprocess.run(["wget", "-q", "-O", "-", "--no-check-certificate", "--user", USER,
                               "--password", PASSWORD, f"ftps://{host}:{port}/a",
                               "--ftps-implicit"], capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"content"), done.stderr)

    @need_program("lftp")
    def test_lftp(self):
        self.remote("a", b"content")
        host, port = self.server.address
        done = subprocess.run(
            ["lftp", "-c", f"set ssl:verify-certificate no; set cmd:fail-exit yes; open -u "
             f"{USER},'{PASSWORD}' ftps://{host}:{port}; cat a"],
            capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"content"), done.stderr)


@unittest.skipUnless(IS_ROOT, "needs root")
class Walls(TlsTest):
    """Who is who in /proc, with TLS on."""

    def capabilities(self, pid):
        status = proc_status(pid)
        return {status["Cap" + name] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}

    def sessions_of(self, monitor):
        return [pid for pid, (parent, state, name) in process_table().items()
                if parent == monitor and state != "Z" and name == "genkan-ftpd-tls"]

    def monitor(self):
        return [pid for pid, (parent, state, name) in process_table().items()
                if parent == self.server.pid and state != "Z"][0]

    def assert_session(self, pid, sockets):
        status = proc_status(pid)
        self.assertEqual(set(status["Uid"].split()), {str(NOBODY)})
        self.assertEqual(status["Groups"], "")
        self.assertEqual(self.capabilities(pid), {"0" * 16})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertEqual(os.listdir(f"/proc/{pid}/root"), [])
        self.assertEqual(os.stat(f"/proc/{pid}/mem").st_uid, 0)  # not dumpable
        links = list(descriptors(pid).values())
        self.assertEqual(sum(link.startswith("socket:") for link in links), sockets, links)
        self.assertFalse([link for link in links if "memfd" in link or "pem" in link], links)

    @unittest.skipIf(SANITIZERS, "without a system call filter, and not static")
    def test_before_and_after_login_and_in_a_transfer(self):
        self.sparse("large", 1 << 30)
        control = self.secure()
        control.command("NOOP", 200)
        monitor = self.monitor()
        session, = wait_until(lambda: self.sessions_of(monitor), "the TLS session")
        self.assert_session(session, 2)
        self.assertEqual(set(proc_status(monitor)["Uid"].split()), {"0"})
        self.assertFalse([link for link in descriptors(monitor).values() if "memfd" in link])
        control.command(f"USER {USER}", 331)
        control.command(f"PASS {PASSWORD}", 230)
        control.command("TYPE I", 200)
        self.assertEqual(set(proc_status(monitor)["Uid"].split()), {str(USER_UID)})
        self.assert_session(session, 2)
        with control.data() as data:
            control.command("RETR large", 150)
            data.socket().recv(1)
            wait_closed(data.address[1])  # kept for a moment: another PASV might have come
            self.assert_session(session, 3)
            control.send(b"ABOR\r\n")
            control.expect(426)
            control.expect(226)

    def test_the_monitor_lets_go_of_the_client_at_auth_and_at_login(self):
        for secure in (False, True):
            control = self.plain()
            monitor = self.monitor()
            inode = f"socket:[{self.inode(control)}]"
            self.assertIn(inode, descriptors(monitor).values())
            if secure:
                control.auth().command("NOOP", 200)
            else:
                control.command(f"USER {USER}", 331)
                control.command(f"PASS {PASSWORD}", 230)
            wait_until(lambda: inode not in descriptors(monitor).values(), "it is closed")
            control.close()
            self.server.wait_no_pairs()

    def inode(self, control):
        return socket_inode(control.address[1], control.sock.getsockname()[1])

    def test_the_session_that_was_is_gone(self):
        control = self.plain()
        monitor = self.monitor()
        pair = self.server.pair()
        control.auth().command("NOOP", 200)
        wait_until(lambda: process_table().get(pair.session, (0, "Z"))[1] == "Z",
                   "the clear session ends")
        self.assertEqual(len(self.sessions_of(monitor)), 1)

    def test_killed_processes_take_the_others_along(self):
        for victim in ("monitor", "session"):
            control = self.secure()
            control.command("NOOP", 200)
            monitor = self.monitor()
            session, = self.sessions_of(monitor)
            os.kill(monitor if victim == "monitor" else session, 9)
            wait_until(lambda: all(process_table().get(pid, (0, "Z"))[1] == "Z"
                                   for pid in (session, monitor)), "both are gone")
            control.close()

    def test_plain_sessions_have_no_key_and_no_tls_program(self):
        control = self.plain()
        monitor = self.monitor()
        self.assertEqual(self.sessions_of(monitor), [])
        control.command("NOOP", 200)


class Clients(TlsTest):
    """Programs as their users set them: explicit TLS, encrypted data, the usual commands."""

    time_limit = 300
    extra = {"TLS": "required"}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.world.add_user("plain", "secret", home=cls.home)

    def setUp(self):
        super().setUp()
        self.here = self.world.path_of("client")
        shutil.rmtree(self.here, ignore_errors=True)
        os.mkdir(self.here)
        self.host, self.port = self.server.address
        self.content = pattern_bytes(700_001)
        self.remote("down", self.content)
        write_file(os.path.join(self.here, "up"), self.content)

    def run_client(self, *argv, text=None, **env):
        done = subprocess.run(argv, cwd=self.here, input=text, capture_output=True, text=True,
                              timeout=100, check=False,
                              env={**os.environ, "HOME": self.here, "LC_ALL": "C.UTF-8", **env})
        self.assertEqual(done.returncode, 0, f"{argv}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def assert_both_ways(self, down="down"):
        self.assertEqual(read_file(os.path.join(self.here, down)), self.content)
        self.assertEqual(read_file(self.remote("up")), self.content)

    @need_program("curl")
    def test_curl(self):
        # active mode is not here: curl 7.88 does not begin TLS on connections that it accepts
        for version in ((), ("--tls-max", "1.2"), ("--disable-epsv",)):
            base = ("curl", "-sS", "-k", "--ssl-reqd", "-u", "plain:secret", *version)
            url = f"ftp://{self.host}:{self.port}/"
            self.run_client(*base, "-o", "down", url + "down")
            self.run_client(*base, "-T", "up", url + "up")
            self.assertIn("down", self.run_client(*base, url))
            self.assert_both_ways()
        self.assertNotIn("TLS handshake", self.log())

    @need_program("lftp")
    def test_lftp(self):
        self.run_client("lftp", "-c", "set ssl:verify-certificate no; set ftp:ssl-force yes; "
                        "set ftp:ssl-protect-data yes; set cmd:fail-exit yes; open -u plain,secret "
                        f"-p {self.port} {self.host}; ls; get down; put up; mirror . all")
        self.assert_both_ways()

    def test_python(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            ftp = ftplib.FTP_TLS(context=context(maximum_version=version), timeout=30)
            ftp.connect(self.host, self.port)
            ftp.login("plain", "secret")
            ftp.prot_p()
            got = bytearray()
            ftp.retrbinary("RETR down", got.extend)
            self.assertEqual(bytes(got), self.content)
            with open(os.path.join(self.here, "up"), "rb") as file:
                ftp.storbinary("STOR up", file)
            self.assertIn("down", ftp.nlst())
            self.assertIn("down", dict(ftp.mlsd()))
            ftp.quit()
            self.assertEqual(read_file(self.remote("up")), self.content)

    @need_program("rclone")
    def test_rclone(self):
        secret = self.run_client("rclone", "obscure", "secret").strip()
        base = ("rclone", "--config", os.devnull, "--ftp-host", self.host, "--ftp-port",
                str(self.port), "--ftp-user", "plain", "--ftp-pass", secret, "--ftp-explicit-tls",
                "--ftp-no-check-certificate")
        self.run_client(*base, "copyto", ":ftp:down", "down")
        self.run_client(*base, "copyto", "up", ":ftp:up")
        self.assert_both_ways()

    @need_program("perl")
    def test_perl(self):
        if subprocess.run(["perl", "-MIO::Socket::SSL", "-MNet::FTP", "-e", "1"],
                          capture_output=True, check=False).returncode:
            self.skipTest("Perl has no IO::Socket::SSL")
        self.run_client("perl", "-MNet::FTP", "-e", """
            my $f = Net::FTP->new($ARGV[0], Port => $ARGV[1], SSL_verify_mode => 0,
                Timeout => 30) or die $@;
            $f->starttls or die $f->message; $f->login("plain", "secret") or die $f->message;
            $f->prot("P") or die $f->message; $f->binary;
            $f->get("down") or die $f->message; $f->put("up") or die $f->message;
            grep { $_ eq "down" } $f->ls or die "ls"; $f->quit;""", self.host, str(self.port))
        self.assert_both_ways()

    @need_program("php")
    def test_php(self):
        self.run_client("php", "-r", """
            $f = ftp_ssl_connect($argv[1], (int)$argv[2], 30) or exit(1);
            ftp_login($f, "plain", "secret") or exit(2); ftp_pasv($f, true) or exit(3);
            ftp_get($f, "down", "down", FTP_BINARY) or exit(4);
            ftp_put($f, "up", "up", FTP_BINARY) or exit(5);
            in_array("./down", ftp_nlist($f, ".")) or exit(6); ftp_close($f);""",
                        self.host, str(self.port))
        self.assert_both_ways()

    @need_program("ruby")
    def test_ruby(self):
        self.run_client("ruby", "-rnet/ftp", "-e", """
            f = Net::FTP.new(ARGV[0], port: ARGV[1].to_i, passive: true,
                ssl: { verify_mode: OpenSSL::SSL::VERIFY_NONE }, username: "plain",
                password: "secret")
            f.getbinaryfile("down"); f.putbinaryfile("up"); f.nlst.include?("down") or exit 1
            f.close""", self.host, str(self.port))
        self.assert_both_ways()

    @need_program("java")
    def test_java_commons_net(self):
        jar = "/usr/share/java/commons-net.jar"
        modules = subprocess.run(["java", "--list-modules"], capture_output=True, text=True,
                                 check=False).stdout
        if not os.path.exists(jar) or "jdk.compiler" not in modules:
            self.skipTest("commons-net or the compiler is not installed")
        write_file(os.path.join(self.here, "Both.java"), b"""
import java.io.*;
import org.apache.commons.net.ftp.*;
import org.apache.commons.net.util.TrustManagerUtils;
public class Both {
    static void must(boolean done, String what) { if (!done) throw new RuntimeException(what); }
    public static void main(String[] a) throws Exception {
        FTPSClient f = new FTPSClient(false);
        f.setTrustManager(TrustManagerUtils.getAcceptAllTrustManager());
        f.connect(a[0], Integer.parseInt(a[1]));
        must(f.login("plain", "secret"), "login");
        f.execPBSZ(0);
        f.execPROT("P");
        f.enterLocalPassiveMode();
        f.setFileType(FTP.BINARY_FILE_TYPE);
        try (InputStream in = new FileInputStream("up")) { must(f.storeFile("up", in), "up"); }
        try (OutputStream out = new FileOutputStream("down")) {
            must(f.retrieveFile("down", out), "down");
        }
        must(f.listFiles().length >= 2, "list");
        f.logout();
    }
}
""")
        self.run_client("java", "-cp", jar, "Both.java", self.host, str(self.port))
        self.assert_both_ways()

    @need_program("npm")
    def test_npm_basic_ftp(self):
        try:
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent",
                            "basic-ftp@5.0.5"], cwd=self.here, check=True, capture_output=True,
                           timeout=60, stdin=subprocess.DEVNULL)
        except (subprocess.SubprocessError, OSError) as error:
            self.skipTest(f"npm cannot fetch basic-ftp: {error}")
        write_file(os.path.join(self.here, "both.js"), b"""
            const { Client } = require("basic-ftp")
            async function main() {
                const client = new Client(20000)
                await client.access({ host: process.argv[2], port: Number(process.argv[3]),
                    user: "plain", password: "secret", secure: true,
                    secureOptions: { rejectUnauthorized: false } })
                for (let i = 0; i < 5; i++) {
                    await client.uploadFrom("up", "up")
                    await client.downloadTo("down", "down")
                    await client.list()
                }
                client.close()
            }
            main().catch(error => { console.error(error); process.exit(1) })
            """)
        self.run_client("node", "both.js", self.host, str(self.port))
        self.assert_both_ways()

    @need_program("tnftp")
    def test_tnftp_and_others_without_tls_are_told(self):
        done = subprocess.run(["tnftp", "-n", self.host, str(self.port)],
                              input="user plain secret\nbye\n", capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertIn("AUTH TLS", done.stdout + done.stderr + self.log())


if __name__ == "__main__":
    sys.exit("run: python3 test/e2e test_tls")
