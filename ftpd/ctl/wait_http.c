/*
 * What check --wait answers: a page, the page's number, or that there is nothing else.
 */
#include "wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The body, to be freed; NULL: no memory. */
static char *
body_of(const struct waiting *w, const struct visit *v, const char **status, const char **type,
    size_t *n)
{
	const char *path = v->get.path;
	char peer[NETADDR_TEXT], *body = NULL;
	int r;

	if (strcmp(path, "/") == 0)
		return wait_page(w, v, n);
	*type = "application/json";
	if (strcmp(path + 1, w->nonce) == 0) {
		r = asprintf(&body, "{\"port\": %u, \"you\": \"%s\"}\n", v->port,
		    netaddr_text(&v->peer, peer));
	} else {
		*status = "404 Not Found";
		r = asprintf(&body, "{}\n");
	}
	*n = r == -1 ? 0 : (size_t)r;
	return r == -1 ? NULL : body;
}

char *
wait_http_answer(const struct waiting *w, const struct visit *v, size_t *len)
{
	const char *status = "200 OK", *type = "text/html; charset=utf-8";
	size_t n = 0;
	char *body = body_of(w, v, &status, &type, &n), *all = NULL;
	FILE *out;

	if (body == NULL || (out = open_memstream(&all, len)) == NULL) {
		free(body);
		return NULL;
	}
	/* the page is at one port and asks the others: another origin for a browser */
	fprintf(out,
	    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "Referrer-Policy: no-referrer\r\nAccess-Control-Allow-Origin: *\r\n"
	    "Content-Security-Policy: default-src 'none'; script-src 'nonce-%s'; style-src "
	    "'nonce-%s'; connect-src http:; img-src http: data:; base-uri 'none'; "
	    "form-action 'none'\r\n\r\n",
	    status, type, n, w->nonce, w->nonce);
	fwrite(body, 1, n, out);
	free(body);
	if (fclose(out) == EOF) {
		free(all);
		return NULL;
	}
	return all;
}
