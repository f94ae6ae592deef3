"""A strict FTP client on bare sockets, for the NAT laboratory.

Strict: it does exactly what the server's replies say, where friendlier clients guess. Its sockets
may be made in another network namespace.
"""
import contextlib
import re
import socket
import time

FILE = "file.bin"     # what is downloaded unless told otherwise


class Refused(Exception):
    """The server did not answer as a transfer needs it."""


class Client:
    """A strict FTP client on bare sockets: it uses the address in a 227 as it is, as wget does."""

    def __init__(self, host, port=21, make_socket=socket.socket, timeout=45, data_timeout=30):
        self.make_socket, self.timeout, self.data_timeout = make_socket, timeout, data_timeout
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.control = make_socket(self.family, socket.SOCK_STREAM)
        self.control.settimeout(timeout)
        self.buffer = b""
        self.replies = []
        self.listener = None
        self.data_peer = None       # where the last data connection came from or went to
        try:
            self.control.connect((host, port))
            self.greeting = self.expect("220", self.reply())
        except BaseException:
            self.control.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        if self.listener:
            self.listener.close()
        self.control.close()

    def line(self):
        while b"\n" not in self.buffer:
            got = self.control.recv(4096)
            if not got:
                raise Refused("the server closed the control connection")
            self.buffer += got
        line, _, self.buffer = self.buffer.partition(b"\n")
        if not line.endswith(b"\r"):
            raise Refused("a reply line without CR: %r" % line)
        return line[:-1].decode()

    def reply(self):
        """The next reply, multi-line ones joined by newlines."""
        text = line = self.line()
        if line[3:4] == "-":
            while line[:4] != text[:3] + " ":
                line = self.line()
                text += "\n" + line
        self.replies.append(text)
        return text

    def send(self, *lines):
        """Sends command lines in one segment."""
        self.control.sendall("".join(line + "\r\n" for line in lines).encode())

    def command(self, line):
        self.send(line)
        return self.reply()

    @staticmethod
    def expect(code, reply):
        if not reply.startswith(code):
            raise Refused(reply)
        return reply

    def login(self, user="anonymous", password="natlab@example.net"):
        reply = self.command("USER " + user)
        if reply.startswith("331"):
            reply = self.command("PASS " + password)
        self.expect("230", reply)
        self.expect("200", self.command("TYPE I"))
        return self

    @staticmethod
    def parse_227(reply):
        match = re.match(r"227 \D*(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", reply)
        if not match:
            raise Refused(reply)
        n = [int(x) for x in match.groups()]
        return ".".join(map(str, n[:4])), n[4] << 8 | n[5]

    def passive(self, extended=False):
        """Sends PASV or EPSV; returns host and port as told."""
        if not extended:
            return self.parse_227(self.command("PASV"))
        reply = self.command("EPSV")
        match = re.match(r"229 .*\((.)\1\1(\d+)\1\)", reply)
        if not match:
            raise Refused(reply)
        return self.control.getpeername()[0], int(match[2])

    def port_command(self, extended=False, address=None):
        """PORT or EPRT for a socket of ours that listens (or for another address)."""
        host, port = address or (None, None)
        if address is None:
            if self.listener:
                self.listener.close()
            self.listener = self.make_socket(self.family, socket.SOCK_STREAM)
            self.listener.settimeout(self.data_timeout)
            self.listener.bind((self.control.getsockname()[0], 0))
            self.listener.listen(1)
            host, port = self.listener.getsockname()[:2]
        if extended:
            return "EPRT |%d|%s|%d|" % (2 if ":" in host else 1, host, port)
        return "PORT %s,%d,%d" % (host.replace(".", ","), port >> 8, port & 255)

    def connect_data(self, host, port):
        data = self.make_socket(self.family, socket.SOCK_STREAM)
        data.settimeout(self.data_timeout)
        try:
            data.connect((host, port))
        except BaseException:
            data.close()
            raise
        self.data_peer = (host, port)
        return data

    def receive(self, data):
        blocks = []
        with data:
            data.settimeout(self.data_timeout)
            while block := data.recv(65536):
                blocks.append(block)
        self.expect("226", self.reply())
        return b"".join(blocks)

    def retrieve(self, mode, name=FILE):
        """Downloads by PASV, EPSV, PORT or EPRT; returns the bytes."""
        extended = mode.startswith("E")
        if mode in ("PASV", "EPSV"):
            data = self.connect_data(*self.passive(extended))
            self.send("RETR " + name)
            try:
                self.expect("150", self.reply())
            except BaseException:
                data.close()
                raise
            return self.receive(data)
        self.expect("200", self.command(self.port_command(extended)))
        self.send("RETR " + name)
        # 150 may come before or after the data connection; a refusal ends the wait for it.
        deadline = time.monotonic() + self.data_timeout
        data = None
        self.listener.settimeout(0.05)
        while data is None:
            try:
                data, peer = self.listener.accept()
                self.data_peer = peer[:2]
            except TimeoutError:
                self.control.settimeout(0.001)
                with contextlib.suppress(TimeoutError):
                    if not self.control.recv(1, socket.MSG_PEEK) or self.refusal_waits():
                        break
                self.control.settimeout(self.timeout)
                if time.monotonic() > deadline:
                    raise TimeoutError("no data connection comes") from None
        self.control.settimeout(self.timeout)
        self.expect("150", self.reply())
        if data is None:
            self.expect("226", self.reply())
        return self.receive(data)

    def refusal_waits(self):
        """True if a reply that is not 150 alone has come."""
        waiting = self.control.recv(4096, socket.MSG_PEEK)
        return any(line[:1] in b"45" for line in waiting.split(b"\n") if line)
