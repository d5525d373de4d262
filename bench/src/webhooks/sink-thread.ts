import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * A receiver on a thread of its own that reads each request to its end and answers 204. Paths that begin with `/hang` are answered after the
 * milliseconds that it was started with. It says when a request came, by the monotonic clock of the process.
 */
const { hangMs } = workerData as { readonly hangMs: number }; // what sink.ts gives it
let times: [id: string, at: number][] = [];

const server = createServer((request, response) => {
  const at = performance.timeOrigin + performance.now();
  request.resume();
  request.on('end', () => {
    times.push([String(request.headers['webhook-id'] ?? ''), at]);
    if (request.url?.startsWith('/hang') === true) setTimeout(() => answer(response), hangMs).unref();
    else answer(response);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage({ kind: 'port', port: (server.address() as AddressInfo).port }, []); // it listens on TCP
});
parentPort?.on('message', () => {
  parentPort?.postMessage({ kind: 'times', times }, []);
  times = [];
});

function answer(response: ServerResponse): void {
  response.writeHead(204).end();
}
