// The services of a target plugin, around a description and a function that delivers.
import { randomUUID } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import Ajv from 'ajv/dist/2020.js';
import pluginProto from '../proto/plugin.proto';
import { Client } from './http.mjs';
import { logger } from './log.mjs';
import { launched, load, serve as serveServices, status, until } from './process.mjs';
import { line, redactor, secretsOf } from './redact.mjs';

// serve serves a target plugin. It is all that the main file does.
export function serve(plugin) {
  if (!launched()) {
    process.stderr.write(`hookarr-target-${plugin.name} ${plugin.version} is a target plugin of Hookarr, which starts it by itself.

Put the file into Hookarr's plugin directory, where \`hookarr plugins list\` shows it, and
use it in the configuration as \`plugin: ${plugin.name}\`.
`);
    process.exit(1);
  }
  const instances = new Instances(plugin);
  const log = logger((text) => instances.redactAll(text));
  process.on('uncaughtException', (err) => {
    log.error('plugin failed', { error: err.stack ?? err });
    process.exit(1);
  });
  const definitions = load(pluginProto);
  serveServices([
    [definitions['hookarr.plugin.v1.PluginService'], pluginService(plugin, instances)],
    [definitions['hookarr.plugin.v1.TargetService'], targetService(plugin, instances)],
  ], log);
}

function pluginService(plugin, instances) {
  return {
    async Describe() {
      return {
        name: plugin.name,
        kind: 'KIND_TARGET',
        version: plugin.version,
        summary: plugin.summary,
        protocol_version: 1,
        config_schema: Buffer.from(JSON.stringify(plugin.schema)),
        features: plugin.features,
      };
    },
    async Configure(request) {
      return instances.configure(request.instances, request.validate_only);
    },
    async CheckHealth() {
      return {};
    },
  };
}

function targetService(plugin, instances) {
  // attempt makes one, of an instance that is there.
  const attempt = async (request, events, call, preview) => {
    const { config, redact } = instances.get(request.instance);
    const http = new Client({ signal: until(call), redact, preview, userAgent: `Hookarr-target-${plugin.name}/${plugin.version}` });
    const outcome = await plugin.deliver(config, { id: request.delivery_id, events }, http);
    if (outcome.class !== 'CLASS_OK' || request.record || preview) {
      outcome.requests = http.requests;
    }
    return { ...outcome, message: line(redact(outcome.message ?? '')) };
  };
  return {
    async Deliver(request, call) {
      return attempt(request, request.events.map(parseEvent), call, request.preview);
    },
    async Test(request, call) {
      const id = `test-${randomUUID()}`; // new to an endpoint that knows repetitions by it
      const event = request.event.length > 0 ? parseEvent(request.event) : testEvent(id, request.instance);
      return { outcome: await attempt({ instance: request.instance, delivery_id: id, record: true }, [event], call, false) };
    },
  };
}

function parseEvent(data) {
  try {
    return JSON.parse(data);
  } catch {
    throw status(grpc.status.INVALID_ARGUMENT, 'the event is no JSON');
  }
}

function testEvent(id, instance) {
  return {
    id, type: 'test', source: 'hookarr', origin: 'hookarr', app: 'hookarr', time: new Date().toISOString(),
    title: 'Hookarr', summary: `Hookarr tests its target ${instance}`,
  };
}

// Instances are the configured targets, by name.
class Instances {
  #live = new Map();
  // Secrets stay known when an instance is gone: a call of it may still log.
  #secrets = new Set();
  #redactAll = redactor([]);

  constructor(plugin) {
    this.plugin = plugin;
    const ajv = new Ajv({ allErrors: true, useDefaults: true });
    ajv.addVocabulary(['x-hookarr-group', 'x-hookarr-advanced', 'x-hookarr-network', 'x-hookarr-options']);
    this.validate = ajv.compile(plugin.schema);
  }

  redactAll(text) {
    return this.#redactAll(text);
  }

  get(name) {
    const instance = this.#live.get(name);
    if (!instance) {
      throw status(grpc.status.FAILED_PRECONDITION, `no instance "${name}" is configured`);
    }
    return instance;
  }

  // configure replaces the set, or only judges it. An instance with a problem is not put in
  // place, and its former self stays. Calls under way keep what they began with.
  configure(wanted, validateOnly) {
    const next = new Map();
    const problems = [];
    const fit = [];
    for (const { name, config: data } of wanted) {
      if (next.has(name)) {
        problems.push({ instance: name, message: 'is configured twice' });
        continue;
      }
      const { instance, found } = this.#read(data);
      problems.push(...found.map((problem) => ({ instance: name, ...problem })));
      if (found.length === 0) {
        fit.push({ name });
        next.set(name, instance);
      } else if (this.#live.has(name)) {
        next.set(name, this.#live.get(name));
      }
    }
    if (!validateOnly) {
      this.#live = next;
    }
    return { problems, instances: fit };
  }

  #read(data) {
    let config;
    try {
      config = JSON.parse(data);
    } catch {
      return { found: [{ key: '', message: 'is no JSON' }] }; // the error's own text may have a secret
    }
    if (config === null || typeof config !== 'object' || Array.isArray(config)) {
      return { found: [{ key: '', message: 'is no JSON object' }] };
    }
    // A null is the same as an absent key.
    config = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null));
    const secrets = secretsOf(this.plugin.schema, config);
    secrets.forEach((secret) => this.#secrets.add(secret));
    this.#redactAll = redactor([...this.#secrets]);
    const redact = redactor(secrets);

    const found = this.validate(config) ? this.plugin.check(config) : this.validate.errors.map(toProblem);
    return { instance: { config, redact }, found: found.map(({ key, message }) => ({ key, message: line(redact(message)) })) };
  }
}

// toProblem names the key that an error of the schema is about.
function toProblem(error) {
  const keyOf = (...more) => [...error.instancePath.split('/').slice(1), ...more].join('.').replace(/\.(\d+)/g, '[$1]');
  switch (error.keyword) {
    case 'required':
      return { key: keyOf(error.params.missingProperty), message: 'is required' };
    case 'additionalProperties':
      return { key: keyOf(error.params.additionalProperty), message: 'is an unknown key' };
    default:
      return { key: keyOf(), message: error.message };
  }
}
