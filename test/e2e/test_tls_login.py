"""TLSUserCertificates: a certificate in the place of the password (RFC 2228, reply 232)."""

import base64
import ftplib
import os
import re
import shutil
import ssl
import subprocess
import time
import unittest

from genkan import (CTL, FTPD, PASSWORD, USER, GenkanTest, need_program, pattern_bytes, read_file,
                    root_only, wait_until, write_file)
from test_system_users import COMMON, NAME, SystemUsers, has_pam, today
from test_tls import TLS, Pki, TlsControl, TlsTest, context, openssl

VERSIONS = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def fingerprint(cert):
    """As a person would paste it: AB:CD:..."""
    text = openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", cert, text=True).stdout
    return text.strip().split("=")[1]


def with_certificate(pair, **options):
    ctx = context(**options)
    if pair:
        ctx.load_cert_chain(*pair)
    return ctx


class CertificateTest(TlsTest):
    """anna has two certificates, cousin one; eve's is nobody's."""

    verify = {}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.pairs = {name: cls.pki.make(name, name, client=True, kind=kind)
                     for name, kind in (("anna", "ec"), ("phone", "rsa"), ("cousin", "ec"),
                                        ("eve", "ec"))}
        cls.world.add_user("cousin", "secret", home=cls.home)
        cls.file = cls.world.path_of("certificates")
        cls.directives["TLSUserCertificates"] = cls.file
        cls.directives.update(cls.verify)

    def setUp(self):
        super().setUp()
        self.write(f"# comes in by these\n{USER} {fingerprint(self.pairs['anna'][0])} "
                   f"{fingerprint(self.pairs['phone'][0]).replace(':', '').lower()}\n"
                   f"cousin\t{fingerprint(self.pairs['cousin'][0])} # laptop\n")

    def write(self, text):
        write_file(self.file, text.encode())
        os.chmod(self.file, 0o600)

    def of(self, name, **options):
        return self.secure(with_certificate(name and self.pairs[name], **options))

    def assert_asked(self, control, user, why=None):
        """331 at once, and a password does it."""
        began = time.monotonic()
        text = control.command(f"USER {user}", 331).text
        self.assertEqual(text.strip(), "331 Password, please.", why)
        return time.monotonic() - began


class Login(CertificateTest):
    def test_the_users_certificate_is_232_and_no_password_is_needed(self):
        content = pattern_bytes(300_000)
        self.remote("down", content)
        for version in VERSIONS:
            for name, user in (("anna", USER), ("phone", USER), ("cousin", "cousin")):
                control = self.of(name, maximum_version=version)
                control.command(f"USER {user}", 232)
                control.command("TYPE I", 200)
                self.assertEqual(control.retrieve("RETR down"), content)
                control.store("STOR up", content)
                self.assertEqual(read_file(self.remote("up")), content)
                control.close()
        self.assertRegex(self.log(), rf'login user="{USER}" .* by=certificate')

    def test_pass_all_the_same_is_202(self):
        control = self.of("anna")
        control.command(f"USER {USER}", 232)
        control.command("PASS whatever", 202)
        control.command("ACCT x", 202)
        control.command("PWD", 257)
        control.command(f"USER {USER}", 230)
        control.command("USER cousin", 501)

    def test_the_display_text_comes_with_232(self):
        control = self.of("anna")
        self.assertEqual(control.command(f"USER {USER}", 232).text.strip(), "232 Welcome.")

    def test_others_are_asked_for_the_password_in_the_same_words_and_time(self):
        for version in VERSIONS:
            for name, user in (("eve", USER), ("cousin", USER), ("anna", "cousin"), (None, USER),
                               ("anna", "nosuchuser"), ("eve", "nosuchuser"), ("anna", "root"),
                               ("anna", USER.upper()), ("anna", "x" * 300)):
                with self.subTest(version=version, name=name, user=user):
                    control = self.of(name, maximum_version=version)
                    self.assertLess(self.assert_asked(control, user), 0.9)
                    control.close()

    def test_a_password_still_does_it_beside_a_foreign_certificate(self):
        for name in "eve", None:
            control = self.of(name)
            self.assert_asked(control, USER)
            control.command(f"PASS {PASSWORD}", 230)
            control.command("PASS again", 503)

    def test_a_foreign_certificate_is_no_failed_login(self):
        control = self.of("eve")
        for _ in range(10):  # more than MaxLoginAttempts
            self.assert_asked(control, USER)
        control.command(f"PASS {PASSWORD}", 230)
        self.assertNotIn("auth-fail", self.log())
        told = f"{USER} has no certificate with the fingerprint " \
               f"{fingerprint(self.pairs['eve'][0]).replace(':', '').lower()}"
        self.assertEqual(self.log().count(told), 1)

    def test_a_line_that_is_taken_away_counts_at_once(self):
        self.of("anna").command(f"USER {USER}", 232)
        self.write(f"{USER} {fingerprint(self.pairs['phone'][0])}\n")
        self.assert_asked(self.of("anna"), USER)
        self.of("phone").command(f"USER {USER}", 232)
        self.write("")
        self.assert_asked(self.of("phone"), USER)

    def test_without_tls_the_password_counts(self):
        control = self.plain()
        self.assert_asked(control, USER)
        control.command(f"PASS {PASSWORD}", 230)

    def test_what_was_begun_in_the_clear_has_ended_with_auth(self):
        control = self.plain()
        control.command(f"USER {USER}", 331)
        control.auth(with_certificate(self.pairs["anna"])).command("PWD", 530)
        control.command(f"USER {USER}", 232)

    def test_an_expired_certificate_is_none(self):
        old = self.pki.make("old", "anna", client=True, days=0)
        self.write(f"{USER} {fingerprint(old[0])}\n")
        control = self.secure(with_certificate(old))
        self.assert_asked(control, USER)
        self.assert_asked(control, USER)
        control.command(f"PASS {PASSWORD}", 230)
        self.assertEqual(self.log().count("does not count for TLSUserCertificates: it has expired"), 1)

    def test_a_certificate_that_is_too_large_is_none(self):
        large = self.pki.path("large.pem"), self.pki.path("large-key.pem")
        names = ",".join(f"DNS:{'x' * 50}{number}.example.net" for number in range(150))
        openssl("req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-keyout", large[1], "-out", large[0], "-days", "2", "-subj", "/CN=x", "-addext",
                "subjectAltName=" + names)
        self.write(f"{USER} {fingerprint(large[0])}\n")
        for version in VERSIONS:
            control = self.secure(with_certificate(large, maximum_version=version))
            self.assert_asked(control, USER)
            control.command(f"PASS {PASSWORD}", 230)
        self.assertIn("does not count for TLSUserCertificates: it is too large", self.log())

    def test_a_certificate_without_its_key_is_none(self):
        """eve has anna's certificate, and a key that says it belongs to it."""
        hers, mine = (openssl("ec", "-in", self.pairs[name][1], "-outform", "DER").stdout
                      for name in ("anna", "eve"))
        forged = base64.encodebytes(hers[:7] + mine[7:39] + hers[39:])
        key = write_file(self.pki.path("forged.pem"), b"-----BEGIN EC PRIVATE KEY-----\n" +
                         forged + b"-----END EC PRIVATE KEY-----\n")
        for version in VERSIONS:
            before = len(self.log())
            ctx = with_certificate((self.pairs["anna"][0], key), maximum_version=version)
            with self.assertRaises((ssl.SSLError, OSError, AssertionError)):
                self.secure(ctx).command(f"USER {USER}")
            wait_until(lambda: re.search("TLS handshake with .* failed: .*signature",
                                         self.log()[before:]), "the log tells")
            self.assertNotIn("by=certificate", self.log()[before:])

    def test_mistakes_in_the_file_are_told_and_passwords_go_on(self):
        self.write(f"{USER} 12:34\ncousin {fingerprint(self.pairs['cousin'][0])}\n")
        control = self.of("anna")
        self.assert_asked(control, USER)
        control.command(f"PASS {PASSWORD}", 230)
        self.of("cousin").command("USER cousin", 232)
        self.assertIn(f"TLSUserCertificates {self.file}: line 1: a fingerprint of SHA-256 has 64",
                      self.log())
        os.unlink(self.file)
        control = self.of("anna")
        self.assert_asked(control, USER)
        control.command(f"PASS {PASSWORD}", 230)
        self.assertIn(f"TLSUserCertificates {self.file}: No such file", self.log())

    def check(self):
        done = subprocess.run([FTPD, "-t", *self.world.options(self.directives)],
                              capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_t_and_the_doctor_tell_of_mistakes(self):
        def doctor():
            conf = self.world.path_of("doctor.conf")
            write_file(conf, "".join(f"{name} {value}\n" for name, value in
                                     self.directives.items()).encode())
            return subprocess.run([CTL, "check", "-f", conf],
                                  capture_output=True, text=True, timeout=60, check=False).stdout

        self.assertEqual(self.check()[0], 0)
        self.assertNotIn("TLSUserCertificates", doctor())
        self.write(f"# x\n{USER}\n")
        wrong = f"TLSUserCertificates {self.file}: line 2: no fingerprint stands behind the user"
        status, text = self.check()
        self.assertEqual(status, 78)
        self.assertIn(wrong, text)
        self.assertIn(wrong, doctor())
        os.unlink(self.file)
        status, text = self.check()
        self.assertEqual(status, 78)
        self.assertIn(f"TLSUserCertificates {self.file}: No such file", text)
        self.assertIn(f"TLSUserCertificates {self.file}: No such file", doctor())


class Rules(CertificateTest):
    verify = {"MaxClientsPerUser": "1"}

    def test_places_of_a_user_hold(self):
        first = self.of("anna")
        first.command(f"USER {USER}", 232)
        second = self.of("anna")
        self.assertIn("MaxClientsPerUser", second.command(f"USER {USER}", 530).text)
        second.command("PASS x", 503)
        first.close()


class Implicit(CertificateTest):
    verify = {"TLSImplicit": "on", "TLS": "required", "TLSSessionReuse": "required"}

    def secure(self, ctx=None, **options):
        control = TlsControl(self.server.address)
        self.world.controls.append(control)
        control.ctx = ctx or context()
        control.wrap()
        control.greet()
        return control

    def test_login_and_data(self):
        self.remote("down", b"content")
        for version in VERSIONS:
            control = self.of("anna", maximum_version=version)
            control.command(f"USER {USER}", 232)
            for _ in range(3):
                self.assertEqual(control.retrieve("RETR down"), b"content")


class Authority(CertificateTest):
    """TLSClientCA: what it has not signed lets nobody in, whatever the file says."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.directives["TLSClientCA"] = cls.pairs["anna"][0]

    def setUp(self):
        super().setUp()
        self.write("".join(f"{USER} {fingerprint(cert)}\n" for cert, _ in self.pairs.values()))

    def test_only_what_the_authority_has_signed(self):
        for version in VERSIONS:
            self.of("anna", maximum_version=version).command(f"USER {USER}", 232)
            control = self.of("eve", maximum_version=version)
            self.assert_asked(control, USER)
            control.command(f"PASS {PASSWORD}", 230)
        self.assertIn("TLSUserCertificates: TLSClientCA has not signed it", self.log())


class Verified(Authority):
    verify = {"TLSVerifyClient": "optional"}

    def test_only_what_the_authority_has_signed(self):
        for version in VERSIONS:
            self.of("anna", maximum_version=version).command(f"USER {USER}", 232)
            with self.assertRaises((ssl.SSLError, OSError, AssertionError)):
                self.of("eve", maximum_version=version).command("NOOP", 200)
            self.assert_asked(self.of(None, maximum_version=version), USER)


class SecondFactor(CertificateTest):
    """Without TLSUserCertificates a certificate is what it was: beside the password."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.directives.update(TLSUserCertificates="none", TLSVerifyClient="required",
                              TLSClientCA=cls.pairs["anna"][0])

    def test_the_password_is_asked_for(self):
        control = self.of("anna")
        self.assert_asked(control, USER)
        control.command("PASS wrong", 530)


class Clients(CertificateTest):
    time_limit = 120
    verify = {"TLS": "required"}

    def setUp(self):
        super().setUp()
        self.here = self.world.path_of("client")
        shutil.rmtree(self.here, ignore_errors=True)
        os.mkdir(self.here)
        self.host, self.port = self.server.address
        self.content = pattern_bytes(500_001)
        self.remote("down", self.content)
        write_file(os.path.join(self.here, "up"), self.content)

    def run_client(self, *argv, status=0):
        done = subprocess.run(argv, cwd=self.here, capture_output=True, text=True, timeout=100,
                              check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": self.here, "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, status, f"{argv}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def assert_both_ways(self):
        self.assertEqual(read_file(os.path.join(self.here, "down")), self.content)
        self.assertEqual(read_file(self.remote("up")), self.content)
        self.assertNotIn("auth-fail", self.log())

    def test_python(self):
        for version in VERSIONS:
            ftp = ftplib.FTP_TLS(context=with_certificate(self.pairs["anna"],
                                                          maximum_version=version), timeout=30)
            ftp.connect(self.host, self.port)
            self.assertTrue(ftp.login(USER).startswith("232 "))
            ftp.prot_p()
            got = bytearray()
            ftp.retrbinary("RETR down", got.extend)
            self.assertEqual(bytes(got), self.content)
            with open(os.path.join(self.here, "up"), "rb") as file:
                ftp.storbinary("STOR up", file)
            self.assertIn("down", dict(ftp.mlsd()))
            ftp.quit()
            self.assertEqual(read_file(self.remote("up")), self.content)

    @need_program("curl")
    def test_curl(self):
        cert, key = self.pairs["anna"]
        for version in ("--tls-max", "1.2"), ("--tlsv1.3",):
            base = ("curl", "-sS", "-k", "--ssl-reqd", *version, "--cert", cert, "--key", key)
            url = f"ftp://{USER}@{self.host}:{self.port}/"
            self.run_client(*base, "-u", USER + ":", "-o", "down", url + "down")
            self.run_client(*base, "-u", USER + ":", "-T", "up", url + "up")
            self.assertIn("down", self.run_client(*base, "-u", USER + ":", url))
            self.assert_both_ways()
        # another's certificate and no password: refused (67)
        cert, key = self.pairs["eve"]
        self.run_client("curl", "-sS", "-k", "--ssl-reqd", "--cert", cert, "--key", key, "-u",
                        USER + ":", url, status=67)

    @need_program("lftp")
    def test_lftp(self):
        cert, key = self.pairs["anna"]
        self.run_client("lftp", "-c", "set ssl:verify-certificate no; set ftp:ssl-force yes; "
                        "set ftp:ssl-protect-data yes; set cmd:fail-exit yes; set ssl:cert-file "
                        f"{cert}; set ssl:key-file {key}; open -u {USER},none -p {self.port} "
                        f"{self.host}; ls; get down; put up")
        self.assert_both_ways()


@root_only("users of the system")
class OfTheSystem(GenkanTest):
    """By shadow(5) and by PAM: all but the password counts."""

    etc, hash_of, settle, in_house = (SystemUsers.etc, SystemUsers.hash_of, SystemUsers.settle,
                                      SystemUsers.in_house)

    def setUp(self):
        super().setUp()
        if not os.access(TLS, os.X_OK):
            self.skipTest("built without TLS")
        pki = Pki(self.world.path_of("pki"))
        self.cert, self.key = pki.make("server")
        self.pair = pki.make("client", NAME, client=True)

    def start(self, method, **directives):
        file = self.world.path_of("certificates")
        write_file(file, "".join(f"{user} {fingerprint(self.pair[0])}\n" for user in
                                 (NAME, "second", "root", "nosuchuser")).encode())
        os.chmod(file, 0o600)
        self.server = self.world.server(
            listen=("127.0.0.1:0",), directives={
                "AuthSystem": method, "AuthUserFile": "none", "NologinFile": "none", "TLS": "on",
                "TLSCertificateFile": self.cert, "TLSCertificateKeyFile": self.key,
                "TLSUserCertificates": file, **directives})

    def control(self):
        control = TlsControl(self.server.address)
        self.world.controls.append(control)
        control.greet()
        return control.auth(with_certificate(self.pair))

    def check(self, method, lets_in=(), keeps_out=(), **house):
        def run():
            self.start(method)
            for user in lets_in:
                control = self.control()
                control.command(f"USER {user}", 232)
                control.store("STOR file", b"content")
                control.command("QUIT", 221)
            for user, reason in keeps_out:
                control = self.control()
                control.command(f"USER {user}", 331)
                self.server.wait_log(rf'user="{user}" reason={reason} n=1')
        self.in_house(run, **house)

    def test_shadow(self):
        self.check("shadow", [NAME], [("second", "locked"), ("root", "(root|locked)"),
                                      ("nosuchuser", "unknown-user")])

    def test_pam(self):
        if not has_pam():
            self.skipTest("built without PAM")
        self.check("pam", [NAME], [("root", "root"), ("nosuchuser", "[a-z-]+")])

    def test_pam_is_not_asked_for_a_password(self):
        if not has_pam():
            self.skipTest("built without PAM")
        self.check("pam", [NAME], pam=COMMON.replace("auth required pam_unix.so nodelay",
                                                     "auth required pam_deny.so"))

    def test_pam_account_rules_hold(self):
        if not has_pam():
            self.skipTest("built without PAM")
        self.check("pam", [], [(NAME, "pam-account")], pam=COMMON.replace(
            "account required pam_unix.so", "account required pam_deny.so"))

    def expired(self, method):
        def run():
            self.start(method)
            self.assertIn("expired", self.control().command(f"USER {NAME}", 530).text)
            self.server.wait_log(rf'user="{NAME}" reason=account-expired n=1')
        self.in_house(run, days=f"{today() - 90}:0:99999:7::{today() - 1}:")

    def test_shadow_expired_account(self):
        self.expired("shadow")

    def test_pam_expired_account(self):
        if not has_pam():
            self.skipTest("built without PAM")
        self.expired("pam")

    def test_pam_session_is_opened_and_closed(self):
        if not has_pam():
            self.skipTest("built without PAM")
        out = self.world.path_of("session")
        write_file(out, b"")

        def run():
            self.start("pam", PAMSession="on")
            control = self.control()
            control.command(f"USER {NAME}", 232)
            self.assertEqual(read_file(out), b"open_session\n")
            control.command("QUIT", 221)
            control.close()
            self.server.wait_no_pairs()
            wait_until(lambda: read_file(out) == b"open_session\nclose_session\n", "it is closed")
        script = self.world.path_of("script")
        write_file(script, f'#!/bin/sh\necho "$PAM_TYPE" >>{out}\n'.encode())
        os.chmod(script, 0o755)
        self.in_house(run, pam=COMMON + f"session required pam_exec.so {script}\n")


del SystemUsers, TlsTest, CertificateTest


if __name__ == "__main__":
    unittest.main()
