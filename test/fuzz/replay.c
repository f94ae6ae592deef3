/*
 * Runs a fuzz target over the files of its corpus: argument files or
 * directories, or $srcdir/test/fuzz/corpus/NAME. Ends with status 0, by abort(3)
 * behind the name of the file that breaks a property, or after a minute in
 * one file.
 */
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define SECONDS 60

static char now[4096]; /* the file that is replayed */

/* Says where it happened, then lets it happen. */
static void
tell(int sig)
{
	(void)!write(STDERR_FILENO, now, strlen(now));
	(void)!write(STDERR_FILENO, ": replay failed\n", 16);
	raise(sig);
}

static unsigned
replay_file(const char *name)
{
	FILE *file;
	uint8_t *data;
	struct stat st;
	size_t n;

	snprintf(now, sizeof(now), "%s", name);
	file = fopen(name, "re");
	CHECK(file != NULL && fstat(fileno(file), &st) == 0);
	data = fuzz_room((size_t)st.st_size);
	n = fread(data, 1, (size_t)st.st_size, file);
	CHECK(n == (size_t)st.st_size);
	fclose(file);
	alarm(SECONDS);
	LLVMFuzzerTestOneInput(data, n);
	alarm(0);
	free(data);
	return 1;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static unsigned
replay(const char *path)
{
	struct dirent **entries;
	char name[sizeof(now)];
	struct stat st;
	int i, n;

	snprintf(now, sizeof(now), "%s", path);
	CHECK(stat(path, &st) == 0);
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	n = scandir(path, &entries, is_visible, alphasort);
	CHECK(n > 0); /* a corpus that is not there proves nothing */
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		replay_file(name);
		free(entries[i]);
	}
	free(entries);
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	struct sigaction sa = { .sa_handler = tell, .sa_flags = (int)SA_RESETHAND };
	char corpus[sizeof(now)];
	unsigned n = 0;
	int i;

	sigaction(SIGABRT, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	for (i = 1; i < argc; i++)
		n += replay(argv[i]);
	if (argc < 2) {
		snprintf(corpus, sizeof(corpus), "%s/test/fuzz/corpus/%s",
		    srcdir != NULL ? srcdir : ".", fuzz_name);
		n = replay(corpus);
	}
	snprintf(now, sizeof(now), "(no bytes)");
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("%s: %u files replayed\n", fuzz_name, n);
	return 0;
}
