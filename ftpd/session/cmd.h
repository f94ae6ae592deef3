/*
 * The functions behind the command table, by the section of the RFC. Only these
 * choose reply codes.
 */
#ifndef GENKAN_CMD_H
#define GENKAN_CMD_H

#include <stdbool.h>
#include <sys/types.h>

struct session;

/* RFC 959 4.1.1, access control: cmd_access.c */
void cmd_user(struct session *s, char *arg);
void cmd_pass(struct session *s, char *arg);
void cmd_quit(struct session *s, char *arg);
void cmd_host(struct session *s, char *arg);
void cmd_acct(struct session *s, char *arg);

/* RFC 2228, RFC 4217, security: cmd_tls.c */
void cmd_auth(struct session *s, char *arg);
void cmd_pbsz(struct session *s, char *arg);
void cmd_prot(struct session *s, char *arg);
void cmd_ccc(struct session *s, char *arg);

/* True if the control connection is as TLS wants it; otherwise the refusal has been sent. */
bool cmd_encrypted(struct session *s);

/* RFC 959 4.1.2, transfer parameters: cmd_param.c */
void cmd_type(struct session *s, char *arg);
void cmd_stru(struct session *s, char *arg);
void cmd_mode(struct session *s, char *arg);
void cmd_port(struct session *s, char *arg);
void cmd_eprt(struct session *s, char *arg);
void cmd_pasv(struct session *s, char *arg);
void cmd_epsv(struct session *s, char *arg);
void cmd_long(struct session *s, char *arg);
void cmd_pret(struct session *s, char *arg);
void cmd_rest(struct session *s, char *arg);

/* What REST or RANG has said no longer holds. */
void cmd_forget_restart(struct session *s);

void cmd_rang(struct session *s, char *arg);
void cmd_allo(struct session *s, char *arg);
void cmd_avbl(struct session *s, char *arg);
void cmd_opts(struct session *s, char *arg);
void cmd_lang(struct session *s, char *arg);

/* RFC 959 4.1.3, RFC 3659: the files: cmd_file.c */
void cmd_cwd(struct session *s, char *arg);
void cmd_cdup(struct session *s, char *arg);
void cmd_pwd(struct session *s, char *arg);
void cmd_mkd(struct session *s, char *arg);
void cmd_rmd(struct session *s, char *arg);
void cmd_dele(struct session *s, char *arg);
void cmd_rnfr(struct session *s, char *arg);
void cmd_rnto(struct session *s, char *arg);
void cmd_size(struct session *s, char *arg);
void cmd_mdtm(struct session *s, char *arg);
void cmd_mfmt(struct session *s, char *arg);
void cmd_mfct(struct session *s, char *arg);
void cmd_mff(struct session *s, char *arg);
void cmd_mlst(struct session *s, char *arg);

/* Reads the number of a group; false if text is none. Names are not known in the client's root. */
bool cmd_group(const char *text, gid_t *group);

/* Checksums (draft-bryan-ftpext-hash and older names): cmd_hash.c */
void cmd_hash(struct session *s, char *arg);
void cmd_xcrc(struct session *s, char *arg);
void cmd_xmd5(struct session *s, char *arg);
void cmd_xsha1(struct session *s, char *arg);
void cmd_xsha256(struct session *s, char *arg);
void cmd_xsha512(struct session *s, char *arg);

/* Answers OPTS HASH: value names an algorithm, or is NULL for the question. */
void cmd_opts_hash(struct session *s, const char *value);

/* SITE: cmd_site.c */
void cmd_site(struct session *s, char *arg);

/* Transfers: cmd_transfer.c */
void cmd_retr(struct session *s, char *arg);
void cmd_stor(struct session *s, char *arg);
void cmd_appe(struct session *s, char *arg);
void cmd_stou(struct session *s, char *arg);
void cmd_list(struct session *s, char *arg);
void cmd_nlst(struct session *s, char *arg);
void cmd_mlsd(struct session *s, char *arg);
void cmd_abor(struct session *s, char *arg);

/* RFC 959 4.1.3, information: cmd_info.c */
void cmd_feat(struct session *s, char *arg);
void cmd_help(struct session *s, char *arg);
void cmd_noop(struct session *s, char *arg);
void cmd_stat(struct session *s, char *arg);
void cmd_syst(struct session *s, char *arg);
void cmd_clnt(struct session *s, char *arg);
void cmd_csid(struct session *s, char *arg);
void cmd_refused(struct session *s, char *arg);

/*
 * The absolute name of arg in the client's root, in a buffer of REQ_PATH bytes;
 * false, after a reply, if it is too long.
 */
bool cmd_path(struct session *s, const char *arg, char *path);

/*
 * The same for a place to go to or to look at: "~" and "~user", with what
 * follows, are the client's first directory, unless something there is called so.
 */
bool cmd_place(struct session *s, const char *arg, char *path);

/* True if arg names something that is there; without a word to the client. */
bool cmd_exists(struct session *s, const char *arg);

/* True if the account has one of these rights; otherwise the refusal has been sent. */
bool cmd_may(struct session *s, unsigned right, const char *what);

/* The monitor learns that a file is not read any more; the transfer log does not: cmd_transfer.c */
void cmd_done_reading(struct session *s, const char *path);

/* Sends the listing of a directory as lines of a reply (STAT): cmd_transfer.c */
void cmd_list_reply(struct session *s, char *arg);

#endif
