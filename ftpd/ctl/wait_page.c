/*
 * The page of check --wait: which ports reach home from where the visitor is, and which of the four
 * NAT cases this is. All of it is in the page itself; nothing comes from anybody else.
 */
#include "wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct texts {
	const char *language, *title, *you, *home, *wait, *all, *some, *none, *refused, *no_script;
	const char *cases, *yours, *toggle, *device, *house, *port_works, *port_luck, *no_nat, *nat;
	const char *next;
};

static const struct texts english = {
	.language = "en",
	.title = "You have come to the door",
	.you = "You come from",
	.home = "This is an address of the home itself: it says nothing of the way from outside. "
		"Switch "
		"Wi-Fi off and load this page again.",
	.wait = "Knocking at the ports …",
	.all = "All ports reach home. FTP by PASV and EPSV will work from where you are.",
	.some = "Some ports do not reach home: forward them on the router, and let the firewall "
		"pass them.",
	.none = "No other port reaches home. Only the one that you came by is forwarded.",
	.refused =
	    "Browsers refuse to go to this port; an FTP client can show whether it reaches home:",
	.no_script =
	    "Without JavaScript the ports are tried by pictures; the terminal at home shows which "
	    "of them came.",
	.cases = "The four cases",
	.yours = "yours",
	.toggle = "My device has this address itself (no NAT on my side)",
	.device = "you",
	.house = "home",
	.port_works = "PORT works, PASV works",
	.port_luck = "PASV works, PORT by luck",
	.no_nat = "no NAT",
	.nat = "NAT",
	.next = "The terminal at home has seen the same. You can close this page.",
};

static const struct texts japanese = {
	.language = "ja",
	.title = "玄関に着きました",
	.you = "あなたのアドレス:",
	.home = "これは家の中のアドレスなので、外からの道は分かりません。Wi-Fi "
		"を切って開き直してください。",
	.wait = "ポートを確かめています…",
	.all = "全てのポートが家に届きます。ここから PASV と EPSV の FTP が使えます。",
	.some = "届かないポートがあります。ルーターで転送し、ファイアウォールで通してください。",
	.none = "他のポートは届きません。いま開いたポートだけが転送されています。",
	.refused = "ブラウザーはこのポートへ行きません。FTP クライアントで確かめてください:",
	.no_script = "JavaScript がないので画像でポートを試します。結果は家の端末に出ます。",
	.cases = "四つの場合",
	.yours = "あなた",
	.toggle = "この端末自身がこのアドレスを持つ(こちら側に NAT がない)",
	.device = "あなた",
	.house = "家",
	.port_works = "PORT も PASV も使えます",
	.port_luck = "PASV が使えます。PORT は運次第",
	.no_nat = "NAT なし",
	.nat = "NAT",
	.next = "家の端末にも同じ結果が出ています。このページは閉じて構いません。",
};

static const char style[] =
    "body{font:17px/1.5 system-ui,sans-serif;margin:0 auto;max-width:40em;padding:1em;"
    "background:#f7f5f0;color:#222}"
    "h1{font-size:1.5em;margin:.2em 0}h2{font-size:1.1em;margin:1.5em 0 .5em}"
    "p.say{font-weight:bold;font-size:1.1em}.warn{background:#fff0c8;padding:.6em;border-radius:."
    "5em}"
    "ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.4em}"
    "li{border-radius:.5em;padding:.25em .6em;background:#ddd;font-variant-numeric:tabular-nums}"
    "li.ok{background:#1b7a3d;color:#fff}li.no{background:#b3261e;color:#fff}"
    "li.ok::after{content:' \\2713'}li.no::after{content:' \\2717'}"
    "svg{width:100%;height:auto}.cell{fill:#fff;stroke:#bbb;stroke-width:1.5}"
    ".mine .cell{stroke:#1b7a3d;stroke-width:5;fill:#eefaf0}.tag{visibility:hidden;fill:#1b7a3d;"
    "font-weight:bold}.mine .tag{visibility:visible}text{font:19px system-ui,sans-serif;fill:#222}"
    ".line{stroke:#555;stroke-width:2}.box{fill:#e8e4da;stroke:#555}.wall{fill:#e3a008;stroke:#"
    "7a5600}"
    "@media(prefers-color-scheme:dark){body{background:#1c1b19;color:#eee}li{color:#222}"
    ".warn{color:#222}}";

/* Each port is asked for the page's own number; eight at once. */
static const char script[] =
    "const items=[...document.querySelectorAll('li[data-port]')],queue=[...items];let good=0,bad=0;"
    "const say=document.getElementById('say'),host=location.hostname;"
    "function "
    "end(){say.textContent=bad===0?say.dataset.all:good>1?say.dataset.some:say.dataset.none;"
    "document.body.dataset.done=good+'/'+items.length;}"
    "async function next(){const li=queue.shift();if(!li)return;const stop=new AbortController();"
    "const timer=setTimeout(()=>stop.abort(),8000);let ok=false;"
    "try{const r=await fetch('http://'+host+':'+li.dataset.port+'/'+document.body.dataset.nonce,"
    "{cache:'no-store',signal:stop.signal});ok=(await r.json()).port==li.dataset.local;}catch(e){}"
    "clearTimeout(timer);li.className=ok?'ok':'no';if(ok)good++;else bad++;"
    "if(good+bad===items.length)end();return next();}"
    "for(let i=0;i<8;i++)next();if(items.length===0)end();"
    "const box=document.getElementById('nat');if(box)box.onchange=()=>{"
    "for(const g of document.querySelectorAll('g[data-case]'))"
    "g.classList.toggle('mine',g.dataset.case===(box.checked?box.dataset.no:box.dataset.yes));};";

/* One case: the visitor, perhaps a NAT, the Internet, perhaps a NAT, the home. */
static void
print_case(FILE *out, const struct texts *t, unsigned number, bool mine)
{
	const bool home_nat = number > 2, visitor_nat = number % 2 == 0;
	const int x = visitor_nat ? 320 : 0, y = home_nat ? 170 : 0;

	fprintf(out,
	    "<g data-case=\"%u\"%s transform=\"translate(%d %d)\">"
	    "<rect class=\"cell\" x=\"5\" y=\"5\" width=\"310\" height=\"155\" rx=\"10\"/>"
	    "<text x=\"20\" y=\"30\">%u</text>"
	    "<text class=\"tag\" x=\"300\" y=\"30\" text-anchor=\"end\">%s</text>"
	    "<line class=\"line\" x1=\"55\" y1=\"75\" x2=\"260\" y2=\"75\"/>"
	    "<rect class=\"box\" x=\"30\" y=\"50\" width=\"28\" height=\"50\" rx=\"5\"/>"
	    "<text x=\"20\" y=\"122\">%s</text>"
	    "<path class=\"box\" d=\"M245 75L270 50L295 75V100H245Z\"/>"
	    "<text x=\"295\" y=\"122\" text-anchor=\"end\">%s</text>",
	    number, mine ? " class=\"mine\"" : "", x, y, number, t->yours, t->device, t->house);
	if (visitor_nat)
		fprintf(out,
		    "<rect class=\"wall\" x=\"80\" y=\"60\" width=\"54\" height=\"30\" rx=\"4\"/>"
		    "<text x=\"107\" y=\"82\" text-anchor=\"middle\">NAT</text>");
	if (home_nat)
		fprintf(out,
		    "<rect class=\"wall\" x=\"175\" y=\"60\" width=\"54\" height=\"30\" rx=\"4\"/>"
		    "<text x=\"202\" y=\"82\" text-anchor=\"middle\">NAT</text>");
	fprintf(out, "<text x=\"160\" y=\"148\" text-anchor=\"middle\">%s</text></g>\n",
	    visitor_nat ? t->port_luck : t->port_works);
}

static void
print_cases(FILE *out, const struct texts *t, const struct visit *v)
{
	const bool home_nat =
	    v->local.family == AF_INET && netaddr_reach(&v->local) == NETADDR_PRIVATE;
	const unsigned first = home_nat ? 3 : 1;
	/* IPv6 knows no NAT; an IPv4 phone is nearly always behind one */
	const unsigned mine = v->peer.family == AF_INET6 ? first : first + 1;

	fprintf(out, "<h2>%s</h2>\n<svg viewBox=\"0 0 640 340\" role=\"img\" aria-label=\"%s\">\n",
	    t->cases, t->cases);
	for (unsigned i = 1; i <= 4; i++)
		print_case(out, t, i, v->outside && i == mine);
	fputs("</svg>\n", out);
	if (v->outside && v->peer.family == AF_INET)
		fprintf(out,
		    "<p><label><input type=\"checkbox\" id=\"nat\" data-yes=\"%u\" data-no=\"%u\"> "
		    "%s</label></p>\n",
		    first + 1, first, t->toggle);
}

static void
print_ports(FILE *out, const struct waiting *w, const struct texts *t, const struct visit *v)
{
	unsigned others = 0;

	fputs("<ul>\n", out);
	for (unsigned i = 0; i < w->n; i++) {
		const struct wait_port *p = &w->ports[i];

		if (p->listener == -1)
			continue;
		others += !p->browser;
		if (p->browser)
			fprintf(out, "<li data-port=\"%u\" data-local=\"%u\">%u</li>\n",
			    p->external, p->port, p->external);
	}
	fputs("</ul>\n", out);
	if (others > 0) {
		fprintf(out, "<p>%s", t->refused);
		for (unsigned i = 0; i < w->n; i++)
			if (!w->ports[i].browser && w->ports[i].listener != -1)
				fprintf(out, " %u", w->ports[i].external);
		fputs("</p>\n", out);
	}
	if (v->get.host[0] == '\0')
		return;
	fprintf(out, "<noscript><p>%s</p>", t->no_script);
	for (unsigned i = 0; i < w->n; i++)
		if (w->ports[i].browser && w->ports[i].listener != -1)
			fprintf(out, "<img alt=\"\" src=\"http://%s:%u/%s\">", v->get.host,
			    w->ports[i].external, w->nonce);
	fputs("</noscript>\n", out);
}

char *
wait_page(const struct waiting *w, const struct visit *v, size_t *len)
{
	const struct texts *t = strncmp(v->get.language, "ja", 2) == 0 ? &japanese : &english;
	char peer[NETADDR_TEXT], *page = NULL;
	FILE *out = open_memstream(&page, len);

	if (out == NULL)
		return NULL;
	fprintf(out,
	    "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<title>Genkan</title>\n<link rel=\"icon\" href=\"data:,\">\n"
	    "<style nonce=\"%s\">%s</style>\n</head>\n<body data-nonce=\"%s\">\n<h1>%s</h1>\n"
	    "<p>%s <b>%s</b></p>\n",
	    t->language, w->nonce, style, w->nonce, t->title, t->you, netaddr_text(&v->peer, peer));
	if (!v->outside)
		fprintf(out, "<p class=\"warn\">%s</p>\n", t->home);
	fprintf(out,
	    "<p class=\"say\" id=\"say\" data-all=\"%s\" data-some=\"%s\" "
	    "data-none=\"%s\">%s</p>\n",
	    t->all, t->some, t->none, t->wait);
	print_ports(out, w, t, v);
	print_cases(out, t, v);
	fprintf(out, "<p>%s</p>\n<script nonce=\"%s\">%s</script>\n</body>\n</html>\n", t->next,
	    w->nonce, script);
	if (fclose(out) == EOF) {
		free(page);
		return NULL;
	}
	return page;
}
