// What surrounds a plugin's services: the handshake, mutual TLS, and the end together with
// the host.
import { X509Certificate } from 'node:crypto';
import { fstatSync, writeSync } from 'node:fs';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import selfsigned from 'selfsigned';
import controllerProto from '../proto/controller.proto';
import healthProto from '../proto/health.proto';

const cookie = { key: 'HOOKARR_PLUGIN', value: '6b1f0c9a-hookarr-plugin-4d27e5' };
const coreProtocol = 1; // of go-plugin's handshake
const protocolVersion = 1; // hookarr.plugin.v1
const maxMessage = 64 << 20;
const maxTimer = 2 ** 31 - 1; // milliseconds; a longer one would end at once

// launched reports whether Hookarr started this process.
export const launched = () => process.env[cookie.key] === cookie.value;

// load returns what a .proto file defines, by full names.
export function load(text) {
  const root = new protobuf.Root();
  for (const name of ['duration', 'timestamp']) {
    root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`).nested);
  }
  protobuf.parse(text, root, { keepCase: true });
  return protoLoader.fromJSON(root.toJSON({ keepComments: false }), { keepCase: true, longs: Number, enums: String, defaults: true });
}

// serve serves until the host stops the process or is gone. services are pairs of a
// service's definition and its methods, each an async function of request and call.
export async function serve(services, log) {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': maxMessage,
    'grpc.max_send_message_length': maxMessage,
  });
  const end = endOf(server);
  for (const [definition, methods] of [...services, health(), controller(end)]) {
    server.addService(definition, Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, unary(name, method, log)])));
  }

  const { key, certificate } = await ownCertificate();
  const credentials = grpc.ServerCredentials.createSsl(
    Buffer.from(process.env.PLUGIN_CLIENT_CERT), // the one client that is let in
    [{ private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) }],
    true,
  );
  const socket = path.join(process.env.PLUGIN_UNIX_SOCKET_DIR, 'plugin.sock');
  await new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, credentials, (err) => (err ? reject(err) : resolve()));
  });
  const der = new X509Certificate(certificate).raw.toString('base64').replace(/=+$/, '');
  writeSync(1, `${coreProtocol}|${protocolVersion}|unix|${socket}|grpc|${der}\n`);
}

// endOf prepares the ends that a plugin has to know, and returns that by Shutdown.
function endOf(server) {
  // Ctrl-C on a terminal reaches the host too, which then ends its plugins in order.
  process.on('SIGINT', () => {});
  // A service manager ends all at once: what is under way is finished, new calls are refused.
  process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));
  // The host holds the other end of standard input: its end is the host's. What is no pipe, such
  // as /dev/null, tells nothing.
  if (fstatSync(0).isFIFO() || fstatSync(0).isSocket()) {
    process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
  }
  return () => setImmediate(() => server.tryShutdown(() => process.exit(0)));
}

// ownCertificate makes a key and a certificate for this one process. Hookarr trusts exactly
// the certificate in the handshake, for the name localhost.
async function ownCertificate() {
  const pems = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 60_000),
    notAfterDate: new Date(Date.now() + 10 * 365 * 24 * 3600_000),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  return { key: pems.private, certificate: pems.cert };
}

function health() {
  return [load(healthProto)['grpc.health.v1.Health'], {
    async Check({ service }) {
      if (service !== '' && service !== 'plugin') {
        throw status(grpc.status.NOT_FOUND, `no service ${service}`);
      }
      return { status: 'SERVING' };
    },
  }];
}

function controller(end) {
  return [load(controllerProto)['plugin.GRPCController'], {
    async Shutdown() {
      end();
      return {};
    },
  }];
}

// status makes an error that reaches the host with its code.
export const status = (code, details) => Object.assign(new Error(details), { code, details });

// unary turns an async function into a gRPC handler. What it throws without a code is a bug:
// it ends the call, and not the process.
function unary(name, method, log) {
  return async (call, callback) => {
    try {
      callback(null, await method(call.request, call));
    } catch (err) {
      if (err.details !== undefined && Number.isInteger(err.code)) {
        callback(err);
        return;
      }
      log.error('plugin failed', { method: name, error: err.stack ?? err });
      callback({ code: grpc.status.INTERNAL, details: `the plugin failed in ${name}: see its log` });
    }
  };
}

// until returns a signal that ends with the host's interest in a call, and a little before its
// deadline, so that the outcome of an attempt that takes too long still reaches the host.
export function until(call) {
  const cancelled = new AbortController();
  call.on('cancelled', () => cancelled.abort());
  const deadline = call.getDeadline();
  if (deadline === Infinity) {
    return cancelled.signal;
  }
  const left = new Date(deadline) - Date.now();
  const wait = Math.floor(left - Math.min(left / 20, 250));
  const timer = AbortSignal.timeout(Math.min(Math.max(wait, 0), maxTimer));
  return AbortSignal.any([cancelled.signal, timer]);
}
