"""Users of the system: genkan-ftpd-auth with real PAM modules and a real shadow file.

Each test has a mount namespace in which /etc/passwd, shadow, group, shells and
pam.d are its own.
"""

import os
import re
import signal
import struct
import subprocess
import time
import unittest

from genkan import (AUTH, CTL, GenkanTest, descendants, descriptors, in_namespace, proc_status,
                    process_table, read_file, root_only, socket_inode, wait_until, write_file)
from test_tls import TLS, Pki, TlsControl

UID, GID, GROUP = 21001, 21002, 21003
NAME, SECRET = "sysanna", "open sesame"
DAY = 86400

COMMON = """auth required pam_unix.so nodelay
account required pam_unix.so
session required pam_unix.so
"""


def today():
    return int(time.time()) // DAY


def has_pam():
    done = subprocess.run([AUTH, "-c", "genkan-none", "-u", "nobody"], input=b"x\n",
                          capture_output=True, check=False, timeout=60)
    return b"no-pam" not in done.stdout


@root_only("users of the system")
class SystemUsers(GenkanTest):
    def etc(self, name, text, mode=0o644):
        """A file of the namespace's /etc."""
        path = write_file(self.world.path_of("etc-" + name.replace("/", "-")), text.encode())
        os.chmod(path, mode)
        subprocess.run(["mount", "--bind", path, os.path.realpath("/etc/" + name)], check=True)

    def hash_of(self, password):
        done = subprocess.run([CTL, "passwd", "-f", self.world.path_of("hashes"), "-u", "1", "-g",
                               "1", "-d", "/x", "--cost", "1", "--stdin", "x"],
                              input=password.encode() + b"\n", capture_output=True, check=False,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return read_file(self.world.path_of("hashes")).decode().split(":")[1]

    def settle(self, pam=COMMON, days=None, shell="/bin/sh", uid=UID):
        """A system with one user; days: the last fields of the shadow file."""
        self.home = self.world.make_directory("sys-home", mode=0o700, owner=(uid, GID))
        self.etc("passwd", read_file("/etc/passwd").decode() +
                 f"{NAME}:x:{uid}:{GID}::{self.home}:{shell}\n"
                 f"second:x:{uid + 5}:{GID}::{self.home}:{shell}\n")
        self.etc("group", read_file("/etc/group").decode() +
                 f"sysgroup:x:{GID}:\nkids:x:{GROUP}:{NAME}\nroot2:x:0:{NAME}\n")
        days = days if days is not None else f"{today()}:0:99999:7:::"
        self.etc("shadow", f"root:*:19000:0:99999:7:::\n{NAME}:{self.hash_of(SECRET)}:{days}\n"
                 f"second:!:{today()}:0:99999:7:::\n", 0o600)
        self.etc("shells", "# valid\n/bin/sh\n")
        folder = self.world.make_directory("pam.d", owner=(0, 0))
        write_file(os.path.join(folder, "genkan-ftpd"), pam.encode())
        write_file(os.path.join(folder, "other"), b"auth required pam_deny.so\n"
                   b"account required pam_deny.so\n")
        subprocess.run(["mount", "--bind", folder, "/etc/pam.d"], check=True)

    def start(self, method="pam", **directives):
        values = {"AuthSystem": method, "AuthUserFile": "none", "NologinFile": "none"}
        values.update(directives)
        self.server = self.world.server(directives=values)
        return self.server

    def reply_to(self, user=NAME, password=SECRET):
        with self.server.connect() as control:
            control.greet()
            control.command(f"USER {user}", 331)
            return control.command(f"PASS {password}").text

    def in_house(self, function, **house):
        """Runs function() in a namespace with such a system."""
        def run():
            self.settle(**house)
            try:
                function()
            finally:
                for control in self.world.controls:
                    control.close()
                for server in self.world.servers:
                    server.wait_no_pairs()
                    server.stop()
        in_namespace(run)

    def check_login(self, method):
        session = self.start(method).session(user=NAME, password=SECRET)
        session.store("STOR file", b"content")
        info = os.stat(os.path.join(self.home, "file"))
        self.assertEqual((info.st_uid, info.st_gid), (UID, GID))
        status = proc_status(self.server.pair().monitor)
        self.assertEqual(set(status["Uid"].split()), {str(UID)})
        self.assertEqual(status["Groups"].split(), [str(GROUP)])  # and not 0
        session.quit()

    def check_refusals(self, method):
        self.start(method)
        wrong = self.reply_to(password="wrong")
        self.assertTrue(wrong.startswith("530 Login incorrect"), wrong)
        for user, password, reason in ((NAME, "wrong", "bad-password"), ("second", "x", "[a-z-]+"),
                                       ("nosuchuser", "x", "unknown-user"),
                                       (NAME, "", "empty-password"), ("root", "x", "[a-z-]+"),
                                       ("-x", "x", "unknown-user")):
            with self.subTest(user=user, password=password):
                self.assertEqual(self.reply_to(user, password), wrong)
                self.server.wait_log(rf'user="{user}" reason={reason} n=1')

    # The shadow file

    def test_shadow_lets_in(self):
        self.in_house(lambda: self.check_login("shadow"))

    def test_shadow_refuses(self):
        self.in_house(lambda: self.check_refusals("shadow"))

    def check_expired(self, method, reason):
        self.start(method)
        self.assertIn("530 The password or the account has expired", self.reply_to())
        self.server.wait_log(f"reason={reason} n=1")
        # to a wrong password nothing of it is told
        self.assertIn("530 Login incorrect", self.reply_to(password="wrong"))

    def test_shadow_expired_password(self):
        self.in_house(lambda: self.check_expired("shadow", "password-expired"),
                      days=f"{today() - 20}:0:10:7:::")

    def test_shadow_password_that_must_be_changed(self):
        self.in_house(lambda: self.check_expired("shadow", "password-expired"),
                      days="0:0:99999:7:::")

    def test_shadow_expired_account(self):
        self.in_house(lambda: self.check_expired("shadow", "account-expired"),
                      days=f"{today()}:0:99999:7::{today() - 1}:")

    # PAM

    def setUp(self):
        super().setUp()
        if "pam" in self._testMethodName and not has_pam():
            self.skipTest("built without PAM")

    def test_pam_lets_in(self):
        self.in_house(lambda: self.check_login("pam"))

    def test_pam_refuses(self):
        self.in_house(lambda: self.check_refusals("pam"))

    def test_pam_expired_password(self):
        self.in_house(lambda: self.check_expired("pam", "password-expired"),
                      days=f"{today() - 20}:0:10:7:::")

    def test_pam_expired_account(self):
        self.in_house(lambda: self.check_expired("pam", "account-expired"),
                      days=f"{today()}:0:99999:7::{today() - 1}:")

    def test_pam_account_rules(self):
        def check():
            self.start()
            self.assertIn("530 Login incorrect", self.reply_to())
            self.server.wait_log("reason=pam-account n=1")
        self.in_house(check, pam="auth required pam_unix.so\naccount required pam_deny.so\n")

    def test_pam_without_a_service_file_refuses_and_says_so(self):
        def check():
            self.start(AuthPAMConfig="nosuchservice")
            self.assertIn("530 Login incorrect", self.reply_to())
            self.server.wait_log("there is no /etc/pam.d/nosuchservice")
        self.in_house(check)

    def test_pam_modules_talk_to_the_log_and_never_to_the_client(self):
        text = "Greetings from a module\033[2J"

        def check():
            write_file(self.world.path_of("text"), text.encode() + b"\n")
            self.start()
            reply = self.reply_to()
            self.assertTrue(reply.startswith("230 "), reply)
            self.assertNotIn("Greetings", reply)
            self.server.wait_log(r"PAM: .*Greetings from a module\?\[2J")
        self.in_house(check, pam="auth optional pam_echo.so file=" + self.world.path_of("text") +
                      "\n" + COMMON)

    def test_pam_gets_the_clients_address_and_no_capability(self):
        script = self.world.path_of("script")
        out = self.world.path_of("out")

        def check():
            write_file(script, b"#!/bin/sh\ncat\necho \"$PAM_RHOST $PAM_USER $PAM_SERVICE\"\n"
                       b"grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status\n"
                       b"for place in /etc /usr/bin /run /var/lib /dev /root; do\n"
                       b"echo bad > $place/genkan-test && echo WRITTEN; done 2>&1\nexit 0\n")
            os.chmod(script, 0o755)
            self.start()
            reply = self.reply_to()
            told = read_file(out).decode()
            self.assertTrue(reply.startswith("230 "), reply + told)
            self.assertIn(f"127.0.0.1 {NAME} genkan-ftpd", told)
            for name in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
                self.assertRegex(told, rf"Cap{name}:\t0+\n")
            self.assertIn("NoNewPrivs:\t1", told)
            self.assertIn("Seccomp:\t2", told)
            self.assertNotIn("WRITTEN", told)
            self.assertFalse(os.path.exists("/etc/genkan-test"))
        # the log of pam_exec is written where modules may write
        out = f"/var/log/genkan-test-{os.getpid()}"
        self.addCleanup(lambda: os.path.exists(out) and os.unlink(out))
        self.in_house(check, pam=f"auth required pam_unix.so\nauth required pam_exec.so "
                      f"expose_authtok log={out} {script}\naccount required pam_unix.so\n")

    # The rules that hold for the system's users

    def test_a_user_without_a_valid_shell_is_refused(self):
        def check():
            self.start("shadow")
            self.assertIn("530 Login incorrect", self.reply_to())
            self.server.wait_log("reason=shell n=1")
            self.start("shadow", RequireValidShell="off")
            self.assertTrue(self.reply_to().startswith("230 "))
        self.in_house(check, shell="/usr/sbin/nologin")

    def test_a_low_uid_is_refused(self):
        def check():
            self.start("shadow")
            self.assertIn("530 Login incorrect", self.reply_to())
            self.server.wait_log("reason=low-uid n=1")
            self.start("shadow", MinUid="500")
            self.assertTrue(self.reply_to().startswith("230 "))
        self.in_house(check, uid=501)

    def test_the_file_of_users_comes_first(self):
        def check():
            self.world.add_user(NAME, "another")
            self.start("shadow", AuthUserFile=self.world.users_file)
            self.assertIn("530 Login incorrect", self.reply_to())  # the system's password
            self.assertTrue(self.reply_to(password="another").startswith("230 "))
            self.assertIn("530", self.reply_to("second", "x"))  # the system is asked
            self.server.wait_log('user="second" reason=locked')
        self.in_house(check)

    def test_groups_of_the_system_choose_the_root(self):
        def check():
            playground = self.world.make_directory("playground")
            write_file(os.path.join(playground, "toy"), b"")
            server = self.start("shadow", DefaultRoot=f"{playground} kids,sysgroup,!staff")
            session = server.session(user=NAME, password=SECRET)
            self.assertEqual(session.retrieve("NLST"), b"toy\r\n")
            session.quit()
        self.in_house(check)

    # The keeper

    def keepers(self):
        return [pid for pid, (_, state, comm) in process_table().items()
                if comm == "genkan-ftpd-aut" and state != "Z" and
                pid in descendants(os.getpid())]

    def test_before_the_login_nothing_is_started(self):
        def check():
            self.start("shadow", WtmpLog="on")
            with self.server.connect() as control:
                control.greet()
                control.command(f"USER {NAME}", 331)
                self.assertEqual(self.keepers(), [])
                control.command("PASS wrong", 530)
                wait_until(lambda: not self.keepers(), "it ends after a failure")
        self.in_house(check)

    def test_without_sessions_nothing_stays(self):
        def check():
            session = self.start("shadow").session(user=NAME, password=SECRET)
            wait_until(lambda: not self.keepers(), "it ends after the verdict")
            session.quit()
        self.in_house(check)

    def wtmp(self):
        """[(type, line, user, host)] of the namespace's wtmp."""
        rows = []
        data = read_file("/var/log/wtmp")
        size = 384
        for at in range(0, len(data), size):
            kind, _, line, _, user, host = struct.unpack_from("=h2xi32s4s32s256s", data, at)
            rows.append((kind, *(word.rstrip(b"\0").decode() for word in (line, user, host))))
        return rows

    def own_wtmp(self):
        path = write_file(self.world.path_of("wtmp"), b"")
        if not os.path.exists("/var/log/wtmp"):
            self.skipTest("there is no /var/log/wtmp")
        subprocess.run(["mount", "--bind", path, "/var/log/wtmp"], check=True)

    def check_keeper(self, kill):
        """Sessions are closed, whoever is killed."""
        out = f"/var/log/genkan-test-{os.getpid()}"

        def check():
            script = self.world.path_of("script")
            write_file(script, f"#!/bin/sh\necho \"$PAM_TYPE $PAM_USER\" >> {out}\n".encode())
            os.chmod(script, 0o755)
            self.own_wtmp()
            self.start(PAMSession="on", WtmpLog="on")
            session = self.server.session(user=NAME, password=SECRET)
            pair = self.server.pair()
            self.assertEqual(read_file(out), f"open_session {NAME}\n".encode())
            keeper, = self.keepers()
            self.assert_keeper(keeper, session)
            rows = self.wtmp()
            self.assertEqual(rows, [(7, f"ftp{keeper}", NAME, "127.0.0.1")])
            kill(session, pair)
            wait_until(lambda: not self.keepers(), "the keeper ends")
            self.assertEqual(read_file(out),
                             f"open_session {NAME}\nclose_session {NAME}\n".encode())
            self.assertEqual(self.wtmp()[1:], [(8, f"ftp{keeper}", "", "")])
        self.addCleanup(lambda: os.path.exists(out) and os.unlink(out))
        self.in_house(check, pam=COMMON + "session required pam_exec.so " +
                      self.world.path_of("script") + "\n")

    def assert_keeper(self, pid, control):
        status = proc_status(pid)
        self.assertEqual(set(status["Uid"].split()), {"0"})
        for name in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
            self.assertEqual(int(status[f"Cap{name}"], 16), 0)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        sockets = [link for link in descriptors(pid).values() if link.startswith("socket:")]
        inode = socket_inode(control.address[1], control.sock.getsockname()[1])
        self.assertNotIn(f"socket:[{inode}]", sockets)
        self.assertLessEqual(len(sockets), 2, sockets)  # the monitor and the log
        self.assertEqual(os.getpgid(pid), pid)

    def test_pam_sessions_are_closed_at_the_end(self):
        self.check_keeper(lambda session, pair: session.quit())

    def test_pam_sessions_are_closed_when_the_monitor_is_killed(self):
        self.check_keeper(lambda session, pair: os.kill(pair.monitor, signal.SIGKILL))

    def test_pam_sessions_are_closed_when_everything_else_is_killed(self):
        def kill(session, pair):
            for pid in (self.server.pid, pair.session, pair.monitor):
                os.kill(pid, signal.SIGKILL)
        self.check_keeper(kill)

    def test_pam_session_that_cannot_be_opened_refuses(self):
        def check():
            self.start(PAMSession="on")
            self.assertIn("530 Login incorrect", self.reply_to())
            self.server.wait_log("reason=pam-session n=1")
        self.in_house(check, pam=COMMON + "session required pam_deny.so\n")

    def test_pam_module_that_hangs_does_not_outlive_the_client(self):
        def check():
            script = self.world.path_of("script")
            write_file(script, b"#!/bin/sh\nexec sleep 20\n")
            os.chmod(script, 0o755)
            self.start(TimeoutLogin="4")
            with self.server.connect() as control:
                control.greet()
                control.command(f"USER {NAME}", 331)
                control.send(f"PASS {SECRET}\r\n".encode())
                pid = min(wait_until(self.keepers, "it is asked"))  # not what it has started
                wait_until(lambda: proc_status(pid).get("Seccomp") == "2", "it has its walls")
                self.assert_keeper(pid, control)
                monitor = self.server.pair().monitor
            wait_until(lambda: monitor not in process_table(), "the monitor goes", 18)
            wait_until(lambda: not self.keepers(), "so does the program")
        self.in_house(check, pam="auth required pam_exec.so " + self.world.path_of("script") +
                      "\n" + COMMON)

    def test_over_tls_the_keeper_has_nothing_of_the_client_either(self):
        """Before the login the monitor holds the client's connection for genkan-ftpd-tls."""
        if not os.access(TLS, os.X_OK):
            self.skipTest("built without TLS")

        def check():
            self.own_wtmp()
            cert, key = Pki(self.world.path_of("pki")).make("server")
            # lists of lines cross to that program as well
            write_file(self.world.config, b"DefaultRoot ~ kids,!staff\nDefaultRoot /nonexistent\n"
                       b"PathDeny *.exe\nPathDeny .ht*\n")
            self.start("shadow", WtmpLog="on", TLS="required", TLSCertificateFile=cert,
                       TLSCertificateKeyFile=key)
            control = TlsControl(self.server.address)
            self.world.controls.append(control)
            control.greet()
            control.auth()
            control.command(f"USER {NAME}", 331)
            control.command(f"PASS {SECRET}", 230)
            keeper, = self.keepers()
            self.assert_keeper(keeper, control)
            control.store("STOR file", b"content")
            self.assertEqual(os.stat(os.path.join(self.home, "file")).st_uid, UID)
            self.assertIn("(PathDeny)", control.command("MKD .htfolder", 550).text)
            control.quit()
            wait_until(lambda: not self.keepers(), "the keeper ends")
            self.assertEqual([row[0] for row in self.wtmp()], [7, 8])
        self.in_house(check)

    def test_by_hand(self):
        def ask(password, *options):
            done = subprocess.run([AUTH, *options, "-u", NAME], input=password.encode() + b"\n",
                                  capture_output=True, check=False, timeout=60)
            return done.returncode, done.stdout.decode()

        def check():
            status, told = ask(SECRET)
            self.assertEqual(status, 0, told)
            self.assertRegex(told, rf"^granted uid={UID} gid={GID} groups={GROUP} "
                             rf"names=,(sysgroup,kids|kids,sysgroup), home={self.home} shell=/bin/sh$")
            self.assertEqual(ask("wrong"), (1, "refused: bad-password\n"))
        self.in_house(check)
        self.assertTrue(re.match(r"^usage", subprocess.run(
            [AUTH, "-k"], capture_output=True, check=False, text=True, timeout=60).stderr))


del GenkanTest  # it is no test itself

if __name__ == "__main__":
    unittest.main()
