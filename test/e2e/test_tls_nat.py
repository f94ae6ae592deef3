"""FTPS behind NAT: no router can look inside, so the server has to be right by itself.

Cases 3 and 4 (the server is at home; the client is not, or behind another router), on port 21 with the
routers' FTP helpers on, and on port 2121.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import natlab
from natlab import BUILD, CASES, HOME
from test_natlab import LabTest

CTL = os.path.join(BUILD, "genkanctl")
TLS = os.path.join(BUILD, "genkan-ftpd-tls")


class TlsLab(LabTest):
    @classmethod
    def setUpClass(cls):
        if not os.access(TLS, os.X_OK):
            raise unittest.SkipTest("built without TLS")
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix="genkan-tls-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.cert = os.path.join(cls.folder.name, "both.pem")
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-keyout", cls.cert + ".key", "-out", cls.cert,
                        "-days", "2", "-subj", "/CN=home.example.net"], check=True,
                       capture_output=True)
        with open(cls.cert, "ab") as out, open(cls.cert + ".key", "rb") as key:
            out.write(key.read())
        os.chmod(cls.cert, 0o600)

    def serve_tls(self, *options):
        return self.serve(options=("TLS required", f"TLSCertificateFile {self.cert}", *options))


class TlsBehindNat(TlsLab):
    def curl(self, case, port, *options, scheme="ftp"):
        _, host, node = CASES[case]
        done = self.lab.run(node, "curl", "-sS", "-k", "--ssl-reqd", "--max-time", "45",
                            "--ftp-skip-pasv-ip" if "--trust" not in options else "-s",
                            *(word for word in options if word != "--trust"),
                            f"{scheme}://{host}:{port}/{natlab.FILE}", check=False,
                            capture_output=True)
        self.assertEqual(done.returncode, 0, (case, port, options, done.stderr))
        self.assertEqual(done.stdout, self.lab.content, (case, port, options))

    def every_passive_way(self, ports=(21, 2121)):
        for case in 3, 4:
            for port in ports:
                for options in (("--disable-epsv", "--no-ftp-skip-pasv-ip", "--trust"), (),
                                ("--disable-epsv", "--no-ftp-skip-pasv-ip", "--trust",
                                 "--tls-max", "1.2")):
                    with self.subTest(case=case, port=port, options=options):
                        self.curl(case, port, *options)

    def test_pasv_and_epsv_in_cases_3_and_4(self):
        self.serve_tls()
        self.every_passive_way()

    def test_with_the_helpers_of_both_routers(self):
        self.lab.home_router(alg=True)
        self.lab.client_router(alg=True)
        self.serve_tls("TLSSessionReuse required")
        self.every_passive_way()

    def test_implicit_in_cases_3_and_4(self):
        self.serve_tls("TLSImplicit on")
        for case in 3, 4:
            self.curl(case, 2121, scheme="ftps")

    def test_active_mode_is_refused_in_words_behind_the_clients_router(self):
        self.serve_tls()
        _, host, node = CASES[4]
        self.lab.client_router(alg=True)
        done = self.lab.run(node, "curl", "-sS", "-v", "-k", "--ssl-reqd", "-P", "-", "--max-time",
                            "45", f"ftp://{host}:21/{natlab.FILE}", check=False, capture_output=True)
        self.assertIn(b"passive mode", done.stderr)
        self.assertEqual(HOME, host)


PYTHON = """
import ftplib, ssl, sys
host, port, file, down, up, name = sys.argv[1:]
ctx = ssl.create_default_context()
ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
ftp = ftplib.FTP_TLS(context=ctx, timeout=15)
ftp.trust_server_pasv_ipv4_address = True
ftp.connect(host, int(port))
ftp.login("anna", "secret")
ftp.prot_p()
with open(down, "wb") as out:
    ftp.retrbinary("RETR " + file, out.write)
with open(up, "rb") as data:
    ftp.storbinary("STOR " + name, data)
assert name in ftp.nlst() and file in dict(ftp.mlsd())
ftp.quit()
"""

PERL = """
use Net::FTP; my ($host, $port, $file, $down, $up, $name) = @ARGV;
my $f = Net::FTP->new($host, Port => $port, SSL_verify_mode => 0, Timeout => 15,
    Passive => 1) or die $@;
$f->starttls or die $f->message; $f->login("anna", "secret") or die $f->message;
$f->prot("P") or die $f->message; $f->binary; $f->get($file, $down) or die $f->message;
$f->put($up, $name) or die $f->message; grep { $_ eq $name } $f->ls or die "ls"; $f->quit;
"""

PHP = """
[, $host, $port, $file, $down, $up, $name] = $argv;
$f = ftp_ssl_connect($host, (int)$port, 15) or exit(1);
ftp_login($f, "anna", "secret") or exit(2); ftp_set_option($f, FTP_USEPASVADDRESS, true);
ftp_pasv($f, true) or exit(3); ftp_get($f, $down, $file, FTP_BINARY) or exit(4);
ftp_put($f, $name, $up, FTP_BINARY) or exit(5);
in_array("./" . $name, ftp_nlist($f, ".")) or exit(6); ftp_close($f);
"""

RUBY = """
host, port, file, down, up, name = ARGV
f = Net::FTP.new(host, port: port.to_i, passive: true, username: "anna", password: "secret",
    open_timeout: 15, read_timeout: 15, ssl: { verify_mode: OpenSSL::SSL::VERIFY_NONE })
f.use_pasv_ip = true if f.respond_to?(:use_pasv_ip=)
f.getbinaryfile(file, down); f.putbinaryfile(up, name); f.nlst.include?(name) or exit 1
f.close
"""


class Clients(TlsLab):
    """Programs as their users set them, in cases 3 and 4, on 21 and 2121: down, up, a listing.

    Both routers' helpers are on, and where a client can be told to believe the address of a 227 it is.
    """

    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.folder.name, "pub")
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.lab.root, self.root)
        os.chmod(self.folder.name, 0o755)
        os.chown(self.root, 65534, 65534)
        self.users = os.path.join(self.folder.name, "passwd")
        subprocess.run([CTL, "passwd", "-f", self.users, "-u", "65534", "-g", "65534", "-d", self.root,
                        "--cost", "1", "--stdin", "anna"], input=b"secret\n", check=True,
                       capture_output=True)
        self.here = os.path.join(self.folder.name, "client")
        shutil.rmtree(self.here, ignore_errors=True)
        os.mkdir(self.here)
        self.down, self.up = (os.path.join(self.here, name) for name in ("down", "up"))
        self.sent = os.urandom(150_001)
        with open(self.up, "wb") as file:
            file.write(self.sent)

    def by(self, program, *commands, uploads=True):
        """commands: functions of host, port and the new file's name; each returns words to run."""
        if shutil.which(program) is None:
            self.skipTest(f"{program} is not installed")
        self.lab.home_router(alg=True)
        self.lab.client_router(alg=True)
        self.serve_tls("AuthUserFile " + self.users)
        for case in 3, 4:
            for port in 21, 2121:
                with self.subTest(case=case, port=port):
                    self.one(case, port, f"new-{case}-{port}", commands, uploads)

    def one(self, case, port, name, commands, uploads):
        _, host, node = CASES[case]
        said = b""
        for command in commands:
            done = self.lab.run(node, "env", "HOME=" + self.here, "LC_ALL=C.UTF-8",
                                *command(host, str(port), name), cwd=self.here, check=False,
                                timeout=60, capture_output=True, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            said += done.stdout
        with open(self.down, "rb") as file:
            self.assertEqual(file.read(), self.lab.content)
        os.unlink(self.down)
        if uploads:
            with open(os.path.join(self.root, name), "rb") as file:
                self.assertEqual(file.read(), self.sent)
        return said

    def script(self, program, option, text, *more):
        self.by(program, lambda host, port, name: (
            program, *more, option, text, host, port, natlab.FILE, self.down, self.up, name))

    def test_curl(self):
        def words(*options):
            return lambda host, port, name: (
                "curl", "-sS", "-k", "-u", "anna:secret", "--ssl-reqd", "--disable-epsv",
                "--no-ftp-skip-pasv-ip", "--max-time", "15", *(word.format(host=host, port=port, name=name) for word in options))
        self.by("curl", words("-o", self.down, "ftp://{host}:{port}/" + natlab.FILE),
                words("-T", self.up, "ftp://{host}:{port}/{name}"),
                words("ftp://{host}:{port}/"), words("-l", "ftp://{host}:{port}/"))

    def test_lftp(self):
        self.by("lftp", lambda host, port, name: (
            "lftp", "-c", "set ssl:verify-certificate no; set ftp:ssl-force yes; "
            "set ftp:ssl-protect-data yes; set ftp:ssl-protect-list yes; "
            "set ftp:fix-pasv-address no; set net:timeout 15; set net:max-retries 1; set "
            f"cmd:fail-exit yes; open -u anna,secret -p {port} {host}; ls; nlist; "
            f"get {natlab.FILE} -o {self.down}; put {self.up} -o {name}"))

    def test_rclone(self):
        secret = "" if not shutil.which("rclone") else subprocess.run(
            ["rclone", "obscure", "secret"], check=True, capture_output=True, text=True).stdout.strip()

        def words(*rest):
            return lambda host, port, name: (
                "env", "RCLONE_INPLACE=true", "rclone", "--config", os.devnull, "--ftp-host", host, "--ftp-port", port,
                "--ftp-user", "anna", "--ftp-pass", secret, "--ftp-explicit-tls", "--ftp-no-check-certificate",
                "--ftp-disable-epsv", "--retries", "1", "--low-level-retries", "1",
                *(word.format(name=name) for word in rest))
        self.by("rclone", words("copyto", ":ftp:" + natlab.FILE, self.down),
                words("copyto", self.up, ":ftp:{name}"), words("lsl", ":ftp:"))

    def test_wget(self):
        self.by("wget", lambda host, port, name: (
            "wget", "-q", "-T", "15", "-t", "1", "--no-check-certificate", "--user", "anna",
            "--password", "secret", "-O", self.down,
            f"ftps://{host}:{port}/{natlab.FILE}"), uploads=False)

    def test_python(self):
        self.script(sys.executable, "-c", PYTHON)

    def test_perl(self):
        if shutil.which("perl") and subprocess.run(
                ["perl", "-MIO::Socket::SSL", "-MNet::FTP", "-e", "1"], capture_output=True,
                check=False).returncode:
            self.skipTest("Perl has no IO::Socket::SSL")
        self.script("perl", "-e", PERL)

    def test_php(self):
        self.script("php", "-r", PHP)

    def test_ruby(self):
        self.script("ruby", "-e", RUBY, "-rnet/ftp")


del LabTest, TlsLab


if __name__ == "__main__":
    unittest.main()
