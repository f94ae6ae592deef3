/*
 * Every sentence that the doctor says. genkanctl(8) has an entry for each id; a test compares.
 */
#include "check.h"

#include <string.h>

static const struct {
	const char *prefix, *en, *ja;
} areas[] = {
	{ "config", "Config", "設定" },
	{ "launcher", "Launcher", "起動" },
	{ "ports", "Passive ports", "PASV用ポート" },
	{ "firewall", "Firewall", "防火壁" },
	{ "router", "Router", "ルーター" },
	{ "ddns", "DDNS", "DDNS" },
	{ "clients", "Clients", "クライアント" },
	{ "forward", "Forward", "転送" },
	{ "alg", "ALG", "ALG" },
	{ "tls", "TLS", "TLS" },
};

#define OK   VERDICT_OK
#define WARN VERDICT_WARN
#define FAIL VERDICT_FAIL
#define SKIP VERDICT_SKIP

static const struct words table[] = {
	{ "config-ok", OK, "$1: $2 directives", NULL, "$1: 指定 $2 件", NULL },
	{ "config-none", WARN, "there is no $1: the defaults hold",
	    "copy examples/lan-and-ddns.conf there and name your host",
	    "$1 がありません。既定値で動きます",
	    "examples/lan-and-ddns.conf をそこへコピーして、ホスト名を書いてください" },
	{ "config-share", OK, "--share: $1 for everybody, no file is needed", NULL,
	    "--share: $1 を誰にでも公開(設定ファイル不要)", NULL },
	{ "config-wrong", FAIL, "$1", "clients are sent away until it is corrected; genkan-ftpd -t tries it",
	    "$1", "直すまで全ての接続を断ります。genkan-ftpd -t で確かめられます" },
	{ "config-users", OK, "$1 users in $2", NULL, "$2 に利用者 $1 名", NULL },
	{ "config-users-none", FAIL, "there is no user in $1: nobody can log in",
	    "genkanctl passwd -u USER -d HOME NAME adds the first one",
	    "$1 に利用者がいません。誰もログインできません",
	    "genkanctl passwd -u USER -d HOME NAME で最初の利用者を加えてください" },
	{ "config-users-unread", SKIP, "$1 can be read by root only", "run genkanctl check as root",
	    "$1 は root にしか読めません", "genkanctl check を root で実行してください" },
	{ "config-users-open", WARN, "everybody can read the password hashes in $1", "chmod 600 $1",
	    "$1 のパスワードのハッシュを誰でも読めます", "chmod 600 $1" },
	{ "config-home", WARN, "the home $1 of the user $2 is missing: the login is refused",
	    "install -d -o $3 -g $4 -m 700 $1", "利用者 $2 のホーム $1 がありません。ログインを断ります",
	    "install -d -o $3 -g $4 -m 700 $1" },
	{ "config-guest-root", FAIL, "AnonymousRoot $1 is no directory: guests are refused",
	    "make it, or name another one", "AnonymousRoot $1 がディレクトリではありません。ゲストを断ります",
	    "作るか、他のディレクトリを指定してください" },
	{ "config-guest-user", FAIL, "AnonymousUser $1 is no user of this system: guests are refused",
	    "name one of /etc/passwd", "AnonymousUser $1 はこのシステムにいません。ゲストを断ります",
	    "/etc/passwd にある利用者を指定してください" },
	{ "config-role", WARN, "$1 $2 is no user of this system: nobody stands in, whom other services share",
	    "useradd -r -M -d /nonexistent -s /usr/sbin/nologin $2",
	    "$1 $2 はこのシステムにいません。他のサービスと共用の nobody で代用します",
	    "useradd -r -M -d /nonexistent -s /usr/sbin/nologin $2" },

	{ "launcher-ok", OK, "$1 starts it on port $2", NULL, "$1 がポート $2 で起動します", NULL },
	{ "launcher-none", FAIL, "neither inetd, xinetd nor systemd starts genkan-ftpd",
	    "take a file of examples/, or run genkan-ftpd --listen 21",
	    "inetd、xinetd、systemd のどれも genkan-ftpd を起動しません",
	    "examples/ のファイルを使うか、genkan-ftpd --listen 21 を実行してください" },
	{ "launcher-by-hand", WARN, "$1 listens on port $2, and nothing starts it again after a reboot",
	    "take examples/systemd/genkan-ftpd.service (in a container it is well as it is)",
	    "$1 がポート $2 で待ち受けていますが、再起動後に起動するものがありません",
	    "examples/systemd/genkan-ftpd.service を使ってください(コンテナならこのままで構いません)" },
	{ "launcher-unit-off", FAIL, "$1 is not enabled", "systemctl enable --now $2", "$1 が有効ではありません",
	    "systemctl enable --now $2" },
	{ "launcher-xinetd-off", FAIL, "$1 is switched off there",
	    "write disable = no, then systemctl reload xinetd", "$1 で止められています",
	    "disable = no と書いて systemctl reload xinetd してください" },
	{ "launcher-port", WARN, "$1: the port of $2 is not known", "give it as a number",
	    "$1: $2 のポートが分かりません", "番号で書いてください" },
	{ "launcher-wait", FAIL, "$1 would give it the listening socket, not a client", "write $2",
	    "$1 では接続ではなく待ち受けソケットが渡されます", "$2 と書いてください" },
	{ "launcher-user", WARN, "$1 starts it as $2, who cannot become the users who log in",
	    "let root start it: it gives up its rights step by step",
	    "$1 は $2 で起動します。ログインする利用者になれません",
	    "root で起動してください。権限は段階的に捨てます" },
	{ "launcher-program", FAIL, "$1 starts $2, which is not there", "install it, or correct the path",
	    "$1 が起動する $2 がありません", "インストールするか、パスを直してください" },
	{ "launcher-inetd-limit", WARN,
	    "$1: after $2 connections in a minute inetd switches the service off for ten minutes",
	    "write nowait.100000, then systemctl reload inetd",
	    "$1: 一分間に $2 回接続されると inetd がサービスを十分間止めます",
	    "nowait.100000 と書いて systemctl reload inetd してください" },
	{ "launcher-inetutils", WARN,
	    "$1: the inetd of GNU inetutils sleeps a second after each connection, and knows no IPv6",
	    "install openbsd-inetd instead", "$1: GNU inetutils の inetd は接続ごとに一秒止まり、IPv6 も使えません",
	    "代わりに openbsd-inetd を入れてください" },
	{ "launcher-xinetd-cps", WARN,
	    "$1: above $2 connections in a second xinetd switches the service off for $3 seconds",
	    "write cps = 1000 1, then systemctl reload xinetd",
	    "$1: 一秒間に $2 回を超えて接続されると xinetd がサービスを $3 秒間止めます",
	    "cps = 1000 1 と書いて systemctl reload xinetd してください" },
	{ "launcher-instances", WARN,
	    "$1: $2 at once, but MaxClients is $3: who is one too many is cut off and does not hear why",
	    "$4 above $3: at least $5", "$1: 同時接続 $2 ですが MaxClients は $3 です。超えた人は理由も聞けず切られます",
	    "$4 を $3 より大きく(少なくとも $5)してください" },
	{ "launcher-socket-trigger", WARN,
	    "$1: after a burst of connections systemd lets the socket fail, for good",
	    "write TriggerLimitIntervalSec=0 in its [Socket], then systemctl daemon-reload and restart $2",
	    "$1: 接続が集中すると systemd がソケットを止め、二度と戻しません",
	    "[Socket] に TriggerLimitIntervalSec=0 と書き、systemctl daemon-reload して $2 を再起動してください" },
	{ "launcher-socket-stderr", WARN, "$1: standard error goes to the client", "write StandardError=journal",
	    "$1: 標準エラー出力が接続相手に送られます", "StandardError=journal と書いてください" },
	{ "launcher-twice", WARN, "port $1 is served by $2 and by $3", "switch one of them off",
	    "ポート $1 を $2 と $3 の両方が受けています", "片方を止めてください" },
	{ "launcher-listens", OK, "port $1 is listened on by $2", NULL, "ポート $1 は $2 が待ち受けています", NULL },
	{ "launcher-silent", FAIL, "nobody listens on port $1",
	    "start the super-server; its log says why it does not listen",
	    "ポート $1 を待ち受けているものがいません",
	    "スーパーサーバーを起動してください。待ち受けない理由はそのログにあります" },

	{ "ports-ok", OK, "$1: $2 ports for MaxClients $3", NULL, "$1: $2 個(MaxClients $3)", NULL },
	{ "ports-any", WARN, "PassivePorts any: no router can forward them",
	    "PassivePorts 4000 4029, and forward these on the router",
	    "PassivePorts any: ルーターで転送できません",
	    "PassivePorts 4000 4029 とし、ルーターでこれらを転送してください" },
	{ "ports-mapped", OK, "PassivePorts any: each is forwarded by PortMapping $1", NULL,
	    "PassivePorts any: PortMapping $1 がその都度転送させます", NULL },
	{ "ports-few", WARN, "$1: $2 ports, but MaxClients is $3: each running transfer takes one",
	    "give more of them and forward them, or lower MaxClients",
	    "$1: $2 個ですが MaxClients は $3 です。転送中は一つずつ使います",
	    "増やして転送させるか、MaxClients を減らしてください" },
	{ "ports-control", FAIL, "$1 has $2, the port of the control connection", "take other ports",
	    "$1 に制御用のポート $2 が含まれています", "他のポートにしてください" },
	{ "ports-kernel", WARN,
	    "PassivePorts has some of $1-$2, which the kernel gives to outgoing connections: they may be taken",
	    "take lower ones, such as 4000-4029",
	    "PassivePorts がカーネルの外向き接続用 $1-$2 と重なり、使われてしまうことがあります",
	    "4000-4029 のような小さい番号にしてください" },
	{ "ports-taken", WARN, "port $1 of PassivePorts is listened on by $2", "leave it out, or end that",
	    "PassivePorts のポート $1 は $2 が待ち受けています", "外すか、そちらを止めてください" },

	{ "firewall-ok", OK, "$1 lets the control port and the passive ports in", NULL,
	    "$1 は制御用と PASV 用のポートを通します", NULL },
	{ "firewall-none", OK, "nothing filters what comes in", NULL, "外から来るものを遮る規則はありません", NULL },
	{ "firewall-closed", FAIL, "$1 does not let tcp $2 in", "$3", "$1 が tcp $2 を通しません", "$3" },
	{ "firewall-unknown", SKIP, "$1 has rules that are not understood here",
	    "genkanctl check --wait shows what comes in", "$1 にここでは判断できない規則があります",
	    "genkanctl check --wait で実際に届くか分かります" },
	{ "firewall-legacy", SKIP, "there are rules of iptables-legacy, which are not looked at",
	    "iptables-legacy -L INPUT -n shows them", "iptables-legacy の規則があり、ここでは見ません",
	    "iptables-legacy -L INPUT -n で見られます" },
	{ "firewall-denied", SKIP, "the rules can be read by root only", "run genkanctl check as root",
	    "規則は root にしか読めません", "genkanctl check を root で実行してください" },
	{ "firewall-tools", SKIP, "neither nft, ufw nor firewall-cmd is installed to tell of the rules", NULL,
	    "規則を調べる nft、ufw、firewall-cmd がありません", NULL },

	{ "router-ok", OK, "$1 speaks $2; its address outside is $3", NULL,
	    "$1 は $2 を話します。外側のアドレスは $3 です", NULL },
	{ "router-direct", OK, "this machine has the public address $1 itself", NULL,
	    "このマシン自身が公開アドレス $1 を持っています", NULL },
	{ "router-none", WARN, "there is no default route, so no router", "connect this machine to the world",
	    "デフォルトルートがなく、ルーターが分かりません", "このマシンを外につないでください" },
	{ "router-gateway", SKIP, "genkan-ftpd-gateway cannot be asked: $1", "install it, or name it by --gateway",
	    "genkan-ftpd-gateway に聞けません: $1", "インストールするか --gateway で指定してください" },
	{ "router-silent", SKIP, "$1 speaks neither NAT-PMP, PCP nor UPnP: its address outside is not known",
	    "switch one on there if you want MasqueradeAddress natpmp or PortMapping; by hand it works without",
	    "$1 は NAT-PMP、PCP、UPnP のどれも話さず、外側のアドレスが分かりません",
	    "MasqueradeAddress natpmp や PortMapping を使うなら有効にしてください。手で転送するなら不要です" },
	{ "router-no-address", SKIP, "$1 speaks $2, but does not tell its address outside",
	    "look whether it is connected", "$1 は $2 を話しますが、外側のアドレスを答えません",
	    "回線につながっているか確かめてください" },
	{ "router-double", WARN, "$1 has the private address $2 outside: there is a second router in front of it",
	    "make one of the two a bridge, or forward the ports on both",
	    "$1 の外側は私用アドレス $2 です。その先にもう一台ルーターがあります(二重NAT)",
	    "どちらかをブリッジにするか、両方で転送してください" },
	{ "router-carrier", FAIL,
	    "$1 has $2 outside: the provider's NAT (RFC 6598). Nobody outside can connect by IPv4",
	    "ask the provider for an address of your own, or use IPv6",
	    "$1 の外側は $2 で、プロバイダーの NAT (RFC 6598) の中です。外から IPv4 では来られません",
	    "プロバイダーに専用のアドレスを頼むか、IPv6 を使ってください" },
	{ "router-carrier6", FAIL,
	    "$1 has $2 outside: the provider's NAT (RFC 6598). Nobody outside can connect by IPv4",
	    "use IPv6, where this machine is $3, or ask the provider for an address of your own",
	    "$1 の外側は $2 で、プロバイダーの NAT (RFC 6598) の中です。外から IPv4 では来られません",
	    "IPv6 (このマシンは $3) を使うか、プロバイダーに専用のアドレスを頼んでください" },
	{ "router-offline", WARN, "$1 has $2 outside, which is $3", "look whether it is connected",
	    "$1 の外側は $2 ($3) です", "回線につながっているか確かめてください" },
	{ "router-no-natpmp", FAIL, "the configuration says natpmp, but the router speaks neither NAT-PMP nor PCP",
	    "switch it on there, or use upnp or a name", "設定は natpmp ですが、ルーターは NAT-PMP も PCP も話しません",
	    "ルーターで有効にするか、upnp か名前を使ってください" },
	{ "router-no-upnp", FAIL, "the configuration says upnp, but the router does not speak UPnP",
	    "switch it on there, or use natpmp or a name", "設定は upnp ですが、ルーターは UPnP を話しません",
	    "ルーターで有効にするか、natpmp か名前を使ってください" },
	{ "router-no-mapping", FAIL, "PortMapping auto: the router speaks none of its protocols",
	    "switch NAT-PMP or UPnP on there, or forward PassivePorts by hand",
	    "PortMapping auto ですが、ルーターはどの方式も話しません",
	    "NAT-PMP か UPnP を有効にするか、PassivePorts を手で転送してください" },
	{ "router-upnp-forgotten", WARN, "the router speaks UPnP, but is not remembered: it is not looked for in a hurry",
	    "genkanctl map --list remembers it",
	    "ルーターは UPnP を話しますが、覚えていません。接続のたびに探しはしません",
	    "genkanctl map --list で覚えます" },

	{ "ddns-ok", OK, "$1 is $2, and so says the router", NULL, "$1 は $2 で、ルーターの答えと同じです", NULL },
	{ "ddns-unconfirmed", OK, "$1 is $2; the router does not say", NULL,
	    "$1 は $2 です(ルーターには確かめられません)", NULL },
	{ "ddns-stale", FAIL, "$1 is $2, but the address of the router outside is $3",
	    "the DDNS service was not told of the new address: look at its client",
	    "$1 は $2 ですが、ルーターの外側のアドレスは $3 です",
	    "DDNS に新しいアドレスが届いていません。DDNS のクライアントを見てください" },
	{ "ddns-failed", FAIL, "$1: $2", "look at the name, and at the DNS servers (MasqueradeResolver)", "$1: $2",
	    "名前と DNS サーバー (MasqueradeResolver) を確かめてください" },
	{ "ddns-none", WARN, "MasqueradeAddress is none: PASV tells clients outside the local address",
	    "MasqueradeAddress natpmp, or the name of your DDNS service",
	    "MasqueradeAddress が none なので、外のクライアントにも内側のアドレスを告げます",
	    "MasqueradeAddress natpmp とするか、DDNS の名前を書いてください" },
	{ "ddns-lan-inside", OK, "at home $1 is $2: LAN clients that use the name come directly", NULL,
	    "家の中では $1 は $2 です。LAN からも名前で直接来られます", NULL },
	{ "ddns-lan-outside", OK, "at home $1 is $2 too: LAN clients that use the name need a router that loops back",
	    NULL, "家の中でも $1 は $2 です。LAN から名前で来るにはルーターの折り返し機能が要ります", NULL },

	{ "clients-lan", OK, "from LocalNetworks $1: PASV tells $2 and a port of $3, EPSV the port", NULL,
	    "LocalNetworks $1 から: PASV には $2 と $3 のポート、EPSV にはポートを告げます", NULL },
	{ "clients-world", OK, "from the world: PASV tells $1 and a port of $2, EPSV the port", NULL,
	    "外から: PASV には $1 と $2 のポート、EPSV にはポートを告げます", NULL },
	{ "clients-world-lost", WARN, "from the world: PASV tells $1, which cannot be reached there; EPSV works",
	    "see above", "外から: PASV には $1 を告げますが、外からは届きません。EPSV は使えます", "上を見てください" },
	{ "clients-ipv6", OK, "by IPv6 to $1: EPSV tells a port of $2; the router's firewall must let them in", NULL,
	    "IPv6 で $1 へ: EPSV には $2 のポートを告げます。ルーターのフィルターで通してください", NULL },

	{ "forward-ok", OK, "$1 leads here at $2", NULL, "$1 の $2 はここへ届きます", NULL },
	{ "forward-control", OK, "$1 leads to the service at $2", NULL, "$1 の $2 はこのサービスへ届きます", NULL },
	{ "forward-missing", FAIL, "$1 does not lead here at $2, where other ports do",
	    "forward tcp $2 to this machine", "$1 の $2 は届きません(他のポートは届きます)",
	    "ルーターで tcp $2 をこのマシンへ転送してください" },
	{ "forward-elsewhere", FAIL, "somebody else answers at $1, port $2",
	    "forward tcp $2 to this machine, and look what the router itself serves there",
	    "$1 のポート $2 には別のものが答えます",
	    "ルーターで tcp $2 をこのマシンへ転送し、ルーター自身のサービスも確かめてください" },
	{ "forward-control-elsewhere", FAIL, "at $1, port $2, another machine than this one answers",
	    "forward tcp $2 to this machine", "$1 のポート $2 には別のマシンが答えます",
	    "ルーターで tcp $2 をこのマシンへ転送してください" },
	{ "forward-unknown", SKIP,
	    "$1 cannot be tried from here: nothing is forwarded, or the router does not loop back",
	    "run genkanctl check --wait, and look from a phone without Wi-Fi",
	    "ここからは $1 を試せません。転送がないか、ルーターが折り返しません",
	    "genkanctl check --wait を実行し、Wi-Fi を切ったスマートフォンで見てください" },

	{ "alg-ok", OK, "the answer to PASV arrives as it was sent", NULL,
	    "PASV への返事はそのまま届きます", NULL },
	{ "alg-changed", WARN,
	    "the answer to PASV was changed on the way: $1 was sent, $2 arrived with port $3",
	    "the router rewrites FTP: switch its FTP helper (ALG) off, or use another port than 21, or TLS",
	    "PASV への返事が途中で書き換えられました。$1 を送りましたが、$2 ポート $3 が届きました",
	    "ルーターの FTP 補助機能 (ALG) を切るか、21 以外のポートか TLS を使ってください" },
	{ "alg-unseen", SKIP, "whether the router rewrites FTP is not to be seen without a guest's login", NULL,
	    "ルーターが FTP を書き換えるかどうかは、ゲストがログインできないと分かりません", NULL },

	{ "tls-ok", OK, "$1", NULL, "$1", NULL },
	{ "tls-off", SKIP, "TLS is off: passwords and files can be read on their way",
	    "TLS on, with a certificate: examples/README.md tells how to get one",
	    "TLS が off です。パスワードもファイルも途中で読まれ得ます",
	    "証明書を用意して TLS on としてください(examples/README.md)" },
	{ "tls-program", FAIL, "genkan-ftpd-tls is not installed: AUTH TLS is refused",
	    "install it, or write TLS off", "genkan-ftpd-tls がありません。AUTH TLS を断ります",
	    "インストールするか TLS off としてください" },
	{ "tls-users-wrong", FAIL, "TLSUserCertificates $1: $2",
	    "correct it; until then a password is asked for", "TLSUserCertificates $1: $2",
	    "直してください。それまではパスワードを尋ねます" },
	{ "tls-wrong", FAIL, "$1", "correct it; genkan-ftpd -t tries it", "$1",
	    "直してください。genkan-ftpd -t で確かめられます" },
	{ "tls-soon", WARN, "$1", "renew it: the program that does so has not", "$1",
	    "更新してください。自動更新が動いていません" },
	{ "tls-name", WARN, "$1: not for $2, so clients that come by this name will ask their users",
	    "get one for $2", "$1: $2 用ではないので、この名前で来るクライアントは利用者に尋ねます",
	    "$2 用のものを取ってください" },
};

const struct words *
words_find(const char *id)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].id, id) == 0)
			return &table[i];
	return NULL;
}

const char *
words_area(const char *id, bool japanese)
{
	const size_t len = strcspn(id, "-");

	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (strncmp(areas[i].prefix, id, len) == 0 && areas[i].prefix[len] == '\0')
			return japanese ? areas[i].ja : areas[i].en;
	return "";
}

void
words_fill(const char *sentence, const char *const *args, unsigned n, char *text, size_t size)
{
	size_t used = 0;

	for (; *sentence != '\0' && used < size - 1; sentence++) {
		if (*sentence != '$' || sentence[1] < '1' || sentence[1] > '9') {
			text[used++] = *sentence;
			continue;
		}
		sentence++;
		text[used] = '\0';
		if ((unsigned)(*sentence - '1') < n)
			used += strlcpy(text + used, args[*sentence - '1'], size - used);
		used = used < size ? used : size - 1;
	}
	text[used] = '\0';
}
