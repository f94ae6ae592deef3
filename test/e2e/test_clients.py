"""Real client programs: each does with the server what its user would do.

Every client is a class, every behaviour a test: list, get, put, append, resume
down and up, rename, delete, an empty file, names that are hard, a file beyond
4 GiB, and every way of opening the data connection that the client knows. What
arrives is compared by SHA-256; that a client really took the way that the test
names is read from the server's own trace.
"""

import ftplib
import os
import re
import subprocess
import unittest
import urllib.parse

from genkan import (HARD_NAMES, PASSWORD, USER, ServerTest, empty,
                    need_program, pattern_bytes, sha256, write_file)

BEYOND_4_GIB = (4 << 30) + 12345

# A way to open data connections: the control connection's family and the command.
WAYS = {"ipv4_pasv": (4, "PASV"), "ipv4_epsv": (4, "EPSV"), "ipv4_port": (4, "PORT"),
        "ipv4_eprt": (4, "EPRT"), "ipv6_epsv": (6, "EPSV"), "ipv6_eprt": (6, "EPRT")}


class ClientTest(ServerTest):
    """A folder for the client, and the ways in which it opens data connections."""

    ways = ()         # of WAYS, the first is the one of all other tests
    time_limit = 500  # a file beyond 4 GiB on a busy machine
    flags = ("-d",)

    @classmethod
    def prepare(cls):
        cls.here = cls.world.path_of("client")
        os.mkdir(cls.here)
        cls.client_home = cls.world.path_of("client-home")  # their caches and histories
        os.mkdir(cls.client_home)

    def __init_subclass__(cls):
        for way in cls.ways:
            def test(self, way=way):
                self.goes_by(way)
            setattr(cls, f"test_data_by_{way}", test)

    def setUp(self):
        super().setUp()
        self.way = WAYS[self.ways[0]]
        empty(self.here)

    # What the client's programs are told

    @property
    def host(self):
        return "127.0.0.1" if self.way[0] == 4 else "::1"

    @property
    def port(self):
        return self.server.addresses[0 if self.way[0] == 4 else 1][1]

    def url(self, name=""):
        host = "127.0.0.1" if self.way[0] == 4 else "[::1]"
        return f"ftp://{host}:{self.port}/{urllib.parse.quote(name)}"

    def run_program(self, argv, script=None, codes=(0,)):
        """Runs a client; returns what it printed."""
        environment = {"PATH": os.environ["PATH"], "HOME": self.client_home, "LC_ALL": "C.UTF-8",
                       "TERM": "dumb"}
        done = subprocess.run(argv, input=script.encode() if script else None, cwd=self.here,
                              env=environment, timeout=400, check=False,
                              stdin=subprocess.DEVNULL if script is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode("utf-8", "replace")
        self.said = f"$ {' '.join(argv)}\n{script or ''}\n{text}"
        if done.returncode not in codes:
            self.fail(f"status {done.returncode}:\n{self.said}")
        return text

    # Files

    def local(self, name, content=None):
        path = os.path.join(self.here, name)
        return path if content is None else write_file(path, content)

    def assert_same(self, path, content):
        self.assertTrue(os.path.exists(path), f"{path} is not there\n{getattr(self, 'said', '')}")
        expected = write_file(self.world.path_of("expected"), content)
        self.assertEqual(sha256(path), sha256(expected),
                         f"{path}: {os.path.getsize(path)} bytes, expected {len(content)}\n"
                         f"{getattr(self, 'said', '')}")

    def assert_traced(self, pattern):
        self.assertRegex(self.log(), pattern)

    def goes_by(self, way):
        self.way = WAYS[way]
        content = pattern_bytes(100_000)
        self.remote("data", content)
        self.assertIn("data", self.listing())
        self.get("data", self.local("data"))
        self.assert_same(self.local("data"), content)
        if isinstance(self, Puts):
            self.put(self.local("data"), "back")
            self.assert_same(self.remote("back"), content)
        for verb in ("PASV", "EPSV", "PORT", "EPRT"):
            used = re.search(rf"\b{verb}\b", self.log()) is not None
            if verb == self.way[1]:
                self.assertTrue(used, f"{verb} was not used:\n{self.log()}")


class Gets:
    """What every client can do."""

    def test_list(self):
        names = ["one", "two", "three.tar.gz"]
        for name in names:
            self.remote(name, b"x" * 10)
        text = self.listing()
        for name in names:
            self.assertIn(name, text)

    def test_get(self):
        content = pattern_bytes(3_000_001)
        self.remote("file", content)
        self.get("file", self.local("file"))
        self.assert_same(self.local("file"), content)

    def test_get_empty_file(self):
        self.remote("empty", b"")
        self.get("empty", self.local("empty"))
        self.assert_same(self.local("empty"), b"")

    def test_get_missing_file_fails(self):
        self.get("missing", self.local("missing"), fails=True)
        self.assertFalse(os.path.exists(self.local("missing"))
                         and os.path.getsize(self.local("missing")))
        self.assert_traced(r"\b550\b")

    def test_resume_down(self):
        content = pattern_bytes(500_000)
        self.remote("file", content)
        self.local("file", content[:200_003])
        self.resume_get("file", self.local("file"))
        self.assert_same(self.local("file"), content)
        self.assert_traced(r"\bREST 200003\b")

    def test_resume_down_beyond_4_gib(self):
        tail = pattern_bytes(70_000, seed=9)
        with open(self.sparse("big", BEYOND_4_GIB), "ab") as file:
            file.write(tail)
        with open(self.local("big"), "wb") as file:
            file.truncate(BEYOND_4_GIB)
        self.resume_get("big", self.local("big"))
        self.assertEqual(os.path.getsize(self.local("big")), BEYOND_4_GIB + len(tail), self.said)
        with open(self.local("big"), "rb") as file:
            file.seek(BEYOND_4_GIB)
            self.assertEqual(file.read(), tail)
        self.assert_traced(rf"\bREST {BEYOND_4_GIB}\b")

    def test_get_hard_names(self):
        for name in HARD_NAMES:
            with self.subTest(name=name):
                content = pattern_bytes(5000, seed=len(name))
                self.remote(name, content)
                self.get(name, self.local("got"))
                self.assert_same(self.local("got"), content)
                os.unlink(self.local("got"))


class Puts:
    """What all clients but wget can do."""

    def test_put(self):
        content = pattern_bytes(3_000_001)
        self.put(self.local("file", content), "file")
        self.assert_same(self.remote("file"), content)

    def test_put_over_a_longer_file(self):
        self.remote("file", pattern_bytes(50_000))
        self.put(self.local("file", b"short"), "file")
        self.assert_same(self.remote("file"), b"short")

    def test_put_empty_file(self):
        self.put(self.local("empty", b""), "empty")
        self.assert_same(self.remote("empty"), b"")

    def test_put_hard_names(self):
        for name in HARD_NAMES:
            with self.subTest(name=name):
                content = pattern_bytes(5000, seed=len(name))
                self.put(self.local("sent", content), name)
                self.assert_same(self.remote(name), content)

    resumed_size = 500_000

    def test_resume_up(self):
        content = pattern_bytes(self.resumed_size)
        offset = self.resumed_size // 2 + 3
        self.local("file", content)
        self.remote("file", content[:offset])
        self.resume_put(self.local("file"), "file", offset)
        self.assert_same(self.remote("file"), content)
        self.assert_traced(rf"\bREST {offset}\b|\bAPPE\b")


class Appends:
    def test_append(self):
        self.remote("log", b"first\n")
        self.append(self.local("more", b"second\n"), "log")
        self.assert_same(self.remote("log"), b"first\nsecond\n")
        self.assert_traced(r"\bAPPE\b")

    def test_append_creates(self):
        self.append(self.local("more", b"second\n"), "log")
        self.assert_same(self.remote("log"), b"second\n")


class Changes:
    def test_rename(self):
        self.remote("old", b"content")
        self.rename("old", "new")
        self.assertFalse(os.path.exists(self.remote("old")), self.said)
        self.assert_same(self.remote("new"), b"content")

    def test_delete(self):
        self.remote("file", b"content")
        self.remote("other", b"content")
        self.delete("file")
        self.assertEqual(os.listdir(self.home), ["other"], self.said)

    def test_rename_and_delete_hard_names(self):
        for name in HARD_NAMES:
            with self.subTest(name=name):
                self.remote("plain", name.encode())
                self.rename("plain", name)
                self.assert_same(self.remote(name), name.encode())
                self.delete(name)
                self.assertEqual(os.listdir(self.home), [], self.said)


@need_program("curl")
class Curl(Gets, Puts, Appends, Changes, ClientTest):
    ways = ("ipv4_epsv", "ipv4_pasv", "ipv4_port", "ipv4_eprt", "ipv6_epsv", "ipv6_eprt")

    def curl(self, *arguments, fails=False, seconds=50):
        options = {"PASV": ["--disable-epsv"], "EPSV": [],
                   "PORT": ["-P", "-", "--disable-eprt"], "EPRT": ["-P", "-"]}[self.way[1]]
        argv = ["curl", "-sS", "--max-time", str(seconds), "-u", f"{USER}:{PASSWORD}", *options]
        return self.run_program(argv + list(arguments), codes=range(1, 100) if fails else (0,))

    def listing(self):
        return self.curl(self.url())

    def get(self, name, path, fails=False):
        self.curl("-o", path, self.url(name), fails=fails)

    def put(self, path, name):
        self.curl("-T", path, self.url(name))

    def append(self, path, name):
        self.curl("-a", "-T", path, self.url(name))

    def resume_get(self, name, path):
        self.curl("-C", "-", "-o", path, self.url(name))

    def resume_put(self, path, name, offset):
        self.curl("-C", str(offset), "-T", path, self.url(name))

    def rename(self, old, new):
        self.curl("-l", "-Q", f"RNFR {old}", "-Q", f"RNTO {new}", self.url())

    def delete(self, name):
        self.curl("-l", "-Q", f"DELE {name}", self.url())

    def test_whole_file_beyond_4_gib(self):
        self.sparse("big", BEYOND_4_GIB)
        text = self.curl("-o", os.devnull, "-w", "%{size_download} bytes", self.url("big"),
                         seconds=200)
        self.assertEqual(text, f"{BEYOND_4_GIB} bytes")

    def test_resume_up_beyond_4_gib(self):
        self.sparse("big", BEYOND_4_GIB)
        with open(self.local("big"), "wb") as file:
            file.seek(BEYOND_4_GIB)
            file.write(b"the tail")
        self.resume_put(self.local("big"), "big", BEYOND_4_GIB)
        self.assertEqual(os.path.getsize(self.remote("big")), BEYOND_4_GIB + 8)
        with open(self.remote("big"), "rb") as file:
            file.seek(BEYOND_4_GIB)
            self.assertEqual(file.read(), b"the tail")

    def test_list_names_only(self):
        self.remote("one", b"")
        self.remote("two", b"")
        self.assertEqual(sorted(self.curl("-l", self.url()).split()), ["one", "two"])

    def test_head_shows_size_and_time(self):
        self.remote("file", b"12345")
        os.utime(self.remote("file"), (1_000_000_000, 1_000_000_000))
        text = self.curl("-I", self.url("file"))
        self.assertIn("Content-Length: 5", text)
        self.assertIn("Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT", text)

    def test_put_into_a_new_directory(self):
        self.curl("--ftp-create-dirs", "-T", self.local("file", b"content"), self.url("a/b/file"))
        self.assert_same(self.remote("a/b/file"), b"content")


@need_program("wget")
class Wget(Gets, ClientTest):
    ways = ("ipv4_pasv", "ipv4_port", "ipv6_epsv", "ipv6_eprt")

    def wget(self, *arguments, fails=False):
        options = ["--no-passive-ftp"] if self.way[1] in ("PORT", "EPRT") else []
        argv = ["wget", "-nv", "--tries=1", "--timeout=60", "--no-glob", "--no-proxy",
                f"--ftp-user={USER}", f"--ftp-password={PASSWORD}", *options]
        return self.run_program(argv + list(arguments), codes=range(1, 9) if fails else (0,))

    def listing(self):
        self.wget("-O", self.local("index"), self.url())
        with open(self.local("index"), encoding="utf-8") as file:
            text = file.read()
        os.unlink(self.local("index"))
        return text

    def get(self, name, path, fails=False):
        self.wget("-O", path, self.url(name), fails=fails)

    def resume_get(self, name, path):
        self.wget("-c", self.url(name))

    def test_recursive(self):
        os.mkdir(self.remote("folder"))
        for name in ("folder/one", "folder/two words"):
            self.remote(name, name.encode())
        self.wget("-r", "-nH", "-P", self.local("copy"), self.url("folder/"))
        for name in ("folder/one", "folder/two words"):
            self.assert_same(os.path.join(self.local("copy"), name), name.encode())


@need_program("lftp")
class Lftp(Gets, Puts, Changes, ClientTest):
    # With IPv6, lftp announces "::" when it wants an active connection from loopback.
    ways = ("ipv4_pasv", "ipv4_epsv", "ipv4_port", "ipv6_epsv")

    @staticmethod
    def quote(name):
        return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'

    def lftp(self, *commands, fails=False):
        passive = self.way[1] in ("PASV", "EPSV")
        settings = ["set net:max-retries 1", "set net:timeout 60", "set cmd:fail-exit yes",
                    "set xfer:clobber yes", "set bmk:save-passwords no",
                    f"set ftp:passive-mode {'on' if passive else 'off'}",
                    f"set ftp:prefer-epsv {'yes' if self.way[1] == 'EPSV' else 'no'}",
                    f"open -p {self.port} -u {USER},{self.quote(PASSWORD)} {self.host}"]
        script = "\n".join(settings + list(commands)) + "\n"
        path = write_file(self.world.path_of("lftp-script"), script.encode())
        self.run_program(["lftp", "--norc", "-f", path], codes=(1,) if fails else (0,))
        self.said = script + self.said
        return self.said

    def listing(self):
        return self.lftp("cls -1")

    def get(self, name, path, fails=False):
        self.lftp(f"get {self.quote('./' + name)} -o {self.quote(path)}", fails=fails)

    def put(self, path, name):
        self.lftp(f"put {self.quote(path)} -o {self.quote('./' + name)}")

    def resume_get(self, name, path):
        self.lftp(f"get -c {self.quote(name)} -o {self.quote(path)}")

    def resume_put(self, path, name, offset):
        self.lftp(f"put -c {self.quote(path)} -o {self.quote(name)}")

    def rename(self, old, new):
        self.lftp(f"mv {self.quote('./' + old)} {self.quote('./' + new)}")

    def delete(self, name):
        self.lftp(f"rm {self.quote('./' + name)}")

    def test_segmented_get(self):
        """pget opens several connections that start at different offsets."""
        content = pattern_bytes(2_000_000)
        self.remote("file", content)
        self.lftp(f"pget -n 3 file -o {self.local('file')}")
        self.assert_same(self.local("file"), content)

    def test_mirror_both_ways(self):
        """Directories, time stamps and modes travel by MLSD, MFMT and SITE CHMOD."""
        os.makedirs(self.local("tree/sub"))
        write_file(self.local("tree/a"), b"a")
        write_file(self.local("tree/sub/two words"), b"b")
        os.utime(self.local("tree/a"), (1_000_000_000, 1_000_000_000))
        self.lftp(f"mirror -R {self.quote(self.local('tree'))} copy",
                  f"mirror copy {self.quote(self.local('back'))}")
        self.assert_same(self.remote("copy/sub/two words"), b"b")
        self.assert_same(self.local("back/sub/two words"), b"b")
        self.assertEqual(int(os.stat(self.remote("copy/a")).st_mtime), 1_000_000_000)


class Scripted:
    """Clients of the BSD family: commands on standard input."""

    program = None

    @staticmethod
    def quote(name):
        return f'"{name}"'

    def dialogue(self, *commands):
        lines = [f'user {USER} "{PASSWORD}"', *self.settings(), *commands, "quit"]
        return self.run_program([self.program, "-n", "-g", "-i", "-v", *self.switches(),
                                 self.host, str(self.port)], script="\n".join(lines) + "\n",
                                codes=range(256))

    def listing(self):
        return self.dialogue("ls")

    def get(self, name, path, fails=False):
        self.dialogue("binary", f"get {self.quote(name)} {path}")

    def put(self, path, name):
        self.dialogue("binary", f"put {path} {self.quote(name)}")

    def append(self, path, name):
        self.dialogue("binary", f"append {path} {self.quote(name)}")

    def resume_get(self, name, path):
        self.dialogue("binary", f"reget {self.quote(name)} {path}")

    def resume_put(self, path, name, offset):
        self.dialogue("binary", f"restart {offset}", f"put {path} {self.quote(name)}")

    def rename(self, old, new):
        self.dialogue(f"rename {self.quote(old)} {self.quote(new)}")

    def delete(self, name):
        self.dialogue(f"delete {self.quote(name)}")


@need_program("tnftp")
class Tnftp(Gets, Puts, Appends, Changes, Scripted, ClientTest):
    program = "tnftp"
    ways = ("ipv4_epsv", "ipv4_pasv", "ipv4_port", "ipv4_eprt", "ipv6_epsv", "ipv6_eprt")

    def switches(self):
        return ["-p" if self.way[1] in ("PASV", "EPSV") else "-A"]

    def settings(self):
        return ["epsv4"] if self.way[1] in ("PASV", "PORT") else []

    def test_machine_listing(self):
        self.remote("two words", b"12345")
        self.assertRegex(self.dialogue("mlsd"), r"(?i)size=5;[^ ]* two words")


@need_program("inetutils-ftp")
class InetutilsFtp(Gets, Puts, Appends, Changes, Scripted, ClientTest):
    program = "inetutils-ftp"
    ways = ("ipv4_port", "ipv4_pasv", "ipv4_epsv", "ipv6_epsv", "ipv6_eprt")

    def switches(self):
        return ["-p" if self.way[1] in ("PASV", "EPSV") else "-A"]

    def settings(self):
        return ["epsv4"] if self.way == (4, "EPSV") else []


@need_program("ncftpget")
class Ncftp(Gets, Puts, Appends, Changes, ClientTest):
    ways = ("ipv4_pasv", "ipv4_port")
    resumed_size = 5_000  # a larger file it sends by sendfile, from the beginning again

    def ncftp(self, program, *arguments, fails=False):
        mode = "-F" if self.way[1] == "PASV" else "-E"
        argv = [program, mode, "-t", "20", "-r", "1", "-u", USER, "-p", PASSWORD,
                "-P", str(self.port)]
        if program != "ncftpls":
            argv.append("-V")
        return self.run_program(argv + list(arguments), codes=range(1, 32) if fails else (0,))

    def shell(self, *commands):
        lines = ["set confirm-close no",
                 f'open -u {USER} -p "{PASSWORD}" -P {self.port} {self.host}', *commands, "quit"]
        return self.run_program(["ncftp"], script="\n".join(lines) + "\n")

    def listing(self):
        return self.ncftp("ncftpls", "-l", self.url())

    def get(self, name, path, fails=False):
        self.ncftp("ncftpget", "-Z", "-C", self.host, name, path, fails=fails)

    def put(self, path, name):
        self.ncftp("ncftpput", "-Z", "-C", self.host, path, name)

    def append(self, path, name):
        self.ncftp("ncftpput", "-A", "-C", self.host, path, name)

    def resume_get(self, name, path):
        self.ncftp("ncftpget", "-z", "-C", self.host, name, path)

    def resume_put(self, path, name, offset):
        self.ncftp("ncftpput", "-z", "-C", self.host, path, name)

    def rename(self, old, new):
        self.shell(f'rename "{old}" "{new}"')

    def delete(self, name):
        # Its rm matches patterns; a bracket stands for itself behind a backslash.
        self.shell(f'quote DELE "{name}"' if name.startswith(("-", "[")) else f'rm "{name}"')


class PythonFtplib(Gets, Puts, Appends, Changes, ClientTest):
    ways = ("ipv4_pasv", "ipv4_port", "ipv6_epsv", "ipv6_eprt")

    def ftp(self):
        client = ftplib.FTP(timeout=60)
        client.connect(self.host, self.port)
        client.login(USER, PASSWORD)
        client.set_pasv(self.way[1] in ("PASV", "EPSV"))
        return client

    def listing(self):
        lines = []
        with self.ftp() as client:
            client.retrlines("LIST", lines.append)
        return "\n".join(lines)

    def get(self, name, path, fails=False):
        with self.ftp() as client:
            if fails:
                self.assertRaises(ftplib.error_perm, client.retrbinary, f"RETR {name}", print)
                return
            with open(path, "wb") as file:
                client.retrbinary(f"RETR {name}", file.write)

    def put(self, path, name):
        with self.ftp() as client, open(path, "rb") as file:
            client.storbinary(f"STOR {name}", file)

    def append(self, path, name):
        with self.ftp() as client, open(path, "rb") as file:
            client.storbinary(f"APPE {name}", file)

    said = ""

    def resume_get(self, name, path):
        with self.ftp() as client, open(path, "ab") as file:
            client.retrbinary(f"RETR {name}", file.write, rest=os.path.getsize(path))

    def resume_put(self, path, name, offset):
        with self.ftp() as client, open(path, "rb") as file:
            file.seek(offset)
            client.storbinary(f"STOR {name}", file, rest=offset)

    def rename(self, old, new):
        with self.ftp() as client:
            client.rename(old, new)

    def delete(self, name):
        with self.ftp() as client:
            client.delete(name)

    def test_text_lines(self):
        self.remote("text", b"one\ntwo\n")
        lines = []
        with self.ftp() as client:
            client.retrlines("RETR text", lines.append)
        self.assertEqual(lines, ["one", "two"])

    def test_machine_listing(self):
        self.remote("file", b"12345")
        with self.ftp() as client:
            facts = dict(client.mlsd(facts=["type", "size"]))
        self.assertEqual(facts["file"], {"type": "file", "size": "5"})

    def test_directories(self):
        with self.ftp() as client:
            self.assertEqual(client.mkd('new "dir"'), '/new "dir"')
            client.cwd('new "dir"')
            self.assertEqual(client.pwd(), '/new "dir"')
            client.cwd("..")
            client.rmd('new "dir"')
            self.assertEqual(client.nlst(), [])

    def test_size(self):
        self.remote("file", b"12345")
        with self.ftp() as client:
            client.voidcmd("TYPE I")
            self.assertEqual(client.size("file"), 5)

    def test_abort(self):
        self.sparse("big", 1 << 30)
        with self.ftp() as client:
            client.voidcmd("TYPE I")
            with client.transfercmd("RETR big") as data:
                data.recv(1000)
                self.assertRegex(client.abort(), "^(426|225|226)")
            # The second reply of the two.
            self.assertRegex(client.getmultiline(), "^226")
            self.assertEqual(client.pwd(), "/")


@need_program("perl")
class PerlNetFtp(Gets, Puts, Appends, Changes, ClientTest):
    ways = ("ipv4_pasv", "ipv4_port", "ipv6_epsv", "ipv6_eprt")

    PROGRAM = r"""
        use strict; use Net::FTP;
        my ($host, $port, $passive, $user, $password, $verb, @arguments) = @ARGV;
        my $ftp = Net::FTP->new($host, Port => $port, Passive => $passive, Timeout => 60)
            or die "connect: $@";
        sub check { $_[0] or die "$verb: " . $ftp->message }
        check($ftp->login($user, $password));
        check($ftp->binary);
        if ($verb eq "ls") { print "$_\n" for $ftp->dir; }
        elsif ($verb eq "get") { check($ftp->get(@arguments)) }
        elsif ($verb eq "put") { check($ftp->put(@arguments)) }
        elsif ($verb eq "append") { check($ftp->append(@arguments)) }
        elsif ($verb eq "rename") { check($ftp->rename(@arguments)) }
        elsif ($verb eq "delete") { check($ftp->delete(@arguments)) }
        elsif ($verb eq "resume") {
            my ($path, $name, $offset) = @arguments;
            open(my $file, "<", $path) or die $!;
            seek($file, $offset, 0);
            $ftp->restart($offset);
            check($ftp->put($file, $name));
        }
        check($ftp->quit);
    """

    def perl(self, *arguments, fails=False):
        passive = "1" if self.way[1] in ("PASV", "EPSV") else "0"
        argv = ["perl", "-e", self.PROGRAM, self.host, str(self.port), passive, USER, PASSWORD]
        return self.run_program(argv + [str(word) for word in arguments],
                                codes=range(1, 256) if fails else (0,))

    def listing(self):
        return self.perl("ls")

    def get(self, name, path, fails=False):
        self.perl("get", name, path, fails=fails)

    def put(self, path, name):
        self.perl("put", path, name)

    def append(self, path, name):
        self.perl("append", path, name)

    def resume_get(self, name, path):
        self.perl("get", name, path, os.path.getsize(path))

    def resume_put(self, path, name, offset):
        self.perl("resume", path, name, offset)

    def rename(self, old, new):
        self.perl("rename", old, new)

    def delete(self, name):
        self.perl("delete", name)


del ClientTest, ServerTest  # they are not tests themselves

if __name__ == "__main__":
    unittest.main()
