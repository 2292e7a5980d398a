// Node.js; with TLS, if there is a certificate.  server.js PORT MODE [CERTIFICATE KEY]
'use strict';
const fs = require('fs');
const net = require('net');
const readline = require('readline');
const tls = require('tls');

const [port, mode, certificate, key] = [Number(process.argv[2]), ...process.argv.slice(3)];
const bulkBytes = Number(process.env.BULK_BYTES || 2 ** 30);
const block = Buffer.alloc(64 * 1024, 'x');

function echo(socket) {
  socket.on('data', (bytes) => {
    if (socket.write(bytes)) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  });
}

// Answers each line with itself, and all lines that have arrived at once.
function lines(socket) {
  let corked = false;
  const uncork = () => {
    corked = false;
    socket.uncork();
  };
  const reader = readline.createInterface({ input: socket, crlfDelay: Infinity, terminal: false });
  reader.on('line', (line) => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    socket.write(line + '\n');
  });
}

function send(socket, done) {
  let left = bulkBytes;
  const more = () => {
    while (left > 0) {
      const n = Math.min(left, block.length);
      left -= n;
      if (!socket.write(n === block.length ? block : block.subarray(0, n))) {
        socket.once('drain', more);
        return;
      }
    }
    done();
  };
  more();
}

function receive(socket, done) {
  let received = 0;
  socket.on('data', (bytes) => { received += bytes.length; });
  socket.on('end', () => done(received));
}

const serve = {
  echo,
  line: lines,
  send: (socket) => send(socket, () => socket.end()),
  receive: (socket) => receive(socket, (received) => socket.end(`${received}\n`)),
  both: (socket) => {
    let underWay = 2;
    const done = () => {
      underWay -= 1;
      if (underWay === 0) socket.end();
    };
    receive(socket, done);
    send(socket, done);
  },
}[mode];

const options = { noDelay: true, allowHalfOpen: mode === 'receive' || mode === 'both' };
const accepted = (socket) => {
  socket.on('error', () => {});
  serve(socket);
};
const server = certificate === undefined ? net.createServer(options, accepted) : tls.createServer({
  ...options,
  cert: fs.readFileSync(certificate),
  key: fs.readFileSync(key),
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256', // it prefers AES-256, unlike all others
}, accepted);
server.listen({ port, host: '127.0.0.1', backlog: 4096 });
