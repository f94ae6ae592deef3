"""genkanctl passwd: users are added, changed and deleted, and the rest of the file stays."""

import ctypes
import os
import pty
import re
import resource
import select
import shutil
import stat
import subprocess
import tempfile
import termios
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("GENKAN_BUILD") or os.path.join(SOURCE, "build"))
CTL = os.path.join(BUILD, "genkanctl")
IS_ROOT = os.geteuid() == 0
NOBODY = 65534

USAGE, DATAERR, NOINPUT, NOUSER, CANTCREAT, IOERR = 64, 65, 66, 67, 73, 74

_crypt = ctypes.CDLL("libcrypt.so.1").crypt
_crypt.restype = ctypes.c_char_p
_crypt.argtypes = (ctypes.c_char_p, ctypes.c_char_p)


def ctl(*args, stdin="", **options):
    """Runs genkanctl without a controlling terminal."""
    return subprocess.run(
        (CTL,) + args, input=stdin.encode() if isinstance(stdin, str) else stdin,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, start_new_session=True,
        **options)


def entries(path):
    """{name: fields} of the file; a second line of a name does not count, as in the server."""
    found = {}
    with open(path, "rb") as file:
        for line in file.read().decode().splitlines():
            fields = line.split(":")
            if len(fields) == 7 and not line.startswith("#"):
                found.setdefault(fields[0], fields)
    return found


def fits(password, crypted):
    return _crypt(password.encode(), crypted.encode()) == crypted.encode()


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="genkanctl-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.file = os.path.join(self.dir, "passwd")

    def write(self, content, mode=0o600):
        with open(self.file, "wb") as file:
            file.write(content)
        os.chmod(self.file, mode)

    def read(self):
        with open(self.file, "rb") as file:
            return file.read()

    def passwd(self, *args, stdin="secret\n", **options):
        return ctl("passwd", "-f", self.file, "--stdin", "--cost", "1", *args, stdin=stdin,
                   **options)

    def add(self, name, *args, **options):
        done = self.passwd("-u", "1000", "-g", "1000", "-d", self.dir, *args, name, **options)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done

    def refused(self, done, status, words):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(words, done.stderr.decode())
        self.assertEqual(done.stdout, b"")

    def assert_no_leftovers(self):
        self.assertIn(os.listdir(self.dir), ([], ["passwd"]))


class CommandLine(Case):
    def test_without_arguments_it_prints_usage(self):
        done = ctl()
        self.assertEqual((done.returncode, done.stdout), (USAGE, b""))
        self.assertRegex(done.stderr, rb"(?s)^usage: genkanctl .*\bpasswd\b")

    def test_help_and_version(self):
        for word in ("help", "-h", "--help"):
            done = ctl(word)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"usage: genkanctl", done.stdout)
        done = ctl("-V")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, rb"^genkanctl [0-9.]+\n$")
        done = ctl("passwd", "-h")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"usage: genkanctl passwd", done.stdout)

    def test_unknown_command_and_options_are_usage_errors(self):
        self.refused(ctl("frobnicate"), USAGE, 'no command "frobnicate"')
        for args in ((), ("a", "b"), ("-x", "a"), ("-u",), ("--nothing", "a")):
            self.refused(self.passwd(*args), USAGE, "usage: genkanctl passwd")
        self.assert_no_leftovers()

    def test_bad_names_are_refused(self):
        for name in ("", "a:b", "a/b", "#a", "a\nb", "n" * 64):
            self.refused(self.passwd("-u", "1000", "-d", "/srv", name), USAGE, "user's name")
        self.refused(self.passwd("-u", "1000", "-d", "/srv", "--", "-a"), USAGE, "user's name")
        self.assert_no_leftovers()

    def test_bad_values_are_refused(self):
        for args, words in (
                (("-u", "0"), "uid 0 is refused"),
                (("-u", "root"), "uid 0 is refused"),
                (("-u", "-1"), "neither a uid nor a user"),
                (("-u", "4294967296"), "neither a uid nor a user"),
                (("-u", "nobody-of-this-name"), "neither a uid nor a user"),
                (("-u", "1000", "-g", "0"), "gid 0 is refused"),
                (("-u", "1000", "-g", "x"), "not a gid"),
                (("-u", "1000", "-d", "srv"), "must begin with /"),
                (("-u", "1000", "-d", "/a:b"), "no colon"),
                (("-u", "1000", "-c", "a\nb"), "no colon"),
                (("-u", "1000", "-s", "a:b"), "no colon"),
                (("-u", "1000", "--cost", "0"), "from 1 to 11"),
                (("-u", "1000", "--cost", "12"), "from 1 to 11"),
                (("-u", "1000", "-c", "g" * 5000), "longer than")):
            with self.subTest(args):
                self.refused(self.passwd("-g", "1000", "-d", "/srv", *args, "anna"), USAGE, words)
        self.assert_no_leftovers()

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_root_must_say_uid_and_home_of_a_new_user(self):
        self.refused(self.passwd("-d", "/srv", "anna"), USAGE, "-u UID")
        self.refused(self.passwd("-u", "1000", "anna"), USAGE, "-d HOME")
        self.assert_no_leftovers()

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_group_of_the_system_user_is_taken(self):
        done = self.passwd("-u", "nobody", "-d", self.dir, "anna")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(entries(self.file)["anna"][2:4], [str(NOBODY), str(NOBODY)])


class Adding(Case):
    def test_new_user_in_a_new_file(self):
        done = self.add("anna", "-c", "Anna, at home", "-s", "/bin/false")
        self.assertEqual(done.stdout.decode(), "anna: added to %s\n" % self.file)
        name, crypted, *rest = entries(self.file)["anna"]
        self.assertEqual(rest, ["1000", "1000", "Anna, at home", self.dir, "/bin/false"])
        self.assertTrue(crypted.startswith("$y$"), crypted)
        self.assertTrue(fits("secret", crypted))
        self.assertFalse(fits("Secret", crypted))
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(self.read().count(b"\n"), 1)
        self.assert_no_leftovers()

    def test_new_file_is_private_under_any_umask(self):
        self.add("anna", preexec_fn=lambda: os.umask(0))
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)

    def test_cost_is_in_the_hash(self):
        self.add("anna")
        self.add("bert", "--cost", "2")
        one, two = (entries(self.file)[name][1].split("$")[2] for name in ("anna", "bert"))
        self.assertNotEqual(one, two)

    def test_every_hash_has_its_own_salt(self):
        self.add("anna")
        self.add("bert")
        self.assertNotEqual(entries(self.file)["anna"][1], entries(self.file)["bert"][1])

    def test_line_is_added_behind_a_last_line_without_end(self):
        self.write(b"bert:x:1:1::/:")
        self.add("anna")
        self.assertTrue(self.read().startswith(b"bert:x:1:1::/:\nanna:$y$"))

    def test_missing_home_is_told_but_no_error(self):
        done = self.passwd("-u", "1000", "-g", "1000", "-d", self.dir + "/later", "anna")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"no directory", done.stderr)

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_without_root_the_user_is_oneself(self):
        tool = os.path.join(self.dir, "genkanctl")
        shutil.copy(CTL, tool)
        home = os.path.join(self.dir, "home")
        os.mkdir(home)
        for path in (self.dir, home):
            os.chown(path, NOBODY, NOBODY)
        file = os.path.join(home, "passwd")
        done = subprocess.run(
            (tool, "passwd", "-f", file, "--stdin", "-d", home, "anna"), input=b"secret\n",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, user=NOBODY,
            group=NOBODY, extra_groups=())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(entries(file)["anna"][2:4], [str(NOBODY), str(NOBODY)])
        self.assertEqual(os.stat(file).st_uid, NOBODY)


class Changing(Case):
    # A malformed line, a line with NUL, a longer one than any reader takes, bytes that are no
    # text, a comment that looks like the entry: none of it is ours to touch.
    BEFORE = (b"# the house\n\n#anna:x:1:1::/:\nbert:hash:1:1:\xff\xfe:/b:\n"
              b"anna:x:one:1::/:\nan\0na:x:1:1::/:\n" + b"long:" + b"x" * 5000 + b":1:1::/:\n")
    AFTER = b"\nanna2:x:2:2::/:\r\nlast:x:3:3::/:"

    def test_other_lines_stay_byte_for_byte(self):
        self.write(self.BEFORE + b"anna:old:1000:100:G:/home/anna:/bin/sh\n" + self.AFTER)
        done = self.passwd("anna")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout.decode(), "anna: changed in %s\n" % self.file)
        content = self.read()
        self.assertTrue(content.startswith(self.BEFORE + b"anna:$y$"))
        self.assertTrue(content.endswith(b":1000:100:G:/home/anna:/bin/sh\n" + self.AFTER))
        self.assertTrue(fits("secret", entries_of(content, "anna")))
        self.assert_no_leftovers()

    def test_options_change_their_field_alone(self):
        self.write(b"anna:old:1000:100:G:/home/anna:/bin/sh\n")
        for args, want in (
                (("-d", "/srv"), "1000:100:G:/srv:/bin/sh"),
                (("-c", "Anna"), "1000:100:Anna:/srv:/bin/sh"),
                (("-s", ""), "1000:100:Anna:/srv:"),
                (("-g", "7"), "1000:7:Anna:/srv:"),
                (("-u", "1987654321"), "1987654321:1987654321:Anna:/srv:"),
                (("-u", "1987654322", "-g", "8"), "1987654322:8:Anna:/srv:")):
            done = self.passwd(*args, "anna")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(":".join(entries(self.file)["anna"][2:]), want)

    def test_entry_that_would_stay_root_is_refused(self):
        before = b"anna:old:0:0:G:/root:/bin/sh\n"
        self.write(before)
        self.refused(self.passwd("anna"), USAGE, "root's are refused")
        self.assertEqual(self.read(), before)
        done = self.passwd("-u", "1000", "-g", "1000", "-d", self.dir, "anna")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_only_the_entry_that_counts_is_changed(self):
        second = b"anna:second:2:2::/2:\n"
        self.write(b"anna:first:1:1::/1:\n" + second)
        self.assertEqual(self.passwd("anna").returncode, 0)
        self.assertTrue(self.read().startswith(b"anna:$y$"))
        self.assertTrue(self.read().endswith(b"\n" + second))

    def test_mode_and_owner_of_the_file_stay(self):
        self.write(b"bert:x:1:1::/:\n", 0o640)
        if IS_ROOT:
            os.chown(self.file, 0, NOBODY)
        before = os.stat(self.file)
        self.add("anna")
        after = os.stat(self.file)
        self.assertEqual((after.st_mode, after.st_uid, after.st_gid),
                         (before.st_mode, before.st_uid, before.st_gid))
        self.assertNotEqual(after.st_ino, before.st_ino)

    def test_symbolic_link_stays_a_link(self):
        real = os.path.join(self.dir, "real")
        os.mkdir(real)
        os.symlink("real/passwd", self.file)
        self.refused(self.passwd("-u", "1000", "-d", "/srv", "anna"), NOINPUT, "link to nowhere")
        with open(os.path.join(real, "passwd"), "wb") as file:
            file.write(b"bert:x:1:1::/:\n")
        self.add("anna")
        self.assertTrue(os.path.islink(self.file))
        self.assertEqual(sorted(entries(os.path.join(real, "passwd"))), ["anna", "bert"])
        self.assertEqual(os.listdir(real), ["passwd"])

    def test_what_is_no_file_is_refused(self):
        os.mkfifo(self.file)
        self.refused(self.passwd("-u", "1000", "-g", "1000", "-d", "/srv", "anna"), NOINPUT,
                     "is not a file")
        self.assertTrue(stat.S_ISFIFO(os.stat(self.file).st_mode))

    def test_failed_write_leaves_the_old_file(self):
        before = b"bert:x:1:1:" + b"g" * 900 + b":/:\n"
        self.write(before)
        done = self.passwd(
            "-u", "1000", "-g", "1000", "-d", "/srv", "anna",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.read(), before)
        self.assert_no_leftovers()

    def test_missing_directory_is_an_error(self):
        self.file = os.path.join(self.dir, "no", "passwd")
        self.refused(self.passwd("-u", "1000", "-g", "1000", "-d", "/srv", "anna"), CANTCREAT,
                     "No such file or directory")


class Deleting(Case):
    def test_every_entry_of_the_user_goes(self):
        # A second line would come to life when the first one goes.
        self.write(b"# x\nanna:x:1:1::/:\nbert:x:1:1::/:\nanna:y:2:2::/:\n")
        done = ctl("passwd", "-f", self.file, "--delete", "anna")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout.decode(), "anna: deleted from %s\n" % self.file)
        self.assertEqual(self.read(), b"# x\nbert:x:1:1::/:\n")
        self.assert_no_leftovers()

    def test_unknown_user_is_an_error_and_nothing_changes(self):
        self.refused(ctl("passwd", "-f", self.file, "--delete", "anna"), NOUSER, "no user anna")
        self.assertFalse(os.path.exists(self.file))
        self.write(b"anna2:x:1:1::/:\n#anna:x:1:1::/:\n")
        inode = os.stat(self.file).st_ino
        self.refused(ctl("passwd", "-f", self.file, "--delete", "anna"), NOUSER, "no user anna")
        self.assertEqual(os.stat(self.file).st_ino, inode)


class Passwords(Case):
    def test_one_line_of_standard_input_is_the_password(self):
        for given, want in (("a b: #ä\n", "a b: #ä"), ("no end", "no end"), ("dos\r\n", "dos"),
                            ("first\nsecond\n", "first"), (" blank \n", " blank "),
                            ("p" * 511 + "\n", "p" * 511)):
            with self.subTest(given):
                self.add("anna", stdin=given)
                self.assertTrue(fits(want, entries(self.file)["anna"][1]))

    def test_passwords_that_cannot_be_sent_are_refused(self):
        for given in ("", "\n", "\r\n", "a\tb\n", "a\rb\n", b"a\0b\n", "p" * 512 + "\n"):
            with self.subTest(given):
                done = self.passwd("-u", "1000", "-g", "1000", "-d", "/srv", "anna", stdin=given)
                self.refused(done, DATAERR, "password")
        self.assert_no_leftovers()

    def test_without_a_terminal_it_points_to_stdin(self):
        done = ctl("passwd", "-f", self.file, "-u", "1000", "-g", "1000", "-d", "/srv", "anna",
                   stdin="secret\n")
        self.refused(done, NOINPUT, "--stdin")
        self.assert_no_leftovers()

    def on_terminal(self, *answers):
        """Answers the prompts on a terminal; returns (exit status, what the terminal showed)."""
        pid, master = pty.fork()
        if pid == 0:
            os.execv(CTL, (CTL, "passwd", "-f", self.file, "--cost", "1", "-u", "1000", "-g",
                           "1000", "-d", self.dir, "anna"))
        shown, answers, deadline = b"", list(answers), time.monotonic() + 30
        try:
            while time.monotonic() < deadline:
                if not select.select([master], [], [], 1)[0]:
                    continue
                try:
                    piece = os.read(master, 1024)
                except OSError:  # the other side is closed
                    piece = b""
                if not piece:
                    break
                shown += piece
                if answers and shown.endswith((b"New password: ", b"Again: ")):
                    # Echo is off before the prompt appears.
                    self.assertFalse(termios.tcgetattr(master)[3] & termios.ECHO)
                    os.write(master, answers.pop(0).encode() + b"\n")
        finally:
            os.close(master)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()

    def test_terminal_asks_twice_without_echo(self):
        status, shown = self.on_terminal("se cret", "se cret")
        self.assertEqual(status, 0, shown)
        self.assertTrue(fits("se cret", entries(self.file)["anna"][1]))
        self.assertNotIn("cret", shown)
        self.assertEqual(len(re.findall("New password: |Again: ", shown)), 2)

    def test_two_different_answers_change_nothing(self):
        status, shown = self.on_terminal("secret", "secrte")
        self.assertEqual(status, DATAERR, shown)
        self.assertIn("differ", shown)
        self.assert_no_leftovers()


class Writers(Case):
    def test_many_at_once_lose_nothing(self):
        names = ["user%d" % i for i in range(24)]
        running = []
        for name in names:
            child = subprocess.Popen(
                (CTL, "passwd", "-f", self.file, "--stdin", "--cost", "1", "-u", "1000", "-g",
                 "1000", "-d", self.dir, name),
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self.addCleanup(child.wait, 60)
            running.append(child)
        for child in running:
            child.communicate(b"secret\n", timeout=60)
            self.assertEqual(child.returncode, 0)
        self.assertEqual(sorted(entries(self.file)), sorted(names))
        self.assertEqual(len(self.read().splitlines()), len(names))
        self.assert_no_leftovers()


def entries_of(content, name):
    """The hash of name in a file that is not all text."""
    for line in content.split(b"\n"):
        if line.startswith(name.encode() + b":$"):
            return line.split(b":")[1].decode()
    raise AssertionError("no entry of %s" % name)


if __name__ == "__main__":
    unittest.main()
