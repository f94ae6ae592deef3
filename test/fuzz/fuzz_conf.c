/*
 * The configuration: what is accepted is printed so that it is read back as the
 * same, by a file and by -o alike; what is refused is told with its place.
 *
 * Input: a file.
 */
#include "conf.h"
#include "fuzz.h"

const char fuzz_name[] = "conf";

/* Reads text; returns what -T would print (allocated), or NULL if it is refused. */
static char *
read_and_print(const char *text, size_t size)
{
	FILE *in = fmemopen((void *)text, size, "r"), *out;
	char error[CONF_ERROR] = "", *print = NULL;
	struct conf conf;
	size_t len;

	CHECK(in != NULL);
	conf_init(&conf);
	if (conf_read(&conf, in, "file", error) == 0) {
		CHECK(error[0] == '\0');
		(void)conf_check(&conf, error);
		CHECK((out = open_memstream(&print, &len)) != NULL);
		conf_print(&conf, out);
		fclose(out);
	} else {
		CHECK(strncmp(error, "file:", 5) == 0);
	}
	conf_free(&conf);
	fclose(in);
	return print;
}

/* True if a directive has several lines: -o would take the place of all of them. */
static bool
has_many_lines(const char *print)
{
	const char *next;

	for (; (next = strchr(print, '\n')) != NULL; print = next + 1) {
		size_t word = strcspn(print, " \n");

		if (strncmp(print, next + 1, word + 1) == 0)
			return true;
	}
	return false;
}

/* The same print, given line by line to -o. */
static void
check_by_option(const char *print)
{
	char error[CONF_ERROR], *lines = strdup(print), *rest = lines, *line, *again = NULL;
	struct conf conf;
	size_t len;
	FILE *out;

	CHECK(lines != NULL);
	conf_init(&conf);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
		CHECK(conf_set(&conf, "-o", line, error) == 0);
	CHECK((out = open_memstream(&again, &len)) != NULL);
	conf_print(&conf, out);
	fclose(out);
	CHECK(strcmp(print, again) == 0);
	conf_free(&conf);
	free(again);
	free(lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *print, *again;

	if (size == 0 || (print = read_and_print((const char *)data, size)) == NULL)
		return 0;
	again = read_and_print(print, strlen(print));
	CHECK(again != NULL && strcmp(print, again) == 0);
	if (!has_many_lines(print))
		check_by_option(print);
	free(again);
	free(print);
	return 0;
}
