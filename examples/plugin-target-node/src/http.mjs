// One attempt by HTTP, and what its answer means to Hookarr.
import { readFileSync } from 'node:fs';
import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { cutBytes, redacted } from './redact.mjs';

const kib = 1 << 10;
const agents = {
  'http:': new http.Agent({ keepAlive: true, lookup: guardedLookup }),
  'https:': new https.Agent({ keepAlive: true, lookup: guardedLookup, ca: authorities() }),
};

// Addresses by which a URL would reach something other than an endpoint: a cloud's metadata
// service above all.
const refused = new BlockList();
for (const [network, bits, family] of [
  ['0.0.0.0', 8, 'ipv4'], ['169.254.0.0', 16, 'ipv4'], ['224.0.0.0', 4, 'ipv4'], ['255.255.255.255', 32, 'ipv4'],
  ['100.100.100.200', 32, 'ipv4'], ['168.63.129.16', 32, 'ipv4'], ['192.0.0.192', 32, 'ipv4'],
  ['::', 128, 'ipv6'], ['fe80::', 10, 'ipv6'], ['fec0::', 10, 'ipv6'], ['ff00::', 8, 'ipv6'],
  ['fd00:ec2::254', 128, 'ipv6'], ['fd20:ce::254', 128, 'ipv6'], ['64:ff9b::a9fe:0', 112, 'ipv6'],
]) {
  refused.addSubnet(network, bits, family);
}

const isRefused = (address) => refused.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

// checkURL returns what is wrong with a URL, without repeating it.
export function checkURL(text) {
  const url = URL.canParse(text) && new URL(text);
  if (!url || !(url.protocol in agents) || url.hostname === '') {
    return ['needs to begin with http:// or https:// and a host'];
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) && isRefused(host) ? [`${host} is not an address to deliver to`] : [];
}

// guardedLookup judges what a name was resolved to, right before it is dialled.
function guardedLookup(name, options, done) {
  lookup(name, options, (err, address, family) => {
    const addresses = options.all ? (address ?? []).map((a) => a.address) : [address];
    if (!err && addresses.some(isRefused)) {
      err = Object.assign(new Error('is not an address to deliver to'), { code: 'EREFUSEDADDRESS' });
    }
    done(err, address, family);
  });
}

// authorities are whose certificates are trusted. Node.js itself does not look at SSL_CERT_FILE.
function authorities() {
  try {
    return [...rootCertificates, readFileSync(process.env.SSL_CERT_FILE)];
  } catch {
    return undefined;
  }
}

// Client sends the requests of one attempt. It keeps what was sent, for the host to show.
export class Client {
  requests = [];

  // signal ends with the attempt. A preview sends nothing.
  constructor({ signal, redact, preview = false, userAgent }) {
    Object.assign(this, { signal, redact, preview, userAgent });
  }

  // postJSON makes one request and returns the outcome.
  async postJSON(url, value, headers) {
    const body = JSON.stringify(value);
    headers = { 'Content-Type': 'application/json', 'User-Agent': this.userAgent, ...headers };
    this.requests.push(this.#shown('POST', url, headers, body));
    if (this.preview) {
      return { class: 'CLASS_OK' };
    }
    try {
      const response = await this.#send(url, { method: 'POST', headers: { ...headers, 'Content-Length': Buffer.byteLength(body) } }, body);
      const outcome = classify(response.statusCode, response.headers['retry-after']);
      return { ...outcome, excerpt: cutBytes(this.redact(await beginning(response)), 4 * kib) };
    } catch (err) {
      return failure(err, this.signal);
    }
  }

  // #send resolves with the headers of the answer. It follows no redirect.
  #send(url, options, body) {
    const { protocol } = new URL(url);
    const { request } = protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      request(url, { ...options, agent: agents[protocol], signal: this.signal }, resolve).on('error', reject).end(body);
    });
  }

  #shown(method, url, headers, body) {
    const shown = Buffer.from(this.redact(body));
    return {
      method,
      url: new URL(url).origin + '/' + redacted,
      headers: Object.entries(headers).map(([name, value]) => ({
        name, values: [/^authorization$/i.test(name) ? redacted : this.redact(value)],
      })),
      body: shown.subarray(0, 16 * kib),
      truncated: shown.length > 16 * kib,
    };
  }
}

// beginning reads the start of an answer, for a second at most: the status alone decides, and
// a body that never ends changes nothing.
async function beginning(response) {
  const timer = setTimeout(() => response.destroy(), 1000);
  const chunks = [];
  try {
    let size = 0;
    for await (const chunk of response) {
      chunks.push(chunk);
      if ((size += chunk.length) >= 64 * kib) {
        break;
      }
    }
  } catch {
    // What came is enough.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString();
}

const misconfigured = [401, 403, 404, 405, 407, 410, 415, 426];

// classify returns what a status means, by the table of Hookarr's PLUGINS.md.
export function classify(status, header) {
  const retry_after = retryAfter(header);
  const message = `the endpoint answered ${status} ${http.STATUS_CODES[status] ?? ''}`.trim();
  if (status >= 200 && status < 300) {
    return { class: 'CLASS_OK', status };
  }
  if (status >= 300 && status < 400) {
    return { class: 'CLASS_MISCONFIGURED', status, message: `${message}: redirects are not followed, configure the final URL` };
  }
  if (misconfigured.includes(status)) {
    return { class: 'CLASS_MISCONFIGURED', status, message };
  }
  if (status === 429 || (status === 503 && retry_after)) {
    return { class: 'CLASS_THROTTLED', status, message, retry_after };
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 425) {
    return { class: 'CLASS_PERMANENT', status, message };
  }
  return { class: 'CLASS_RETRYABLE', status, message, retry_after };
}

// retryAfter reads a header that is seconds or a date (RFC 9110, section 10.2.3).
function retryAfter(header) {
  if (!header) {
    return undefined;
  }
  const seconds = /^\d+(\.\d+)?$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  if (Number.isNaN(seconds)) {
    return undefined;
  }
  const bounded = Math.min(Math.max(seconds, 0), 365 * 24 * 3600);
  return { seconds: Math.floor(bounded), nanos: Math.floor((bounded % 1) * 1e9) };
}

// failure is the outcome of a request without an answer. Its message has no URL: an error's
// own text may.
function failure(err, signal) {
  const code = err.code ?? err.name;
  if (signal.aborted) {
    return { class: 'CLASS_RETRYABLE', message: 'the endpoint did not answer in time' };
  }
  if (code === 'EREFUSEDADDRESS') {
    return { class: 'CLASS_MISCONFIGURED', message: 'the host of the URL is not an address to deliver to' };
  }
  // The names that OpenSSL and Node.js have for a certificate that does not verify.
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS|HOSTNAME/.test(code)) {
    return { class: 'CLASS_MISCONFIGURED', message: `the endpoint's certificate is not trusted: ${code}` };
  }
  return { class: 'CLASS_RETRYABLE', message: `no connection to the endpoint: ${code}` };
}
