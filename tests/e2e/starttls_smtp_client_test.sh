# starttls_smtp_client with aiosmtpd, and with servers that only say that they had STARTTLS.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/common_of_tls.sh"

# mail_server FOLDER [CERTIFICATE]: it keeps each message in FOLDER, and says who it is from and for.
# Without a certificate it has no STARTTLS, else nothing goes without it.
cat >"$work/mail_server.py" <<'PYTHON'
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP

folder = sys.argv[1]
context = None
if len(sys.argv) == 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2] + ".pem", sys.argv[2] + ".key")

class Handler:
    number = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 nobody is called so"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Handler.number += 1
        with open(f"{folder}/{Handler.number}", "wb") as file:
            file.write(envelope.original_content)
        print(envelope.mail_from, *envelope.rcpt_tos, *envelope.mail_options, flush=True)
        return f"250 kept as {Handler.number}"

async def main():
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), hostname="localhost", tls_context=context,
                     require_starttls=context is not None), "127.0.0.1", 0)
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
PYTHON

# send HOST ARGUMENT...: the message on standard input; what is said, or how it fails, which is with status 1.
send() {
  local status=0
  "$examples/starttls_smtp_client" "$1:$port" --ca "${ca:-$root}" "${@:2}" >"$work/answer" 2>"$work/error" || status=$?
  [ $status = 0 ] || [ $status = 1 ] || fail "it ends with $status: $(cat "$work/error")"
  cat "$work/answer" "$work/error"
}

mkdir "$work/kept"
# Debian's packages are seen by Debian's Python alone.
start_server /usr/bin/python3 "$work/mail_server.py" "$work/kept" "$certificates/server"
server_says=$output

# Lines that begin with dots, ends of lines of both kinds, one that is missing, and not only ASCII.
printf 'Subject: dots\r\n\r\n.\r\n..\r\n.hidden\r\n...\r\nh\xc3\xa9\r\n.\r\n\r\n' >"$work/1"
expect_like "the first message" "sent by *: 250 kept as 1" "$(send localhost me@here you@there <"$work/1")"
expect "of the first message" "me@here you@there BODY=8BITMIME" "$(read_from "$server_says")"
cmp "$work/1" "$work/kept/1"
expect_like "the second message" "sent by *: 250 kept as 2" "$(tr -d '\r' <"$work/1" | send localhost me@here you@there)"
cmp "$work/1" "$work/kept/2"
expect_like "the third message" "sent by *: 250 kept as 3" "$(printf 'no end' | send 127.0.0.1 me@here you@there)"
printf 'no end\r\n' | cmp - "$work/kept/3"
seq -f ".line %.0f with enough in it to make the message a large one, of a megabyte and more" 1 20000 >"$work/4"
expect_like "the fourth message" "sent by *: 250 kept as 4" "$(send localhost me@here you@there <"$work/4")"
sed 's/$/\r/' "$work/4" | cmp - "$work/kept/4"

expect_like "nobody" "starttls_smtp_client: after RCPT TO:<nobody@there> the server says: 550 5.1.1 *" \
  "$(send localhost me@here nobody@there <"$work/1")"
expect_like "a CR" "starttls_smtp_client: *CR*" "$(printf 'a\r.\rMAIL FROM:<x>\n' | send localhost me@here you@there)"
expect_like "a long line" "starttls_smtp_client: *longer*" "$(head -c 999 /dev/zero | tr '\0' x | send localhost me@here you@there)"
expect_like "a wrong root" "starttls_smtp_client: *the certificate of localhost:$port was not accepted*" \
  "$(ca=$certificates/other_root.pem send localhost me@here you@there <"$work/1")"
status=0
"$examples/starttls_smtp_client" "localhost:$port" me@here $'you@there>\r\nDATA' </dev/null 2>/dev/null || status=$?
expect "the status with a bad address" 2 $status
kill -KILL "$pid"

start_server /usr/bin/python3 "$work/mail_server.py" "$work/kept" "$certificates/other_server"
expect_like "a wrong name" "starttls_smtp_client: *the certificate of localhost:$port was not accepted*ostname mismatch*" \
  "$(send localhost me@here you@there <"$work/1")"
kill -KILL "$pid"

# Without STARTTLS nothing is sent, though this server would take it.
start_server /usr/bin/python3 "$work/mail_server.py" "$work/kept"
expect "without STARTTLS" "starttls_smtp_client: the server does not offer STARTTLS, and without it nothing is sent" \
  "$(send localhost me@here you@there <"$work/1")"
expect "all that was kept" 4 "$(ls "$work/kept" | wc -l)"
kill -KILL "$pid"

# says LINE...: a server that says these to whoever connects, each but the first when it has read a line;
# what it has read is in the file heard.
cat >"$work/says.py" <<'PYTHON'
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("listening on", listener.getsockname()[1], flush=True)
plain = listener.accept()[0]
lines = plain.makefile("rb")
with open(sys.argv[1], "wb") as heard:
    for number, line in enumerate(sys.argv[2:]):
        if number > 0:
            heard.write(lines.readline())
        plain.sendall(line.encode().decode("unicode_escape").encode("latin-1"))
    plain.shutdown(socket.SHUT_WR)
    try:
        heard.write(lines.read())
    except OSError:  # it was hung up on
        pass
PYTHON
says() {
  start_server python3 "$work/says.py" "$work/heard" "$@"
  send localhost me@here you@there <"$work/1"
}
# What comes with the answer to STARTTLS would count as encrypted (CVE-2021-23222).
expect_like "an answer in advance" "starttls_smtp_client: TLS was not started: not ready" \
  "$(says '220 hi\r\n' '250-hi\r\n250 STARTTLS\r\n' '220 go\r\n250 hi\r\n')"
grep -q MAIL "$work/heard" && fail "it was believed"
expect "STARTTLS refused" "starttls_smtp_client: after STARTTLS the server says: 454 not now" \
  "$(says '220 hi\r\n' '250-hi\r\n250-SIZE 10\r\n250 starttls\r\n' '454 not now\r\n')"
expect_like "no TLS after STARTTLS" "starttls_smtp_client: *" "$(says '220 hi\r\n' '250-hi\r\n250 STARTTLS\r\n' '220 go\r\n' 'hello\r\n')"
expect "a name like it" "starttls_smtp_client: the server does not offer STARTTLS, and without it nothing is sent" \
  "$(says '220 hi\r\n' '250-STARTTLS\r\n250 XSTARTTLS\r\n')"
expect "two codes" "starttls_smtp_client: a reply has two codes" "$(says '220 hi\r\n' '250-hi\r\n220 STARTTLS\r\n')"
expect "no SMTP" "starttls_smtp_client: this is no SMTP: hello" "$(says 'hello\r\n')"
expect "hanging up" "starttls_smtp_client: the server hung up: clean" "$(says '220 hi\r\n' '250-hi\r\n')"
expect "not at home" "starttls_smtp_client: after connecting the server says: 554 no" "$(says '554 no\r\n')"
