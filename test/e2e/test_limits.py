"""Limits that hold across processes, each connection being a process of its own.

Sources are addresses of 127.0.0.0/8 where that does; loopback is never banned for
failed logins, so those tests have a network of their own with addresses of RFC 5737.
"""

import os
import socket
import subprocess
import time
import unittest

from genkan import (IS_ROOT, PASSWORD, USER, Control, GenkanTest, ServerTest, World, in_namespace,
                    root_only, wait_until, write_file)


def from_host(server, host, index=0):
    return server.connect(index, source=(host, 0))


def sent_away(control, words):
    """The only word that the server says is 421 with this reason."""
    reply = control.expect(421)
    assert words in reply.text, reply
    control.at_end()


class PerHost(ServerTest):
    directives = {"MaxClientsPerHost": "2"}

    def test_one_more_is_sent_away_with_the_reason(self):
        sessions = [from_host(self.server, "127.0.0.2") for _ in range(2)]
        for session in sessions:
            session.login()
        sent_away(from_host(self.server, "127.0.0.2"), "(MaxClientsPerHost)")
        self.server.wait_log(r"refused a client: 127\.0\.0\.2: MaxClientsPerHost 2 reached")
        from_host(self.server, "127.0.0.3").login().quit()

    def test_who_leaves_makes_room(self):
        sessions = [from_host(self.server, "127.0.0.2").login() for _ in range(2)]
        sessions[0].quit()

        def room():
            control = from_host(self.server, "127.0.0.2")
            return control.reply().code == 220
        wait_until(room, "there is room again")

    def test_who_is_killed_makes_room(self):
        for _ in range(2):
            from_host(self.server, "127.0.0.2").login()
        for pair in self.server.pairs():
            os.kill(pair.monitor, 9)
        self.server.wait_no_pairs()
        from_host(self.server, "127.0.0.2").login().quit()


class PerUser(ServerTest):
    directives = {"MaxClientsPerUser": "1"}

    @classmethod
    def prepare(cls):
        cls.world.add_user("eve")

    def test_one_login_more_is_530_with_the_reason(self):
        self.session()
        second = self.connect()
        second.greet()
        second.command(f"USER {USER}", 331)
        reply = second.command(f"PASS {PASSWORD}", 530)
        self.assertIn("(MaxClientsPerUser)", reply.text)
        # another name may come in on the same connection
        second.command("USER eve", 331)
        second.command(f"PASS {PASSWORD}", 230)

    def test_a_wrong_password_is_not_told_of_the_limit(self):
        self.session()
        second = self.connect()
        second.greet()
        second.command(f"USER {USER}", 331)
        self.assertNotIn("MaxClientsPerUser", second.command("PASS wrong", 530).text)

    def test_the_users_place_is_free_when_it_leaves(self):
        self.session().quit()
        self.server.wait_no_pairs()
        self.session().quit()


class Rate(GenkanTest):
    def test_more_connections_than_the_rate_are_sent_away(self):
        server = self.world.server(directives={"MaxConnectionsPerHost": "3/1h"})
        for _ in range(3):
            control = from_host(server, "127.0.0.2")
            control.greet()
            control.quit()
        for _ in range(2):
            sent_away(from_host(server, "127.0.0.2"), "(MaxConnectionsPerHost)")
        from_host(server, "127.0.0.3").greet()
        server.wait_log(r"refused a client: 127\.0\.0\.2: MaxConnectionsPerHost reached")

    def test_the_interval_ends(self):
        server = self.world.server(directives={"MaxConnectionsPerHost": "1/1s"})
        from_host(server, "127.0.0.2").greet()

        def again():
            return from_host(server, "127.0.0.2").reply().code == 220
        wait_until(again, "the interval is over")


class NoRunDirectory(GenkanTest):
    def test_the_log_says_that_limits_do_not_hold(self):
        os.chmod(self.world.run, 0o777)
        server = self.world.server(directives={"MaxClientsPerHost": "1"})
        if IS_ROOT:  # the session's root is there, too
            server.connect().expect(220, 421)
        else:
            server.session().quit()
        server.wait_log(r"RunDirectory \S+ cannot be used: MaxClients, other limits and bans do not")


@root_only("network namespaces")
class Bans(unittest.TestCase):
    """Failed logins ban a host, in a network with addresses that are nobody's."""

    HOSTS = ("192.0.2.1", "192.0.2.2", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:2::1")

    def inside(self, test, **directives):
        def run():
            for host in self.HOSTS:
                subprocess.run(["ip", "addr", "add", host + ("/128" if ":" in host else "/32"),
                                "dev", "lo", *(["nodad"] if ":" in host else [])], check=True)
            world = World()
            try:
                world.add_user()
                server = world.server(listen=("192.0.2.2:0", "[2001:db8:1::2]:0", "127.0.0.1:0"),
                                      directives=directives)
                test(server)
            finally:
                world.close()
        in_namespace(run)

    def fail(self, control, code=530):  # noqa: not unittest's
        control.command(f"USER {USER}", 331)
        return control.command("PASS wrong", code)

    def test_a_host_that_fails_too_often_is_banned_across_connections(self):
        def test(server):
            for _ in range(2):
                control = from_host(server, "192.0.2.1")
                control.greet()
                self.fail(control)
                control.quit()
            last = from_host(server, "192.0.2.1")
            last.greet()
            self.fail(last, 421)
            last.at_end()
            sent_away(from_host(server, "192.0.2.1"), "banned for ")
            server.wait_log(r"banned rhost=192\.0\.2\.1 for 3600 seconds")
            server.wait_log(r"refused a client: 192\.0\.2\.1: banned")
            from_host(server, "192.0.2.2").login().quit()
        self.inside(test, BanAfter="3/10m 1h")

    def test_a_host_has_no_more_tries_on_connections_that_it_has(self):
        def test(server):
            first, second = (from_host(server, "192.0.2.1") for _ in range(2))
            first.greet()
            second.greet()
            self.fail(first, 421)
            second.command(f"USER {USER}", 331)
            second.command(f"PASS {PASSWORD}", 421)
        self.inside(test, BanAfter="1/10m")

    def test_a_ban_ends(self):
        def test(server):
            control = from_host(server, "192.0.2.1")
            control.greet()
            self.fail(control, 421)
            sent_away(from_host(server, "192.0.2.1"), "banned for ")

            def again():
                return from_host(server, "192.0.2.1").reply().code == 220
            wait_until(again, "the ban is over")
        self.inside(test, BanAfter="1/10m 10s")

    def test_an_ipv6_network_of_64_bits_is_one_host(self):
        def test(server):
            control = from_host(server, "2001:db8:1::1", 1)
            control.greet()
            self.fail(control, 421)
            sent_away(from_host(server, "2001:db8:1::2", 1), "banned for ")
            from_host(server, "2001:db8:2::1", 1).login().quit()
        self.inside(test, BanAfter="1/10m")

    def test_loopback_is_never_banned_for_failures(self):
        def test(server):
            control = server.connect(2)
            control.greet()
            self.fail(control)
            self.fail(control)
            server.connect(2).login().quit()
        self.inside(test, BanAfter="1/10m")

    def test_the_default_router_is_never_banned_for_failures(self):
        def test(server):
            subprocess.run(["ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan1"],
                           check=True)
            subprocess.run(["ip", "link", "set", "lan0", "up"], check=True)
            subprocess.run(["ip", "link", "set", "lan1", "up"], check=True)
            subprocess.run(["ip", "addr", "add", "198.51.100.2/24", "dev", "lan0"], check=True)
            subprocess.run(["ip", "route", "add", "default", "via", "198.51.100.1"], check=True)
            # the router's address as a source: it is this machine's as well, for the test
            subprocess.run(["ip", "addr", "add", "198.51.100.1/32", "dev", "lo"], check=True)
            control = from_host(server, "198.51.100.1")
            control.greet()
            self.fail(control)
            from_host(server, "198.51.100.1").login().quit()
        self.inside(test, BanAfter="1/10m")


class NoOracle(ServerTest):
    """Nobody learns from a refusal whether there is such a user."""

    time_limit = 400

    @classmethod
    def prepare(cls):
        # dear enough to be seen, if it were seen
        subprocess.run(["sed", "-i", r"s/\$y\$j[^$]*\$/\$y\$jAT\$/", cls.world.users_file],
                       check=True)

    def refusal(self, user, password):
        control = self.connect()
        control.greet()
        first = control.command(f"USER {user}").text
        began = time.monotonic()
        second = control.command(f"PASS {password}").text
        took = time.monotonic() - began
        control.close()
        return first, second, took

    def test_unknown_users_and_wrong_passwords_look_the_same(self):
        kinds = ((USER, "wrong"), ("nobody-at-all", "wrong"), (USER, ""))
        # in turn, and the fastest of each: a busy machine only ever adds to it
        rounds = []
        while len(rounds) < 20:
            rounds.append([self.refusal(*kind) for kind in kinds])
            times = [min(rows[i][2] for rows in rounds) for i in range(len(kinds))]
            if len(rounds) >= 5 and max(times) - min(times) < 0.1:
                break
        words = {row[:2] for rows in rounds for row in rows}
        self.assertEqual(len(words), 1, words)
        self.assertLess(max(times) - min(times), 0.1, times)
        self.assertGreaterEqual(min(times), 1.0)


if __name__ == "__main__":
    unittest.main()
