/** Who may ask the lab's server for what: this machine's browser, from a page of this server. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The most bytes that a request may carry. */
const MOST = 256 * 1024;

/** Something was asked for that cannot be: the sentence is for whoever asked. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Refuses whom this server is not for. A page of another origin could make a browser send requests here (so
 * `Origin` is checked), or give a name of its own this address (so `Host` is): see DNS rebinding.
 *
 * @throws Refusal
 */
export function admit({ headers, method, socket }: IncomingMessage, port: number): void {
  const own = ['127.0.0.1', 'localhost', '[::1]'].map((host) => `${host}:${port}`);
  if (!isLoopback(socket.remoteAddress)) throw new Refusal(403, 'only loopback may connect');
  if (!own.includes(headers.host ?? '')) throw new Refusal(403, 'this is no name of this server');
  const { origin } = headers;
  const isOwn = origin !== undefined && own.some((host) => origin === `http://${host}`);
  if (origin !== undefined && !isOwn) throw new Refusal(403, 'a page of another origin asked');
  if (method !== 'GET' && method !== 'HEAD' && !isOwn) {
    throw new Refusal(403, 'only a page of this server may start something');
  }
}

function isLoopback(address: string | undefined): boolean {
  return /^(::1|(::ffff:)?127(\.\d+){3})$/.test(address ?? '');
}

/** Reads a request's JSON. @throws Refusal when it is too long, or no JSON */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MOST) throw new Refusal(413, `more than ${MOST} bytes`);
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'that is no JSON');
  }
}

/** Headers of every answer: nothing of it may be framed, sniffed, kept or sent on. */
export function headersOf(type: string, policy = "default-src 'none'"): Record<string, string> {
  return {
    'content-type': type,
    'content-security-policy': `${policy}; frame-ancestors 'none'`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}

export function answer(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  policy?: string,
): void {
  response.writeHead(status, headersOf(`${type}; charset=utf-8`, policy)).end(text);
}
