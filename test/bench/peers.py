"""The servers: which packages they come from, and a configuration that is fair.

Every server is started per connection by the same launcher; none looks up
names of clients, none waits on purpose, each writes to syslog (or, ProFTPD, to
its transfer log) a line per connection, login and transfer. Guests read
everything and store below /up; vuser has a password with a cheap hash. What is
not named stays as the program has it, the server's own protection above all.
"""

import glob
import os
import subprocess
import sys

from world import BESIDE, BUILD, FTP_UID, HASH, HERE, VUSER, VUSER_UID, BIN, Failed

PEERS = os.path.join(BESIDE, "peers")
LIBRARIES = ("libwrap0", "libhiredis0.14", "libmemcached11", "libmemcachedutil2", "libhashkit2",
             "libpcre2-posix3", "libsodium23", "libpam0g", "libcap2", "libcrypt1")


def library_path():
    return sorted(glob.glob(os.path.join(PEERS, "*", "usr/lib/*-linux-gnu*"))
                  + glob.glob(os.path.join(PEERS, "*", "lib/*-linux-gnu*")))


def _is_installed(package):
    status = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package],
                            capture_output=True, text=True).stdout
    return status.startswith("ii")


def _unpack(package):
    """Fetches a package of Debian's and unpacks it; returns where. Nothing is installed."""
    target = os.path.join(PEERS, package)
    if os.path.isdir(target):
        return target
    debs = os.path.join(PEERS, "debs")
    os.makedirs(debs, exist_ok=True)
    have = glob.glob(os.path.join(debs, f"{package}_*.deb"))
    if not have:
        try:
            subprocess.run(["apt-get", "download", package], cwd=debs, timeout=120,
                           stdin=subprocess.DEVNULL, capture_output=True)
        except (OSError, subprocess.TimeoutExpired):
            pass
        have = glob.glob(os.path.join(debs, f"{package}_*.deb"))
    if not have:
        raise Failed(f"Debian's package {package} cannot be fetched here")
    subprocess.run(["dpkg-deb", "-x", have[0], target + ".new"], check=True)
    os.rename(target + ".new", target)
    return target


NO_TLS = dict.fromkeys(("tls-login", "tls-retr", "tls-stor"), "is not configured for TLS here")


class Server:
    """One that can be started: argv[0] is the program, then come argv0 and its arguments."""

    packages = ()
    needs_root = True
    libraries = ()
    lacks = NO_TLS  # rows that it cannot serve, with the reason
    most = 4000  # sessions at a time

    def __init__(self, name):
        self.name = name
        self.version = ""

    def fetch(self):
        for package in self.packages:
            _unpack(package)
        for package in self.libraries:
            if not _is_installed(package):
                _unpack(package)
        for deb in glob.glob(os.path.join(PEERS, "debs", f"{self.packages[0]}_*.deb")):
            self.version = os.path.basename(deb).split("_")[1].replace("%3a", ":")

    def program(self, path):
        return os.path.join(PEERS, self.packages[0], path)

    def prepare(self, world):
        """Writes what the server needs; returns its argv."""
        raise NotImplementedError

    def prepare_tls(self, world):
        """The argv of the same server with TLS, which the other rows do not pay for."""
        raise Failed("is not configured for TLS here")


class Null(Server):
    """The limit of a greeting, and of everything else."""

    needs_root = False

    def fetch(self):
        self.version = "this directory's bench_null and bench_bare"

    def prepare(self, world):
        self.greeter = [os.path.join(BIN, "bench_null"), "null"]
        return [os.path.join(BIN, "bench_bare"), "bare", world.tree]


class Genkan(Server):
    needs_root = False
    lacks = {}

    def fetch(self):
        path = os.path.join(BUILD, "genkan-ftpd")
        if not os.access(path, os.X_OK):
            raise Failed(f"{path} is not there: build it, or set GENKAN_BUILD")
        out = subprocess.run([path, "-V"], capture_output=True, text=True).stdout
        self.version = out.strip().split()[-1] if out.strip() else "?"

    def prepare(self, world):
        os.mkdir(world.file("run"), 0o755)
        passwd = world.user_file("genkan.passwd")
        program = os.path.join(BUILD, "genkan-ftpd")
        for self.most in (2000, 1000):  # the second is the most of early versions
            conf = world.file("genkan.conf", f"""\
Anonymous on
AnonymousRoot {world.tree}
AnonymousUser ftp
AnonymousUpload on
AuthUserFile {passwd}
MaxClients {self.most}
RunDirectory {world.file("run")}
""")
            checked = subprocess.run([program, "-t", "-f", conf], stderr=subprocess.DEVNULL)
            if checked.returncode == 0:
                break
        return [program, "genkan-ftpd", "-f", conf]

    def prepare_tls(self, world):
        if not os.access(os.path.join(BUILD, "genkan-ftpd-tls"), os.X_OK):
            raise Failed("genkan-ftpd-tls was not built")
        cert, key, _ = world.make_certificate()
        with open(world.file("genkan.conf"), encoding="ascii") as file:
            text = file.read()
        conf = world.file("genkan-tls.conf", text + f"""\
TLS on
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
""")
        return [os.path.join(BUILD, "genkan-ftpd"), "genkan-ftpd", "-f", conf]


class Vsftpd(Server):
    packages = ("vsftpd",)
    libraries = LIBRARIES
    lacks = {"mlsd": "has no MLSD"}

    def prepare(self, world):
        os.mkdir(world.file("vsftpd-empty"), 0o755)
        conf = world.file("vsftpd.conf", f"""\
listen=NO
anonymous_enable=YES
no_anon_password=NO
anon_root={world.tree}
anon_upload_enable=YES
anon_umask=022
anon_world_readable_only=NO
write_enable=YES
ftp_username=ftp
local_enable=YES
guest_enable=YES
guest_username=ftp
pam_service_name=vsftpd
ascii_download_enable=YES
ascii_upload_enable=YES
syslog_enable=YES
xferlog_enable=YES
secure_chroot_dir={world.file("vsftpd-empty")}
""")
        return [self.program("usr/sbin/vsftpd"), "vsftpd", conf]

    def prepare_tls(self, world):
        cert, key, _ = world.make_certificate()
        with open(world.file("vsftpd.conf"), encoding="ascii") as file:
            text = file.read()
        conf = world.file("vsftpd-tls.conf", text + f"""\
ssl_enable=YES
allow_anon_ssl=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
rsa_cert_file={cert}
rsa_private_key_file={key}
""")
        return [self.program("usr/sbin/vsftpd"), "vsftpd", conf]


class Proftpd(Server):
    packages = ("proftpd-core", "proftpd-mod-crypto")
    libraries = LIBRARIES
    lacks = {}

    def prepare(self, world):
        passwd = world.user_file("proftpd.passwd")
        conf = world.file("proftpd.conf", f"""\
ServerType inetd
ServerName bench
DefaultServer on
UseReverseDNS off
UseIPv6 off
WtmpLog off
ScoreboardFile {world.file("proftpd.scoreboard")}
PidFile {world.file("proftpd.pid")}
TransferLog {world.file("proftpd.xferlog")}
AuthPAM off
AuthOrder mod_auth_file.c mod_auth_unix.c
AuthUserFile {passwd}
RequireValidShell off
DefaultRoot ~
User nobody
Group nogroup
Umask 022
AllowOverwrite on
<IfModule mod_delay.c>
DelayEngine off
</IfModule>
<Anonymous {world.tree}>
  User ftp
  Group ftp
  UserAlias anonymous ftp
  RequireValidShell off
  <Limit WRITE>
    AllowAll
  </Limit>
</Anonymous>
""")
        return [self.program("usr/sbin/proftpd"), "proftpd", "-c", conf]

    def prepare_tls(self, world):
        cert, key, _ = world.make_certificate()
        with open(world.file("proftpd.conf"), encoding="ascii") as file:
            text = file.read()
        modules = os.path.join(PEERS, "proftpd-mod-crypto", "usr/lib/proftpd")
        conf = world.file("proftpd-tls.conf", f"""\
ModulePath {modules}
LoadModule mod_tls.c
TLSEngine on
TLSRSACertificateFile {cert}
TLSRSACertificateKeyFile {key}
""" + text)
        return [self.program("usr/sbin/proftpd"), "proftpd", "-c", conf]


class PureFtpd(Server):
    packages = ("pure-ftpd", "pure-ftpd-common")
    libraries = LIBRARIES
    lacks = {}

    def prepare(self, world):
        text = world.file("pure.passwd", f"{VUSER}:{HASH}:{VUSER_UID}:{VUSER_UID}::{world.tree}/./"
                          "::::::::::::\n")
        pdb = world.file("pure.pdb")
        subprocess.run([os.path.join(PEERS, "pure-ftpd", "usr/bin/pure-pw"), "mkdb", pdb,
                        "-f", text], check=True)
        # -H no names of clients, -c and -L no limits that the rows meet
        return [self.program("usr/sbin/pure-ftpd"), "pure-ftpd", "-H", "-c", "5000",
                "-L", "1000000:5", "-l", f"puredb:{pdb}"]

    def prepare_tls(self, world):
        _, _, both = world.make_certificate()
        return [self.program("usr/sbin/pure-ftpd"), "pure-ftpd", "-H", "-c", "5000",
                "-L", "1000000:5", "-l", f"puredb:{world.file('pure.pdb')}", "-Y", "1", "-2", both]


class Inetutils(Server):
    packages = ("inetutils-ftpd",)
    libraries = LIBRARIES
    lacks = {**NO_TLS, "mlsd": "has no MLSD"}

    def prepare(self, world):
        return [self.program("usr/sbin/ftpd"), "ftpd", "-l", "-l"]


class LinuxFtpdSsl(Server):
    packages = ("ftpd-ssl",)
    libraries = LIBRARIES
    lacks = {**NO_TLS, "mlsd": "has no MLSD", "list": "needs an ls inside the root of guests"}

    def prepare(self, world):
        return [self.program("usr/sbin/in.ftpd"), "in.ftpd", "-l", "-l"]


class Uftpd(Server):
    """Debian 12 does not have it: a program built from its sources is taken instead."""

    packages = ("uftpd",)
    libraries = ("libuev3", "libite5")
    lacks = {**NO_TLS, "login": "asks nobody for a password", "ascii": "sends text as it is"}

    def fetch(self):
        try:
            super().fetch()
        except Failed as error:
            raise Failed(f"{error}; one built from its sources is taken from "
                         + self.program("usr/sbin/uftpd")) from None

    def prepare(self, world):
        # by its name it knows that it is not to be a daemon, also where strace gives it its path as name
        inetd_name = world.file("in.ftpd")
        os.symlink(self.program("usr/sbin/uftpd"), inetd_name)
        # -l info: lines for connections, logins and downloads, as the others write them
        return [inetd_name, "in.ftpd", "-l", "info", "-o", "writable"]


class Pyftpdlib(Server):
    packages = ("python3-pyftpdlib",)
    libraries = ("python3-sendfile",)
    lacks = dict.fromkeys(("greet", "session", "rate", "idle"), "is made to be one process for all")
    lacks.update(NO_TLS)
    lacks["login"] = "has no hashed passwords of its own"

    def fetch(self):
        super().fetch()
        if sys.version_info >= (3, 12):
            raise Failed("pyftpdlib 1 needs a Python before 3.12")

    def prepare(self, world):
        paths = sorted(glob.glob(os.path.join(PEERS, "python3-*", "usr/lib/python3/dist-packages")))
        return [sys.executable, sys.executable, os.path.join(HERE, "bench_pyftpdlib.py"),
                world.tree, ":".join(paths), str(FTP_UID)]


SERVERS = {
    "genkan": Genkan,
    "vsftpd": Vsftpd,
    "pure-ftpd": PureFtpd,
    "proftpd": Proftpd,
    "uftpd": Uftpd,
    "inetutils": Inetutils,
    "linux-ftpd-ssl": LinuxFtpdSsl,
    "pyftpdlib": Pyftpdlib,
    "limit": Null,
}
