/*
 * The start of genkan-ftpd-tls.
 */
#include "tls_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "caps.h"
#include "handover.h"
#include "log.h"
#include "monitor.h"
#include "msg.h"
#include "program.h"
#include "request.h"

/* How long the program may take to get ready. */
#define READY_MS 10000

/* Certificates, keys, lists of authorities are smaller. */
#define FILE_MAX (1 << 20)

/* Who may read the key can be the server: no key is used that all may read. */
#define OTHERS 0007

void
tls_forget(struct monitor *m)
{
	if (!m->holds_client)
		return;
	m->holds_client = false;
	close(m->client->in);
	if (m->client->out != m->client->in)
		close(m->client->out);
	if (m->empty != -1)
		close(m->empty);
}

/* Reads the whole file that a directive names; NULL after a line in the log. */
static char *
read_file(const char *directive, const char *path, bool secret, size_t *len)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *bytes = NULL;
	struct stat st;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1) {
		log_error("%s %s", directive, path);
	} else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		log_errorx("%s %s: it has to be a regular file of at most %d bytes", directive, path,
		    FILE_MAX);
	} else if (secret && (st.st_mode & OTHERS) != 0) {
		log_errorx("%s: everybody can read the key in %s: chmod 600 it, and get a new one if "
		           "this was so for long",
		    directive, path);
	} else if ((bytes = malloc((size_t)st.st_size + 1)) != NULL) {
		for (*len = 0; *len < (size_t)st.st_size; *len += (size_t)n)
			if ((n = read(fd, bytes + *len, (size_t)st.st_size - *len)) <= 0)
				break;
		bytes[*len] = '\0';
	}
	if (fd != -1)
		close(fd);
	return bytes;
}

static bool
add_file(struct handover *h, enum part_kind kind, unsigned index, const char *directive,
    const char *path)
{
	size_t len = 0;
	char *bytes = read_file(directive, path, kind == PART_KEY, &len);

	return handover_add(h, kind, index, bytes, len);
}

/* The certificates that can be read, each with its key. False if there is none. */
static bool
add_certificates(struct handover *h, const struct conf *conf)
{
	static const char of_certificate[] = "TLSCertificateFile";
	const char *of_key =
	    conf->tls_key_file[0] != '\0' ? "TLSCertificateKeyFile" : of_certificate;
	char certificate[PATH_MAX], key[PATH_MAX];
	bool found = false;

	for (unsigned i = 0; conf_tls_file(conf->tls_certificate_file, i, certificate) &&
	     conf_tls_key(conf, i, key); i++)
		found |= add_file(h, PART_KEY, i, of_key, key) &&
		    add_file(h, PART_CERTIFICATE, i, of_certificate, certificate);
	return found;
}

static bool
add_conf(struct handover *h, const struct conf *conf)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return false;
	conf_print(conf, out);
	if (fclose(out) != 0) {
		free(text);
		return false;
	}
	return handover_add(h, PART_CONF, 0, text, len);
}

/* Everything that the program needs, as a memory file; -1 after a line in the log. */
static int
prepare(const struct monitor *m, const struct req_tls *said, bool implicit)
{
	static struct handover h;
	const struct conf *conf = m->conf;
	bool complete;
	int fd = -1;

	memset(&h, 0, sizeof(h)); /* its holes as well: it leaves this process */
	h.client = *m->client;
	h.said = *said;
	h.implicit = implicit;
	h.log_to_stderr = log_fd() == STDERR_FILENO;
	h.log_level = log_level();
	h.began = m->began;
	complete = add_conf(&h, conf) && add_certificates(&h, conf);
	if (complete && conf->tls_client_ca[0] != '\0') /* without it nobody could be verified */
		complete = add_file(&h, PART_CLIENT_CA, 0, "TLSClientCA", conf->tls_client_ca);
	if (complete && conf->tls_ocsp_file[0] != '\0')
		(void)add_file(&h, PART_OCSP, 0, "TLSOCSPFile", conf->tls_ocsp_file);
	if (complete && (fd = handover_write(&h)) == -1)
		log_error("TLS: handover");
	handover_free(&h);
	return fd;
}

/*
 * The child: becomes the program, as the session's user and in the session's empty root. A program
 * that is not static could not be loaded there, nor could a charset: it has no
 * root of its own then, and Landlock closes the file system to it before it talks.
 */
static void
become_tls(const struct monitor *m, int program, int sock, int file)
{
	const struct { int from, to; } moves[] = {
		{ sock, HANDOVER_MONITOR },
		{ file, HANDOVER_FILE },
		{ log_fd() == STDERR_FILENO ? -1 : log_fd(), HANDOVER_LOG },
	};
	bool empty = TLS_STATIC && m->conf->client_charset.name[0] == '\0';
	char name[] = TLS_PROGRAM, *argv[] = { name, NULL };
	int high[3];

	if (m->root && ((empty && caps_chroot(m->empty) == -1) ||
	                   caps_become(m->session_uid, m->session_gid, NULL, 0) == -1 ||
	                   caps_keep(0) == -1))
		_exit(EX_OSERR);
	/* first above all that is to be taken, then down */
	for (size_t i = 0; i < 3; i++)
		high[i] = moves[i].from == -1 ? -1 : fcntl(moves[i].from, F_DUPFD_CLOEXEC, 32);
	program = fcntl(program, F_DUPFD_CLOEXEC, 32);
	for (size_t i = 0; i < 3; i++)
		if (high[i] != -1 && dup2(high[i], moves[i].to) == -1)
			_exit(EX_OSERR);
	(void)fcntl(m->client->in, F_SETFD, 0);
	(void)fcntl(m->client->out, F_SETFD, 0);
	fexecve(program, argv, environ);
	_exit(EX_OSERR);
}

/* By vfork(2): the child changes nothing that is read here. */
static pid_t __attribute__((noinline))
execute(const struct monitor *m, int program, int sock, int file)
{
	pid_t pid = vfork();

	if (pid == 0)
		become_tls(m, program, sock, file);
	return pid;
}

/* True once the program says that it is ready; it has logged why if it is not. */
static bool
is_ready(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct answer answer;
	uint32_t type;
	int n;

	do
		n = poll(&p, 1, READY_MS);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		log_errorx("%s was not ready within %d s", TLS_PROGRAM, READY_MS / 1000);
	return n == 1 && msg_recv(sock, &type, &answer, sizeof(answer), NULL) == sizeof(answer) &&
	    type == REQ_TLS && answer.error == 0;
}

/* Starts it; the socket to it, or -1 after a line in the log. */
static int
start(struct monitor *m, const struct req_tls *said, bool implicit)
{
	int pair[2], file = prepare(m, said, implicit), program;
	pid_t pid;

	if (file == -1)
		return -1;
	if ((program = program_open(TLS_PROGRAM)) == -1) {
		close(file);
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_error("TLS: socketpair");
		close(file);
		close(program);
		return -1;
	}
	pid = execute(m, program, pair[1], file);
	if (pid == -1)
		log_error("fork of %s", TLS_PROGRAM);
	close(file);
	close(program);
	close(pair[1]);
	m->succeeds = pid;
	if (is_ready(pair[0]))
		return pair[0];
	close(pair[0]);
	return -1;
}

int
tls_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	(void)ans;
	(void)fd;
	if (m->tls)
		return EALREADY;
	if (m->conf->tls == TLS_OFF || !m->holds_client || !m->client->socket)
		return EOPNOTSUPP;
	m->successor = start(m, &req->tls, false);
	return m->successor == -1 ? ENOKEY : 0;
}

void
tls_take_over(struct monitor *m)
{
	if (m->sock != -1)
		close(m->sock);
	m->sock = m->successor;
	if (m->stopped) /* a signal has come for the session before */
		monitor_stop(m);
	m->session = m->succeeds;
	m->successor = -1;
	m->tls = true;
	tls_forget(m);
}

bool
tls_begin(struct monitor *m)
{
	const struct req_tls said = { .private = true };

	m->began = monitor_clock();
	m->sock = -1;
	if (!m->client->socket)
		log_errorx("TLSImplicit wants a network connection, not a terminal or a pipe");
	else
		m->successor = start(m, &said, true);
	if (m->successor != -1)
		tls_take_over(m);
	return m->tls;
}
