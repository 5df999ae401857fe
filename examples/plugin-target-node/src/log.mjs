// The log: lines of JSON on standard error, which Hookarr takes into its own log.
import { writeSync } from 'node:fs';
import { cutBytes } from './redact.mjs';

const levels = ['debug', 'info', 'warn', 'error'];
const lowest = Math.max(levels.indexOf(process.env.HOOKARR_LOG_LEVEL || 'info'), 0);

// Hookarr reads 16 KiB of a line.
const maxValue = 4 << 10;

// logger returns a log whose every value is redacted by a function.
export function logger(redact) {
  const log = (level) => (message, fields = {}) => {
    if (levels.indexOf(level) < lowest) {
      return;
    }
    const record = { '@level': level, '@message': cutBytes(redact(message), maxValue), '@timestamp': new Date().toISOString() };
    for (const [key, value] of Object.entries(fields)) {
      record[key] = cutBytes(redact(String(value)), maxValue);
    }
    try {
      writeSync(2, JSON.stringify(record) + '\n');
    } catch {
      // Nobody reads: the host is gone, and so is this process in a moment.
    }
  };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
