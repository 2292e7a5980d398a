// Promises of Node.js.  It does not count its allocations.

let kept = 0;

function cpu_ns() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

async function cost_of(run, n) {
  const before = cpu_ns();
  await run(n);
  return cpu_ns() - before;
}

// Prints the CPU time of one of the n operations that run(n) performs.
async function measure(config, run) {
  const enough = 3e7;
  let n = 1000;
  let cost;
  while ((cost = await cost_of(run, n)) < enough) n *= 2;
  const costs = [cost];
  for (let i = 0; i < 4; i++) costs.push(await cost_of(run, n));
  costs.sort((a, b) => a - b);
  console.log(JSON.stringify({ config, peer: 'Node.js', ns: costs[2] / n, allocations: null }));
}

// A promise, and what resolves it.
function ivar() {
  let fill;
  const read = new Promise((resolve) => { fill = resolve; });
  return { read, fill };
}

const add_one = (x) => x + 1;
const chain_length = 1000;

async function chain(n, link) {
  for (; n > 0; n -= chain_length) {
    const { read, fill } = ivar();
    let end = read;
    for (let i = 0; i < chain_length; i++) end = end.then(link);
    fill(1);
    kept += await end;
  }
}

async function ready() { return 1; }

function turns(n) {
  return new Promise((done) => {
    const turn = () => { if (n-- > 0) queueMicrotask(turn); else done(); };
    turn();
  });
}

function timeout(ms, promise) {
  let timer;
  const over = new Promise((resolve) => { timer = setTimeout(resolve, ms); });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}

async function main() {
  await measure('map, determined', async (n) => {
    while (n--) kept += await Promise.resolve(1).then(add_one);
  });
  await measure('fill to continuation', async (n) => {
    while (n--) {
      const { read, fill } = ivar();
      const mapped = read.then(add_one);
      fill(1);
      kept += await mapped;
    }
  });
  await measure('link in a chain of 1,000 maps', (n) => chain(n, add_one));
  await measure('link in a chain of 1,000 binds', (n) => chain(n, (x) => Promise.resolve(x + 1)));
  await measure('await a ready coroutine', async (n) => { while (n--) kept += await ready(); });
  await measure('await a filled ivar', async (n) => {
    while (n--) {
      const { read, fill } = ivar();
      fill(1);
      kept += await read;
    }
  });
  await measure('turn of the queue', turns);
  // A race that is lost stays with its promise, so each has one of its own to lose against.
  await measure('choose of two, one ready', async (n) => {
    while (n--) kept += await Promise.race([Promise.resolve(1), ivar().read]);
  });
  await measure('choose of two, waiting', async (n) => {
    while (n--) {
      const { read, fill } = ivar();
      const first = Promise.race([read, ivar().read]);
      fill(1);
      kept += await first;
    }
  });
  await measure('try_with, ready', async (n) => {
    while (n--) kept += await ready().catch(() => 0);
  });
  await measure('try_with, waiting', async (n) => {
    while (n--) {
      const { read, fill } = ivar();
      const caught = read.catch(() => 0);
      fill(1);
      kept += await caught;
    }
  });
  for (let i = 0; i < 1000; i++) setTimeout(() => {}, 3600000 + i).unref();
  await measure('timer added and aborted', async (n) => {
    while (n--) clearTimeout(setTimeout(() => {}, 1800000));
  });
  await measure('recursive bind, a turn', async (n) => { while (n--) await ready(); });
  await measure('with_timeout, ready', async (n) => {
    while (n--) kept += await timeout(10000, Promise.resolve(1));
  });
  await measure('with_timeout, waiting', async (n) => {
    while (n--) {
      const { read, fill } = ivar();
      const timed = timeout(10000, read);
      fill(1);
      kept += await timed;
    }
  });
}

main();
